"""Pictures of the worst masks: three planes of the scan with the reference and the prediction drawn as outlines.

Beside each the masks themselves are kept, with the path of their scan, so that `ovct view` shows them in it.

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
from curation.runtime.made_files import MadeFiles
from train.scans.grey_range import SOFT_TISSUE, own_range
from train.scans.hounsfield import hu_problem
from train.scans.saving import COMMENT, save_nifti
from train.scans.scan import Scan
from train.viewer.mask_note import MaskNote, NotedLabel

from .metrics import Box, MaskCrop
from .record import PREVIEWS, CaseResult, ScoreRow

MOST_LOW_DICE, MOST_FALSE_MASKS = 20, 8
# One structure that always fails would fill the list.
MOST_OF_A_STRUCTURE = 3
MARGIN_MM = 25.0
REFERENCE, PREDICTION = "#2fbf4a", "#ff5c2b"
# In a file of both masks: the voxels of both, and those of one of them alone.
MASK_LABELS = (
    NotedLabel(label=1, name="reference and prediction", colour="#3d9bff"),
    NotedLabel(label=2, name="reference alone: missed", colour=REFERENCE),
    NotedLabel(label=3, name="prediction alone: false", colour=PREDICTION),
)
# Lower and upper end, in HU, of a window for what holds air.
LUNG = (-1100.0, 200.0)


class Failure(NamedTuple):
    """A row of scores that may be among the worst, and its case."""

    case: str
    row: ScoreRow

    @property
    def picture(self) -> str:
        """The name of its picture's file."""
        key = hashlib.sha256(f"{self.case}\n{self.row.subject}".encode()).hexdigest()[:8]
        return f"{_plain(self.case)}-{_plain(self.row.subject)}-{key}.png"

    @property
    def masks(self) -> str:
        """The name of the file of its masks."""
        return masks_beside(self.picture)


def masks_beside(picture: str) -> str:
    """Return the name of the file of masks that lies beside a picture."""
    return picture.removesuffix(".png") + ".nii.gz"


def failure_candidates(cases: Iterable[CaseResult]) -> list[Failure]:
    """Return all rows of structures that were asked for by name."""
    return [Failure(case.case, row) for case in cases for row in case.rows if row.kind == "name"]


def lowest_dice(failures: Iterable[Failure]) -> list[Failure]:
    """Return the lowest Dice below 1, at most three of one structure."""
    imperfect = [failure for failure in failures if failure.row.dice is not None and failure.row.dice < 1]
    ordered = sorted(imperfect, key=lambda failure: (failure.row.dice, failure.row.nsd, *_name(failure)))
    return _limited(ordered, MOST_LOW_DICE)


def largest_false_masks(failures: Iterable[Failure]) -> list[Failure]:
    """Return the largest masks of structures that are not there, at most three of one structure."""
    false_masks = [failure for failure in failures if failure.row.false_mask]
    ordered = sorted(false_masks, key=lambda failure: (-failure.row.predicted_ml, *_name(failure)))
    return _limited(ordered, MOST_FALSE_MASKS)


def _name(failure: Failure) -> tuple[str, str]:
    return failure.case, failure.row.subject


def _limited(failures: Sequence[Failure], count: int) -> list[Failure]:
    """Return the first `count`, without those that a structure has too many of."""
    of_structure: Counter[str] = Counter()
    limited = []
    for failure in failures:
        of_structure[failure.row.subject] += 1
        if of_structure[failure.row.subject] <= MOST_OF_A_STRUCTURE:
            limited.append(failure)
    return limited[:count]


class Previews:
    """Keeps pictures of the rows that are among the worst so far, in the folder of an evaluation.

    Each is on the folder's list of made files before it is drawn.
    """

    def __init__(self, made: MadeFiles, finished: Iterable[CaseResult] = ()) -> None:
        self.folder, self._made = made.folder / PREVIEWS, made
        self._listed = _worst(failure_candidates(finished))
        self._masks: dict[Failure, tuple[MaskCrop, MaskCrop]] = {}

    def start(self, case: str) -> None:
        """Begin a case, and forget what a case that was not finished left."""
        self._case, self._masks = case, {}

    def observe(self, row: ScoreRow, prediction: MaskCrop, reference: MaskCrop) -> None:
        """Keep a row's masks for as long as it is among the worst."""
        if row.kind != "name":
            return
        self._masks[Failure(self._case, row)] = prediction, reference
        worst = _worst([*self._listed, *self._masks])
        self._masks = {failure: masks for failure, masks in self._masks.items() if failure in worst}

    def draw(self, scan: Scan) -> None:
        """Draw the rows of this case that are among the worst, and delete the pictures that they push out."""
        worst = _worst([*self._listed, *self._masks])
        names = [name for failure in self._masks for name in (failure.picture, failure.masks)]
        self._made.claim(*(f"{PREVIEWS}/{name}" for name in names))
        self.folder.mkdir(exist_ok=True)
        for failure, (prediction, reference) in self._masks.items():
            figure = preview(scan, prediction, reference)
            with whole_file(self.folder / failure.picture) as temporary:
                figure.savefig(temporary, format="png", dpi=90)
            save_masks(self.folder / failure.masks, scan, prediction, reference)
        for failure in self._listed:
            if failure not in worst:
                for name in (failure.picture, failure.masks):
                    (self.folder / name).unlink(missing_ok=True)
        self._listed, self._masks = worst, {}


def _worst(failures: list[Failure]) -> list[Failure]:
    return [*lowest_dice(failures), *largest_false_masks(failures)]


def save_masks(path: Path, scan: Scan, prediction: MaskCrop, reference: MaskCrop) -> None:
    """Write both masks as one label map, no larger than they are, which `ovct view` lays on the scan."""
    box = _box_around(prediction, reference)
    predicted, referred = _within(prediction, box), _within(reference, box)
    labels = np.where(referred, np.where(predicted, 1, 2), np.where(predicted, 3, 0)).astype(np.uint8)
    affine = scan.affine.copy()
    affine[:3, 3] = nibabel.affines.apply_affine(scan.affine, [span.start for span in box])
    note = MaskNote(scan=str(scan.path.resolve()), labels=MASK_LABELS)
    save_nifti(path, labels, affine, extensions={COMMENT: note.model_dump_json().encode()})


def preview(scan: Scan, prediction: MaskCrop, reference: MaskCrop) -> Figure:
    """Draw axial, coronal and sagittal planes where the masks differ most; the patient's right is on the left."""
    box = _view(scan, prediction, reference)
    to_ras = nibabel.io_orientation(scan.affine)
    in_ras = [
        nibabel.apply_orientation(array, to_ras)
        for array in (scan.voxels[box], _within(prediction, box), _within(reference, box))
    ]
    spacing = np.array(scan.spacing_mm)[np.argsort(to_ras[:, 0])]
    grey = _grey_range(scan, in_ras[0], in_ras[2] if reference.count else in_ras[1])
    figure = Figure(figsize=(7.2, 2.7))
    figure.subplots_adjust(0, 0, 1, 0.9, 0.02, 0)
    for axes, (name, normal) in zip(figure.subplots(1, 3), _PLANES, strict=True):
        number = _slice_number(in_ras, normal)
        _draw_plane(axes, [array.take(number, axis=normal) for array in in_ras], grey, normal, spacing)
        # With a place given: matplotlib would look for one below the ticks, which takes as long as drawing.
        axes.set_title(name, fontsize="small", y=1.0)
    return figure


_PLANES = (("axial", 2), ("coronal", 1), ("sagittal", 0))


def _draw_plane(
    axes: Any, arrays: Sequence[NDArray[Any]], grey: tuple[float, float], normal: int, spacing: Any
) -> None:
    """Draw a plane, whose axes are the two other RAS directions: the first runs right, the second up."""
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


def _slice_number(in_ras: Sequence[NDArray[Any]], normal: int) -> int:
    """Return the slice in which the masks differ most; where they are the same, the one with most of the mask."""
    _, prediction, reference = in_ras
    others = tuple(axis for axis in range(3) if axis != normal)
    differing = (prediction ^ reference).sum(axis=others)
    return int(np.argmax(differing if differing.any() else reference.sum(axis=others)))


def _grey_range(scan: Scan, voxels: NDArray[Any], mask: NDArray[Any]) -> tuple[float, float]:
    """Return the lowest and highest grey value: those of the scan itself where it is not in HU."""
    if hu_problem(scan.voxels) is not None:
        return own_range(voxels)
    return LUNG if mask.any() and float(voxels[mask].mean()) < -300 else SOFT_TISSUE


def _view(scan: Scan, prediction: MaskCrop, reference: MaskCrop) -> Box:
    """Return a box around both masks, with a margin."""
    spans = []
    for span, size, spacing in zip(_box_around(prediction, reference), scan.voxels.shape, scan.spacing_mm, strict=True):
        margin = round(MARGIN_MM / spacing)
        spans.append(slice(max(span.start - margin, 0), min(span.stop + margin, size)))
    return spans[0], spans[1], spans[2]


def _box_around(prediction: MaskCrop, reference: MaskCrop) -> Box:
    boxes = [crop.box for crop in (prediction, reference) if crop.count]
    spans = [(min(box[axis].start for box in boxes), max(box[axis].stop for box in boxes)) for axis in range(3)]
    x, y, z = (slice(*span) for span in spans)
    return x, y, z


def _within(crop: MaskCrop, box: Box) -> NDArray[np.bool_]:
    """Return a mask in the frame of `box`, which holds all of it."""
    mask = np.zeros([span.stop - span.start for span in box], dtype=bool)
    if crop.count:
        inside = tuple(
            slice(inner.start - outer.start, inner.stop - outer.start)
            for inner, outer in zip(crop.box, box, strict=True)
        )
        mask[inside] = crop.voxels
    return mask


def _plain(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9]+", "_", name)[:40].strip("_")
