"""Volumes without labels: CT-RATE in its two releases, and any folder of volumes."""

from itertools import islice
from pathlib import Path

from .cases import SPLIT_NAMES, Case, CaseProblem, DataSet
from .recorded_header import read_recorded_headers
from .volume_names import CT_RATE, files_under, is_volume, patient_and_scan, volume_stem

# CT-RATE is recognised by the names of this many volumes.
SAMPLE = 20
# The folders of the release whose volumes are in HU contain this in their names.
FIXED = "_fixed"


def is_ct_rate(root: Path) -> bool:
    """Whether the first volumes in the folder are named as CT-RATE's are."""
    names = [volume_stem(path.name) for path in islice((p for p in files_under(root) if is_volume(p.name)), SAMPLE)]
    return bool(names) and all(CT_RATE.fullmatch(name) for name in names)


def read_ct_rate(root: Path) -> DataSet:
    """Read CT-RATE: `train_1_a_1.nii.gz` is of patient `train_1` and scan `train_1_a`, and in the training split.

    Volumes of the `*_fixed` folders are in HU and have a header. Those of the original release are neither; where the
    set's metadata (a CSV with VolumeName, RescaleSlope …) lies in the folder, beside or above it, their headers are
    taken from it. A volume that is there in both releases is taken once, fixed.
    """
    files = list(files_under(root))
    volumes = [path for path in files if is_volume(path.name)]
    fixed = {volume_stem(path.name) for path in volumes if FIXED in str(path.parent)}
    original = [path for path in volumes if FIXED not in str(path.parent)]
    headers = read_recorded_headers(root, files) if original else {}
    cases, problems = [], []
    for path in volumes:
        name = volume_stem(path.name)
        parts = CT_RATE.fullmatch(name)
        if parts is None:
            problems.append(CaseProblem(name, path, "not named as CT-RATE's volumes are, such as train_1_a_1.nii.gz"))
            continue
        if name in fixed and FIXED not in str(path.parent):
            continue
        header = headers.get(name) if name not in fixed else None
        split = SPLIT_NAMES[parts["split"]]
        cases.append(Case(name, parts["patient"], parts["scan"], path, split, recorded_header=header))
    return DataSet(root, "ct-rate", tuple(cases), problems=tuple(problems))


def has_volumes(root: Path) -> bool:
    """Whether there is a volume anywhere in the folder."""
    return any(is_volume(path.name) for path in files_under(root))


def read_volumes(root: Path) -> DataSet:
    """Read every volume in the folder; a case is called by the volume's path in the folder, without the ending."""
    cases = []
    for path in files_under(root):
        if is_volume(path.name):
            name = (path.relative_to(root).parent / volume_stem(path.name)).as_posix()
            patient, scan = patient_and_scan(name)
            cases.append(Case(name, patient, scan, path))
    return DataSet(root, "volumes", tuple(cases))
