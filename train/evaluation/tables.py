"""The numbers of an evaluation as tables, for the terminal and for the report."""

from collections.abc import Iterator
from typing import NamedTuple

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text  # names may look like markup

from .bootstrap import BootstrapEstimate
from .questions import Kind
from .results import EvaluationSummary, ListedFailure, MeanScore, PresenceRates, SubjectScore

NOTHING = "–"
TITLES: dict[Kind, str] = {
    "name": "Names",
    "synonym": "Synonyms",
    "group": "Groups",
    "nonsense": "Words that mean nothing",
}
CAPTIONS: dict[Kind, str] = {
    "name": "Each structure by its name.",
    "synonym": "The mean over a structure's synonyms; those that training used are marked.",
    "group": "Several structures asked for at once, by each name of the group; the reference is all of them together, "
    "in cases in which each was looked for. Groups that training used are marked.",
    "nonsense": "Words for nothing in a body: any voxel is a false mask. Training never used these.",
}


class ReportTable(NamedTuple):
    """A table with a title and a sentence that explains it. The first `text_columns` columns are text, not numbers."""

    key: str
    title: str
    caption: str
    header: tuple[str, ...]
    rows: list[tuple[str, ...]]
    text_columns: int = 1


def format_score(estimate: BootstrapEstimate) -> str:
    """Write a mean of Dice or NSD with its interval, as in `0.912 (0.894 to 0.925)`."""
    if estimate.value is None:
        return NOTHING
    interval = NOTHING if estimate.low is None else f"{estimate.low:.3f} to {estimate.high:.3f}"
    return f"{estimate.value:.3f} ({interval})"


def format_difference(estimate: BootstrapEstimate) -> str:
    """Write a difference with its interval, as in `+0.012 (-0.003 to +0.020)`."""
    if estimate.value is None:
        return NOTHING
    interval = NOTHING if estimate.low is None else f"{estimate.low:+.3f} to {estimate.high:+.3f}"
    return f"{estimate.value:+.3f} ({interval})"


def format_share(estimate: BootstrapEstimate) -> str:
    """Write a share in percent with its interval."""
    if estimate.value is None:
        return NOTHING
    interval = NOTHING if estimate.low is None else f"{100 * estimate.low:.1f} to {100 * (estimate.high or 0):.1f} %"
    return f"{100 * estimate.value:.1f} % ({interval})"


def explain(summary: EvaluationSummary) -> list[str]:
    """Return sentences that say what was measured and how."""
    settings = summary.settings
    sentences = [
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
        sentences.append(
            f"The model was trained on {summary.seen:,} of these cases: their numbers say nothing of new ones."
        )
    if not summary.known:
        sentences.append(
            "The checkpoint does not record its training prompts: nothing is known of what it was trained with, and "
            "“held-out” says only what ovct would have held out."
        )
    if summary.left_out:
        sentences.append(f"{len(summary.left_out):,} cases could not be evaluated and are left out.")
    return sentences


def summary_tables(summary: EvaluationSummary) -> Iterator[ReportTable]:
    """Yield the tables of means, prevalence and absent structures, without those that have no rows."""
    tables = [
        ReportTable(
            "means",
            "Overall",
            "",
            ("mean over", "structures", "Dice", "NSD"),
            [_mean_cells(mean) for mean in summary.means],
        ),
        ReportTable(
            "bands",
            "By prevalence",
            "By the share of the evaluated cases whose reference has the structure.",
            ("share of cases", "structures", "Dice", "NSD"),
            [_mean_cells(mean) for mean in summary.bands],
        ),
        ReportTable(
            "presence",
            "Absent structures",
            "How often a prompt for what the case does not have got a mask with any voxel at all, and how often one "
            "for what it has got none. Where none or all did, the interval is Wilson's for that number of patients.",
            ("prompts", "absent", "with a false mask", "median ml", "present", "without a mask"),
            [_presence_cells(rates) for rates in summary.presence],
        ),
    ]
    return (table for table in tables if table.rows)


def subject_tables(summary: EvaluationSummary) -> Iterator[ReportTable]:
    """Yield a table for each kind of prompt: all structures, lowest Dice first."""
    header = ("structure", "prompts", "present", "missed", "absent", "false masks", "Dice", "NSD")
    for kind, title in TITLES.items():
        subjects = [subject for subject in summary.subjects if subject.kind == kind]
        rows = [_subject_cells(subject) for subject in sorted(subjects, key=_low_first)]
        if rows:
            yield ReportTable(kind, title, CAPTIONS[kind], header, rows, 2)


def prompt_table(summary: EvaluationSummary) -> ReportTable | None:
    """Return a table with each synonym and group prompt by itself, None if there are none."""
    rows: list[tuple[str, ...]] = [
        (
            prompt.name,
            prompt.prompts[0],
            f"{prompt.present:,}",
            format_score(prompt.score.dice),
            format_score(prompt.score.nsd),
        )
        for prompt in summary.prompts
        if prompt.kind in ("synonym", "group")
    ]
    header = ("structure", "prompt", "present", "Dice", "NSD")
    return ReportTable("prompts", "Each prompt", "What each wording gave.", header, rows, 2) if rows else None


def _mean_cells(mean: MeanScore) -> tuple[str, ...]:
    return mean.title, f"{mean.structures:,}", format_score(mean.score.dice), format_score(mean.score.nsd)


def _presence_cells(rates: PresenceRates) -> tuple[str, ...]:
    return (
        TITLES[rates.kind],
        f"{rates.false_masks.count:,}",
        format_share(rates.false_masks),
        NOTHING if rates.median_ml is None else f"{rates.median_ml:.1f}",
        f"{rates.missed.count:,}",
        format_share(rates.missed),
    )


def _subject_cells(subject: SubjectScore) -> tuple[str, ...]:
    counts = (subject.present, subject.missed, subject.absent, subject.false_masks)
    scores = (format_score(subject.score.dice), format_score(subject.score.nsd))
    name = f"{subject.name} (trained)" if subject.trained and subject.kind != "name" else subject.name
    return name, ", ".join(subject.prompts), *(f"{count:,}" for count in counts), *scores


def _low_first(subject: SubjectScore) -> tuple[float, str]:
    return (2.0 if subject.score.dice.value is None else subject.score.dice.value), subject.name


def print_summary(summary: EvaluationSummary, console: Console, limit: int = 10) -> None:
    """Print the summary: the tables, and the `limit` structures with the lowest Dice."""
    for table in summary_tables(summary):
        print_table(table, console)
    for table in subject_tables(summary):
        if table.key == "name":
            print_table(_narrow(table), console, limit)
    for sentence in explain(summary):
        console.print(Text(sentence, style="dim"))


def _narrow(table: ReportTable) -> ReportTable:
    """Keep the columns that a terminal has room for: structure, cases, Dice and NSD."""
    rows = [(cells[0], cells[2], *cells[-2:]) for cells in table.rows]
    header = (table.header[0], table.header[2], *table.header[-2:])
    return table._replace(title=f"{table.title}, lowest Dice first", header=header, rows=rows, text_columns=1)


def print_table(table: ReportTable, console: Console, limit: int | None = None) -> None:
    """Print one table, of which at most `limit` rows."""
    printed = Table(box=box.SIMPLE_HEAD, title=table.title, title_justify="left", title_style="bold")
    for number, heading in enumerate(table.header):
        printed.add_column(heading, justify="left" if number < table.text_columns else "right")
    for cells in table.rows[:limit]:
        printed.add_row(*map(Text, cells))
    if limit is not None and len(table.rows) > limit:
        printed.add_row(Text(f"{len(table.rows) - limit:,} more in report.html"))
    console.print(printed)


def describe_failure(failure: ListedFailure) -> str:
    """Describe a failure in words."""
    if failure.dice is None:
        return f"{failure.predicted_ml:.1f} ml where there is none"
    nsd = NOTHING if failure.nsd is None else f"{failure.nsd:.3f}"
    volumes = f"{failure.predicted_ml:.1f} ml found, {failure.reference_ml:.1f} ml in the reference"
    return f"Dice {failure.dice:.3f}, NSD {nsd}; {volumes}"
