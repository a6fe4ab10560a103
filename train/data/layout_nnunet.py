"""Data sets with a `dataset.json`: the Medical Segmentation Decathlon's, and nnU-Net's raw data of v1 and v2."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .cases import Case, DataError, DataSet, LabelFiles, Problem, Split
from .volume_names import is_volume, stem

FIRST_CHANNEL = "_0000"
# nnU-Net v2: voxels under this name were not annotated (documentation, ignore_label.md).
IGNORE = "ignore"


def is_msd(root: Path) -> bool:
    """Whether a `dataset.json` lists images that are named without a channel."""
    return _has_json(root) and not is_nnunet(root)


def is_nnunet(root: Path) -> bool:
    """Whether there is a `dataset.json` with images named by channel, or listed as nnU-Net does."""
    if not _has_json(root):
        return False
    channels = any(stem(path.name).endswith(FIRST_CHANNEL) for path in _volumes(root / "imagesTr").values())
    return channels or bool(_listed(root, _described(root)))


def read_msd(root: Path) -> DataSet:
    """`training: [{image, label}]` of `dataset.json`, with `labels` id -> name."""
    described = _described(root)
    structures, ignored = _structures(root, described)
    listed = described.get("training")
    if not isinstance(listed, list) or not all(isinstance(each, dict) and "image" in each for each in listed):
        raise DataError(f"{root / 'dataset.json'} has no list `training` of images with their labels")
    pairs = {}
    for each in listed:
        image, label = Path(str(each["image"])), each.get("label")
        if is_volume(image.name):
            pairs[stem(image.name)] = (root / image, root / str(label) if label else None)
    return _dataset(root, "msd", pairs, structures, ignored)


def read_nnunet(root: Path) -> DataSet:
    """`imagesTr/<id>_0000.nii.gz` with `labelsTr/<id>.nii.gz`; `imagesTs` where `labelsTs` is there, as test cases.

    Labels: id -> name (v1), name -> id, or name -> list of ids for regions (v2). One channel.
    """
    described = _described(root)
    channels = described.get("channel_names", described.get("modality", {}))
    if len(channels) > 1:
        names = ", ".join(map(str, channels.values() if isinstance(channels, dict) else channels))
        raise DataError(f"{root / 'dataset.json'} has {len(channels)} channels ({names}); CT volumes have one")
    structures, ignored = _structures(root, described)
    pairs = _listed(root, described)
    splits: dict[str, Split] = {}
    for images, labels in (("imagesTr", "labelsTr"), ("imagesTs", "labelsTs")):
        maps = _volumes(root / labels)
        for name, path in _volumes(root / images).items() if maps else ():
            if name.endswith(FIRST_CHANNEL) and name.removesuffix(FIRST_CHANNEL) not in pairs:
                case = name.removesuffix(FIRST_CHANNEL)
                pairs[case] = (path, maps.get(case))
                splits |= {case: "test"} if images == "imagesTs" else {}
    return _dataset(root, "nnunet", pairs, structures, ignored, splits)


def _listed(root: Path, described: Mapping[str, Any]) -> dict[str, tuple[Path, Path | None]]:
    """Image and label map of the cases that v2's optional `dataset: {id: {images, label}}` lists."""
    listed = described.get("dataset")
    if not isinstance(listed, dict) or not all(isinstance(each, dict) and "images" in each for each in listed.values()):
        return {}
    return {
        name: (root / each["images"][0], root / each["label"] if each.get("label") else None)
        for name, each in listed.items()
    }


def _dataset(
    root: Path,
    layout: str,
    pairs: Mapping[str, tuple[Path, Path | None]],
    structures: dict[str, tuple[int, ...]],
    ignored: tuple[int, ...],
    splits: Mapping[str, Split] = {},
) -> DataSet:
    own = {**_fold(root / "splits_final.json"), **splits}
    cases, problems = [], []
    for name, (image, label) in pairs.items():
        missing = next((path for path in (image, label) if path is not None and not path.exists()), None)
        if label is None:
            problems.append(Problem(name, image, "no label map for it"))
        elif missing is not None:
            problems.append(Problem(name, missing, "named in dataset.json, but not there"))
        else:
            cases.append(Case(name, name, name, image, own.get(name), LabelFiles(map=label)))
    return DataSet(root, layout, tuple(cases), structures, ignored, tuple(problems))


def _structures(root: Path, described: Mapping[str, Any]) -> tuple[dict[str, tuple[int, ...]], tuple[int, ...]]:
    """Structures with their ids, and the ids to ignore, whichever way round `labels` is written."""
    labels = described.get("labels")
    if not isinstance(labels, dict) or not labels:
        raise DataError(f'{root / "dataset.json"} has no `labels`; expected names with ids, such as {{"liver": 1}}')
    if all(isinstance(value, str) for value in labels.values()) and all(key.lstrip("-").isdigit() for key in labels):
        labels = {name: int(number) for number, name in labels.items()}
    found: dict[str, tuple[int, ...]] = {}
    for name, said in labels.items():
        ids = said if isinstance(said, list) else [said]
        if not ids or not all(str(number).isdigit() for number in ids):
            raise DataError(f"{root / 'dataset.json'}: label {name!r} is {said!r}; expected an id or a list of ids")
        found[name] = tuple(int(number) for number in ids)
    ignored = found.pop(IGNORE, ())
    return {name: ids for name, ids in found.items() if ids != (0,)}, ignored


def _fold(path: Path) -> dict[str, Split]:
    """Splits of the first fold of nnU-Net's `splits_final.json`; empty where there is none."""
    if not path.is_file():
        return {}
    try:
        fold = json.loads(path.read_text(encoding="utf-8"))[0]
        return {**dict.fromkeys(fold["train"], "train"), **dict.fromkeys(fold["val"], "val")}
    except (ValueError, LookupError, TypeError) as error:
        raise DataError(f"{path} is no list of folds with `train` and `val` ({error})") from None


def _has_json(root: Path) -> bool:
    return (root / "dataset.json").is_file()


def _described(root: Path) -> dict[str, Any]:
    path = root / "dataset.json"
    try:
        found = json.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        raise DataError(f"{root} has no dataset.json") from None
    except ValueError as error:
        raise DataError(f"{path} is no JSON ({error}); fetch it again") from None
    if not isinstance(found, dict):
        raise DataError(f"{path}: expected an object with `labels`")
    return found


def _volumes(folder: Path) -> dict[str, Path]:
    paths = sorted(folder.iterdir()) if folder.is_dir() else []
    return {stem(path.name): path for path in paths if is_volume(path.name)}
