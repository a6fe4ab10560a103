"""The store of batches: each step of a batch is on disk, and what was answered is never dropped."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from curation.engines.chat import Answer
from curation.llm.batches.batch_store import BatchedRequest, BatchStore

ANSWER = Answer("yes “é”", "stop", 3, 4)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[BatchStore]:
    with closing(BatchStore(tmp_path / "batches.sqlite")) as store:
        yield store


def test_the_steps_of_a_batch(store: BatchStore, tmp_path: Path) -> None:
    assert store.request("a") is None and store.open_batches() == []
    batch = store.begin("mark", ["a", "b", "c"])
    assert batch.state == "written" and store.request("a") == BatchedRequest(1, 1, None, None)
    batch = store.uploaded(batch, "file-1")
    assert store.open_batches() == [batch]
    batch = store.created(batch, "batch_1")
    assert (batch.state, batch.file, batch.id, batch.requests) == ("created", "file-1", "batch_1", 3)
    store.close()
    with closing(BatchStore(tmp_path / "batches.sqlite")) as again:
        assert again.open_batches() == [batch] and again.keys_of(batch) == {"a", "b", "c"}
        again.finish(batch, {"a": ANSWER}, {"b": "refused"})
        assert again.open_batches() == [] and again.keys_of(batch) == set()
        assert again.request("a") == BatchedRequest(None, 1, ANSWER, None)
        assert again.request("b") == BatchedRequest(None, 1, None, "refused")
        assert again.request("c") == BatchedRequest(None, 1, None, None)
        assert again.begin("next", ["c"]).number == 2
        assert again.request("c") == BatchedRequest(2, 2, None, None)


def test_a_batch_of_which_nothing_came_counts_as_no_try(store: BatchStore) -> None:
    store.drop(store.begin("mark", ["a"]))
    assert store.request("a") == BatchedRequest(None, 0, None, None) and store.open_batches() == []


def test_results_that_come_late_change_no_other_batch(store: BatchStore) -> None:
    first = store.begin("first", ["a"])
    store.drop(first)
    second = store.begin("second", ["a"])
    store.finish(first, {"a": ANSWER}, {})
    assert store.request("a") == BatchedRequest(second.number, 1, None, None)


def test_what_is_forgotten_is_asked_anew_but_for_what_is_out(store: BatchStore) -> None:
    store.answered_directly("a", ANSWER)
    store.begin("mark", ["b"])
    store.forget_answers(["a", "b"])
    store.forget("b")
    assert store.request("a") is None and store.request("b") is not None


def test_the_form_of_request_is_kept_for_each_server(store: BatchStore) -> None:
    store.keep_dialect("one", {"form": "schema", "system": False})
    assert store.dialect("one") == {"form": "schema", "system": False} and store.dialect("two") is None
