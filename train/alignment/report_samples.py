"""Samples for the alignment: a volume, its report, and K of its captions, drawn anew each time."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
from torch import Tensor
from torch.utils.data import Dataset

from train.data.caption_pairs import CaptionPair
from train.data.caption_sources import OrganCaption
from train.data.cases import Case
from train.order import Order, random

from .organ_views import OrganViews

# The opposites of one of a pair's captions; where there are several, one is drawn.
OppositesOf = Callable[[CaptionPair, OrganCaption], Sequence[str]]


class SampleCaption(NamedTuple):
    """A caption of a sample: its text, the view (`OrganViews`) of its organ, whether it is normal, and an opposite."""

    text: str
    view: int = 0
    normal: bool = False
    opposite: str = ""


class ReportSample(NamedTuple):
    """A volume (its pooled vector or its voxels), the report's text, up to K captions, and the name of the scan.

    `said` has the ids of all captions of the report, filled up with −1; `unremarkable` says of each view whether all
    that is said of it is normal.
    """

    volume: Tensor
    report: str
    captions: tuple[SampleCaption, ...]
    scan: str
    said: tuple[int, ...] = ()
    unremarkable: tuple[bool, ...] = ()


class AlignmentBatch(NamedTuple):
    """B samples. `texts` are the N texts to encode, each once; `reports` and `captions` are indices into it.

    `volumes` (B, C) pooled, or a list of (1, D, H, W); `reports` (B,), `captions` (B, K) and `opposites` (B, K), −1
    where there is no text; `scans` (B,) ids, equal for samples of one scan, whose names are `names`. `views` (B, K),
    `normal` (B, K), `said` (B, M) and `unremarkable` (B, V) as in the samples.
    """

    volumes: Tensor | list[Tensor]
    texts: list[str]
    reports: Tensor
    captions: Tensor
    scans: Tensor
    names: tuple[str, ...]
    opposites: Tensor
    views: Tensor
    normal: Tensor
    said: Tensor
    unremarkable: Tensor

    def text_ids(self) -> Tensor:
        """Return an id for each text, (N,), equal for equal texts in every process."""
        return torch.tensor([text_id(text) for text in self.texts], dtype=torch.long)


class ReportSamples(Dataset[ReportSample]):
    """The samples of a run by number. Every epoch contains each scan once.

    `volume` reads the volume of a case, `count` is K.
    """

    def __init__(
        self,
        pairs: Sequence[CaptionPair],
        volume: Callable[[Case], Tensor],
        count: int,
        batch_size: int,
        seed: int,
        *,
        views: OrganViews | None = None,
        opposites: OppositesOf | None = None,
    ) -> None:
        self.pairs, self.volume, self.count, self.views, self.opposites = pairs, volume, count, views, opposites
        self.order = Order([pair.case.scan for pair in pairs], batch_size, seed)
        self._most_said = max((len(pair.captions) for pair in pairs), default=0)

    def __getitem__(self, number: int) -> ReportSample:
        pair = self.pairs[self.order[number]]
        by_text = {caption.caption: caption for caption in reversed(pair.captions)}
        texts = list(dict.fromkeys(caption.caption for caption in pair.captions))
        draw = random((self.order.seed, 4, number))
        drawn = [by_text[texts[index]] for index in draw.permutation(len(texts))[: self.count]]
        captions = []
        for caption in drawn:
            choice = self.opposites(pair, caption) if self.opposites else ()
            opposite = choice[int(draw.integers(len(choice)))] if choice else ""
            view = self.views.number(caption.organ) if self.views else 0
            captions.append(SampleCaption(caption.caption, view, caption.status == "normal", opposite))
        said = [text_id(text) for text in texts]
        return ReportSample(
            self.volume(pair.case),
            pair.text,
            tuple(captions),
            pair.case.scan,
            (*said, *[-1] * (self._most_said - len(said))),
            self.views.unremarkable(pair.captions) if self.views else (False,),
        )


def collate_reports(samples: Sequence[ReportSample], count: int) -> AlignmentBatch:
    """Collate samples into a batch with `count` columns for captions."""
    texts: dict[str, int] = {}
    reports = [texts.setdefault(sample.report, len(texts)) if sample.report.strip() else -1 for sample in samples]
    captions, opposites = (torch.full((len(samples), count), -1) for _ in range(2))
    views, normal = (torch.zeros(len(samples), count, dtype=dtype) for dtype in (torch.long, torch.bool))
    for row, sample in enumerate(samples):
        for column, caption in enumerate(sample.captions):
            captions[row, column] = texts.setdefault(caption.text, len(texts))
            views[row, column], normal[row, column] = caption.view, caption.normal
            if caption.opposite:
                opposites[row, column] = texts.setdefault(caption.opposite, len(texts))
    volumes: Tensor | list[Tensor] = [sample.volume for sample in samples]
    if samples[0].volume.dim() == 1:
        volumes = torch.stack(list(volumes))
    return AlignmentBatch(
        volumes=volumes,
        texts=list(texts),
        reports=torch.tensor(reports),
        captions=captions,
        scans=torch.tensor([text_id(sample.scan) for sample in samples], dtype=torch.long),
        names=tuple(sample.scan for sample in samples),
        opposites=opposites,
        views=views,
        normal=normal,
        said=torch.tensor([sample.said for sample in samples], dtype=torch.long),
        unremarkable=torch.tensor([sample.unremarkable for sample in samples], dtype=torch.bool),
    )


def text_id(text: str) -> int:
    """Return a whole number of 63 bits, equal for texts that differ only in case and blanks."""
    normalised = " ".join(text.lower().split())
    return int.from_bytes(hashlib.sha256(normalised.encode()).digest()[:8], "big") >> 1
