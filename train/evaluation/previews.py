"""Pictures of the worst masks: three planes of the scan with the reference and the prediction drawn as outlines.

Which are the worst is known only at the end, when the scans are gone; so after each case a picture is drawn of those of
its rows that are among the worst so far, and thrown away when later ones push it out.
"""

import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import nibabel
import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from curation.runtime.files import whole_file
from train.scans.scan import Scan

from .metrics import Box, Part
from .record import CaseResult, Row

WORST, FALSE_MASKS = 20, 8
# One structure that always fails would fill the list.
EACH = 3
MARGIN_MM = 25.0
REFERENCE, PREDICTION = "#2fbf4a", "#ff5c2b"
# As radiologists look at it: lower and upper end in HU of a window for soft tissue, and of one for what holds air.
SOFT_TISSUE, LUNG = (-160.0, 240.0), (-1100.0, 200.0)


class Failure(NamedTuple):
    """A row among the worst, and its case."""

    case: str
    row: Row

    @property
    def picture(self) -> str:
        """The file's name of its picture."""
        key = hashlib.sha256(f"{self.case}\n{self.row.subject}".encode()).hexdigest()[:8]
        return f"{_plain(self.case)}-{_plain(self.row.subject)}-{key}.png"


def failures_of(cases: Iterable[CaseResult]) -> list[Failure]:
    """All rows of structures asked for by name."""
    return [Failure(case.case, row) for case in cases for row in case.rows if row.kind == "name"]


def worst(failures: Iterable[Failure]) -> list[Failure]:
    """The lowest Dice below 1, at most three of one structure."""
    rows = [one for one in failures if one.row.dice is not None and one.row.dice < 1]
    return _first(sorted(rows, key=lambda one: (one.row.dice, one.row.nsd, one.case, one.row.subject)), WORST)


def false_masks(failures: Iterable[Failure]) -> list[Failure]:
    """The largest masks of structures that are not there, at most three of one structure."""
    rows = [one for one in failures if one.row.false_mask]
    return _first(sorted(rows, key=lambda one: (-one.row.predicted_ml, one.case, one.row.subject)), FALSE_MASKS)


def _first(failures: Sequence[Failure], count: int) -> list[Failure]:
    seen: Counter[str] = Counter()
    kept = []
    for failure in failures:
        seen[failure.row.subject] += 1
        if seen[failure.row.subject] <= EACH:
            kept.append(failure)
    return kept[:count]


class Previews:
    """The pictures in `folder` of the rows that are among the worst so far."""

    def __init__(self, folder: Path, done: Iterable[CaseResult] = ()) -> None:
        self._folder = folder
        rows = failures_of(done)
        self._listed = [*worst(rows), *false_masks(rows)]
        self._seen: dict[Failure, tuple[Part, Part]] = {}

    def start(self, case: str) -> None:
        """Forget what a case that was not finished left."""
        self._case, self._seen = case, {}

    def look(self, row: Row, prediction: Part, reference: Part) -> None:
        """Hold a row's masks for as long as it is among the worst."""
        if row.kind != "name":
            return
        self._seen[Failure(self._case, row)] = prediction, reference
        among = self._among([*self._listed, *self._seen])
        self._seen = {failure: masks for failure, masks in self._seen.items() if failure in among}

    def draw(self, scan: Scan) -> None:
        """Draw what is left of this case, and take away the pictures that it pushes out."""
        listed = self._among([*self._listed, *self._seen])
        self._folder.mkdir(exist_ok=True)
        for failure, (prediction, reference) in self._seen.items():
            figure = preview(scan, prediction, reference)
            with whole_file(self._folder / failure.picture) as temporary:
                figure.savefig(temporary, format="png", dpi=90)
        for failure in self._listed:
            if failure not in listed:
                (self._folder / failure.picture).unlink(missing_ok=True)
        self._listed, self._seen = listed, {}

    def _among(self, failures: list[Failure]) -> list[Failure]:
        return [*worst(failures), *false_masks(failures)]


def preview(scan: Scan, prediction: Part, reference: Part) -> Figure:
    """Axial, coronal and sagittal planes where the masks differ most; the patient's right is on the left."""
    box = _view(scan, prediction, reference)
    to_ras = nibabel.io_orientation(scan.affine)
    turned = [
        nibabel.apply_orientation(array, to_ras)
        for array in (scan.voxels[box], _within(prediction, box), _within(reference, box))
    ]
    spacing = np.array(scan.spacing_mm)[np.argsort(to_ras[:, 0])]
    grey = _grey(scan, turned[0], turned[2] if reference.count else turned[1])
    figure = Figure(figsize=(7.2, 2.7))
    figure.subplots_adjust(0, 0, 1, 0.9, 0.02, 0)
    for axes, (name, normal) in zip(figure.subplots(1, 3), _PLANES, strict=True):
        _plane(axes, [_slice(array, normal, _place(turned, normal)) for array in turned], grey, normal, spacing)
        # Its own place: matplotlib would look for one below the ticks, which takes as long as drawing.
        axes.set_title(name, fontsize="small", y=1.0)
    return figure


_PLANES = (("axial", 2), ("coronal", 1), ("sagittal", 0))


def _plane(axes: Any, arrays: Sequence[NDArray[Any]], grey: tuple[float, float], normal: int, spacing: Any) -> None:
    """One plane, in the RAS directions that are left: the first runs right, the second up."""
    image, prediction, reference = (array.T for array in arrays)
    across, up = (axis for axis in range(3) if axis != normal)
    aspect = spacing[up] / spacing[across]
    axes.imshow(image, cmap="gray", vmin=grey[0], vmax=grey[1], origin="lower", aspect=aspect, interpolation="nearest")
    for mask, colour in ((reference, REFERENCE), (prediction, PREDICTION)):
        # A mask without an edge in this plane has no outline, and one pixel wide there is nothing to draw between.
        if mask.any() and not mask.all() and min(mask.shape) > 1:
            axes.contour(mask.astype(np.float32), levels=[0.5], colors=colour, linewidths=1.2, origin="lower")
    if across == 0:
        axes.invert_xaxis()
    axes.set_axis_off()


def _place(turned: Sequence[NDArray[Any]], normal: int) -> int:
    """The plane in which the masks differ most; where they are the same, the one with most of the mask."""
    _, prediction, reference = turned
    others = tuple(axis for axis in range(3) if axis != normal)
    differing = (prediction ^ reference).sum(axis=others)
    return int(np.argmax(differing if differing.any() else reference.sum(axis=others)))


def _slice(array: NDArray[Any], normal: int, place: int) -> NDArray[Any]:
    found: NDArray[Any] = array.take(place, axis=normal)
    return found


def _grey(scan: Scan, voxels: NDArray[Any], mask: NDArray[Any]) -> tuple[float, float]:
    """Lowest and highest grey value: those of the scan itself where it is not in HU."""
    if scan.warnings:
        low, high = np.percentile(voxels, [1, 99])
        return float(low), float(high)
    return LUNG if mask.any() and float(voxels[mask].mean()) < -300 else SOFT_TISSUE


def _view(scan: Scan, prediction: Part, reference: Part) -> Box:
    """Both masks with some room around them."""
    boxes = [part.box for part in (prediction, reference) if part.count]
    spans = []
    for axis, size in enumerate(scan.voxels.shape):
        margin = round(MARGIN_MM / scan.spacing_mm[axis])
        first, last = min(box[axis].start for box in boxes), max(box[axis].stop for box in boxes)
        spans.append(slice(max(first - margin, 0), min(last + margin, size)))
    return spans[0], spans[1], spans[2]


def _within(part: Part, box: Box) -> NDArray[np.bool_]:
    """A mask as it lies in `box`, which holds all of it."""
    mask = np.zeros([span.stop - span.start for span in box], dtype=bool)
    if part.count:
        inside = tuple(
            slice(own.start - span.start, own.stop - span.start) for own, span in zip(part.box, box, strict=True)
        )
        mask[inside] = part.voxels
    return mask


def _plain(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9]+", "_", name)[:40].strip("_")
