"""The layouts that a data set's folder may have: how each is recognised, and its reader."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from .cases import DataError, DataSet
from .layout_nnunet import is_msd, is_nnunet, read_msd, read_nnunet
from .layout_totalsegmentator import has_maps, has_segmentations, read_totalsegmentator, read_totalsegmentator_maps
from .layout_volumes import holds_ct_rate, holds_volumes, read_ct_rate, read_volumes


@dataclass(frozen=True)
class Layout:
    """Its name for `--layout`, what a person sees in the folder, whether a folder has it, and its reader."""

    name: str
    looks_like: str
    fits: Callable[[Path], bool]
    read: Callable[[Path], DataSet]


LAYOUTS: tuple[Layout, ...] = (
    Layout(
        "totalsegmentator",
        "<id>/ct.nii.gz and <id>/segmentations/<structure>.nii.gz, v1 or v2",
        has_segmentations,
        read_totalsegmentator,
    ),
    Layout(
        "totalsegmentator-maps",
        "Images/<id>.nii.gz and Masks/<id>.nii.gz with the ids of v2",
        has_maps,
        read_totalsegmentator_maps,
    ),
    Layout("msd", "dataset.json that lists `training` images and labels, id -> name in `labels`", is_msd, read_msd),
    Layout(
        "nnunet", "dataset.json, imagesTr/<id>_0000.nii.gz and labelsTr/<id>.nii.gz, v1 or v2", is_nnunet, read_nnunet
    ),
    Layout("ct-rate", "volumes called train_1_a_1.nii.gz, in folders or not; no labels", holds_ct_rate, read_ct_rate),
    Layout("volumes", "any .nii, .nii.gz, .mha or .nrrd, in folders or not; no labels", holds_volumes, read_volumes),
)
# What is recognised by less than the others is tried after them: CT-RATE's volumes are volumes as well.
LEAST_TELLING = ("ct-rate", "volumes")


def find_layout(root: Path, name: str | None) -> Layout:
    """The layout called `name`, or the one that fits. `DataError` where none or several do."""
    known = {layout.name: layout for layout in LAYOUTS}
    if name is not None:
        if name not in known:
            raise DataError(f"layout {name!r} is not known; there are {', '.join(known)}")
        return known[name]
    fitting = [layout for layout in LAYOUTS if layout.name not in LEAST_TELLING and layout.fits(root)]
    if len(fitting) > 1:
        ways = " or ".join(f"--layout {layout.name}" for layout in fitting)
        raise DataError(f"{root} could be read in {len(fitting)} ways; say which: {ways}")
    if fitting:
        return fitting[0]
    _refuse_collection(root)
    for layout in (known[name] for name in LEAST_TELLING):
        if layout.fits(root):
            return layout
    expected = "\n  ".join(f"{layout.name}: {layout.looks_like}" for layout in LAYOUTS)
    raise DataError(f"{root} holds no volumes in a layout that is known. Expected one of\n  {expected}")


def _refuse_collection(root: Path) -> None:
    """`DataError` for a folder of several labelled data sets, such as nnUNet_raw, and for one case of a data set."""
    if (root / "segmentations").is_dir() and any(root.glob("ct.nii*")):
        raise DataError(f"{root} is one case of a data set; name the folder above it")
    inside = [
        f"{folder} ({layout.name})"
        for folder in sorted(path for path in root.iterdir() if path.is_dir())
        for layout in LAYOUTS
        if layout.name not in LEAST_TELLING and layout.fits(folder)
    ]
    if inside:
        raise DataError(
            f"{root} is no data set itself, but holds {len(inside)}; name one of them: {', '.join(inside[:10])}"
        )
