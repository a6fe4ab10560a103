"""What a reviewer has said: its history, what stands, and the next caption of a kind"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from curation.audit.reviews import OPEN, Conflict, Correction, Reviews, Said
from curation.audit.store import FILE, Store
from curation.caption_set.audit_results import Verdict
from tests.curation.audit.making import ROOT, opened, plain, write_set


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    write_set(tmp_path / "set", plain(10))
    with opened(tmp_path / "set", "ann", "ben") as store:
        yield store


def test_what_is_said_last_stands_and_all_is_kept(store: Store) -> None:
    ann = Reviews(store, "ann")
    item = ann.item(4)
    first = ann.say(item, 0, Verdict.UNSURE, "why?")
    correction = Correction("liver", "Liver is large", "abnormal", 3, 9, 88.5, "findings")
    second = ann.say(item, first.event, Verdict.INCOMPLETE, "", correction)
    assert ann.said(item) == second == Said(second.event, Verdict.INCOMPLETE, "", correction)
    assert store.value("SELECT count(*) FROM event") == 2
    assert ann.counts() == {"incomplete": 1}
    assert Reviews(store, "ben").said(item) == Said()


def test_undo_goes_back_through_all_that_was_said(store: Store) -> None:
    ann = Reviews(store, "ann")
    one, two = ann.item(1), ann.item(2)
    first = ann.say(one, 0, Verdict.SUPPORTED)
    ann.say(two, 0, Verdict.HALLUCINATED)
    ann.say(one, first.event, Verdict.WRONG_ORGAN)
    assert [ann.undo(), ann.said(one).verdict] == [one, Verdict.SUPPORTED]
    assert [ann.undo(), ann.said(two).verdict] == [two, None]
    assert [ann.undo(), ann.undo()] == [one, None]
    assert ann.counts() == {} and store.value("SELECT count(*) FROM event WHERE undone IS NOT NULL") == 3


def test_something_said_meanwhile_is_a_conflict(store: Store) -> None:
    ann = Reviews(store, "ann")
    item = ann.item(1)
    said = ann.say(item, 0, Verdict.SUPPORTED)
    with pytest.raises(Conflict):
        ann.say(item, 0, Verdict.HALLUCINATED)
    ann.undo()
    with pytest.raises(Conflict):
        ann.say(item, said.event, Verdict.HALLUCINATED)
    assert ann.said(item) == Said()


def test_places_that_are_not_there(store: Store) -> None:
    ann = Reviews(store, "ann")
    for place in (0, 31, -1):
        with pytest.raises(LookupError, match="from 1 to 30"):
            ann.item(place)
    with pytest.raises(LookupError, match="nobody"):
        Reviews(store, "nobody")


@given(
    said=st.lists(st.tuples(st.integers(1, 30), st.sampled_from(list(Verdict))), max_size=12),
    organ=st.sampled_from(["liver", "spleen", "left kidney", None]),
    verdict=st.sampled_from([OPEN, *Verdict, None]),
    place=st.integers(0, 31),
    step=st.sampled_from([1, -1]),
)
def test_find_gives_what_a_walk_would(
    tmp_path_factory: pytest.TempPathFactory, said: list[tuple[int, Verdict]], organ: str | None, verdict: str | None,
    place: int, step: int,
) -> None:  # fmt: skip
    root = tmp_path_factory.mktemp("walk") / "set"
    write_set(root, plain(10))
    with opened(root) as store:
        ann = Reviews(store, "ann")
        for where, what in said:
            ann.say(ann.item(where), ann.said(ann.item(where)).event, what)
        filters = {name: value for name, value in (("organ", organ), ("verdict", verdict)) if value is not None}

        def passes(one: int) -> bool:
            item = ann.item(one)
            found = ann.said(item).verdict
            named = store.value("SELECT organ FROM item WHERE id = ?", item)
            return organ in (None, named) and verdict in (None, found or OPEN)

        walk = range(place + step, 31 if step > 0 else 0, step)
        assert ann.find(place, step, filters) == next((one for one in walk if 1 <= one <= 30 and passes(one)), None)


SAYING = """
import sys
from curation.audit.reviews import Reviews
from curation.audit.store import Store
from curation.caption_set.audit_results import Verdict
from pathlib import Path
store = Store(Path(sys.argv[1]))
ann = Reviews(store, "ann")
for place in range(1, 31):
    ann.say(ann.item(place), 0, Verdict.SUPPORTED)
    print(place, flush=True)
"""


def test_what_was_answered_is_there_after_a_kill(tmp_path: Path) -> None:
    root = tmp_path / "set"
    write_set(root, plain(10))
    with opened(root):
        pass
    command = [sys.executable, "-c", SAYING, str(root / "audit" / FILE)]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    for line in process.stdout:
        if int(line) == 11:
            process.kill()
            break
    process.communicate()
    with opened(root) as store:
        assert Reviews(store, "ann").counts()["supported"] >= 11
        assert store.value("PRAGMA integrity_check") == "ok"
