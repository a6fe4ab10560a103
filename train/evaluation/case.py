"""Measuring one case: each prompt's mask against the labels, on the scan's own grid (X Y Z voxels)."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from train.scans.scan import Scan

from .metrics import Box, Mask, MaskCrop, Surface, dice, surface_dice, surface_of
from .questions import EvaluationQuestion
from .record import EvaluationError, ScoreRow

RowObserver = Callable[[ScoreRow, MaskCrop, MaskCrop], None]
"""Is called with each row, its prediction and its reference."""


class Prediction(NamedTuple):
    """The answer of a model to a prompt: a mask (X, Y, Z), and the probability that the structure is in the scan."""

    prompt: str
    mask: Mask
    presence: float | None


class Predictor(Protocol):
    """Segments a scan: yields each prompt's own mask, in any order; masks may overlap."""

    def __call__(self, scan: Scan, prompts: Sequence[str]) -> Iterator[Prediction]: ...


class References:
    """Gives the reference masks of a scan from its labels (X, Y, Z).

    `structures` has the ids in the label map by name; `ignored` are the ids of voxels of which nothing is known.
    """

    def __init__(
        self,
        labels: NDArray[np.integer],
        spacing_mm: Sequence[float],
        structures: Mapping[str, tuple[int, ...]],
        ignored: Sequence[int] = (),
    ) -> None:
        self._labels, self.spacing_mm, self._structures = labels, tuple(spacing_mm), structures
        self.voxel_ml = float(np.prod(self.spacing_mm)) / 1000
        self._boxes: list[Box | None] = ndimage.find_objects(labels)
        self._counted = ~np.isin(labels, ignored) if ignored else None
        self._cached_mask = cache(self._find_mask)
        self._cached_surface = cache(self._find_surface)

    def counted_part(self, mask: Mask) -> MaskCrop:
        """Return a prediction (X, Y, Z) without the ignored voxels. Raises EvaluationError for another shape."""
        if mask.shape != self._labels.shape:
            raise EvaluationError(f"a mask of {mask.shape} voxels for a scan of {self._labels.shape}")
        return MaskCrop.of(mask & self._counted if self._counted is not None else mask)

    def mask(self, members: tuple[str, ...]) -> MaskCrop:
        """Return the mask of several structures together."""
        return self._cached_mask(members)

    def surface(self, members: tuple[str, ...]) -> Surface:
        """Return the surface of several structures together."""
        return self._cached_surface(members)

    def _find_mask(self, members: tuple[str, ...]) -> MaskCrop:
        ids = sorted({number for member in members for number in self._structures[member]})
        box = _around([self._boxes[number - 1] for number in ids if 0 < number <= len(self._boxes)])
        return MaskCrop(box, np.isin(self._labels[box], ids))

    def _find_surface(self, members: tuple[str, ...]) -> Surface:
        return surface_of(self.mask(members), self.spacing_mm)


def measure(
    scan: Scan,
    references: References,
    questions: Sequence[EvaluationQuestion],
    predict: Predictor,
    tolerance_mm: float,
    observe: RowObserver | None = None,
) -> list[ScoreRow]:
    """Return a row for each question, in their order; the model runs once, for all prompts.

    `tolerance_mm` is that of NSD. Raises EvaluationError if the model leaves a prompt out.
    """
    by_prompt: dict[str, list[EvaluationQuestion]] = {}
    for question in questions:
        by_prompt.setdefault(question.prompt, []).append(question)
    rows: dict[EvaluationQuestion, ScoreRow] = {}
    for prediction in predict(scan, list(by_prompt)):
        mask = references.counted_part(prediction.mask)
        for question in by_prompt[prediction.prompt]:
            rows[question] = _score(question, mask, prediction.presence, references, tolerance_mm)
            if observe is not None:
                observe(rows[question], mask, references.mask(question.members))
    if missing := [question.prompt for question in questions if question not in rows]:
        raise EvaluationError(f"the model gave no mask for {', '.join(missing[:3])}")
    return [rows[question] for question in questions]


def _score(
    question: EvaluationQuestion,
    prediction: MaskCrop,
    presence: float | None,
    references: References,
    tolerance_mm: float,
) -> ScoreRow:
    reference = references.mask(question.members)
    overlap, nsd = dice(prediction, reference), None
    if overlap is not None:
        surface = surface_of(prediction, references.spacing_mm)
        nsd = surface_dice(surface, references.surface(question.members), tolerance_mm)
    return ScoreRow(
        kind=question.kind,
        subject=question.subject,
        prompt=question.prompt,
        dice=overlap,
        nsd=nsd,
        reference_ml=reference.count * references.voxel_ml,
        predicted_ml=prediction.count * references.voxel_ml,
        presence=presence,
    )


def _around(boxes: Sequence[Box | None]) -> Box:
    """Return the smallest box around all of them, an empty one around none."""
    filled = [box for box in boxes if box is not None]
    if not filled:
        return slice(0, 0), slice(0, 0), slice(0, 0)
    x, y, z = (
        slice(min(box[axis].start for box in filled), max(box[axis].stop for box in filled)) for axis in range(3)
    )
    return x, y, z
