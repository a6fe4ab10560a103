"""A checkpoint as it is evaluated: one run of the segmenter for all prompts of a case."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import torch

from curation.runtime.progress import Progress
from models.checkpoint import Checkpoint
from models.inference import Precision
from train.inference.errors import SegmentError
from train.inference.options import AUTO, SegmentOptions
from train.inference.prompts import SegmentPrompt, check_lengths
from train.inference.segmenting import load_segmenter, segment
from train.scans.scan import Scan

from .case import Prediction
from .record import Settings


class _OnlyStops(Progress):
    """Windows are not counted, cases are; but a run stops between two windows."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress

    def raise_if_interrupted(self) -> None:
        self._progress.raise_if_interrupted()


class Model:
    """A predictor, see `train.evaluation.case`. Raises what `train.inference.segmenting.load_segmenter` does."""

    def __init__(
        self,
        checkpoint: Path,
        settings: Settings,
        progress: Progress,
        *,
        device: torch.device | str | None = None,
        precision: Precision = "auto",
    ) -> None:
        self.segmenter, self.record = load_segmenter(checkpoint, str(device or AUTO))
        self._settings, self._precision, self._progress = settings, precision, _OnlyStops(progress)

    def too_long(self, prompts: Sequence[str]) -> set[str]:
        """Prompts of which the text encoder would read the beginning alone."""
        assert self.segmenter.text is not None
        found = set()
        for prompt in prompts:
            try:
                check_lengths([SegmentPrompt(prompt, prompt)], self.segmenter.text)
            except SegmentError:
                found.add(prompt)
        return found

    def __call__(self, scan: Scan, prompts: Sequence[str]) -> Iterator[Prediction]:
        """Each prompt's own mask, whatever the others are."""
        found = segment(
            scan,
            prompts,
            Checkpoint(self.segmenter, self.record),
            SegmentOptions(
                threshold=self._settings.threshold,
                presence_threshold=self._settings.presence_threshold,
                precision=self._precision,
                vocabulary=self._settings.vocabulary,
            ),
            progress=self._progress,
        )
        for row in found.table:
            yield Prediction(row.prompt, found.mask(row.name), row.presence)
