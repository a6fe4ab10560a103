"""What the tests of exchange share: an audited set with everything in it, and people who annotate."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from curation.audit.folder import audit_to_read, audit_to_write
from curation.audit.review import CorrectionVerifier
from curation.audit.reviewer import Correction, Review, Reviewer
from curation.audit.sample import SampleRequest, assign_captions
from curation.audit.store import AuditStore
from curation.caption import AcceptedCaption, RefusedCaption
from curation.caption_set.audit_results import Verdict
from curation.caption_set.records.omissions import OmissionVerdict
from curation.report import Report, Section
from curation.runtime.progress import Progress
from tests.curation.audit.builders import accepted_caption, write_set

MARKS = "𝄞 🫁 "
"""Characters of two UTF-16 units each."""


def text_of(number: int) -> str:
    return (
        f"{MARKS}The liver is normal. There is an {number + 2} mm cyst in the left kidney. "
        "The spleen may be enlarged. Gallstones are seen. There is a hiatal hernia."
    )


def write_reports(root: Path, count: int = 4) -> None:
    """Three accepted captions and a refused one of each report; one rests on two passages, two statements have none."""
    rows = []
    for number in range(count):
        text = text_of(number)
        cyst = f"There is an {number + 2} mm cyst in the left kidney."
        kidney = accepted_caption(
            text, cyst, "left kidney", f"{number + 2} mm cyst in the left kidney", "abnormal", 90.0
        )
        last = text.index("The spleen may"), text.index("The spleen may") + len("The spleen may be enlarged.")
        captions: list[AcceptedCaption] = [
            accepted_caption(text, "The liver is normal.", "liver", "The liver is normal"),
            kidney._replace(spans=((kidney.start, kidney.end), last)),
            accepted_caption(
                text, "The spleen may be enlarged.", "spleen", "Spleen may be enlarged", "uncertain", 95.0
            ),
        ]
        refused = [RefusedCaption("aorta", "Aortic aneurysm", "not_grounded", "no statement carries it", None)]
        report = Report(f"scan-{number:04d}", text, (Section("findings", 0, len(text)),), {}, number + 1)
        rows.append((report, captions, refused))
    write_set(root, rows)


SAMPLE = SampleRequest(accepted=100, refused=100, uncovered=100)


@contextmanager
def audit_of(root: Path, *names: str) -> Iterator[AuditStore]:
    """Open the audit of all captions of the set, and of all statements without one."""
    with audit_to_write(root, SAMPLE, Progress()) as store:
        if names:
            assign_captions(store, names)
        yield store


def review_everything(root: Path, name: str) -> None:
    """Give every kind of verdict, with notes and corrections, and leave some items alone."""
    check = CorrectionVerifier().check
    with audit_of(root, name) as store:
        reviewer = Reviewer(store, name)
        for place in range(1, reviewer.total + 1):
            item = reviewer.item_at(place)
            caption = store.caption_of(item)
            note = f"note {place} — “𝄞”\nand a second line" if place % 3 == 0 else ""
            correction = None
            if caption.kind == "uncovered":
                verdict: Verdict | OmissionVerdict | None = list(OmissionVerdict)[place % 5]
                if verdict is OmissionVerdict.MISSED_FINDING:
                    correction = corrected(store, item, check, "stomach", "hiatal hernia", "abnormal")
            else:
                verdict = list(Verdict)[place % 7]
                if verdict is Verdict.HALLUCINATED:
                    correction = corrected(store, item, check, "liver", "The liver is normal", "normal")
                elif verdict is Verdict.WRONG_ORGAN:  # the verifier does not find it
                    correction = Correction("aorta", "Aortic aneurysm of 9 cm", "abnormal")
                elif verdict is Verdict.UNSURE:
                    verdict = None
            if verdict or note:
                reviewer.save_review(item, 0, verdict, note, correction)


def corrected(store: AuditStore, item: int, check: Any, organ: str, caption: str, status: str) -> Correction:
    report = store.report(store.caption_of(item).report)
    found = check(report.text, report.sections, organ, caption)
    if found.problem:
        return Correction(found.organ, caption, status)
    return Correction(found.organ, caption, status, found.start, found.end, found.score, found.section, found.spans)


def reviews_of(root: Path, name: str) -> dict[str, Review]:
    """The reviews of a reviewer by what they are about, without the numbers of their events."""
    with audit_to_read(root) as store:
        reviewer = Reviewer(store, name)
        found = {}
        for item, kind, part, row in store.rows(
            "SELECT item.id, caption.kind, part, row FROM item JOIN caption ON caption.id = item.caption"
        ):
            if (review := reviewer.review_of(item)) != Review():
                found[f"{kind}-{part}-{row}"] = review._replace(event=0)
        return found


def save_json(path: Path, content: object) -> Path:
    path.write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")
    return path
