"""A caption set that misses things: its reports say more than its captions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from curation.audit.sample import SampleRequest
from curation.audit.store import AuditStore
from curation.caption_set.manifest import Manifest
from curation.report import Report, Section
from tests.curation.audit.builders import ReportCaptions, accepted_caption, open_audit, write_set

HEADING = "LIVER:"
MISSED = "There is a calculus in the gallbladder."
ADVICE = "A follow-up examination is advised."


def reports(count: int) -> Iterator[ReportCaptions]:
    """Yield reports of five statements and a heading each, of which two have a caption."""
    for number in range(count):
        findings = f"{HEADING}\nThe liver is normal. {MISSED} There is an {number + 2} mm cyst in the left kidney."
        text = f"{findings}\n\nCyst of {number + 2} mm. {ADVICE}"
        sections = (Section("findings", 0, len(findings)), Section("impression", len(findings) + 2, len(text)))
        cyst = f"There is an {number + 2} mm cyst in the left kidney."
        captions = [
            accepted_caption(text, "The liver is normal.", "liver", "The liver is normal"),
            accepted_caption(text, cyst, "left kidney", f"{number + 2} mm cyst in the left kidney", "abnormal"),
        ]
        yield Report(f"scan-{number:04d}", text, sections, {}, number + 1), captions, ()


def write_incomplete_set(root: Path, count: int = 20) -> Manifest:
    """Write a finished set of such reports, in parts of ten."""
    return write_set(root, reports(count), reports_per_part=10)


def audited(root: Path, omissions: int, *, accepted: int = 4, reviewers: Sequence[str] = ("ann",)):  # type: ignore[no-untyped-def]
    """Open the audit of a set with so many statements in its sample."""
    return open_audit(root, *reviewers, sample=SampleRequest(accepted=accepted, uncovered=omissions))


def statements_of(store: AuditStore) -> list[tuple[str, str, str]]:
    """Return report, section and text of the statements of the sample, in its order."""
    query = """SELECT report_id, section, caption.caption FROM item JOIN caption ON caption.id = item.caption
        JOIN report ON report.id = caption.report WHERE item.kind = 'uncovered' ORDER BY item.id"""
    return [(report, section, text) for report, section, text in store.rows(query)]
