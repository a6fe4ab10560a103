"""Volumes without labels: CT-RATE in its two releases, and any folder of volumes."""

from itertools import islice
from pathlib import Path

from .cases import SPLIT_NAMES, Case, DataSet, Problem
from .recorded_header import read_headers
from .volume_names import CT_RATE, files_under, is_volume, patient_and_scan, stem

# Volumes looked at to tell CT-RATE from any folder.
SAMPLE = 20
FIXED = "_fixed"


def holds_volumes(root: Path) -> bool:
    """Whether there is a volume anywhere in the folder."""
    return any(is_volume(path.name) for path in files_under(root))


def holds_ct_rate(root: Path) -> bool:
    """Whether the first volumes in the folder are named as CT-RATE's are."""
    names = [stem(path.name) for path in islice((p for p in files_under(root) if is_volume(p.name)), SAMPLE)]
    return bool(names) and all(CT_RATE.fullmatch(name) for name in names)


def read_ct_rate(root: Path) -> DataSet:
    """`train_1_a_1.nii.gz`: patient `train_1`, scan `train_1_a`, its first reconstruction; split by the name.

    Volumes of the `*_fixed` folders are HU with a header. Those of the original release have neither; where the set's
    metadata (a CSV with VolumeName, RescaleSlope …) lies in the folder, beside or above it, that is taken for them. A
    volume that is there in both is taken once, fixed.
    """
    files = list(files_under(root))
    volumes = [path for path in files if is_volume(path.name)]
    fixed = {stem(path.name) for path in volumes if FIXED in str(path.parent)}
    original = [path for path in volumes if FIXED not in str(path.parent)]
    headers = read_headers(root, files) if original else {}
    cases, problems = [], []
    for path in volumes:
        name = stem(path.name)
        parts = CT_RATE.fullmatch(name)
        if parts is None:
            problems.append(Problem(name, path, "not named as CT-RATE's volumes are, such as train_1_a_1.nii.gz"))
            continue
        if name in fixed and FIXED not in str(path.parent):
            continue
        recorded = headers.get(name) if name not in fixed else None
        split = SPLIT_NAMES[parts["split"]]
        cases.append(Case(name, parts["patient"], parts["scan"], path, split, recorded=recorded))
    return DataSet(root, "ct-rate", tuple(cases), problems=tuple(problems))


def read_volumes(root: Path) -> DataSet:
    """Every volume in the folder, called by its path in it without the ending."""
    cases = []
    for path in files_under(root):
        if is_volume(path.name):
            name = (path.relative_to(root).parent / stem(path.name)).as_posix()
            patient, scan = patient_and_scan(name)
            cases.append(Case(name, patient, scan, path))
    return DataSet(root, "volumes", tuple(cases))
