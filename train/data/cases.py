"""A data set of CT volumes as training sees it: cases, where their labels lie, and what had to be left out."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, get_args

from curation.runtime.errors import OvctError

Split = Literal["train", "val", "test"]
SPLITS: tuple[Split, ...] = get_args(Split)
# How data sets call them.
SPLIT_NAMES: Mapping[str, Split] = {
    "train": "train", "training": "train",
    "val": "val", "valid": "val", "validation": "val",
    "test": "test", "testing": "test",
}  # fmt: skip
OnProblem = Literal["skip", "refuse"]
# Problems that a message tells in full; the others are counted.
PROBLEMS_TOLD = 10


class DataError(OvctError, ValueError):
    """A data set, or one of its cases, cannot be used. The text says what to do."""

    exit_code = 2


@dataclass(frozen=True)
class LabelFiles:
    """Labels of one case: one label map, or a binary mask for each label id, painted in this order, later over earlier.

    A structure without a mask is absent.
    """

    map: Path | None = None
    masks: tuple[tuple[int, Path], ...] = ()

    @property
    def paths(self) -> tuple[Path, ...]:
        """All files, in the order in which they are read."""
        return (self.map,) if self.map else tuple(path for _, path in self.masks)


@dataclass(frozen=True)
class RecordedHeader:
    """What a table says of a volume whose own header is blank: HU = slope × value + intercept, and where it lies.

    `affine`: 3 rows of 4, voxel index -> RAS mm.
    """

    slope: float
    intercept: float
    affine: tuple[tuple[float, ...], ...]


@dataclass(frozen=True)
class Case:
    """One volume. `scan` is the same for reconstructions of one acquisition, `patient` for all scans of one person.

    `split`: the data set's own, None where it has none. `labelled`: the structures that were looked for in this case,
    None for all of the data set's; what was not looked for is unknown, not absent.
    """

    id: str
    patient: str
    scan: str
    image: Path
    split: Split | None = None
    labels: LabelFiles | None = None
    labelled: tuple[str, ...] | None = None
    recorded: RecordedHeader | None = None


@dataclass(frozen=True)
class Problem:
    """A case that cannot be used, and why."""

    case: str
    path: Path
    what: str

    def __str__(self) -> str:
        return f"{self.case}: {self.what}" if str(self.path) in self.what else f"{self.case} ({self.path}): {self.what}"


@dataclass(frozen=True)
class DataSet:
    """Cases sorted by id, and the structures that their labels tell: name -> ids in the label map.

    Regions may overlap: an id may stand for several structures. `ignored`: ids of voxels of which nothing is known.
    """

    root: Path
    layout: str
    cases: tuple[Case, ...]
    structures: dict[str, tuple[int, ...]] = field(default_factory=dict)
    ignored: tuple[int, ...] = ()
    problems: tuple[Problem, ...] = ()

    def __post_init__(self) -> None:
        seen: dict[str, Case] = {}
        for case in self.cases:
            if case.id in seen:
                raise DataError(
                    f"two volumes are called {case.id}: {seen[case.id].image} and {case.image}; "
                    "rename one of them, or take one out of the folder"
                )
            seen[case.id] = case


def told(problems: Sequence[Problem]) -> str:
    """The first problems, a line each, and how many more there are."""
    more = len(problems) - PROBLEMS_TOLD
    lines = [str(problem) for problem in problems[:PROBLEMS_TOLD]]
    return "\n  ".join([*lines, *([f"and {more:,} more"] if more > 0 else [])])


def refuse(root: Path, problems: Sequence[Problem], of: int) -> None:
    """Raise `DataError` where there is a problem, telling up to ten."""
    if problems:
        raise DataError(
            f"{root}: {len(problems):,} of {of:,} cases cannot be used:\n  {told(problems)}\n"
            "Put them right or take them out of the folder, or leave them out with --on-problem skip"
        )


def split_named(said: str | None, where: str) -> Split:
    """The split that a data set calls `said`; `DataError`, beginning with `where`, for another word."""
    name = (said or "").strip().lower()
    if name not in SPLIT_NAMES:
        raise DataError(f"{where}: split {said!r}; expected one of {', '.join(SPLIT_NAMES)}")
    return SPLIT_NAMES[name]


def share_of(patient: str, seed: int = 0) -> float:
    """A number from 0 to below 1 that depends on the patient's id and the seed alone: splits stay when cases come."""
    digest = hashlib.sha256(f"{seed}\n{patient}".encode()).digest()
    return int.from_bytes(digest[:7], "big") / 2**56


def split_cases(dataset: DataSet, validation: float = 0.1, test: float = 0.0, seed: int = 0) -> dict[Split, list[Case]]:
    """Cases for training, validation and testing, no patient in two of them.

    The data set's own split holds where it has one; a case that it does not name goes where its patient is, else to
    training. Where there is no split, or none for validation, patients are drawn by a hash of their id, `validation`
    and `test` of them on average, at least one each while there are patients.

    Raises:
        DataError: shares that leave nothing to train on, or a patient whom the data set's own split has twice.
    """
    if validation < 0 or test < 0 or validation + test >= 1:
        raise DataError(f"shares from 0 that leave something to train on, not {validation} and {test}")
    home = _own_split(dataset)
    shares: dict[Split, float] = {"test": test, "val": validation}
    if home:
        shares = {} if "val" in home.values() else {"val": validation}
    patients = sorted({case.patient for case in dataset.cases}, key=lambda patient: (share_of(patient, seed), patient))
    free = [patient for patient in patients if home.setdefault(patient, "train") == "train"]
    below = 0.0
    for name, share in shares.items():
        below += share
        drawn = [patient for patient in free[:-1] if share_of(patient, seed) < below] or free[:-1][:1]
        if share:
            home |= dict.fromkeys(drawn, name)
            free = free[len(drawn) :]
    return {name: [case for case in dataset.cases if home[case.patient] == name] for name in SPLITS}


def _own_split(dataset: DataSet) -> dict[str, Split]:
    home: dict[str, Split] = {}
    for case in dataset.cases:
        if case.split is None:
            continue
        if home.setdefault(case.patient, case.split) != case.split:
            raise DataError(
                f"{dataset.root}: patient {case.patient} is in {home[case.patient]} and, with {case.id}, in "
                f"{case.split}; a model would be tested on patients it was trained on. Put the split right"
            )
    return home
