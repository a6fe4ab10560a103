"""The results of an audit as tables: for the terminal, for the report, and as CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from curation.caption_set.audit_results import MEANINGS, Agreement, AuditResults, Estimate, Verdict

if TYPE_CHECKING:
    from rich.console import Console

SHOWN = 10
"""Rows of a table, and of a plot; `summary.csv` has all."""
NOTHING = "–"


class Row(NamedTuple):
    """A share of something; ``of`` says how much of the set it is about, where that is known."""

    name: str
    estimate: Estimate
    of: int | None = None


class Group(NamedTuple):
    """Shares that belong together. ``what`` is what is counted, for the table's head."""

    key: str
    title: str
    what: str
    rows: list[Row]


def groups(results: AuditResults) -> Iterator[Group]:
    """All shares of the results, in the order in which people want to know them; groups without rows are left out."""
    found = [
        Group("rate", "Hallucination rate", "hallucinated", _rate(results)),
        Group("verdict", "Verdicts", "captions", [
            Row(_verdict(name), estimate) for name, estimate in results.verdicts.items()
        ]),
        Group("status", "By status", "hallucinated", _rows(results.by_status)),
        Group("reviewer", "By reviewer", "hallucinated", _rows(results.by_reviewer)),
        Group("engine", "By engine", "hallucinated", _rows(results.by_engine)),
        Group("score", "By score", "hallucinated", [
            Row(_band(band.above, band.upto), band.hallucinated, band.captions) for band in results.calibration
        ]),
        Group("reason", "Refused captions, by reason", "rightly refused", _rows(results.by_reason)),
        Group("verifier", "The verifier", "captions", _verifier(results)),
        Group("organ", "By organ", "hallucinated", _rows(results.by_organ)),
    ]  # fmt: skip
    return (group for group in found if group.rows)


def _verdict(name: str) -> str:
    """The verdict's name; in tables "hallucinated" alone are all four kinds of what a report does not say."""
    return "hallucinated outright" if name == Verdict.HALLUCINATED else MEANINGS[Verdict(name)].name


def _rows(estimates: dict[str, Estimate]) -> list[Row]:
    return [Row(name, estimate) for name, estimate in estimates.items()]


def _rate(results: AuditResults) -> list[Row]:
    rows = [Row("accepted captions", results.hallucination, results.captions)]
    if results.unsure:
        rows.append(Row("with “unsure” as hallucinations", results.hallucination_with_unsure, results.captions))
    return rows


def _verifier(results: AuditResults) -> list[Row]:
    verifier = results.verifier
    if not results.reviewed_refused:
        return [Row("precision: accepted captions that are carried", verifier.precision)]
    return [
        Row("precision: accepted captions that are carried", verifier.precision),
        Row("recall: carried captions that are accepted", verifier.recall),
        Row("supported captions that are accepted", verifier.recall_of_supported),
        Row("hallucinations that are refused", verifier.caught),
        Row("refused captions that are hallucinations", verifier.rightly_refused),
    ]


def _band(above: float, upto: float) -> str:
    return f"{upto:g}" if above >= 99 else f"{above:g} to {upto:g}"


def percent(share: float | None) -> str:
    """A share in percent."""
    return NOTHING if share is None else f"{100 * share:.1f} %"


def interval(estimate: Estimate) -> str:
    """The interval of a share in percent."""
    return f"{100 * estimate.low:.1f} to {100 * estimate.high:.1f} %"


def coefficient(value: float | None, low: float | None = None, high: float | None = None) -> str:
    """A coefficient of agreement with its interval."""
    if value is None:
        return NOTHING
    return f"{value:.2f}" if low is None or high is None else f"{value:.2f} ({low:.2f} to {high:.2f})"


def sentence(results: AuditResults) -> str:
    """The rate in one sentence."""
    found = results.hallucination
    if found.rate is None:
        return "No caption has been decided yet." if results.reviewed else "No caption has been judged yet."
    reached = "none was hallucinated" if not found.hits else f"{found.hits:,} hallucinated"
    return (
        f"{percent(found.rate)} of the captions say what their report does not "
        f"(95 % interval {interval(found)}; of {found.reviewed:,} judged captions {reached})."
    )


def facts(results: AuditResults) -> dict[str, str]:
    """What the results rest on."""
    refused = f", {results.refused:,} refused" if results.refused else ""
    sample = f"{results.sample:,} accepted" + (
        f" and {results.sample_refused:,} refused" if results.sample_refused else ""
    )
    judged = f"{results.reviewed:,} accepted" + (
        f" and {results.reviewed_refused:,} refused" if results.reviewed_refused else ""
    )
    known = {
        "captions": f"{results.captions:,} accepted{refused}",
        "sample": f"{sample} ({results.design}, seed {results.seed}, drawn {results.made[:10]})",
        "judged": judged,
        "reviewers": ", ".join(f"{name} {count:,}" for name, count in results.reviewers.items()),
    }
    if results.blind:
        known["blind"] = f"{results.blind:,} of {sum(results.reviewers.values()):,} verdicts"
    if results.unsure:
        known["unsure"] = f"{results.unsure:,}, left out of the rates"
    if results.corrected:
        known["corrected"] = f"{results.corrected:,}"
    return known


AGREEMENT_HEAD = ("agreement of", "about", "captions", "same", "kappa", "AC1")


def agreement_rows(results: AuditResults) -> list[list[str]]:
    """The table of agreement, two rows for each pair of readers."""
    return [row for pair in (*results.agreement, *results.judges) for row in _agreement_of(pair)]


def _agreement_of(one: Agreement) -> list[list[str]]:
    readers, both = f"{one.first}, {one.second}", f"{one.reviewed:,}"
    kappa = coefficient(one.kappa, one.kappa_low, one.kappa_high)
    ac1 = coefficient(one.ac1, one.ac1_low, one.ac1_high)
    return [
        [readers, "verdict", both, percent(one.percent.rate), kappa, ac1],
        [
            readers,
            "hallucinated?",
            both,
            percent(one.binary_percent.rate),
            coefficient(one.binary_kappa),
            coefficient(one.binary_ac1),
        ],
    ]


def cells(row: Row) -> list[str]:
    """One row of a table of shares: name, captions counted, captions judged, share, interval."""
    found = row.estimate
    return [row.name, f"{found.hits:,}", f"{found.reviewed:,}", percent(found.rate), interval(found)]


def show(results: AuditResults, console: Console) -> None:
    """Print the summary."""
    from rich import box
    from rich.table import Table
    from rich.text import Text  # names may look like markup

    grid = Table.grid(padding=(0, 2))
    for name, value in facts(results).items():
        grid.add_row(name, Text(value))
    console.print(grid)
    console.print(f"\n{sentence(results)}\n", highlight=False)
    for group in groups(results):
        table = Table(box=box.SIMPLE_HEAD)
        for number, head in enumerate((group.title, group.what, "judged", "rate", "95 % interval")):
            table.add_column(head, justify="right" if number else "left")
        for row in group.rows[:SHOWN]:
            table.add_row(*map(Text, cells(row)))
        if len(group.rows) > SHOWN:
            table.add_row(f"{len(group.rows) - SHOWN:,} more in summary.csv")
        console.print(table)
    if pairs := agreement_rows(results):
        table = Table(box=box.SIMPLE_HEAD)
        for number, head in enumerate(AGREEMENT_HEAD):
            table.add_column(head, justify="right" if number > 1 else "left")
        for pair in pairs:
            table.add_row(*map(Text, pair))
        console.print(table)


def as_csv(results: AuditResults) -> str:
    """All shares, one a line; agreement follows in lines of its own, one for each number."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(["group", "name", "value", "low", "high", "hits", "judged", "effective"])
    for group in groups(results):
        for row in group.rows:
            one = row.estimate
            size = round(one.effective, 2)
            writer.writerow([group.key, row.name, one.rate, one.low, one.high, one.hits, one.reviewed, size])
    for pair in (*results.agreement, *results.judges):
        name = f"{pair.first}, {pair.second}"
        share = pair.percent
        writer.writerow(
            ["agreement", name, share.rate, share.low, share.high, share.hits, pair.reviewed, pair.reviewed]
        )
        writer.writerow(["kappa", name, pair.kappa, pair.kappa_low, pair.kappa_high, "", pair.reviewed, ""])
        writer.writerow(["ac1", name, pair.ac1, pair.ac1_low, pair.ac1_high, "", pair.reviewed, ""])
    return file.getvalue()
