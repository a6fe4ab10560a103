"""One case measured: each prompt's mask against the labels, on the scan's own grid."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from train.scans.scan import Scan

from .metrics import Box, Mask, Part, Surface, dice, surface, surface_dice
from .questions import Question
from .record import EvaluationError, Row

Look = Callable[[Row, Part, Part], None]
"""Who wants to see each row with its prediction and its reference."""


class Prediction(NamedTuple):
    """What a model says to a prompt: a mask (X, Y, Z) on the scan's grid, and how likely the structure is there."""

    prompt: str
    mask: Mask
    presence: float | None


class Predictor(Protocol):
    """A model at work: each prompt's own mask, in any order; they may overlap."""

    def __call__(self, scan: Scan, prompts: Sequence[str]) -> Iterator[Prediction]: ...


class References:
    """The labels of a scan as masks. `structures`: name -> ids in the label map; `ignored`: ids of unknown voxels."""

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
        self._known = ~np.isin(labels, ignored) if ignored else None
        self.part = cache(self._part)
        self.surface = cache(self._surface)

    def known(self, mask: Mask) -> Part:
        """A prediction without the voxels of which nothing is known."""
        if mask.shape != self._labels.shape:
            raise EvaluationError(f"a mask of {mask.shape} voxels for a scan of {self._labels.shape}")
        return Part.of(mask & self._known if self._known is not None else mask)

    def _part(self, members: tuple[str, ...]) -> Part:
        ids = sorted({one for member in members for one in self._structures[member]})
        box = _around([self._boxes[one - 1] for one in ids if 0 < one <= len(self._boxes)])
        return Part(box, np.isin(self._labels[box], ids))

    def _surface(self, members: tuple[str, ...]) -> Surface:
        return surface(self.part(members), self.spacing_mm)


def measure(
    scan: Scan,
    references: References,
    asked: Sequence[Question],
    predict: Predictor,
    tolerance_mm: float,
    look: Look | None = None,
) -> list[Row]:
    """A row for each question, in their order; the model runs once, for all prompts."""
    by_prompt: dict[str, list[Question]] = {}
    for question in asked:
        by_prompt.setdefault(question.prompt, []).append(question)
    rows: dict[Question, Row] = {}
    for prediction in predict(scan, list(by_prompt)):
        part = references.known(prediction.mask)
        for question in by_prompt[prediction.prompt]:
            rows[question] = _row(question, part, prediction.presence, references, tolerance_mm)
            if look is not None:
                look(rows[question], part, references.part(question.members))
    if missing := [question.prompt for question in asked if question not in rows]:
        raise EvaluationError(f"the model gave no mask for {', '.join(missing[:3])}")
    return [rows[question] for question in asked]


def _row(
    question: Question, prediction: Part, presence: float | None, references: References, tolerance_mm: float
) -> Row:
    reference = references.part(question.members)
    overlap, nsd = dice(prediction, reference), None
    if overlap is not None:
        found = surface(prediction, references.spacing_mm)
        nsd = surface_dice(found, references.surface(question.members), tolerance_mm)
    return Row(
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
    """The smallest box around all of them, an empty one around none."""
    found = [box for box in boxes if box is not None]
    if not found:
        return slice(0, 0), slice(0, 0), slice(0, 0)
    x, y, z = (slice(min(box[axis].start for box in found), max(box[axis].stop for box in found)) for axis in range(3))
    return x, y, z
