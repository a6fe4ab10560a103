"""A data set of CT volumes as training sees it: its cases, their label files, their split, and the unusable cases."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, get_args

from curation.runtime.errors import OvctError
from train.config.options import LabelledBy

Split = Literal["train", "val", "test"]
SPLITS: tuple[Split, ...] = get_args(Split)
# The words that data sets use for their splits.
SPLIT_NAMES: Mapping[str, Split] = {
    "train": "train", "training": "train",
    "val": "val", "valid": "val", "validation": "val",
    "test": "test", "testing": "test",
}  # fmt: skip
OnProblem = Literal["skip", "refuse"]
# A message lists this many problems and only counts the others.
MAX_LISTED_PROBLEMS = 10


class DataError(OvctError, ValueError):
    """Raised where a data set, or one of its cases, cannot be used. The text says what to do."""

    exit_code = 2


@dataclass(frozen=True)
class LabelFiles:
    """The label files of one case: one label map, or one binary mask for each label id.

    Masks are painted in the order of the tuple, later ones over earlier ones. A structure without a mask is absent.
    """

    map: Path | None = None
    masks: tuple[tuple[int, Path], ...] = ()

    @property
    def paths(self) -> tuple[Path, ...]:
        """All files, in the order in which they are read."""
        return (self.map,) if self.map else tuple(path for _, path in self.masks)


@dataclass(frozen=True)
class RecordedHeader:
    """The header of a volume as a table records it, for a file whose own header is blank.

    HU = slope × stored value + intercept. `affine`: 3 rows of 4, voxel index -> RAS mm.
    """

    slope: float
    intercept: float
    affine: tuple[tuple[float, ...], ...]


@dataclass(frozen=True)
class Case:
    """One volume of a data set, with the files that belong to it.

    `scan` is the same for all reconstructions of one acquisition, `patient` for all scans of one person. `split` is
    the data set's own split, None where it has none.

    `labelled` names the structures that were looked for in this case and contoured where present, None for all
    structures of the data set; with `labelled_if_present`, of these only the ones that have voxels in its label map
    (`labelled_names` in train/data/labelling). A structure that is labelled and has no voxel is absent. One that is
    not labelled is unknown, whatever the labels hold:

    - stage 3 has no mask, presence or missed-structure loss for it in this case, and its evaluation does not count it;
    - stage 1 learns of a voxel that might be its, in background or in a structure around it, only that it is one of
      the two;
    - `ovct evaluate` does not ask for it in this case.

    A prompt for several structures, of a group or made up, is labelled only if all of them are: with one unknown, the
    union is unknown too. Prepared files hold the labels alone, so they serve whatever `labelled` says.
    """

    id: str
    patient: str
    scan: str
    image: Path
    split: Split | None = None
    labels: LabelFiles | None = None
    labelled: tuple[str, ...] | None = None
    labelled_if_present: bool = False
    recorded_header: RecordedHeader | None = None


@dataclass(frozen=True)
class CaseProblem:
    """Says which case cannot be used, because of which file, and why."""

    case_id: str
    path: Path
    reason: str

    def __str__(self) -> str:
        if str(self.path) in self.reason:
            return f"{self.case_id}: {self.reason}"
        return f"{self.case_id} ({self.path}): {self.reason}"


@dataclass(frozen=True)
class DataSet:
    """The cases of a data set, sorted by id, and its structures: name -> ids in the label maps.

    Structures may overlap: one id may belong to several of them. `ignored` are ids of voxels that were not annotated.
    `labelled_by` says where `Case.labelled` comes from, `auto` where nobody has said it.

    Raises:
        DataError: two cases have the same id.
    """

    root: Path
    layout: str
    cases: tuple[Case, ...]
    structures: dict[str, tuple[int, ...]] = field(default_factory=dict)
    ignored: tuple[int, ...] = ()
    problems: tuple[CaseProblem, ...] = ()
    labelled_by: LabelledBy = "auto"

    def __post_init__(self) -> None:
        seen: dict[str, Case] = {}
        for case in self.cases:
            if case.id in seen:
                raise DataError(
                    f"two volumes are called {case.id}: {seen[case.id].image} and {case.image}; "
                    "rename one of them, or take one out of the folder"
                )
            seen[case.id] = case


def list_problems(problems: Sequence[CaseProblem]) -> str:
    """Return the first problems, one on each line, and how many more there are."""
    more = len(problems) - MAX_LISTED_PROBLEMS
    lines = [str(problem) for problem in problems[:MAX_LISTED_PROBLEMS]]
    return "\n  ".join([*lines, *([f"and {more:,} more"] if more > 0 else [])])


def raise_for_problems(root: Path, problems: Sequence[CaseProblem], total: int, called: str = "case") -> None:
    """Raise `DataError` if there are problems, naming up to ten of them. `total` is the number of all cases.

    `called` is what the cases are called, such as "held-out case".
    """
    if problems:
        raise DataError(
            f"{root}: {len(problems):,} of {total:,} {called}s cannot be used:\n  {list_problems(problems)}\n"
            "Put them right or take them out of the folder, or leave them out with --on-problem skip"
        )


def raise_for_none_left(root: Path, problems: Sequence[CaseProblem], called: str) -> None:
    """Raise `DataError` where all cases of a kind were left out, and there is nothing to go on with."""
    raise DataError(
        f"{root}: no {called} is left, for none of {len(problems):,} can be used:\n  {list_problems(problems)}\n"
        "Put one of them right, or hold out others (--validation, or the data set's own split)"
    )


def parse_split(text: str | None, where: str) -> Split:
    """Return the split that a data set calls `text`. Raises `DataError`, beginning with `where`, for other words."""
    name = (text or "").strip().lower()
    if name not in SPLIT_NAMES:
        raise DataError(f"{where}: split {text!r}; expected one of {', '.join(SPLIT_NAMES)}")
    return SPLIT_NAMES[name]


def patient_fraction(patient: str, seed: int = 0) -> float:
    """Return a number in [0, 1) that depends only on the patient's id and the seed.

    Splits are drawn with it, so that a patient stays in a split when other cases are added to the data set.
    """
    digest = hashlib.sha256(f"{seed}\n{patient}".encode()).digest()
    return int.from_bytes(digest[:7], "big") / 2**56


def split_cases(dataset: DataSet, validation: float = 0.1, test: float = 0.0, seed: int = 0) -> dict[Split, list[Case]]:
    """Divide the cases into training, validation and test cases, with no patient in two of them.

    The data set's own split holds where it has one; a case without a split goes where its patient is, else to
    training. Where there is no split, or none for validation, patients are drawn by a hash of their id: on average the
    shares `validation` and `test` of them, and at least one for each while there are patients.

    Raises:
        DataError: the shares leave nothing to train on, or the data set's own split has a patient twice.
    """
    if validation < 0 or test < 0 or validation + test >= 1:
        raise DataError(f"shares from 0 that leave something to train on, not {validation} and {test}")
    split_of = _splits_by_patient(dataset)
    shares: dict[Split, float] = {"test": test, "val": validation}
    if split_of:
        shares = {} if "val" in split_of.values() else {"val": validation}
    patients = sorted(
        {case.patient for case in dataset.cases}, key=lambda patient: (patient_fraction(patient, seed), patient)
    )
    free = [patient for patient in patients if split_of.setdefault(patient, "train") == "train"]
    bound = 0.0
    for name, share in shares.items():
        bound += share
        drawn = [patient for patient in free[:-1] if patient_fraction(patient, seed) < bound] or free[:-1][:1]
        if share:
            split_of |= dict.fromkeys(drawn, name)
            free = free[len(drawn) :]
    return {name: [case for case in dataset.cases if split_of[case.patient] == name] for name in SPLITS}


def _splits_by_patient(dataset: DataSet) -> dict[str, Split]:
    """Return the data set's own split of each patient. Raises `DataError` for a patient in two splits."""
    split_of: dict[str, Split] = {}
    for case in dataset.cases:
        if case.split is None:
            continue
        if split_of.setdefault(case.patient, case.split) != case.split:
            raise DataError(
                f"{dataset.root}: patient {case.patient} is in {split_of[case.patient]} and, with {case.id}, in "
                f"{case.split}; a model would be tested on patients it was trained on. Put the split right"
            )
    return split_of
