"""The numbers of an evaluation as tables: for the terminal, for the report, and as CSV."""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text  # names may look like markup

from .bootstrap import Estimate
from .questions import Kind
from .record import CaseResult
from .results import Listed, Mean, Presence, Subject, Summary

NOTHING = "–"
TITLES: dict[Kind, str] = {"name": "Names", "synonym": "Held-out synonyms", "group": "Merged groups"}


class Grid(NamedTuple):
    """A table: `title`, what it `says` in a sentence, `head` and cells. The first `left` columns are text."""

    key: str
    title: str
    says: str
    head: tuple[str, ...]
    rows: list[tuple[str, ...]]
    left: int = 1


def score(estimate: Estimate) -> str:
    """A mean of Dice or NSD with its interval, as in `0.912 (0.894 to 0.925)`."""
    if estimate.value is None:
        return NOTHING
    interval = NOTHING if estimate.low is None else f"{estimate.low:.3f} to {estimate.high:.3f}"
    return f"{estimate.value:.3f} ({interval})"


def signed(estimate: Estimate) -> str:
    """A difference with its interval, as in `+0.012 (-0.003 to +0.020)`."""
    if estimate.value is None:
        return NOTHING
    interval = NOTHING if estimate.low is None else f"{estimate.low:+.3f} to {estimate.high:+.3f}"
    return f"{estimate.value:+.3f} ({interval})"


def share(estimate: Estimate) -> str:
    """A share in percent with its interval."""
    if estimate.value is None:
        return NOTHING
    interval = NOTHING if estimate.low is None else f"{100 * estimate.low:.1f} to {100 * (estimate.high or 0):.1f} %"
    return f"{100 * estimate.value:.1f} % ({interval})"


def sentences(summary: Summary) -> list[str]:
    """What was measured and how, for people who read the numbers."""
    settings = summary.settings
    found = [
        f"{summary.cases:,} cases of {summary.patients:,} patients, split {summary.split}.",
        f"Dice and NSD at {settings.nsd_tolerance_mm:g} mm on each scan's own grid, nothing resampled; structures that "
        "the reference does not have are not counted, and those that the model does not find count 0, as "
        "TotalSegmentator does.",
        "Means are those of each structure over its cases, then over structures. Intervals: 95 %, "
        f"{summary.resamples:,} resamples of patients (percentiles)" + (
            "; with one patient there are none." if summary.patients < 2 else "."
        ),
    ]  # fmt: skip
    if summary.seen:
        found.append(
            f"The model was trained on {summary.seen:,} of these cases: their numbers say nothing of new ones."
        )
    if not summary.known:
        found.append(
            "The checkpoint does not record its training prompts: nothing is known of what it was trained with, and "
            "“held-out” says only what ovct would have held out."
        )
    if summary.left_out:
        found.append(f"{len(summary.left_out):,} cases could not be evaluated and are left out.")
    return found


def grids(summary: Summary) -> Iterator[Grid]:
    """The tables that everyone wants, without those that have no rows."""
    found = [
        Grid("means", "Overall", "", ("mean over", "structures", "Dice", "NSD"), [_mean(one) for one in summary.means]),
        Grid(
            "bands",
            "By prevalence",
            "By the share of the evaluated cases whose reference has the structure.",
            ("share of cases", "structures", "Dice", "NSD"),
            [_mean(one) for one in summary.bands],
        ),
        Grid(
            "presence",
            "Absent structures",
            "How often a prompt for what the case does not have got a mask with any voxel at all, and how often one "
            "for what it has got none. Where none or all did, the interval is Wilson's for that number of patients.",
            ("prompts", "absent", "with a false mask", "median ml", "present", "without a mask"),
            [_presence(one) for one in summary.presence],
        ),
    ]
    return (grid for grid in found if grid.rows)


def subject_grids(summary: Summary) -> Iterator[Grid]:
    """A table for each kind of prompt: all structures, lowest Dice first."""
    head = ("structure", "prompts", "present", "missed", "absent", "false masks", "Dice", "NSD")
    for kind, title in TITLES.items():
        subjects = [one for one in summary.subjects if one.kind == kind]
        rows = [_subject(one) for one in sorted(subjects, key=_low_first)]
        if rows:
            yield Grid(kind, title, _SAYS[kind], head, rows, 2)


_SAYS: dict[Kind, str] = {
    "name": "Each structure by its name.",
    "synonym": "The mean over a structure's synonyms, none of which training used.",
    "group": "Several structures asked for at once, by words that training did not use; the reference is all of them "
    "together, in cases in which each was looked for.",
}


def prompt_grid(summary: Summary) -> Grid | None:
    """Each synonym and group prompt by itself."""
    rows: list[tuple[str, ...]] = [
        (one.name, one.prompts[0], f"{one.present:,}", score(one.score.dice), score(one.score.nsd))
        for one in summary.prompts
        if one.kind != "name"
    ]
    head = ("structure", "prompt", "present", "Dice", "NSD")
    return Grid("prompts", "Each prompt", "What each wording gave.", head, rows, 2) if rows else None


def _mean(one: Mean) -> tuple[str, ...]:
    return one.title, f"{one.structures:,}", score(one.score.dice), score(one.score.nsd)


def _presence(one: Presence) -> tuple[str, ...]:
    return (
        TITLES[one.kind],
        f"{one.false_masks.count:,}",
        share(one.false_masks),
        NOTHING if one.median_ml is None else f"{one.median_ml:.1f}",
        f"{one.missed.count:,}",
        share(one.missed),
    )


def _subject(one: Subject) -> tuple[str, ...]:
    counts = (one.present, one.missed, one.absent, one.false_masks)
    prompts = ", ".join(one.prompts)
    return one.name, prompts, *(f"{count:,}" for count in counts), score(one.score.dice), score(one.score.nsd)


def _low_first(one: Subject) -> tuple[float, str]:
    return (2.0 if one.score.dice.value is None else one.score.dice.value), one.name


def show(summary: Summary, console: Console, shown: int = 10) -> None:
    """Print the summary: the tables, and the structures with the lowest Dice."""
    for grid in grids(summary):
        print_grid(grid, console)
    for grid in subject_grids(summary):
        if grid.key == "name":
            print_grid(_narrow(grid), console, shown)
    for sentence in sentences(summary):
        console.print(Text(sentence, style="dim"))


def _narrow(grid: Grid) -> Grid:
    """What a terminal has room for: structure, cases, Dice and NSD."""
    rows = [(cells[0], cells[2], *cells[-2:]) for cells in grid.rows]
    head = (grid.head[0], grid.head[2], *grid.head[-2:])
    return grid._replace(title=f"{grid.title}, lowest Dice first", head=head, rows=rows, left=1)


def print_grid(grid: Grid, console: Console, shown: int | None = None) -> None:
    """Print one table."""
    table = Table(box=box.SIMPLE_HEAD, title=grid.title, title_justify="left", title_style="bold")
    for number, head in enumerate(grid.head):
        table.add_column(head, justify="left" if number < grid.left else "right")
    for cells in grid.rows[:shown]:
        table.add_row(*map(Text, cells))
    if shown is not None and len(grid.rows) > shown:
        table.add_row(Text(f"{len(grid.rows) - shown:,} more in report.html"))
    console.print(table)


def summary_csv(summary: Summary) -> str:
    """All means, one a line; `kind` prompt has each wording by itself."""
    head = "table,name,prompts,trained,structures,present,missed,absent,false_masks"
    scores = "dice,dice_low,dice_high,nsd,nsd_low,nsd_high"
    rows: list[list[object]] = [
        [table, one.key, "", "", one.structures, "", "", "", "", *_ends(one.score.dice), *_ends(one.score.nsd)]
        for table, means in (("mean", summary.means), ("prevalence", summary.bands))
        for one in means
    ]
    for prefix, subjects in (("", summary.subjects), ("prompt_", summary.prompts)):
        rows += [
            [
                f"{prefix}{one.kind}", one.name, " | ".join(one.prompts), _said(one.trained), len(one.members),
                one.present, one.missed, one.absent, one.false_masks, *_ends(one.score.dice), *_ends(one.score.nsd),
            ]
            for one in subjects
        ]  # fmt: skip
    return as_csv([*head.split(","), *scores.split(",")], rows)


def prompts_csv(cases: Iterable[CaseResult]) -> str:
    """Every case and prompt, one a line; where the reference is empty Dice and NSD are too."""
    head = "case,patient,kind,structure,prompt,present,dice,nsd,reference_ml,predicted_ml,presence"
    rows = (
        [
            case.case, case.patient, row.kind, row.subject, row.prompt, int(row.present), row.dice, row.nsd,
            row.reference_ml, row.predicted_ml, row.presence,
        ]
        for case in cases
        for row in case.rows
    )  # fmt: skip
    return as_csv(head.split(","), rows)


def as_csv(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Comma-separated text; nothing for what is not known."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(head)
    writer.writerows(rows)
    return file.getvalue()


def listed_text(one: Listed) -> str:
    """A failure in words."""
    if one.dice is None:
        return f"{one.predicted_ml:.1f} ml where there is none"
    nsd = NOTHING if one.nsd is None else f"{one.nsd:.3f}"
    return f"Dice {one.dice:.3f}, NSD {nsd}; {one.predicted_ml:.1f} ml of {one.reference_ml:.1f} ml"


def _ends(estimate: Estimate) -> tuple[float | None, float | None, float | None]:
    return estimate.value, estimate.low, estimate.high


def _said(trained: bool | None) -> str:
    return "" if trained is None else "yes" if trained else "no"
