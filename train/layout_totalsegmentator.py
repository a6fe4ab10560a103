"""TotalSegmentator's data sets, v1 and v2, and their mirror with one label map for each case."""

import csv
from pathlib import Path

from .cases import Case, DataSet, LabelFiles, Problem, Split, split_named
from .totalsegmentator_labels import V1, V2
from .volume_names import is_volume, stem


def has_segmentations(root: Path) -> bool:
    """Whether folders of cases with masks lie in `root`."""
    return any((path.parent / "segmentations").is_dir() for path in root.glob("*/ct.nii*"))


def read_totalsegmentator(root: Path) -> DataSet:
    """`<id>/ct.nii.gz` with `<id>/segmentations/<structure>.nii.gz`, v1 or v2 by the structures there are.

    A structure without a file is absent (v2); one that no case has a file for is none of the data set's. Structures
    that TotalSegmentator does not know come after its own, by name. Splits: `meta.csv` (`;`), columns image_id, split.
    """
    found = {path.parent: path for path in sorted(root.glob("*/ct.nii*")) if is_volume(path.name)}
    masks = {folder: _masks(folder / "segmentations") for folder in found}
    seen = {name for files in masks.values() for name in files}
    v1 = bool(seen & (set(V1) - set(V2))) and not seen & (set(V2) - set(V1))
    order = [*(V1 if v1 else V2), *sorted(seen - set(V1 if v1 else V2))]
    ids = {name: number for number, name in enumerate(order, 1)}
    splits = _meta_splits(root / "meta.csv")
    cases, problems = [], []
    for folder, image in found.items():
        name = folder.name
        if not masks[folder]:
            problems.append(Problem(name, folder, "no masks in segmentations/"))
            continue
        painted = sorted((ids[structure], path) for structure, path in masks[folder].items())
        cases.append(Case(name, name, name, image, splits.get(name), LabelFiles(masks=tuple(painted))))
    problems += [
        Problem(folder.parent.name, folder.parent, "segmentations/ without ct.nii.gz")
        for folder in sorted(root.glob("*/segmentations"))
        if folder.parent not in found
    ]
    structures: dict[str, tuple[int, ...]] = {name: (ids[name],) for name in order if name in seen}
    return DataSet(
        root, "totalsegmentator-v1" if v1 else "totalsegmentator-v2", tuple(cases), structures, (), tuple(problems)
    )


def _masks(folder: Path) -> dict[str, Path]:
    paths = sorted(folder.iterdir()) if folder.is_dir() else []
    return {stem(path.name): path for path in paths if is_volume(path.name)}


def _meta_splits(path: Path) -> dict[str, Split]:
    """Splits by image id; empty without the file or without these columns."""
    if not path.is_file():
        return {}
    with path.open(encoding="utf-8-sig", newline="") as file:
        first = file.readline()
        file.seek(0)
        rows = csv.DictReader(file, delimiter=max(";,\t", key=first.count))
        if not {"image_id", "split"} <= set(rows.fieldnames or ()):
            return {}
        return {row["image_id"].strip(): split_named(row["split"], f"{path}: {row['image_id']}") for row in rows}


def has_maps(root: Path) -> bool:
    """Whether images and label maps lie in two folders, as in TotalSegmentator-CT-Lite."""
    return (root / "Images").is_dir() and (root / "Masks").is_dir()


def read_totalsegmentator_maps(root: Path) -> DataSet:
    """`Images/<id>.nii.gz` with `Masks/<id>.nii.gz`, one label map by the ids of v2 (TotalSegmentator-CT-Lite)."""
    labels = _masks(root / "Masks")
    cases, problems = [], []
    splits = _meta_splits(root / "meta.csv")
    for name, image in _masks(root / "Images").items():
        if name in labels:
            cases.append(Case(name, name, name, image, splits.get(name), LabelFiles(map=labels[name])))
        else:
            problems.append(Problem(name, image, "no label map of this name in Masks/"))
    structures: dict[str, tuple[int, ...]] = {name: (number,) for number, name in enumerate(V2, 1)}
    return DataSet(root, "totalsegmentator-maps", tuple(cases), structures, (), tuple(problems))
