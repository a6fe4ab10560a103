"""A reviewer's reviews: their history, the current one, and the next caption of a kind."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from curation.audit.reviewer import NO_VERDICT, Correction, Review, ReviewConflict, Reviewer
from curation.audit.store import STORE_FILE, AuditStore
from curation.caption_set.audit_results import Verdict
from tests.curation.audit.builders import ROOT, open_audit, plain_reports, write_set


@pytest.fixture
def store(tmp_path: Path) -> Iterator[AuditStore]:
    write_set(tmp_path / "set", plain_reports(10))
    with open_audit(tmp_path / "set", "ann", "ben") as store:
        yield store


def test_what_is_said_last_stands_and_all_is_kept(store: AuditStore) -> None:
    ann = Reviewer(store, "ann")
    item = ann.item_at(4)
    first = ann.save_review(item, 0, Verdict.UNSURE, "why?")
    correction = Correction("liver", "Liver is large", "abnormal", 3, 9, 88.5, "findings")
    second = ann.save_review(item, first.event, Verdict.INCOMPLETE, "", correction)
    assert ann.review_of(item) == second == Review(second.event, Verdict.INCOMPLETE, "", correction)
    assert store.value("SELECT count(*) FROM event") == 2
    assert ann.verdict_counts() == {"incomplete": 1}
    assert Reviewer(store, "ben").review_of(item) == Review()


def test_undo_goes_back_through_all_that_was_said(store: AuditStore) -> None:
    ann = Reviewer(store, "ann")
    first_item, second_item = ann.item_at(1), ann.item_at(2)
    first = ann.save_review(first_item, 0, Verdict.SUPPORTED)
    ann.save_review(second_item, 0, Verdict.HALLUCINATED)
    ann.save_review(first_item, first.event, Verdict.WRONG_ORGAN)
    assert [ann.undo(), ann.review_of(first_item).verdict] == [first_item, Verdict.SUPPORTED]
    assert [ann.undo(), ann.review_of(second_item).verdict] == [second_item, None]
    assert [ann.undo(), ann.undo()] == [first_item, None]
    assert ann.verdict_counts() == {} and store.value("SELECT count(*) FROM event WHERE undone IS NOT NULL") == 3


def test_something_said_meanwhile_is_a_conflict(store: AuditStore) -> None:
    ann = Reviewer(store, "ann")
    item = ann.item_at(1)
    review = ann.save_review(item, 0, Verdict.SUPPORTED)
    with pytest.raises(ReviewConflict):
        ann.save_review(item, 0, Verdict.HALLUCINATED)
    ann.undo()
    with pytest.raises(ReviewConflict):
        ann.save_review(item, review.event, Verdict.HALLUCINATED)
    assert ann.review_of(item) == Review()


def test_places_that_are_not_there(store: AuditStore) -> None:
    ann = Reviewer(store, "ann")
    for place in (0, 31, -1):
        with pytest.raises(LookupError, match="from 1 to 30"):
            ann.item_at(place)
    with pytest.raises(LookupError, match="nobody"):
        Reviewer(store, "nobody")


@given(
    verdicts=st.lists(st.tuples(st.integers(1, 30), st.sampled_from(list(Verdict))), max_size=12),
    organ=st.sampled_from(["liver", "spleen", "left kidney", None]),
    verdict=st.sampled_from([NO_VERDICT, *Verdict, None]),
    place=st.integers(0, 31),
    step=st.sampled_from([1, -1]),
)
def test_find_gives_what_a_walk_would(
    tmp_path_factory: pytest.TempPathFactory, verdicts: list[tuple[int, Verdict]], organ: str | None,
    verdict: str | None, place: int, step: int,
) -> None:  # fmt: skip
    root = tmp_path_factory.mktemp("walk") / "set"
    write_set(root, plain_reports(10))
    with open_audit(root) as store:
        ann = Reviewer(store, "ann")
        for at, at_verdict in verdicts:
            ann.save_review(ann.item_at(at), ann.review_of(ann.item_at(at)).event, at_verdict)
        filters = {name: value for name, value in (("organ", organ), ("verdict", verdict)) if value is not None}

        def passes(position: int) -> bool:
            item = ann.item_at(position)
            given_verdict = ann.review_of(item).verdict
            named = store.value("SELECT organ FROM item WHERE id = ?", item)
            return organ in (None, named) and verdict in (None, given_verdict or NO_VERDICT)

        walk = range(place + step, 31 if step > 0 else 0, step)
        assert ann.find_place(place, step, filters) == next(
            (position for position in walk if 1 <= position <= 30 and passes(position)), None
        )


SAYING = """
import sys
from curation.audit.reviewer import Reviewer
from curation.audit.store import AuditStore
from curation.caption_set.audit_results import Verdict
from pathlib import Path
store = AuditStore(Path(sys.argv[1]))
ann = Reviewer(store, "ann")
for place in range(1, 31):
    ann.save_review(ann.item_at(place), 0, Verdict.SUPPORTED)
    print(place, flush=True)
"""


def test_what_was_answered_is_there_after_a_kill(tmp_path: Path) -> None:
    root = tmp_path / "set"
    write_set(root, plain_reports(10))
    with open_audit(root):
        pass
    command = [sys.executable, "-c", SAYING, str(root / "audit" / STORE_FILE)]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    for line in process.stdout:
        if int(line) == 11:
            process.kill()
            break
    process.communicate()
    with open_audit(root) as store:
        assert Reviewer(store, "ann").verdict_counts()["supported"] >= 11
        assert store.value("PRAGMA integrity_check") == "ok"
