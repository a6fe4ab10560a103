"""What was missed, from verdicts on statements; the interval covers the true share."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest

from curation.audit.intervals import estimate
from curation.audit.omissions.drawing import statement_strata
from curation.audit.omissions.results import joint_verdict, omission_results, omission_sentence, share_without_caption
from curation.audit.omissions.statement_frame import StatementFrame, UncoveredStatement
from curation.audit.reviewer import Correction, Reviewer
from curation.audit.sampling import Design, allocate, draw_captions
from curation.audit.sampling_frame import RowLocation
from curation.audit.store import AuditStore
from curation.audit.summary import summarise
from curation.caption_set.records.omissions import OmissionVerdict
from tests.curation.audit.omissions.omission_sets import ADVICE, MISSED, audited, write_incomplete_set

DRAWS, FRAMES = 2_000, 100


def judge_all(store: AuditStore, name: str = "ann", *, unsure: Iterable[str] = (), written: bool = False) -> None:
    """Give the right verdict to all of a reviewer's sample; captions are supported."""
    reviewer = Reviewer(store, name)
    right = {MISSED: OmissionVerdict.MISSED_FINDING, ADVICE: OmissionVerdict.NO_FINDING}
    for place in range(1, reviewer.total + 1):
        item = reviewer.item_at(place)
        one = store.caption_of(item)
        if one.kind != "uncovered":
            continue
        verdict = OmissionVerdict.UNSURE if one.caption in unsure else right.get(one.caption, OmissionVerdict.COVERED)
        caption = Correction("gallbladder", "Calculus in the gallbladder", "abnormal") if written else None
        reviewer.save_review(item, 0, verdict, "", caption if verdict == OmissionVerdict.MISSED_FINDING else None)


def test_the_share_that_was_missed(tmp_path: Path) -> None:
    write_incomplete_set(tmp_path / "set")
    with audited(tmp_path / "set", 12) as store:
        assert omission_results(store) is not None
        judge_all(store, written=True)
        results = omission_results(store)
        assert results is not None
        assert (results.statements, results.uncovered, results.sample, results.reviewed) == (100, 60, 12, 12)
        assert (results.missed.hits, results.missed.reviewed, results.written) == (4, 12, 4)
        assert results.missed.rate == pytest.approx(1 / 3)  # 20 of 60
        assert results.without_caption.rate == pytest.approx(20 / 60)  # 20 of 20 + 40 that are covered
        assert results.without_caption.low < 1 / 3 < results.without_caption.high
        assert sum(share.hits for share in results.verdicts.values()) == 12
        assert results.verdicts["missed_finding"].hits == 4 and results.verdicts["no_finding"].hits > 0
        assert [(name, share.rate) for name, share in results.by_section.items()] == [
            ("impression", 0),
            ("findings", 1),
        ]
        assert results.by_system["digestive"].rate == 1
        assert "33.3 % of the statements worth a caption have none" in omission_sentence(results)


def test_verdicts_on_statements_change_no_rate_of_captions(tmp_path: Path) -> None:
    write_incomplete_set(tmp_path / "set")
    with audited(tmp_path / "set", 12, reviewers=("ann", "ben")) as store:
        before = summarise(store, "none")
        judge_all(store, "ann")
        judge_all(store, "ben")
        after = summarise(store, "none")
    assert after.omissions is not None and after.omissions.reviewed == 12
    assert before.hallucination == after.hallucination and after.reviewed == 0 and after.agreement == ()


def test_unsure_statements_are_left_out_and_counted(tmp_path: Path) -> None:
    write_incomplete_set(tmp_path / "set")
    with audited(tmp_path / "set", 12) as store:
        judge_all(store, unsure=[ADVICE])
        results = omission_results(store)
    assert results is not None and results.unsure == 12 - results.missed.reviewed > 0


def test_without_statements_there_are_no_results(tmp_path: Path) -> None:
    write_incomplete_set(tmp_path / "set")
    with audited(tmp_path / "set", 0) as store:
        assert omission_results(store) is None and summarise(store, "none").omissions is None


@pytest.mark.parametrize(
    ("verdicts", "joint"),
    [
        (["no_finding", "missed_finding"], "missed_finding"),
        (["no_finding", "missed_finding", "no_finding"], "no_finding"),
        (["unsure", "covered"], "covered"),
        (["unsure", "unsure"], "unsure"),
    ],
)
def test_several_reviewers_together(verdicts: list[str], joint: str) -> None:
    assert joint_verdict(map(OmissionVerdict, verdicts)) == joint


def frame_with_misses(reports: int, seed: int) -> tuple[StatementFrame, list[bool]]:
    """Return a frame as real ones are, and what is missed: reports differ in it, and so do sections."""
    chance = np.random.default_rng(seed)
    statements, missed = [], []
    for report in range(reports):
        rate = chance.beta(0.5, 1.5)
        for number in range(chance.poisson(2)):
            section = "impression" if chance.random() < 0.4 else "findings"
            system = f"system {chance.choice(4, p=[0.5, 0.3, 0.15, 0.05])}"
            location = RowLocation(0, 1_000 * report + number)
            statements.append(UncoveredStatement(location, f"scan-{report}", section, 0, 1, "a", "", system))
            missed.append(bool(chance.random() < rate * (0.4 if section == "impression" else 1.0)))
    return StatementFrame(reports, 20 * reports, statements), missed


@pytest.mark.parametrize(("design", "size"), [("stratified", 50), ("stratified", 20), ("random", 50)])
def test_the_interval_covers_the_true_share(design: Design, size: int) -> None:
    """Over 2,000 draws, of 600 of 3,000 reports that are read by chance, as in the audit of a large set."""
    whole, missed = frame_with_misses(3_000, 1)
    covered = whole.statements - len(whole.uncovered)
    truth = sum(missed) / (sum(missed) + covered)
    by_report: dict[str, list[int]] = {}
    for index, statement in enumerate(whole.uncovered):
        by_report.setdefault(statement.report_id, []).append(index)
    names = sorted(by_report)
    hits = 0
    for number in range(FRAMES):
        chance = np.random.default_rng([7, number])
        read = [index for place in chance.choice(len(names), 600, replace=False) for index in by_report[names[place]]]
        frame = StatementFrame(600, 0, [whole.uncovered[index] for index in read])
        covered_read = covered * len(read) // len(whole.uncovered)
        strata = statement_strata(frame, design)
        shares = allocate(strata.sizes, size)
        weights = [of_stratum / share if share else 0.0 for of_stratum, share in zip(strata.sizes, shares, strict=True)]
        for _ in range(DRAWS // FRAMES):
            drawn = draw_captions(strata, shares, chance)
            share = estimate((missed[read[one.frame_index]], weights[one.stratum]) for one in drawn)
            interval = share_without_caption(share, len(read), covered_read)
            hits += interval.low <= truth <= interval.high
    assert hits / DRAWS >= 0.94
