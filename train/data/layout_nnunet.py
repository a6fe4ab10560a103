"""Data sets with a `dataset.json`: the Medical Segmentation Decathlon's, and nnU-Net's raw data of v1 and v2.

The lists of a `dataset.json` name files below its folder. Who keeps them elsewhere writes their whole path, which no
published data set can know; a name that leads upward is refused.
"""

import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeGuard

from curation.runtime.errors import InputError
from curation.runtime.names import path_within

from .cases import Case, CaseProblem, DataError, DataSet, LabelFiles, Split
from .volume_names import VOLUME_SUFFIXES, is_volume, volume_stem, volumes_in

FIRST_CHANNEL = "_0000"
# nnU-Net v2: voxels under this name were not annotated (documentation, ignore_label.md).
IGNORE = "ignore"
MOST_QUOTED = 60
LARGEST_ID = 2**31 - 1
LISTED_CASES = '{"case": {"images": ["a_0000.nii.gz"], "label": "a.nii.gz"}}'


def is_msd(root: Path) -> bool:
    """Whether a `dataset.json` lists images that are named without a channel."""
    return _has_json(root) and not is_nnunet(root)


def is_nnunet(root: Path) -> bool:
    """Whether there is a `dataset.json` with images named by channel, or listed as nnU-Net does."""
    if not _has_json(root):
        return False
    has_channels = any(
        volume_stem(path.name).endswith(FIRST_CHANNEL) for path in volumes_in(root / "imagesTr").values()
    )
    return has_channels or _lists_cases(_read_json(root))


def read_msd(root: Path) -> DataSet:
    """Read `training: [{image, label}]` of `dataset.json`, with `labels` id -> name."""
    description = _read_json(root)
    structures, ignored = _read_structures(root, description)
    listed = description.get("training")
    if not isinstance(listed, list):
        raise DataError(f"{root / 'dataset.json'} has no list `training` of images with their labels")
    pairs = []
    for number, entry in enumerate(listed):
        image, label = (entry.get("image"), entry.get("label")) if isinstance(entry, dict) else (None, None)
        if not isinstance(image, str) or not (label is None or isinstance(label, str)):
            raise _odd_entry(
                root, f"`training`[{number}]", entry, '{"image": "imagesTr/a.nii.gz", "label": "labelsTr/a.nii.gz"}'
            )
        image = Path(image)
        if not image.name.startswith("._"):  # what macOS leaves beside copied volumes
            pairs.append((_listed_file(root, image), _listed_file(root, label) if label else None))
    return _build_dataset(root, "msd", _named(root, pairs), structures, ignored)


def read_nnunet(root: Path) -> DataSet:
    """Read `imagesTr/<id>_0000.nii.gz` with `labelsTr/<id>.nii.gz`; with `labelsTs`, `imagesTs` are test cases.

    Labels: id -> name (v1), name -> id, or name -> list of ids for regions (v2).

    Raises:
        DataError: the images have several channels, or `dataset.json` cannot be understood.
    """
    description = _read_json(root)
    channels = description.get("channel_names", description.get("modality")) or {}
    channels = [channels] if isinstance(channels, str) else channels
    if not isinstance(channels, (dict, list)):
        raise _odd_entry(root, "`channel_names`", channels, '{"0": "CT"}')
    if len(channels) > 1:
        names = ", ".join(map(str, channels.values() if isinstance(channels, dict) else channels))
        raise DataError(f"{root / 'dataset.json'} has {len(channels)} channels ({names}); CT volumes have one")
    structures, ignored = _read_structures(root, description)
    files = _listed_cases(root, description)
    splits: dict[str, Split] = {}
    problems: list[CaseProblem] = []
    for images, labels in (("imagesTr", "labelsTr"), ("imagesTs", "labelsTs")):
        maps = volumes_in(root / labels)
        for name, path in volumes_in(root / images).items() if maps else ():
            if name.endswith(FIRST_CHANNEL) and name.removesuffix(FIRST_CHANNEL) not in files:
                case_id = name.removesuffix(FIRST_CHANNEL)
                files[case_id] = (path, maps.get(case_id))
                splits |= {case_id: "test"} if images == "imagesTs" else {}
            elif name.removesuffix(FIRST_CHANNEL) not in files:
                problems.append(CaseProblem(name, path, f"not named by its channel, as {name}{FIRST_CHANNEL}"))
        problems += [
            CaseProblem(name, path, f"a label map without an image {name}{FIRST_CHANNEL} in {images}")
            for name, path in maps.items()
            if name not in files
        ]
    if not files and not problems and _lists_cases(description):
        raise _odd_entry(root, "`dataset`", description["dataset"], LISTED_CASES)
    dataset = _build_dataset(root, "nnunet", files, structures, ignored, splits)
    return replace(dataset, problems=(*dataset.problems, *problems))


def _named(root: Path, pairs: Sequence[tuple[Path, Path | None]]) -> dict[str, tuple[Path, Path | None]]:
    """Return listed images and label maps by case id: the image's name or, where names repeat, its path in `root`.

    Raises:
        DataError: one image is listed twice, with one label map or two.
    """
    counts = Counter(volume_stem(image.name) for image, _ in dict.fromkeys(pairs))
    files: dict[str, tuple[Path, Path | None]] = {}
    for image, label in pairs:
        name = volume_stem(image.name)
        if counts[name] > 1:
            place = image.relative_to(root) if image.is_relative_to(root) else image
            name = (place.parent / name).as_posix()
        if files.get(name) == (image, label):
            raise DataError(
                f"{root / 'dataset.json'} lists {image} twice in `training`, with one label map; take one out"
            )
        if files.setdefault(name, (image, label)) != (image, label):
            raise DataError(
                f"{root / 'dataset.json'} lists {image} twice, with {files[name][1]} and {label} as its label map, or "
                "beside another file of that name; take one out"
            )
    return files


def read_label_names(root: Path) -> dict[int, str]:
    """Return the name of each label of `dataset.json`; of regions that share one, that with the fewest labels.

    Raises DataError where it cannot be understood.
    """
    structures, _ = _read_structures(root, _read_json(root))
    largest_first = sorted(structures.items(), key=lambda structure: -len(structure[1]))
    return {label: name for name, labels in largest_first for label in labels if label}


def _has_json(root: Path) -> bool:
    return (root / "dataset.json").is_file()


def _read_json(root: Path) -> dict[str, Any]:
    path = root / "dataset.json"
    try:
        content = json.loads(path.read_text(encoding="utf-8-sig"), object_pairs_hook=_without_doubles)
    except FileNotFoundError:
        raise DataError(f"{root} has no dataset.json") from None
    except DataError as error:
        raise DataError(f"{path}: {error}") from None
    except (ValueError, RecursionError) as error:
        raise DataError(f"{path} is no JSON ({error}); fetch it again") from None
    if not isinstance(content, dict):
        raise DataError(f"{path}: expected an object with `labels`")
    return content


def _without_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return an object of JSON. Raises `DataError` for a name that stands twice, of which one would be lost."""
    names = Counter(name for name, _ in pairs)
    if doubled := [name for name, count in names.items() if count > 1]:
        raise DataError(f"the name {doubled[0]!r} stands twice in one object; give each its own name")
    return dict(pairs)


def _read_structures(root: Path, description: Mapping[str, Any]) -> tuple[dict[str, tuple[int, ...]], tuple[int, ...]]:
    """Return the structures with their ids, and the ids to ignore, whichever way round `labels` is written."""
    labels = description.get("labels")
    if not isinstance(labels, dict) or not labels:
        raise DataError(f'{root / "dataset.json"} has no `labels`; expected names with ids, such as {{"liver": 1}}')
    if all(isinstance(value, str) for value in labels.values()) and all(map(_is_number, labels)):
        counts = Counter(labels.values())
        if doubled := next((name for name, count in counts.items() if count > 1), None):
            of_both = " and ".join(number for number, name in labels.items() if name == doubled)
            raise DataError(
                f"{root / 'dataset.json'}: the label name {doubled!r} stands twice, for the ids {of_both}; "
                "give each its own"
            )
        labels = {name: int(number) for number, name in labels.items()}
    elif all(isinstance(value, str) and not _is_number(value) for value in labels.values()):
        written = next(key for key in labels if not _is_number(key))
        raise DataError(
            f"{root / 'dataset.json'}: the id {written!r} of the label {labels[written]!r} is no number; expected an "
            'id with a name, such as {"1": "liver"}, or a name with an id'
        )
    structures: dict[str, tuple[int, ...]] = {}
    for name, value in labels.items():
        ids = value if isinstance(value, list) else [value]
        if not ids or not all(_is_number(str(number)) and 0 <= int(number) <= LARGEST_ID for number in ids):
            raise DataError(
                f"{root / 'dataset.json'}: label {name!r} is {value!r}; expected an id or a list of ids, numbers from 0"
            )
        structures[name] = tuple(int(number) for number in ids)
    ignored = structures.pop(IGNORE, ())
    return {name: ids for name, ids in structures.items() if ids != (0,)}, ignored


def _listed_cases(root: Path, description: Mapping[str, Any]) -> dict[str, tuple[Path, Path | None]]:
    """Return image and label map of the cases that v2's optional `dataset: {id: {images, label}}` lists."""
    listed = description["dataset"] if _lists_cases(description) else {}
    if not isinstance(listed, dict):
        raise _odd_entry(root, "`dataset`", listed, LISTED_CASES)
    cases = {}
    for name, entry in listed.items():
        images, label = (entry.get("images"), entry.get("label")) if isinstance(entry, dict) else (None, None)
        if not name or not _is_one_file(images) or not (label is None or isinstance(label, str)):
            several = "; CT volumes have one channel" if isinstance(images, list) and len(images) > 1 else ""
            raise _odd_entry(
                root, f"`dataset`[{name!r}]", entry, f'{{"images": ["a_0000.nii.gz"], "label": "a.nii.gz"}}{several}'
            )
        cases[name] = (_listed_file(root, images[0]), _listed_file(root, label) if label else None)
    return cases


def _lists_cases(description: Mapping[str, Any]) -> bool:
    """Whether `dataset` is there for its cases; in a list of MSD's kind, it may be anything else."""
    if "dataset" not in description or not isinstance(description.get("training"), list):
        return "dataset" in description
    listed = description["dataset"]
    return isinstance(listed, dict) and any(isinstance(entry, dict) and "images" in entry for entry in listed.values())


def _is_one_file(images: object) -> TypeGuard[list[str]]:
    return isinstance(images, list) and len(images) == 1 and isinstance(images[0], str) and bool(images[0])


def _is_number(text: str) -> bool:
    return re.fullmatch(r"-?\d{1,20}", text, re.ASCII) is not None


def _odd_entry(root: Path, place: str, entry: object, expected: str) -> DataError:
    """Return the error for an entry that is no object or lacks its files; it names the entry and its value."""
    return DataError(
        f"{root / 'dataset.json'}: {place} is {json.dumps(entry)[:MOST_QUOTED]}; expected an object such as {expected}"
    )


def _listed_file(root: Path, name: object) -> Path:
    """Return the file that a list names: below `root`, or by its whole path. Raises `DataError` for any other."""
    source = root / "dataset.json"
    path = Path(str(name))
    try:
        if not path.is_absolute() or ".." in path.parts:
            path = path_within(root, path.as_posix(), str(source))
    except InputError:
        if "\\" in str(name):
            raise DataError(
                f"{source} lists {str(name)!r}, which is not below its folder as it is written, and is not read: parts "
                f"of a path are parted by `/`, as in {str(name).replace(chr(92), '/')!r}"
            ) from None
        raise DataError(
            f"{source} lists {str(name)!r}, which is not below its folder, and is not read. If it is meant, write its "
            "whole path"
        ) from None
    if not is_volume(path.name):
        raise DataError(f"{source} lists {str(name)!r}, which is no volume ({', '.join(VOLUME_SUFFIXES)})")
    return path


def _build_dataset(
    root: Path,
    layout: str,
    files: Mapping[str, tuple[Path, Path | None]],
    structures: dict[str, tuple[int, ...]],
    ignored: tuple[int, ...],
    splits: Mapping[str, Split] = {},
) -> DataSet:
    """Return the data set of `files`: case id -> image and label map. `splits` go before those of nnU-Net's folds."""
    splits = {**_read_first_fold(root / "splits_final.json"), **splits}
    cases, problems = [], []
    for name, (image, label) in files.items():
        missing = next((path for path in (image, label) if path is not None and not path.exists()), None)
        if label is None:
            problems.append(CaseProblem(name, image, "no label map for it"))
        elif missing is not None:
            problems.append(CaseProblem(name, missing, "named in dataset.json, but not there"))
        else:
            cases.append(Case(name, name, name, image, splits.get(name), LabelFiles(map=label)))
    return DataSet(root, layout, tuple(cases), structures, ignored, tuple(problems))


def _read_first_fold(path: Path) -> dict[str, Split]:
    """Return the splits of the first fold of nnU-Net's `splits_final.json`; empty where there is no such file."""
    if not path.is_file():
        return {}
    try:
        fold = json.loads(path.read_text(encoding="utf-8"))[0]
        for part in ("train", "val"):
            if not isinstance(fold[part], list) or not all(isinstance(name, str) for name in fold[part]):
                raise TypeError(f"`{part}` is {json.dumps(fold[part])[:MOST_QUOTED]}, expected a list of case ids")
        return {**dict.fromkeys(fold["train"], "train"), **dict.fromkeys(fold["val"], "val")}
    except (ValueError, LookupError, TypeError, RecursionError) as error:
        raise DataError(f"{path} is no list of folds with `train` and `val` ({error})") from None
