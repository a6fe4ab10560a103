"""The results of an audit as files: JSON, CSV, a report that is one HTML file, and the set's data card."""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path
from typing import NamedTuple

from jinja2 import Environment

from curation.caption_set.audit_results import AUDIT, MEANINGS, SUMMARY_FILE, AuditResults, Verdict
from curation.caption_set.card import SCORE_PLOT, write_card
from curation.caption_set.manifest import load_manifest
from curation.caption_set.writer import locked
from curation.runtime.files import write_text

from .folder import GUIDELINE
from .plots import as_svg, figures, save_png, score_figure
from .store import Store
from .summary import guideline_digest, summarise
from .tables import AGREEMENT_HEAD, SHOWN, agreement_rows, as_csv, cells, facts, groups, sentence

CSV_FILE = "summary.csv"
REPORT_FILE = "report.html"


class Fault(NamedTuple):
    """An accepted caption that a reviewer found fault with."""

    report_id: str
    organ: str
    caption: str
    evidence: str
    verdict: str
    note: str
    corrected: str


def publish(root: Path, store: Store) -> AuditResults:
    """Write all files of the results, and the data card where they are about the set as it is."""
    folder = root / AUDIT
    results = summarise(store, guideline_digest(folder / GUIDELINE))
    write_text(folder / CSV_FILE, as_csv(results))
    write_text(folder / REPORT_FILE, report(root.resolve().name, results, faults(store)))
    if results.calibration:
        save_png(score_figure(results), folder / SCORE_PLOT)
    write_text(folder / SUMMARY_FILE, json.dumps(results.model_dump(mode="json"), indent=1, ensure_ascii=False) + "\n")
    with locked(root):
        write_card(root, load_manifest(root))
    return results


def report(name: str, results: AuditResults, found: list[Fault]) -> str:
    """The report: one HTML file that needs no other."""
    template = files("curation.audit").joinpath("report.html.jinja").read_text(encoding="utf-8")
    environment = Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True)
    return environment.from_string(template).render(
        name=name,
        sentence=sentence(results),
        facts=facts(results),
        guideline=results.guideline,
        set=results.set,
        groups=list(groups(results)),
        plots={key: as_svg(figure) for key, figure in figures(results).items()},
        cells=cells,
        shown=SHOWN,
        agreement=agreement_rows(results),
        agreement_head=AGREEMENT_HEAD,
        faults=found,
    )


def faults(store: Store) -> list[Fault]:
    """Accepted captions with any verdict but supported, one row for each reviewer who gave one."""
    query = """SELECT report_id, caption.organ, caption.caption, text, evidence_start, evidence_end, event.verdict,
        note, correction FROM review JOIN event ON event.id = review.event JOIN item ON item.id = review.item
        JOIN caption ON caption.id = item.caption JOIN report ON report.id = caption.report
        WHERE item.kind = 'accepted' AND event.verdict <> 'supported' ORDER BY item.id, review.reviewer"""
    return [
        Fault(report_id, organ, caption, text[start:end], MEANINGS[Verdict(verdict)].name, note, _corrected(correction))
        for report_id, organ, caption, text, start, end, verdict, note, correction in store.rows(query)
    ]


def _corrected(correction: str | None) -> str:
    if correction is None:
        return ""
    found = json.loads(correction)
    return f"{found['organ']}, {found['status']}: {found['caption']}"
