"""Samples for the alignment: a volume, its report, and K of its captions, drawn anew each time."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
from torch import Tensor
from torch.utils.data import Dataset

from train.order import Order, random

from .caption_pairs import Pair
from .cases import Case


class ReportSample(NamedTuple):
    """What `volume` gives of the case, the report's text, up to K captions."""

    volume: Tensor
    report: str
    captions: tuple[str, ...]
    scan: str


class ReportPart(NamedTuple):
    """B of them. `texts` are what has to be encoded, each once; the others are places in it, −1 for no such text.

    `volumes` (B, C) pooled, or a list of (1, D, H, W); `reports` (B,), `captions` (B, K), `scans` (B,) ids.
    """

    volumes: Tensor | list[Tensor]
    texts: list[str]
    reports: Tensor
    captions: Tensor
    scans: Tensor

    def text_ids(self) -> Tensor:
        """An id for each text (N,), equal for equal texts in whatever process."""
        return torch.tensor([text_id(text) for text in self.texts], dtype=torch.long)


class ReportSamples(Dataset[ReportSample]):
    """Sample n of a run; every epoch shows each scan once."""

    def __init__(
        self, pairs: Sequence[Pair], volume: Callable[[Case], Tensor], count: int, batch_size: int, seed: int
    ) -> None:
        self.pairs, self.volume, self.count = pairs, volume, count
        self.order = Order([pair.case.scan for pair in pairs], batch_size, seed)

    def __getitem__(self, number: int) -> ReportSample:
        pair = self.pairs[self.order[number]]
        texts = list(dict.fromkeys(caption.caption for caption in pair.captions))
        chosen = random((self.order.seed, 4, number)).permutation(len(texts))[: self.count]
        return ReportSample(self.volume(pair.case), pair.text, tuple(texts[place] for place in chosen), pair.case.scan)


def report_part(samples: Sequence[ReportSample], count: int) -> ReportPart:
    """Samples to a part of a batch with `count` places for captions."""
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
    return ReportPart(volumes, list(texts), torch.tensor(reports), captions, scans)


def text_id(text: str) -> int:
    """A whole number of 63 bits, equal for texts that differ in case and blanks alone."""
    plain = " ".join(text.lower().split())
    return int.from_bytes(hashlib.sha256(plain.encode()).digest()[:8], "big") >> 1
