"""A checkpoint as the evaluation runs it: one run of the segmenter for all prompts of a case."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from curation.runtime.progress import Progress
from models.checkpoint import Checkpoint
from train.inference.engines.text import load_segmenter
from train.inference.errors import SegmentError
from train.inference.options import SegmentOptions
from train.inference.prompts import SegmentPrompt, check_lengths
from train.inference.segmenting import segment
from train.scans.scan import Scan

from .case import Prediction


class _InterruptOnly(Progress):
    """Interrupts a run between two windows, without counting them: cases are what is counted."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress

    def raise_if_interrupted(self) -> None:
        self._progress.raise_if_interrupted()


class CheckpointPredictor:
    """Segments scans with a checkpoint, as a `train.evaluation.case.Predictor`.

    Raises what `train.inference.engines.text.load_segmenter` does.
    """

    def __init__(self, checkpoint: Path, options: SegmentOptions, progress: Progress) -> None:
        self.segmenter, self.record = load_segmenter(checkpoint, options.device)
        self._options, self._progress = options, _InterruptOnly(progress)

    def too_long(self, prompts: Sequence[str]) -> set[str]:
        """Return the prompts that the text encoder would cut short."""
        assert self.segmenter.text is not None
        long_prompts = set()
        for prompt in prompts:
            try:
                check_lengths([SegmentPrompt(prompt, prompt)], self.segmenter.text)
            except SegmentError:
                long_prompts.add(prompt)
        return long_prompts

    def __call__(self, scan: Scan, prompts: Sequence[str]) -> Iterator[Prediction]:
        """Yield each prompt's own mask, whatever the others are."""
        checkpoint = Checkpoint(self.segmenter, self.record)
        result = segment(scan, prompts, checkpoint, self._options, progress=self._progress)
        for row in result.table:
            assert row.presence is not None
            yield Prediction(row.prompt, result.mask(row.name), row.presence)
