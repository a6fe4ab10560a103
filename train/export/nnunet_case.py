"""One case of a data set as nnU-Net reads it: the scan in HU, and its label map with consecutive ids.

Shapes: X Y Z voxels of the scan.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from curation.runtime.errors import OvctError
from train.data.cases import Case, DataError, DataSet
from train.data.dataset import read_case, read_labels
from train.data.labelling.labelled import labelled_names
from train.inference.files.upright import tilt_degrees
from train.scans.labels import read_mask
from train.scans.saving import save_nifti
from train.scans.scan import Scan

FILE_ENDING = ".nii.gz"
CHANNEL = "_0000"
# What becomes of background in a case of which not all structures were looked for.
Unknown = Literal["ignore", "background", "refuse"]


@dataclass(frozen=True)
class WrittenCase:
    """What one case came to.

    `unknown` are structures that were not looked for, `ignored` voxels that nnU-Net is to leave out because of them,
    `overlaps` the voxels that two structures' masks share, which belong to the second, as in training. `error` says why
    the case cannot be used; then nothing was written.
    """

    unknown: tuple[str, ...] = ()
    ignored: int = 0
    overlaps: tuple[tuple[str, str, int], ...] = ()
    error: str = ""


@dataclass(frozen=True, eq=False)
class CaseWriter:
    """Writes cases of a data set, of which it needs no list.

    `ids` maps an id of the data set to that of nnU-Net, `ignore` is nnU-Net's id for voxels to leave out.
    """

    dataset: DataSet
    ids: Mapping[int, int]
    ignore: int
    unknown: Unknown

    def write(self, case: Case, name: str, images: Path, labels: Path) -> WrittenCase:
        """Write a case under a name into the folders of images and of labels, which are there."""
        try:
            scan = read_case(case)
            if tilt := tilt_degrees(scan.affine):
                raise DataError(
                    f"{case.image}: its slices are tilted by {tilt:.3g} degrees, and nnU-Net's readers open no such "
                    "grid; resample the scan and its labels to one with axes at right angles"
                )
            painted = read_labels(case, self.dataset, scan)
            unknown = self._unknown(case, painted)
            if unknown and self.unknown == "refuse":
                raise DataError(
                    f"{case.id}: {', '.join(unknown)} was not looked for there; --unknown ignore marks background as "
                    "not annotated, --unknown background takes it for absent"
                )
            overlaps = self._overlaps(case, scan)
            numbered = self._numbered(painted)
            background = numbered == 0
            ignored = int(background.sum()) if unknown and self.unknown == "ignore" else 0
            if ignored:
                numbered[background] = self.ignore
            save_nifti(images / f"{name}{CHANNEL}{FILE_ENDING}", _compact(scan.voxels), scan.affine, like=scan)
            save_nifti(labels / f"{name}{FILE_ENDING}", numbered, scan.affine, like=scan)
        except OvctError as error:
            return WrittenCase(error=str(error))
        return WrittenCase(unknown, ignored, overlaps)

    def for_other_process(self) -> CaseWriter:
        """Return the same without the cases of the data set: each process is told its own."""
        return replace(self, dataset=replace(self.dataset, cases=(), problems=()))

    def _unknown(self, case: Case, painted: NDArray[np.int16]) -> tuple[str, ...]:
        present = set(np.unique(painted).tolist())
        looked_for = labelled_names(case, self.dataset.structures, present)
        return tuple(name for name in self.dataset.structures if name not in looked_for)

    def _numbered(self, painted: NDArray[np.int16]) -> NDArray[np.integer]:
        table: NDArray[Any] = np.zeros(max(int(painted.max()), 0) + 1, np.uint8 if self.ignore <= 255 else np.int16)
        for number in set(range(len(table))) & self.ids.keys():
            table[number] = self.ids[number]
        numbered: NDArray[np.integer] = table[painted]
        return numbered

    def _overlaps(self, case: Case, scan: Scan) -> tuple[tuple[str, str, int], ...]:
        """Return how many voxels each two masks of a case share; of a label map there are none."""
        names = {number: name for name, numbers in self.dataset.structures.items() for number in numbers}
        if case.labels is None or case.labels.map is not None:
            return ()
        painted = np.zeros(scan.voxels.shape, np.int16, order="F")
        shared: list[tuple[str, str, int]] = []
        for number, path in case.labels.masks:
            mask = read_mask(path, scan) != 0
            below, counts = np.unique(painted[mask], return_counts=True)
            shared += [
                (names[below_id], names[number], count)
                for below_id, count in zip(below.tolist(), counts.tolist(), strict=True)
                if below_id
            ]
            painted[mask] = number
        return tuple(shared)


def consecutive_ids(dataset: DataSet) -> tuple[dict[int, int], int]:
    """Return for each id of a data set, in order, nnU-Net's, from 1 without a gap, and behind them that to ignore."""
    used = sorted({number for numbers in dataset.structures.values() for number in numbers} - {0})
    ids = {number: place for place, number in enumerate(used, 1)}
    ignore = len(used) + 1
    return ids | {number: ignore for number in dataset.ignored if number not in ids}, ignore


def region_order(regions: Sequence[Sequence[int]]) -> list[int]:
    """Return for each region, larger ones first, the id that its voxels get when a prediction is put together.

    nnU-Net paints regions in this order, so that what lies inside another is painted later. A region gets the id that
    belongs to no smaller region inside it; where all do, nothing of it is left to be seen.
    """
    order: list[int] = []
    for region in regions:
        inner = {number for other in regions if set(other) < set(region) for number in other}
        order.append(next((number for number in region if number not in inner), region[0]))
    return order


def _compact(voxels: NDArray[np.float32]) -> NDArray[np.generic]:
    """Return HU as int16 where that changes none of them, else as they are."""
    whole = np.rint(voxels)
    if np.array_equal(whole, voxels) and np.abs(voxels).max() <= np.iinfo(np.int16).max:
        return whole.astype(np.int16)
    return voxels
