"""Names for labels that their file does not name: TotalSegmentator's classes, or those of nnU-Net's `dataset.json`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from train.data.layout_nnunet import read_label_names
from train.data.layout_totalsegmentator import V2_STRUCTURES

from .errors import ViewError
from .mask_files import MaskFile

TOTALSEGMENTATOR = "totalsegmentator"
DATASET = "dataset.json"


def given_names(source: str) -> dict[int, str]:
    """Return names by label of what `--names` says.

    Raises ViewError for what is neither, DataError for a `dataset.json` that cannot be understood.
    """
    if source == TOTALSEGMENTATOR:
        return dict(enumerate(V2_STRUCTURES, 1))
    path = Path(source)
    if path.name != DATASET or not path.is_file():
        raise ViewError(f"--names {source}: expected {TOTALSEGMENTATOR}, or the path of nnU-Net's {DATASET}")
    return read_label_names(path.parent)


def names_beside(mask: Path) -> dict[int, str]:
    """Return the names of the data set that a label map lies in (`labelsTr/case.nii.gz`, `dataset.json`), else none."""
    is_in_data_set = mask.parent.name.startswith("labels") and (mask.parent.parent / DATASET).is_file()
    return read_label_names(mask.parent.parent) if is_in_data_set else {}


def with_names(mask: MaskFile, names: Mapping[int, str]) -> MaskFile:
    """Return a mask whose labels have these names, where its file names none; one that no name is known of says so."""
    if mask.named or (not names and int(mask.labels.max()) < 2):
        return mask
    if not names:
        notice = (
            f"{mask.path.name} does not name its labels; `--names {TOTALSEGMENTATOR}` or `--names {DATASET}` "
            "(of nnU-Net) does"
        )
        return replace(mask, notices=(*mask.notices, notice))
    return replace(mask, other_names=names)
