"""What is handed to another program: each report of the sample with its captions, and the names they come back by.

A caption is named by where it stands in the set (``accepted-0-12``), which another draw of the sample does not change.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from curation.audit.reviewer import Correction, Review
from curation.audit.store import AuditStore, CopiedCaption
from curation.audit.views import passages_of
from curation.caption import Spans

KEY = re.compile(r"(accepted|refused|uncovered)-(\d{1,9})-(\d{1,9})", re.ASCII)


class SharedItem(NamedTuple):
    """An item of the sample: its name, the organ system, and the passages that it is shown at.

    ``spans`` count characters of the report; where no passage is known they are the whole report.
    """

    key: str
    item: int
    caption: CopiedCaption
    system: str
    spans: Spans

    @property
    def is_omission(self) -> bool:
        """Whether it is a statement that no caption covers."""
        return self.caption.kind == "uncovered"


class SharedReport(NamedTuple):
    """A report of the sample with its items, in the order of the sample."""

    report_id: str
    text: str
    sections: Sequence[tuple[str, int, int]]
    items: list[SharedItem]


class ShownItem(NamedTuple):
    """What the other program shows of an item: the caption as it is, or as a reviewer has corrected it."""

    organ: str
    caption: str
    status: str
    spans: Spans
    verdict: str
    note: str


def shared_reports(store: AuditStore, system_of: Callable[[str], str]) -> Iterator[SharedReport]:
    """Yield all reports of the sample, in the order of their first captions in it."""
    query = """SELECT caption.report FROM item JOIN caption ON caption.id = item.caption
        GROUP BY caption.report ORDER BY min(item.id)"""
    for (number,) in store.rows(query):
        yield shared_report(store, number, system_of)


def shared_report(store: AuditStore, number: int, system_of: Callable[[str], str]) -> SharedReport:
    """Return a report by its number in the store."""
    report = store.report(number)
    query = "SELECT item.id FROM item JOIN caption ON caption.id = item.caption WHERE report = ? ORDER BY item.id"
    items = [_item(store, item, report.text, system_of) for (item,) in store.rows(query, number)]
    return SharedReport(report.report_id, report.text, report.sections, items)


def matching_report(
    store: AuditStore, system_of: Callable[[str], str], report_id: str, text: str, identity: object
) -> SharedReport:
    """Return the report that a file is about. Raises ``ValueError`` where it is of another set, or has another text.

    ``identity`` is that of the set as the file has it; None where it has none.
    """
    if identity is not None and identity != store.fact("set"):
        raise ValueError(
            f"it is about another set, or another state of this one (set {str(identity)[:12]} there, "
            f"{str(store.fact('set'))[:12]} here): name the set that it was exported from"
        )
    query = """SELECT report.id FROM report JOIN caption ON caption.report = report.id
        JOIN item ON item.caption = caption.id WHERE report_id = ?"""
    number = store.value(query, report_id)
    if number is None:
        raise ValueError(
            f"the sample has no report {report_id!r}: name the set, and the audit, that it was exported from"
        )
    report = shared_report(store, number, system_of)
    if report.text != text:
        pairs = enumerate(zip(text, report.text, strict=False))
        place = next((place for place, (theirs, ours) in pairs if theirs != ours), min(len(text), len(report.text)))
        raise ValueError(
            f"the text of report {report_id!r} is not that of the set (from character {place:,} on): offsets would "
            "mean other words. Export anew, and leave the text as it is"
        )
    return report


def _item(store: AuditStore, item: int, text: str, system_of: Callable[[str], str]) -> SharedItem:
    caption = store.caption_of(item)
    spans = tuple(sorted((start, end) for start, end in passages_of(text, caption, False) if start < end))
    key = f"{caption.kind}-{caption.part}-{caption.row}"
    # A statement without a caption keeps its system as the reason.
    system = caption.reason or system_of(caption.organ) if caption.kind == "uncovered" else system_of(caption.organ)
    return SharedItem(key, item, caption, system, spans or ((0, len(text)),))


def shown_item(item: SharedItem, review: Review | None) -> ShownItem:
    """Return what is shown of an item, with the verdict, note and correction of a reviewer where there is one."""
    review = review or Review()
    caption, correction = item.caption, review.correction
    verdict = review.verdict or ""
    if correction is not None:
        return ShownItem(
            correction.organ, correction.caption, correction.status, _spans(item, correction), verdict, review.note
        )
    text = "" if item.is_omission else caption.caption
    return ShownItem(caption.organ, text, caption.status or "", item.spans, verdict, review.note)


def _spans(item: SharedItem, correction: Correction) -> Spans:
    if correction.start is None or correction.end is None:
        return item.spans
    return tuple(sorted(correction.spans or ((correction.start, correction.end),)))
