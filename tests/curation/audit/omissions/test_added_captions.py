"""Captions that reviewers have written for what was missed: added to the cleaned set, and told in the results."""

from __future__ import annotations

from pathlib import Path

import pyarrow.parquet as pq
import pytest

from curation.audit.cleaning import write_cleaned_set
from curation.audit.publish import omissions, write_results
from curation.audit.review import CorrectionVerifier
from curation.audit.reviewer import Correction, Reviewer
from curation.audit.store import AuditStore
from curation.caption_set.records.omissions import OmissionVerdict
from curation.runtime.progress import Progress
from tests.curation.audit.omissions.omission_sets import MISSED, audited, write_incomplete_set


@pytest.fixture
def root(tmp_path: Path) -> Path:
    write_incomplete_set(tmp_path / "set")
    return tmp_path / "set"


def write_caption(store: AuditStore, caption: str, verdict: OmissionVerdict = OmissionVerdict.MISSED_FINDING) -> str:
    """Write a caption for the first statement that was missed, as the page does, and return its report."""
    reviewer = Reviewer(store, "ann")
    items = (reviewer.item_at(place) for place in range(1, reviewer.total + 1))
    item = next(item for item in items if store.caption_of(item).caption == MISSED)
    report = store.report(store.caption_of(item).report)
    check = CorrectionVerifier().check(report.text, report.sections, "gallbladder", caption)
    found = (check.start, check.end, check.score, check.section, check.spans) if not check.problem else ()
    correction = Correction("gallbladder", caption, "abnormal", *found)
    reviewer.save_review(item, 0, verdict, "seen by eye", correction)
    return report.report_id


def captions_of(root: Path, report: str) -> list[dict[str, object]]:
    rows = pq.read_table(root / "captions").to_pylist()
    return [row for row in rows if row["report_id"] == report]


def test_a_caption_that_the_verifier_finds_is_added_with_its_evidence(root: Path) -> None:
    with audited(root, 12) as store:
        report = write_caption(store, "Calculus in the gallbladder")
        manifest = write_cleaned_set(root, root.with_name("clean"), store, Progress())
    added = [row for row in captions_of(root.with_name("clean"), report) if row["organ"] == "gallbladder"]
    assert [(row["caption"], row["evidence"], row["engine"]) for row in added] == [
        ("Calculus in the gallbladder", MISSED, "audit")
    ]
    assert added[0]["score"] > 0 and added[0]["basis"] == "rules"  # type: ignore[operator]
    assert len(captions_of(root.with_name("clean"), report)) == len(captions_of(root, report)) + 1
    assert manifest.audit is not None and [change.verdict for change in manifest.audit.changes] == ["missed_finding"]
    card = (root.with_name("clean") / "README.md").read_text()
    assert "0 captions are out, 0 put right and 1 added" in card


def test_one_that_it_does_not_find_has_no_score(root: Path) -> None:
    with audited(root, 12) as store:
        report = write_caption(store, "Stones in the common bile duct")
        write_cleaned_set(root, root.with_name("clean"), store, Progress())
    added = next(row for row in captions_of(root.with_name("clean"), report) if row["organ"] == "gallbladder")
    assert added["score"] == 0 and added["evidence"] == MISSED and added["basis"] is None


def test_a_statement_that_needs_no_caption_gets_none(root: Path) -> None:
    with audited(root, 12) as store:
        report = write_caption(store, "Calculus in the gallbladder", OmissionVerdict.NO_FINDING)
        manifest = write_cleaned_set(root, root.with_name("clean"), store, Progress())
    assert len(captions_of(root.with_name("clean"), report)) == 2
    assert manifest.audit is not None and manifest.audit.changes == ()


def test_results_list_what_was_missed(root: Path) -> None:
    with audited(root, 12) as store:
        report = write_caption(store, "Calculus in the gallbladder")
        assert [(one.report_id, one.statement, one.verdict, one.note, one.written) for one in omissions(store)] == [
            (report, MISSED, "missed finding", "seen by eye", "gallbladder, abnormal: Calculus in the gallbladder")
        ]
        results = write_results(root, store)
    assert results.omissions is not None and results.omissions.written == 1
    page, table = (root / "audit/report.html").read_text(), (root / "audit/summary.csv").read_text()
    assert "What was missed" in page and MISSED in page and "omission_section,findings" in table


def test_the_card_tells_what_was_missed_beside_what_is_wrong(root: Path) -> None:
    with audited(root, 12) as store:
        write_caption(store, "Calculus in the gallbladder")
        reviewer = Reviewer(store, "ann")
        reviewer.save_review(reviewer.item_at(1), 0, None, "a note alone")
        write_results(root, store)
        assert "What was missed" not in (root / "README.md").read_text()  # no caption was judged: no audit yet
        from curation.caption_set.audit_results import Verdict

        reviewer.save_review(reviewer.item_at(2), 0, Verdict.SUPPORTED)
        write_results(root, store)
    card = (root / "README.md").read_text()
    assert "of the statements worth a caption have none: 1 of 1 that were reviewed, of 60 without one." in card
