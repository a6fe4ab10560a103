"""Two evaluations side by side: differences on the same cases, with intervals from the same resamples of patients."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np

from .bootstrap import Bootstrap, BootstrapEstimate
from .questions import SCORED_KINDS, Kind
from .record import (
    HEADER_FILE,
    CaseResult,
    EvaluationError,
    EvaluationHeader,
    EvaluationRecord,
    ScoreRow,
    read_cases,
    read_header,
)
from .report import SUMMARY_FILE
from .results import ScoreEstimate
from .score_table import ScoreTable, score_table
from .tables import TITLES

# A voxel more or less is another reference; what is written to JSON and read again is not.
SAME_ML = 1e-6


class FinishedEvaluation(NamedTuple):
    """A finished evaluation, and the name it goes by in a comparison."""

    name: str
    header: EvaluationHeader
    cases: dict[str, CaseResult]


class Difference(EvaluationRecord):
    """Scores of both on the same cases, and second less first. `better`: by Dice, where its interval leaves out 0."""

    kind: Kind
    name: str
    first: ScoreEstimate
    second: ScoreEstimate
    difference: ScoreEstimate
    better: Literal["first", "second"] | None


class Comparison(EvaluationRecord):
    """The content of `comparison.json`.

    `false_masks` is the share of absent structures, asked by name, that got a mask, second less first.
    """

    format: Literal["ovct comparison 1"] = "ovct comparison 1"
    made: str
    first: str
    second: str
    first_weights: str
    second_weights: str
    dataset: str
    cases: int
    patients: int
    only_first: int
    only_second: int
    means: tuple[Difference, ...]
    subjects: tuple[Difference, ...]
    false_masks: BootstrapEstimate


def is_evaluation(folder: Path) -> bool:
    """Return whether `folder` holds an evaluation."""
    return (folder / HEADER_FILE).is_file()


def read_evaluation(folder: Path, name: str | None = None) -> FinishedEvaluation:
    """Read a finished evaluation. Raises EvaluationError if `folder` holds none, or it is not finished."""
    header = read_header(folder)
    if header is None:
        raise EvaluationError(f"{folder} holds neither a checkpoint nor an evaluation ({HEADER_FILE})")
    damaged = list[str]()
    cases = {case.case: case for case in read_cases(folder, damaged.append)}
    if damaged:
        raise EvaluationError(f"{damaged[0]} when the evaluation is run again, with --out {folder}")
    if not (folder / SUMMARY_FILE).is_file() or not cases:
        raise EvaluationError(f"the evaluation in {folder} is not finished; run it again with --out {folder}")
    return FinishedEvaluation(name or folder.resolve().name, header, cases)


def compare(first: FinishedEvaluation, second: FinishedEvaluation, seed: int = 0) -> Comparison:
    """Compare two evaluations on the cases that both have.

    Raises:
        EvaluationError: no common case, other references, or NSD at another tolerance.
    """
    common = sorted(first.cases.keys() & second.cases.keys())
    _check_comparable(first, second, common)
    first_cases, second_cases = ([evaluation.cases[case] for case in common] for evaluation in (first, second))
    bootstrap = Bootstrap([case.patient for case in first_cases], seed)
    means, subjects = [], []
    for kind in SCORED_KINDS:
        tables = _common_scores(score_table(first_cases, kind), score_table(second_cases, kind))
        names = tables[0].names
        if names:
            means.append(_difference(kind, TITLES[kind], *tables, bootstrap))
            subjects += [
                _difference(kind, name, tables[0].select([name]), tables[1].select([name]), bootstrap) for name in names
            ]
    return Comparison(
        made=datetime.now(UTC).isoformat(timespec="seconds"),
        first=first.name,
        second=second.name,
        first_weights=first.header.weights,
        second_weights=second.header.weights,
        dataset=first.header.dataset,
        cases=len(common),
        patients=bootstrap.patients,
        only_first=len(first.cases) - len(common),
        only_second=len(second.cases) - len(common),
        means=tuple(means),
        subjects=tuple(subjects),
        false_masks=_false_mask_difference(first_cases, second_cases, bootstrap),
    )


def _check_comparable(first: FinishedEvaluation, second: FinishedEvaluation, common: Sequence[str]) -> None:
    if not common:
        raise EvaluationError(f"{first.name} and {second.name} have no case in common")
    tolerances = [evaluation.header.settings.nsd_tolerance_mm for evaluation in (first, second)]
    if tolerances[0] != tolerances[1]:
        raise EvaluationError(
            f"{first.name} has NSD at {tolerances[0]:g} mm and {second.name} at {tolerances[1]:g} mm; evaluate one of "
            "them again with the other's --nsd-tolerance"
        )
    for case in common:
        first_rows = _rows_by_name(first.cases[case])
        for subject, row in _rows_by_name(second.cases[case]).items():
            if subject not in first_rows:
                continue
            first_ml = first_rows[subject].reference_ml
            if abs(first_ml - row.reference_ml) > SAME_ML * row.reference_ml:
                raise EvaluationError(
                    f"{case}: the reference of {subject} has {first_ml:.3f} ml in {first.name} and "
                    f"{row.reference_ml:.3f} ml in {second.name}; they were not evaluated on the same data"
                )


def _rows_by_name(case: CaseResult) -> dict[str, ScoreRow]:
    return {row.subject: row for row in case.rows if row.kind == "name"}


def _common_scores(first: ScoreTable, second: ScoreTable) -> tuple[ScoreTable, ScoreTable]:
    """Return the scores of the subjects that both have, and only where both have a score."""
    names = [name for name in first.names if name in second.names]
    tables = first.select(names), second.select(names)
    missing = np.isnan(tables[0].dice) | np.isnan(tables[1].dice)
    for table in tables:
        table.dice[missing] = table.nsd[missing] = np.nan
    return tables


def _difference(kind: Kind, name: str, first: ScoreTable, second: ScoreTable, bootstrap: Bootstrap) -> Difference:
    difference = second.minus(first).estimate(bootstrap)
    low, high = difference.dice.low, difference.dice.high
    better: Literal["first", "second"] | None = None
    if low is not None and high is not None and (low > 0 or high < 0):
        better = "second" if low > 0 else "first"
    return Difference(
        kind=kind,
        name=name,
        first=first.estimate(bootstrap),
        second=second.estimate(bootstrap),
        difference=difference,
        better=better,
    )


def _false_mask_difference(
    first: Sequence[CaseResult], second: Sequence[CaseResult], bootstrap: Bootstrap
) -> BootstrapEstimate:
    """Estimate how many more false masks the second has, as a share of the absent structures both were asked for."""
    more, trials = np.zeros(len(first)), np.zeros(len(first))
    for number, (first_case, second_case) in enumerate(zip(first, second, strict=True)):
        first_rows = _rows_by_name(first_case)
        for subject, row in _rows_by_name(second_case).items():
            if subject in first_rows and not row.present:
                trials[number] += 1
                more[number] += int(row.false_mask) - int(first_rows[subject].false_mask)
    return bootstrap.share(more, trials)
