"""The results of an audit as tables: for the terminal, for the report, and as CSV."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from curation.caption_set.audit_results import (
    MEANINGS,
    Agreement,
    AuditSummary,
    SecondReader,
    Verdict,
    verdict_name,
)
from curation.caption_set.records.estimates import Estimate
from curation.caption_set.records.omissions import OmissionResults
from curation.runtime.csv_text import csv_text

from .intervals import coefficient, interval, percent
from .omissions.results import omission_sentence

if TYPE_CHECKING:
    from rich.console import Console

MAX_ROWS_SHOWN = 10
"""Rows of a table, and of a plot; `summary.csv` has all."""


class RateRow(NamedTuple):
    """A share with its name; ``captions`` says how many captions of the set it is about, where that is known."""

    name: str
    estimate: Estimate
    captions: int | None = None


class RateTable(NamedTuple):
    """Shares that belong together. ``hits`` says what is counted, for the table's head."""

    key: str
    title: str
    hits: str
    rows: list[RateRow]


def rate_tables(results: AuditSummary) -> Iterator[RateTable]:
    """Yield all shares of the results, the most important ones first; tables without rows are left out."""
    tables = [
        RateTable("rate", "Hallucination rate", "hallucinated", _rate(results)),
        RateTable("verdict", "Verdicts", "captions", [
            RateRow(_verdict_name(name), estimate) for name, estimate in results.verdicts.items()
        ]),
        RateTable("status", "By status", "hallucinated", _rows(results.by_status)),
        RateTable("reviewer", "By reviewer", "hallucinated", _rows(results.by_reviewer)),
        RateTable("engine", "By engine", "hallucinated", _rows(results.by_engine)),
        RateTable("basis", "By basis", "hallucinated", _rows(results.by_basis) if len(results.by_basis) > 1 else []),
        RateTable("score", "By score", "hallucinated", [
            RateRow(_band_name(band.above, band.upto), band.hallucinated, band.captions) for band in results.calibration
        ]),
        RateTable("reason", "Refused captions, by reason", "rightly refused", _rows(results.by_reason)),
        RateTable("verifier", "The verifier", "captions", _verifier(results)),
        RateTable("second_reader", "Where a second reader disagrees", "hallucinated", _rows(results.by_second_reader)),
        RateTable("organ", "By organ", "hallucinated", _rows(results.by_organ)),
        *_omission_tables(results.omissions),
    ]  # fmt: skip
    return (table for table in tables if table.rows)


def _omission_tables(omissions: OmissionResults | None) -> Iterator[RateTable]:
    if omissions is None:
        return
    shares = {
        "of statements without a caption: one is missing": omissions.missed,
        "of statements without a caption: a finding is missing": omissions.missed_findings,
        "of statements worth a caption: they have none": omissions.without_caption,
    }
    verdicts = {verdict_name(name): share for name, share in omissions.verdicts.items()}
    yield RateTable("omission", "What was missed", "missed", _rows(shares))
    yield RateTable("omission_verdict", "Statements without a caption", "statements", _rows(verdicts))
    yield RateTable("omission_section", "Missed, by section", "missed", _rows(omissions.by_section))
    yield RateTable("omission_system", "Missed, by organ system", "missed", _rows(omissions.by_system))


def _verdict_name(name: str) -> str:
    """Return the verdict's name; in tables "hallucinated" alone are all four kinds of what a report does not say."""
    return "hallucinated outright" if name == Verdict.HALLUCINATED else MEANINGS[Verdict(name)].name


def _rows(estimates: dict[str, Estimate]) -> list[RateRow]:
    return [RateRow(name, estimate) for name, estimate in estimates.items()]


def _rate(results: AuditSummary) -> list[RateRow]:
    rows = [RateRow("accepted captions", results.hallucination, results.captions)]
    if results.unsure:
        rows.append(RateRow("with “unsure” as hallucinations", results.hallucination_with_unsure, results.captions))
    return rows


def _verifier(results: AuditSummary) -> list[RateRow]:
    verifier = results.verifier
    if not results.reviewed_refused:
        return [RateRow("precision: accepted captions that are carried", verifier.precision)]
    return [
        RateRow("precision: accepted captions that are carried", verifier.precision),
        RateRow("recall: carried captions that are accepted", verifier.recall),
        RateRow("supported captions that are accepted", verifier.recall_of_supported),
        RateRow("hallucinations that are refused", verifier.caught),
        RateRow("refused captions that are hallucinations", verifier.rightly_refused),
    ]


def _band_name(above: float, upto: float) -> str:
    return f"{upto:g}" if above >= 99 else f"{above:g} to {upto:g}"


def rate_sentence(results: AuditSummary) -> str:
    """Return the hallucination rate in one sentence."""
    rate = results.hallucination
    if rate.rate is None:
        return "No caption has been decided yet." if results.reviewed else "No caption has been judged yet."
    hits = "none was hallucinated" if not rate.hits else f"{rate.hits:,} hallucinated"
    return (
        f"{percent(rate.rate)} of the captions say what their report does not "
        f"(95 % interval {interval(rate)}; of {rate.reviewed:,} judged captions {hits})."
    )


def audit_facts(results: AuditSummary) -> dict[str, str]:
    """Return what the results rest on: set, sample, verdicts and reviewers."""
    refused = f", {results.refused:,} refused" if results.refused else ""
    sample = f"{results.sample:,} accepted" + (
        f" and {results.sample_refused:,} refused" if results.sample_refused else ""
    )
    judged = f"{results.reviewed:,} accepted" + (
        f" and {results.reviewed_refused:,} refused" if results.reviewed_refused else ""
    )
    facts = {
        "captions": f"{results.captions:,} accepted{refused}",
        "sample": f"{sample} ({results.design}, seed {results.seed}, drawn {results.made[:10]})",
        "judged": judged,
        "reviewers": ", ".join(f"{name} {count:,}" for name, count in results.reviewers.items()),
    }
    for reader in results.second_readers:
        facts[f"second reader {reader.reader}"] = reader_sentence(reader)
    if results.blind:
        facts["blind"] = f"{results.blind:,} of {sum(results.reviewers.values()):,} verdicts"
    if results.unsure:
        facts["unsure"] = f"{results.unsure:,}, left out of the rates"
    if omissions := results.omissions:
        unsure = f", {omissions.unsure:,} unsure" if omissions.unsure else ""
        facts["statements without a caption"] = (
            f"{omissions.uncovered:,}, {omissions.sample:,} drawn, {omissions.reviewed:,} judged{unsure}, "
            f"{omissions.written:,} with a caption written by a reviewer"
        )
    if results.corrected:
        facts["corrected"] = f"{results.corrected:,}"
    return facts


def reader_sentence(reader: SecondReader) -> str:
    """Return what a second reader makes of the captions, in one sentence."""
    reasons = ", ".join(
        f"{name} {count:,}"
        for name, count in (
            ("organ", reader.organ_differs),
            ("status", reader.status_differs),
            ("not in the report", reader.not_said),
        )
        if count
    )
    disagrees = f"{reader.disagrees:,} otherwise ({reasons})" if reader.disagrees else "none otherwise"
    rest = [
        f"{count:,} {what}"
        for count, what in ((reader.unread, "without a usable reading"), (reader.not_asked, "not asked about yet"))
        if count
    ]
    return ", ".join([f"of {reader.captions:,} captions {reader.agrees:,} read alike", disagrees, *rest])


AGREEMENT_HEAD = ("agreement of", "about", "captions", "same", "kappa", "AC1")


def agreement_rows(results: AuditSummary) -> list[list[str]]:
    """Return the table of agreement, two rows for each pair of readers, and for each second reader with the set."""
    pairs = [row for pair in (*results.agreement, *results.judges) for row in _rows_of_pair(pair)]
    return [*pairs, *(row for reader in results.second_readers for row in _rows_of_reader(reader))]


def _rows_of_reader(reader: SecondReader) -> list[list[str]]:
    return [
        [
            f"the set, {reader.reader}",
            what,
            f"{share.compared:,}",
            percent(share.percent),
            coefficient(share.kappa, share.kappa_low, share.kappa_high),
            coefficient(share.ac1, share.ac1_low, share.ac1_high),
        ]
        for what, share in (("organ", reader.organ), ("status", reader.status))
    ]


def _rows_of_pair(pair: Agreement) -> list[list[str]]:
    readers, captions = f"{pair.first}, {pair.second}", f"{pair.reviewed:,}"
    kappa = coefficient(pair.kappa, pair.kappa_low, pair.kappa_high)
    ac1 = coefficient(pair.ac1, pair.ac1_low, pair.ac1_high)
    binary_kappa, binary_ac1 = coefficient(pair.binary_kappa), coefficient(pair.binary_ac1)
    return [
        [readers, "verdict", captions, percent(pair.percent.rate), kappa, ac1],
        [readers, "hallucinated?", captions, percent(pair.binary_percent.rate), binary_kappa, binary_ac1],
    ]


def rate_cells(row: RateRow) -> list[str]:
    """Return the cells of one row: name, hits, captions judged, share, interval."""
    share = row.estimate
    return [row.name, f"{share.hits:,}", f"{share.reviewed:,}", percent(share.rate), interval(share)]


def print_summary(results: AuditSummary, console: Console) -> None:
    """Print the results in the terminal."""
    from rich import box
    from rich.table import Table
    from rich.text import Text  # names may look like markup

    grid = Table.grid(padding=(0, 2))
    for name, value in audit_facts(results).items():
        grid.add_row(name, Text(value))
    console.print(grid)
    console.print(f"\n{rate_sentence(results)}\n", highlight=False)
    if results.omissions:
        console.print(f"{omission_sentence(results.omissions)}\n", highlight=False)
    for rates in rate_tables(results):
        table = Table(box=box.SIMPLE_HEAD)
        for number, head in enumerate((rates.title, rates.hits, "judged", "rate", "95 % interval")):
            table.add_column(head, justify="right" if number else "left")
        for row in rates.rows[:MAX_ROWS_SHOWN]:
            table.add_row(*map(Text, rate_cells(row)))
        if len(rates.rows) > MAX_ROWS_SHOWN:
            table.add_row(f"{len(rates.rows) - MAX_ROWS_SHOWN:,} more in summary.csv")
        console.print(table)
    if pairs := agreement_rows(results):
        table = Table(box=box.SIMPLE_HEAD)
        for number, head in enumerate(AGREEMENT_HEAD):
            table.add_column(head, justify="right" if number > 1 else "left")
        for pair in pairs:
            table.add_row(*map(Text, pair))
        console.print(table)


def as_csv(results: AuditSummary) -> str:
    """Return all shares, one a line; agreement follows in lines of its own, one for each number."""
    rows: list[list[object]] = [
        [table.key, row.name, *_csv_values(row.estimate, round(row.estimate.effective, 2))]
        for table in rate_tables(results)
        for row in table.rows
    ]
    for pair in (*results.agreement, *results.judges):
        name = f"{pair.first}, {pair.second}"
        rows += [
            ["agreement", name, *_csv_values(pair.percent, pair.reviewed)],
            ["kappa", name, pair.kappa, pair.kappa_low, pair.kappa_high, "", pair.reviewed, ""],
            ["ac1", name, pair.ac1, pair.ac1_low, pair.ac1_high, "", pair.reviewed, ""],
        ]
    for reader in results.second_readers:
        for what, share in (("organ", reader.organ), ("status", reader.status)):
            name = f"the set, {reader.reader}: {what}"
            rows += [
                ["agreement", name, share.percent, "", "", share.same, share.compared, ""],
                ["kappa", name, share.kappa, share.kappa_low, share.kappa_high, "", share.compared, ""],
                ["ac1", name, share.ac1, share.ac1_low, share.ac1_high, "", share.compared, ""],
            ]
    return csv_text(["group", "name", "value", "low", "high", "hits", "judged", "effective"], rows)


def _csv_values(share: Estimate, effective: float) -> list[float | None]:
    return [share.rate, share.low, share.high, share.hits, share.reviewed, effective]
