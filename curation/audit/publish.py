"""The results of an audit as files: JSON, CSV, plots, a report that is one HTML file, and the set's data card."""

from __future__ import annotations

import io
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from jinja2 import Environment
from matplotlib import rc_context
from matplotlib.figure import Figure

from curation.caption_set.audit_results import AUDIT, SUMMARY_FILE, AuditSummary, verdict_name
from curation.caption_set.card import SCORE_PLOT, write_card
from curation.caption_set.manifest import load_manifest
from curation.caption_set.records.omissions import MISSED
from curation.caption_set.work_folder import lock_set
from curation.runtime.digests import sealed
from curation.runtime.files import PRIVATE_FILE, whole_file, write_text

from .folder import GUIDELINE_FILE, static_text
from .omissions.results import omission_sentence
from .second_reader.results import second_readers
from .store import AuditStore
from .summary import guideline_digest, summarise
from .tables import (
    AGREEMENT_HEAD,
    MAX_ROWS_SHOWN,
    RateRow,
    agreement_rows,
    as_csv,
    audit_facts,
    rate_cells,
    rate_sentence,
    rate_tables,
)

CSV_FILE = "summary.csv"
REPORT_FILE = "report.html"
REPORT_TEMPLATE = "report.html.jinja"
POINT_COLOR, BAR_COLOR = "#1f5f8b", "#b9d3e6"
PLOTTED_TABLES = ("verdict", "status", "organ", "reason", "omission_verdict")


class Omission(NamedTuple):
    """A statement without a caption that a reviewer finds a caption missing for."""

    report_id: str
    section: str
    statement: str
    verdict: str
    note: str
    written: str


class Fault(NamedTuple):
    """An accepted caption in which a reviewer found a fault."""

    report_id: str
    organ: str
    caption: str
    evidence: str
    verdict: str
    note: str
    corrected: str


def write_results(root: Path, store: AuditStore) -> AuditSummary:
    """Write all files of the results and the set's data card, and return the results, which are those of the JSON."""
    folder = root / AUDIT
    manifest = load_manifest(root)
    readers = second_readers(root, manifest) if manifest.identity() == store.fact("set") else []
    results = summarise(store, guideline_digest(folder / GUIDELINE_FILE), readers)
    write_text(folder / CSV_FILE, as_csv(results), PRIVATE_FILE)
    page = html_report(root.resolve().name, results, faults(store), omissions(store))
    write_text(folder / REPORT_FILE, page, PRIVATE_FILE)
    if results.calibration:
        save_png(score_figure(results), folder / SCORE_PLOT)
    write_text(folder / SUMMARY_FILE, sealed(results.model_dump(mode="json")), PRIVATE_FILE)
    with lock_set(root) as locked:
        write_card(root, load_manifest(root), ours=locked.left_behind).save(root)
    return results


def html_report(
    name: str, results: AuditSummary, fault_list: list[Fault], omission_list: Sequence[Omission] = ()
) -> str:
    """Return the report on a caption set: one HTML file that needs no other."""
    environment = Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True)
    return environment.from_string(static_text(REPORT_TEMPLATE)).render(
        name=name,
        sentence=rate_sentence(results),
        omission_sentence=omission_sentence(results.omissions) if results.omissions else None,
        facts=audit_facts(results),
        guideline=results.guideline,
        set=results.set,
        tables=list(rate_tables(results)),
        plots={key: as_svg(figure) for key, figure in figures(results).items()},
        cells=rate_cells,
        shown=MAX_ROWS_SHOWN,
        agreement=agreement_rows(results),
        agreement_head=AGREEMENT_HEAD,
        faults=fault_list,
        omissions=omission_list,
    )


def faults(store: AuditStore) -> list[Fault]:
    """Return accepted captions with any verdict but supported, one for each reviewer who gave one."""
    query = """SELECT report_id, caption.organ, caption.caption, text, evidence_start, evidence_end, spans,
        event.verdict, note, correction FROM review JOIN event ON event.id = review.event
        JOIN item ON item.id = review.item JOIN caption ON caption.id = item.caption
        JOIN report ON report.id = caption.report
        WHERE item.kind = 'accepted' AND event.verdict <> 'supported' ORDER BY item.id, review.reviewer"""
    return [
        Fault(
            report_id,
            organ,
            caption,
            passages(text, json.loads(spans) if spans else [(start, end)]),
            verdict_name(verdict),
            note,
            _corrected(correction),
        )
        for report_id, organ, caption, text, start, end, spans, verdict, note, correction in store.rows(query)
    ]


def omissions(store: AuditStore) -> list[Omission]:
    """Return the statements that a caption is missing for, one for each reviewer who says so."""
    query = """SELECT report_id, section, caption.caption, event.verdict, note, correction FROM review
        JOIN event ON event.id = review.event JOIN item ON item.id = review.item
        JOIN caption ON caption.id = item.caption JOIN report ON report.id = caption.report
        WHERE item.kind = 'uncovered' AND event.verdict IS NOT NULL ORDER BY item.id, review.reviewer"""
    return [
        Omission(report_id, section, statement, verdict_name(verdict), note, _corrected(correction))
        for report_id, section, statement, verdict, note, correction in store.rows(query)
        if verdict in MISSED
    ]


def passages(text: str, spans: Iterable[tuple[int, int]]) -> str:
    """Return passages of a text as one line, with dots between those that do not follow each other."""
    return " … ".join(text[start:end] for start, end in spans)


def _corrected(correction: str | None) -> str:
    if correction is None:
        return ""
    fields = json.loads(correction)
    return f"{fields['organ']}, {fields['status']}: {fields['caption']}"


def figures(results: AuditSummary) -> dict[str, Figure]:
    """Return all plots of the report, by the key of the table that they belong to."""
    plots = {table.key: rate_figure(table.rows) for table in rate_tables(results) if table.key in PLOTTED_TABLES}
    return {**plots, "score": score_figure(results)} if results.calibration else plots


def score_figure(results: AuditSummary) -> Figure:
    """Plot hallucinations by score: a point with its interval for each band, and a bar for its share of the set."""
    figure = Figure(figsize=(6.4, 3.6), layout="constrained")
    axes = figure.subplots()
    bands = results.calibration
    total = sum(band.captions for band in bands) or 1
    first_judged = next((index for index, band in enumerate(bands) if band.hallucinated.rate is not None), None)
    for index, band in enumerate(bands):
        share = band.hallucinated
        axes.bar(
            index, 100 * band.captions / total, color=BAR_COLOR, width=0.8,
            label=None if index else "captions of the set",
        )  # fmt: skip
        if share.rate is None:
            continue
        label = "hallucinated" if index == first_judged else None
        _plot_point(axes.errorbar, index, share.rate, share.low, share.high, label)
    rows = next((table.rows for table in rate_tables(results) if table.key == "score"), [])
    names = [f"{row.name}\n{row.estimate.hits:,} of {row.estimate.reviewed:,}" for row in rows]
    axes.set_xticks(range(len(names)), names, fontsize="small")
    axes.set_xlabel("score, and hallucinated captions of those judged")
    axes.set_ylabel("percent")
    axes.set_ylim(0, 100)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, loc="upper left")  # "best" is looked for, and on a slow machine warned of
    axes.set_title("Hallucinations by score")
    return figure


def _plot_point(errorbar: Any, x: float, rate: float, low: float, high: float, label: str | None) -> None:
    error = [[100 * max(0.0, rate - low)], [100 * max(0.0, high - rate)]]
    errorbar(x, 100 * rate, yerr=error, fmt="o", color=POINT_COLOR, capsize=4, label=label)


def rate_figure(rows: Sequence[RateRow]) -> Figure:
    """Plot shares with their intervals, one below the other."""
    shown = list(rows[:MAX_ROWS_SHOWN])[::-1]
    figure = Figure(figsize=(6.4, 1.1 + 0.28 * max(len(shown), 2)), layout="constrained")
    axes = figure.subplots()
    for y, row in enumerate(shown):
        share = row.estimate
        axes.plot([100 * share.low, 100 * share.high], [y, y], color=BAR_COLOR, linewidth=5, solid_capstyle="butt")
        if share.rate is not None:
            axes.plot(100 * share.rate, y, "o", color=POINT_COLOR, clip_on=False)
    axes.set_yticks(range(len(shown)), [f"{row.name} ({row.estimate.reviewed:,})" for row in shown], fontsize="small")
    axes.set_xlim(0, 100)
    axes.set_xlabel("percent, with the 95 % interval")
    axes.spines[["top", "right"]].set_visible(False)
    return figure


def as_svg(figure: Figure) -> str:
    """Return a plot as an SVG element. The same results give the same text."""
    file = io.BytesIO()
    with rc_context({"svg.hashsalt": "ovct", "svg.fonttype": "none"}):
        figure.savefig(file, format="svg", metadata={"Date": None})
    text = file.getvalue().decode()
    return text[text.index("<svg") :]


def save_png(figure: Figure, path: Path) -> None:
    """Write a plot as a whole PNG file."""
    with whole_file(path, PRIVATE_FILE) as temporary:
        figure.savefig(temporary, format="png", dpi=150)
