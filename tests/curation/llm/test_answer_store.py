"""The store of answers: one set of settings, on disk at once, emptied where it is damaged."""

from pathlib import Path

from curation.engines.chat import Answer
from curation.llm.answer_store import AnswerStore
from curation.llm.usage import UsageCounts


def test_the_store_is_of_one_set_of_settings(tmp_path: Path) -> None:
    stored = Answer("{}", "stop", 3, 1)
    store = AnswerStore(tmp_path / "r.sqlite", "mine")
    store.keep(b"key", stored)
    store.add_usage(UsageCounts(questions=1, seconds=0.5))
    assert store.get(b"key") == stored and store.get(b"other") is None
    store.close()
    for owner, answer, questions in (("mine", stored, 1), ("other", None, 0), ("mine", None, 0)):
        store = AnswerStore(tmp_path / "r.sqlite", owner)
        assert (store.get(b"key"), store.usage().questions) == (answer, questions)
        store.close()


def test_a_damaged_store_is_begun_anew(tmp_path: Path) -> None:
    (tmp_path / "r.sqlite").write_bytes(b"no database" * 1000)
    store = AnswerStore(tmp_path / "r.sqlite", "mine")
    assert store.usage() == UsageCounts()
    store.close()
