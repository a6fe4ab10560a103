"""The layouts that a data set's folder may have, and how the layout of a folder is recognised.

To add a layout:

1. Write `layout_<name>.py` with two functions. `is_<name>(root: Path) -> bool` says, from names of files and folders
   alone, whether `root` has the layout; it must not be true for a folder of another layout. `read_<name>(root: Path)
   -> DataSet` lists the cases, without opening a volume, and returns a `DataSet` with
   - `root` and the name of the `layout`, as it appears in messages and checkpoints;
   - `cases`, in any order: for each volume an `id` that no other case has, its `patient` and `scan`, the path of its
     `image`, its `labels` (a `LabelFiles`, or None for a volume without labels) and, where the data set has a split
     of its own, its `split` (use `cases.parse_split` for words in a file);
   - `structures`: name of each structure -> its ids in the label maps, or the ids that `LabelFiles.masks` gives its
     mask. Names that the anatomy vocabulary knows, as labels or terms, become prompts with synonyms;
   `labelled` of a case stays None unless the layout itself says what was looked for in it: `labelled.json` and
   `--labelled` are read afterwards, for every layout with labels (`labelling/labelled.py`);
   - `ignored`: ids of voxels that were not annotated;
   - `problems`: a `CaseProblem` for each case that is visibly incomplete, such as an image without its label map. Such
     a case is not among `cases`.
   It raises `DataError`, naming the file, where a file that describes the data set cannot be understood.
2. Add a `DataSetLayout` to `LAYOUTS` below, and its name to the help of the option `layout` in `train/config/`, which
   does not import this module; `tests/train/cli/test_flags.py` compares the two.
3. Write `tests/train/data/test_layout_<name>.py` with a tiny data set in this layout.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from .cases import DataError, DataSet
from .layout_nnunet import is_msd, is_nnunet, read_msd, read_nnunet
from .layout_totalsegmentator import (
    is_totalsegmentator,
    is_totalsegmentator_maps,
    read_totalsegmentator,
    read_totalsegmentator_maps,
)
from .layout_volumes import has_volumes, is_ct_rate, read_ct_rate, read_volumes


@dataclass(frozen=True)
class DataSetLayout:
    """One layout: its name for `--layout`, what its folder contains in words, its test and its reader.

    A `fallback` layout is recognised by less than the others and is tried only where none of them matches.
    """

    name: str
    description: str
    matches: Callable[[Path], bool]
    read: Callable[[Path], DataSet]
    fallback: bool = False


LAYOUTS: tuple[DataSetLayout, ...] = (
    DataSetLayout(
        "totalsegmentator",
        "<id>/ct.nii.gz and <id>/segmentations/<structure>.nii.gz, v1 or v2",
        is_totalsegmentator,
        read_totalsegmentator,
    ),
    DataSetLayout(
        "totalsegmentator-maps",
        "Images/<id>.nii.gz and Masks/<id>.nii.gz with the ids of v2",
        is_totalsegmentator_maps,
        read_totalsegmentator_maps,
    ),
    DataSetLayout(
        "msd", "dataset.json that lists `training` images and labels, id -> name in `labels`", is_msd, read_msd
    ),
    DataSetLayout(
        "nnunet", "dataset.json, imagesTr/<id>_0000.nii.gz and labelsTr/<id>.nii.gz, v1 or v2", is_nnunet, read_nnunet
    ),
    # CT-RATE's volumes would match the last layout too, so it comes before it.
    DataSetLayout(
        "ct-rate",
        "volumes called train_1_a_1.nii.gz, in folders or not; no labels",
        is_ct_rate,
        read_ct_rate,
        fallback=True,
    ),
    DataSetLayout(
        "volumes",
        "any .nii, .nii.gz, .mha or .nrrd, in folders or not; no labels",
        has_volumes,
        read_volumes,
        fallback=True,
    ),
)


def find_layout(root: Path, name: str | None) -> DataSetLayout:
    """Return the layout called `name`, or the one that matches the folder `root` where `name` is None.

    Raises:
        DataError: no layout has this name, or none or several match the folder.
    """
    by_name = {layout.name: layout for layout in LAYOUTS}
    if name is not None:
        if name not in by_name:
            raise DataError(f"layout {name!r} is not known; there are {', '.join(by_name)}")
        return by_name[name]
    matching = _matching_layouts(root)
    if len(matching) > 1:
        options = " or ".join(f"--layout {layout.name}" for layout in matching)
        raise DataError(f"{root} could be read in {len(matching)} ways; say which: {options}")
    if matching:
        return matching[0]
    _refuse_collection(root)
    for layout in LAYOUTS:
        if layout.fallback and layout.matches(root):
            return layout
    expected = "\n  ".join(f"{layout.name}: {layout.description}" for layout in LAYOUTS)
    raise DataError(f"{root} holds no volumes in a layout that is known. Expected one of\n  {expected}")


def _matching_layouts(folder: Path) -> list[DataSetLayout]:
    return [layout for layout in LAYOUTS if not layout.fallback and layout.matches(folder)]


def _refuse_collection(root: Path) -> None:
    """Raise `DataError` for a folder of several labelled data sets, such as nnUNet_raw, or for one case of a set."""
    if (root / "segmentations").is_dir() and any(root.glob("ct.nii*")):
        raise DataError(f"{root} is one case of a data set; name the folder above it")
    folders = sorted(path for path in root.iterdir() if path.is_dir())
    datasets = [f"{folder} ({layout.name})" for folder in folders for layout in _matching_layouts(folder)]
    if datasets:
        raise DataError(
            f"{root} is no data set itself, but holds {len(datasets)}; name one of them: {', '.join(datasets[:10])}"
        )
