"""Two evaluations side by side: differences on the same cases, with intervals from the same resamples of patients."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
from pydantic import BaseModel, ConfigDict
from rich.console import Console

from curation.runtime.files import write_text

from .bootstrap import Bootstrap, Estimate
from .questions import KINDS, Kind
from .record import HEADER_FILE, CaseResult, EvaluationError, Header, Row, read_cases, read_header
from .report import SUMMARY_FILE, page
from .results import Score
from .summary import Scores, difference, scores_of
from .tables import TITLES, Grid, as_csv, print_grid, score, signed

# A voxel more or less is another reference; what is written to JSON and read again is not.
SAME_ML = 1e-6


class Side(NamedTuple):
    """A finished evaluation."""

    name: str
    header: Header
    cases: dict[str, CaseResult]


class _Record(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Difference(_Record):
    """Scores of both on the same cases, and second less first. `better`: by Dice, where its interval leaves out 0."""

    kind: Kind
    name: str
    first: Score
    second: Score
    difference: Score
    better: Literal["first", "second"] | None


class Comparison(_Record):
    """All of `comparison.json`. `false_masks`: share of absent structures, asked by name, second less first."""

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
    false_masks: Estimate


def is_evaluation(folder: Path) -> bool:
    """Whether `folder` holds an evaluation."""
    return (folder / HEADER_FILE).is_file()


def read_side(folder: Path, name: str | None = None) -> Side:
    """A finished evaluation. EvaluationError where it is none."""
    header = read_header(folder)
    if header is None:
        raise EvaluationError(f"{folder} holds neither a checkpoint nor an evaluation ({HEADER_FILE})")
    cases = {case.case: case for case in read_cases(folder)}
    if not (folder / SUMMARY_FILE).is_file() or not cases:
        raise EvaluationError(f"the evaluation in {folder} is not finished; run it again with --out {folder}")
    return Side(name or folder.resolve().name, header, cases)


def compare(first: Side, second: Side, seed: int = 0) -> Comparison:
    """Both sides on the cases that both have.

    Raises:
        EvaluationError: no common case, other references, or NSD at another tolerance.
    """
    both = sorted(first.cases.keys() & second.cases.keys())
    _check(first, second, both)
    ones, others = ([side.cases[case] for case in both] for side in (first, second))
    bootstrap = Bootstrap([case.patient for case in ones], seed)
    means, subjects = [], []
    for kind in KINDS:
        pair = _shared(scores_of(ones, kind), scores_of(others, kind))
        if pair[0].names:
            means.append(_difference(kind, TITLES[kind], *pair, bootstrap))
            subjects += [
                _difference(kind, name, pair[0].only([name]), pair[1].only([name]), bootstrap) for name in pair[0].names
            ]
    return Comparison(
        made=datetime.now(UTC).isoformat(timespec="seconds"),
        first=first.name,
        second=second.name,
        first_weights=first.header.weights,
        second_weights=second.header.weights,
        dataset=first.header.dataset,
        cases=len(both),
        patients=bootstrap.patients,
        only_first=len(first.cases) - len(both),
        only_second=len(second.cases) - len(both),
        means=tuple(means),
        subjects=tuple(subjects),
        false_masks=_false_masks(ones, others, bootstrap),
    )


def _check(first: Side, second: Side, both: Sequence[str]) -> None:
    if not both:
        raise EvaluationError(f"{first.name} and {second.name} have no case in common")
    tolerances = [side.header.settings.nsd_tolerance_mm for side in (first, second)]
    if tolerances[0] != tolerances[1]:
        raise EvaluationError(
            f"{first.name} has NSD at {tolerances[0]:g} mm and {second.name} at {tolerances[1]:g} mm; evaluate one of "
            "them again with the other's --nsd-tolerance"
        )
    for case in both:
        known = _named(first.cases[case])
        for subject, row in _named(second.cases[case]).items():
            if subject in known and abs(known[subject].reference_ml - row.reference_ml) > SAME_ML * row.reference_ml:
                raise EvaluationError(
                    f"{case}: the reference of {subject} has {known[subject].reference_ml:.3f} ml in {first.name} and "
                    f"{row.reference_ml:.3f} ml in {second.name}; they were not evaluated on the same data"
                )


def _named(case: CaseResult) -> dict[str, Row]:
    return {row.subject: row for row in case.rows if row.kind == "name"}


def _shared(first: Scores, second: Scores) -> tuple[Scores, Scores]:
    """The subjects that both have, and only where both have a score."""
    names = [name for name in first.names if name in second.names]
    one, other = first.only(names), second.only(names)
    unknown = np.isnan(one.dice) | np.isnan(other.dice)
    for scores in (one, other):
        scores.dice[unknown] = scores.nsd[unknown] = np.nan
    return one, other


def _difference(kind: Kind, name: str, first: Scores, second: Scores, bootstrap: Bootstrap) -> Difference:
    found = difference(second, first).of(bootstrap)
    low, high = found.dice.low, found.dice.high
    better: Literal["first", "second"] | None = None
    if low is not None and high is not None and (low > 0 or high < 0):
        better = "second" if low > 0 else "first"
    return Difference(
        kind=kind, name=name, first=first.of(bootstrap), second=second.of(bootstrap), difference=found, better=better
    )


def _false_masks(first: Sequence[CaseResult], second: Sequence[CaseResult], bootstrap: Bootstrap) -> Estimate:
    """On the absent structures that both were asked for."""
    more, asked = np.zeros(len(first)), np.zeros(len(first))
    for place, (one, other) in enumerate(zip(first, second, strict=True)):
        known = _named(one)
        for subject, row in _named(other).items():
            if subject in known and not row.present:
                asked[place] += 1
                more[place] += int(row.false_mask) - int(known[subject].false_mask)
    return bootstrap.share(more, asked)


def publish_comparison(folder: Path, comparison: Comparison) -> None:
    """Write comparison.html, comparison.csv and comparison.json."""
    folder.mkdir(parents=True, exist_ok=True)
    tables = list(comparison_grids(comparison))
    html = page(
        title=f"{comparison.first} and {comparison.second}",
        facts={
            "first": f"{comparison.first} ({comparison.first_weights})",
            "second": f"{comparison.second} ({comparison.second_weights})",
            "data set": comparison.dataset,
            "made": comparison.made,
        },
        sentences=[says(comparison)],
        grids=tables,
    )
    write_text(folder / "comparison.csv", _csv(comparison))
    write_text(folder / "comparison.html", html)
    write_text(folder / "comparison.json", comparison.model_dump_json(indent=1) + "\n")


def says(comparison: Comparison) -> str:
    """What the numbers rest on."""
    alone = comparison.only_first + comparison.only_second
    more = f" {alone:,} cases that only one of them has are left out." if alone else ""
    return (
        f"{comparison.cases:,} cases of {comparison.patients:,} patients that both have.{more} Differences are second "
        "less first on the same cases; “better” where the 95 % interval of the difference in Dice leaves out 0. Of "
        "twenty structures one would do so by chance. Masks for absent structures, second less first: "
        f"{signed(comparison.false_masks)}."
    )


def comparison_grids(comparison: Comparison) -> list[Grid]:
    """Means, then the structures of each kind of prompt, the largest loss first."""
    head = (comparison.first, comparison.second, "Dice, difference", "NSD, difference", "better")
    found = [
        Grid("means", "Overall", "Dice, and differences.", ("mean over", *head), _rows(comparison, comparison.means))
    ]
    for kind, title in TITLES.items():
        subjects = [one for one in comparison.subjects if one.kind == kind]
        ordered = sorted(subjects, key=lambda one: (one.difference.dice.value or 0.0, one.name))
        if ordered:
            found.append(Grid(kind, title, "", ("structure", *head), _rows(comparison, ordered)))
    return found


def show_comparison(comparison: Comparison, console: Console, shown: int = 10) -> None:
    """Print it: the means, and the structures that lose most by name."""
    for grid in comparison_grids(comparison)[:2]:
        print_grid(grid, console, shown)
    console.print(says(comparison), style="dim", markup=False, highlight=False)


def _rows(comparison: Comparison, differences: Sequence[Difference]) -> list[tuple[str, ...]]:
    names = {"first": comparison.first, "second": comparison.second, None: "not told apart"}
    return [
        (
            one.name,
            score(one.first.dice),
            score(one.second.dice),
            signed(one.difference.dice),
            signed(one.difference.nsd),
            names[one.better],
        )
        for one in differences
    ]


def _csv(comparison: Comparison) -> str:
    head = "kind,name,cases,first_dice,second_dice,dice_difference,low,high,first_nsd,second_nsd,nsd_difference,"
    rows = [
        [
            one.kind, one.name, one.difference.dice.count, one.first.dice.value, one.second.dice.value,
            one.difference.dice.value, one.difference.dice.low, one.difference.dice.high, one.first.nsd.value,
            one.second.nsd.value, one.difference.nsd.value, one.difference.nsd.low, one.difference.nsd.high, one.better,
        ]
        for one in (*comparison.means, *comparison.subjects)
    ]  # fmt: skip
    return as_csv([*f"{head}nsd_low,nsd_high,better".split(",")], rows)
