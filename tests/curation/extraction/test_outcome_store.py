import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from curation.caption import AcceptedCaption, OutcomeColumns, Reason, RefusedCaption, ReportOutcome
from curation.extraction.outcome_store import OutcomeStore, text_key
from curation.report import Report, Section

words = st.text(max_size=40).filter(lambda text: not any("\ud800" <= sign <= "\udfff" for sign in text))
accepted = st.builds(
    AcceptedCaption, words, words, words, st.integers(0, 9), st.integers(0, 99), words, st.floats(0, 100)
)
refused = st.builds(RefusedCaption, words, words, words, words, st.none() | words)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[OutcomeStore]:
    opened = OutcomeStore(tmp_path / "outcomes", "mine")
    yield opened
    opened.close()


def reopened(path: Path, owner: str) -> list[bytes]:
    store = OutcomeStore(path, owner)
    kept = [key for key in (b"one", b"two") if key in store]
    store.close()
    return kept


def report(text: str, *sections: Section) -> Report:
    return Report("r", text, sections, {}, 1)


ONE = ReportOutcome([AcceptedCaption("liver", "Liver is normal.", "normal", 0, 16, "findings", 100.0)], [])
FAILED = ReportOutcome([], [RefusedCaption("", "", Reason.ENGINE_ERROR, "RuntimeError: no", None)], failed=True)


@given(st.lists(accepted, max_size=5), st.lists(refused, max_size=5))
def test_packing_loses_nothing(accepted: list[AcceptedCaption], refused: list[RefusedCaption]) -> None:
    assert OutcomeColumns.unpack(ReportOutcome(accepted, refused).pack()).rows() == ReportOutcome(accepted, refused)


def test_the_key_is_of_text_and_sections() -> None:
    findings = Section("findings", 0, 4)
    keys = {
        text_key(report("text")),
        text_key(report("text", findings)),
        text_key(report("text", Section("impression", 0, 4))),
        text_key(report("texts", findings)),
        text_key(report("\ud800")),
    }
    assert len(keys) == 5
    assert text_key(report("text", findings)) == text_key(Report("other", "text", (findings,), {"a": "b"}, 7))


def test_what_is_kept_is_found(store: OutcomeStore) -> None:
    store.keep({b"one": (ONE.pack(), False)})
    assert b"one" in store and b"two" not in store
    assert store[b"one"].rows() == ONE
    with pytest.raises(KeyError):
        store[b"two"]


def test_what_is_kept_anew_takes_the_place_of_what_was_read(store: OutcomeStore) -> None:
    store.keep({b"one": (FAILED.pack(), False)})
    assert b"one" in store
    store.keep({b"one": (ONE.pack(), False)})
    assert store[b"one"].rows() == ONE


def test_failures_last_for_one_run(tmp_path: Path) -> None:
    path = tmp_path / "outcomes"
    store = OutcomeStore(path, "mine")
    store.keep({b"one": (ONE.pack(), ONE.failed), b"two": (FAILED.pack(), FAILED.failed)})
    assert store[b"two"].rows()[:2] == FAILED[:2]
    store.close()
    assert reopened(path, "mine") == [b"one"]


def test_other_settings_and_damage_empty_it(tmp_path: Path) -> None:
    path = tmp_path / "outcomes"
    store = OutcomeStore(path, "mine")
    store.keep({b"one": (ONE.pack(), False)})
    store.close()
    assert reopened(path, "yours") == []
    path.write_bytes(b"no database at all" * 100)
    assert reopened(path, "mine") == []


def test_a_folder_that_is_gone_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(sqlite3.OperationalError):
        OutcomeStore(tmp_path / "none" / "outcomes", "mine")
