"""What every engine of `ovct segment` does: say what it knows, refuse what it cannot segment, and segment."""

from __future__ import annotations

from typing import Protocol

from curation.runtime.progress import Progress
from train.inference.options import SegmentOptions
from train.inference.prompts import SegmentPrompt
from train.inference.result import SegmentationResult
from train.inference.windows import Windows
from train.scans.scan import Scan


class MaskEngine(Protocol):
    """Makes masks of prompts."""

    @property
    def weights(self) -> str:
        """The name of the weights, for what is written with them."""

    @property
    def has_probabilities(self) -> bool:
        """Whether masks come with probabilities."""

    def check(self, prompts: tuple[SegmentPrompt, ...], options: SegmentOptions) -> None:
        """Raise SegmentError for prompts and options that no scan can be segmented with."""

    def segment(
        self,
        scan: Scan,
        prompts: tuple[SegmentPrompt, ...],
        options: SegmentOptions,
        windows: Windows | None = None,
        progress: Progress | None = None,
    ) -> SegmentationResult:
        """Segment a scan, with prompts that were checked."""
