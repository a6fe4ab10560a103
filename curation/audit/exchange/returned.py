"""Takes what reviewers made of the sample in another program into the audit, as their reviews.

All is checked first; where something does not fit, nothing is written and all that does not fit is told. A review that
stands already as it comes back is left alone, so that a file can be taken in twice.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple, get_args

from curation.audit.reviewer import Correction, Review, Reviewer
from curation.audit.server import CheckCorrection
from curation.caption import Spans, Status
from curation.caption_set.audit_results import MEANINGS, Verdict
from curation.caption_set.records.omissions import OMISSION_MEANINGS, OmissionVerdict
from curation.runtime.errors import InputError

from .items import SharedItem, SharedReport

LONGEST_NOTE, LONGEST_CAPTION = 4_000, 2_000
MOST_TOLD = 10


class ReturnedItem(NamedTuple):
    """What came back of an item. ``where`` names it in the file, for errors.

    A field that is empty was not given. ``spans`` are its passages in characters of the report, None where they were
    not given.
    """

    where: str
    report: SharedReport
    item: SharedItem
    verdict: str
    note: str
    organ: str
    caption: str
    status: str
    spans: Spans | None


class AddedCaption(NamedTuple):
    """What an annotator has added, and what is about no caption of the sample; ``spans`` count characters."""

    reviewer: str
    report_id: str
    organ: str
    caption: str
    status: str
    verdict: str
    note: str
    spans: list[tuple[int, int]]


@dataclass
class Answers:
    """What is in a file: items by person, what was added, and counts of what is no review, by its name."""

    items: dict[str, list[ReturnedItem]] = field(default_factory=dict)
    added: list[AddedCaption] = field(default_factory=list)
    left: Counter[str] = field(default_factory=Counter)
    problems: list[str] = field(default_factory=list)


class SavedReviews(NamedTuple):
    """How many items of a reviewer were saved (``corrected`` of them), stood already, or came without anything."""

    saved: int
    corrected: int
    same: int
    untouched: int


class ImportProblemsError(InputError):
    """Raised with all that does not fit in a file."""

    def __init__(self, path: Path, problems: Sequence[str]) -> None:
        more = f"\n  and {len(problems) - MOST_TOLD:,} more" if len(problems) > MOST_TOLD else ""
        lines = "".join(f"\n  {problem}" for problem in problems[:MOST_TOLD])
        super().__init__(f"{path}: nothing was taken from it:{lines}{more}")


def checked_reviews(
    path: Path, returned: Mapping[str, Sequence[ReturnedItem]], check: CheckCorrection, interrupt: Callable[[], None]
) -> dict[str, list[tuple[ReturnedItem, Review]]]:
    """Return the reviews that came back, by reviewer. ``interrupt`` is called for each and may raise.

    Raises ``ImportProblemsError`` for verdicts, statuses and organs that there are not.
    """
    problems: list[str] = []
    reviews: dict[str, list[tuple[ReturnedItem, Review]]] = {}
    for name, items in returned.items():
        reviews[name] = []
        for item in items:
            interrupt()
            try:
                reviews[name].append((item, _review(item, check)))
            except ValueError as error:
                problems.append(f"{item.where}: {error}")
    if problems:
        raise ImportProblemsError(path, problems)
    return reviews


def save_reviews(
    reviewer: Reviewer, pairs: Iterable[tuple[ReturnedItem, Review]], interrupt: Callable[[], None]
) -> SavedReviews:
    """Save checked reviews of one reviewer, each on disk before the next; ``interrupt`` may raise between them."""
    saved = corrected = same = untouched = 0
    for item, review in pairs:
        interrupt()
        before = reviewer.review_of(item.item.item)
        if before._replace(event=0) == review:
            same += before.event != 0
            untouched += before.event == 0
            continue
        if review == Review():  # a review that was taken back there is left here: nothing says that it was meant
            untouched += 1
            continue
        reviewer.save_review(item.item.item, before.event, review.verdict, review.note, review.correction)
        saved += 1
        corrected += review.correction is not None
    return SavedReviews(saved, corrected, same, untouched)


def _review(item: ReturnedItem, check: CheckCorrection) -> Review:
    note = item.note.strip()
    if len(note) > LONGEST_NOTE:
        raise ValueError(f"the note has {len(note):,} characters; {LONGEST_NOTE:,} are the most")
    return Review(0, _verdict(item), note, _correction(item, check))


def _verdict(item: ReturnedItem) -> Verdict | OmissionVerdict | None:
    if not item.verdict:
        return None
    known = OMISSION_MEANINGS if item.item.is_omission else MEANINGS
    if item.verdict not in known:
        what = "a statement that no caption covers" if item.item.is_omission else "a caption"
        raise ValueError(f"{item.verdict!r} is no verdict on {what}; there are {', '.join(map(str, known))}")
    return OmissionVerdict(item.verdict) if item.item.is_omission else Verdict(item.verdict)


def _correction(item: ReturnedItem, check: CheckCorrection) -> Correction | None:
    """Return the correction where organ, caption, status or passages came back otherwise; None where they did not.

    Passages that the reviewer has moved count as they come back. Else they are where the verifier finds the caption.
    """
    stored, shown = item.item.caption, "" if item.item.is_omission else item.item.caption.caption
    caption, organ = item.caption.strip() or shown, item.organ.strip() or stored.organ
    moved = item.spans is not None and item.spans != item.item.spans
    status_changed = bool(item.status) and item.status != (stored.status or "")
    if not caption or (caption == shown and organ == stored.organ and not moved and not status_changed):
        return None
    if len(caption) > LONGEST_CAPTION:
        raise ValueError(f"the caption has {len(caption):,} characters; {LONGEST_CAPTION:,} are the most")
    if item.status and item.status not in get_args(Status):
        raise ValueError(f"{item.status!r} is no status; there are {', '.join(get_args(Status))}")
    report = item.report
    found = check(report.text, report.sections, organ, caption)
    if found.organ is None:
        raise ValueError(f"the organ {organ!r} is unknown: write one of the vocabulary (`ovct audit` lists them)")
    status = item.status or found.status or stored.status or "uncertain"
    if moved and item.spans and (found.problem or tuple(sorted(found.spans)) != item.spans):
        start, end = item.spans[0]
        section = next((name for name, first, last in report.sections if first <= start < last), None)
        return Correction(found.organ, caption, status, start, end, 0.0, section, item.spans)
    if found.problem:
        return Correction(found.organ, caption, status)
    evidence = (found.start, found.end, found.score, found.section, found.spans)
    return Correction(found.organ, caption, status, *evidence)
