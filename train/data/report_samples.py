"""Samples for the alignment: a volume, its report, and K of its captions, drawn anew each time."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
from torch import Tensor
from torch.utils.data import Dataset

from train.order import Order, random

from .caption_pairs import CaptionPair
from .cases import Case


class ReportSample(NamedTuple):
    """A volume (its pooled vector or its voxels), the report's text, up to K captions, and the name of the scan."""

    volume: Tensor
    report: str
    captions: tuple[str, ...]
    scan: str


class AlignmentBatch(NamedTuple):
    """B samples. `texts` are the N texts to encode, each once; `reports` and `captions` are indices into it.

    `volumes` (B, C) pooled, or a list of (1, D, H, W); `reports` (B,) and `captions` (B, K), −1 where there is no
    text; `scans` (B,) ids, equal for samples of one scan, whose names are `names`.
    """

    volumes: Tensor | list[Tensor]
    texts: list[str]
    reports: Tensor
    captions: Tensor
    scans: Tensor
    names: tuple[str, ...] = ()

    def text_ids(self) -> Tensor:
        """Return an id for each text, (N,), equal for equal texts in every process."""
        return torch.tensor([text_id(text) for text in self.texts], dtype=torch.long)


class ReportSamples(Dataset[ReportSample]):
    """The samples of a run by number. Every epoch contains each scan once.

    `volume` reads the volume of a case, `count` is K.
    """

    def __init__(
        self, pairs: Sequence[CaptionPair], volume: Callable[[Case], Tensor], count: int, batch_size: int, seed: int
    ) -> None:
        self.pairs, self.volume, self.count = pairs, volume, count
        self.order = Order([pair.case.scan for pair in pairs], batch_size, seed)

    def __getitem__(self, number: int) -> ReportSample:
        pair = self.pairs[self.order[number]]
        texts = list(dict.fromkeys(caption.caption for caption in pair.captions))
        drawn = random((self.order.seed, 4, number)).permutation(len(texts))[: self.count]
        return ReportSample(self.volume(pair.case), pair.text, tuple(texts[index] for index in drawn), pair.case.scan)


def collate_reports(samples: Sequence[ReportSample], count: int) -> AlignmentBatch:
    """Collate samples into a batch with `count` columns for captions."""
    texts: dict[str, int] = {}
    reports = [texts.setdefault(sample.report, len(texts)) if sample.report.strip() else -1 for sample in samples]
    captions = torch.full((len(samples), count), -1)
    for row, sample in enumerate(samples):
        for column, caption in enumerate(sample.captions):
            captions[row, column] = texts.setdefault(caption, len(texts))
    volumes: Tensor | list[Tensor] = [sample.volume for sample in samples]
    if samples[0].volume.dim() == 1:
        volumes = torch.stack(list(volumes))
    scans = torch.tensor([text_id(sample.scan) for sample in samples], dtype=torch.long)
    names = tuple(sample.scan for sample in samples)
    return AlignmentBatch(volumes, list(texts), torch.tensor(reports), captions, scans, names)


def text_id(text: str) -> int:
    """Return a whole number of 63 bits, equal for texts that differ only in case and blanks."""
    normalised = " ".join(text.lower().split())
    return int.from_bytes(hashlib.sha256(normalised.encode()).digest()[:8], "big") >> 1
