"""A language model in a worker of a cluster, without Ray."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from curation.caption import OutcomeColumns
from curation.engines.chat import EngineDown
from curation.llm.answer_store import chat_key
from curation.llm.dialogue import first_chats
from curation.pipeline import CurateJob, curate
from curation.ray_cluster.chat_worker import ChatWorker
from curation.readers.reports import read_reports
from curation.report import Report
from curation.runtime.errors import InputError
from tests.curation.fakes import FakeChat, chat_recipe, write_reports


@pytest.fixture
def reports(tmp_path: Path) -> list[Report]:
    return list(read_reports(write_reports(tmp_path / "reports.csv", 5)))


@pytest.fixture
def chat() -> Iterator[FakeChat]:
    yield FakeChat()


def test_it_gives_what_one_machine_does_and_tells_what_it_took(
    reports: list[Report], chat: FakeChat, tmp_path: Path
) -> None:
    worker = ChatWorker(chat_recipe(chat))
    packed = worker(reports, {})
    assert [OutcomeColumns.unpack(outcome).accepted[1] for outcome, failed in packed if not failed] and len(packed) == 5
    update = worker.drain()
    assert update.spent.questions == 5 == len(update.answers) and update.spent.prompt_tokens == 500
    assert [accepted for accepted, _ in update.judged] == [
        len(OutcomeColumns.unpack(outcome).accepted[0]) for outcome, _ in packed
    ]
    assert worker.drain() == ({}, update.spent._replace(questions=0, prompt_tokens=0, completion_tokens=0), [])

    chat_here = FakeChat()
    curate(CurateJob(tmp_path / "reports.csv", tmp_path / "set"), chat_recipe(chat_here))
    assert [request.messages for request in chat_here.history] == [request.messages for request in chat.history]


def test_cached_answers_are_not_asked_for_and_are_removed_with_their_batch(
    reports: list[Report], chat: FakeChat
) -> None:
    recipe = chat_recipe(chat)
    worker = ChatWorker(recipe)
    worker(reports[:2], {})
    answers = worker.drain().answers
    assert set(answers) == {
        chat_key(request) for report in reports[:2] for request in first_chats(recipe.prompt, recipe.max_tokens, report)
    }
    next_chat = FakeChat()
    next_worker = ChatWorker(chat_recipe(next_chat))
    next_worker(reports[:3], answers)
    assert len(next_chat.history) == 1 and next_worker.drain().spent.questions == 1
    next_worker(reports[:2], {})
    assert len(next_chat.history) == 3


def down(message: str) -> Any:
    raise EngineDown("the model is gone")


def test_a_server_that_is_gone_is_told(reports: list[Report]) -> None:
    with pytest.raises(EngineDown):
        ChatWorker(chat_recipe(FakeChat(respond=down)))(reports, {})


def test_a_model_in_this_process_that_is_gone_ends_it_so_that_it_is_loaded_anew(
    reports: list[Report], monkeypatch: pytest.MonkeyPatch
) -> None:
    class Ended(BaseException):
        pass

    def leave(code: int) -> None:
        assert code == 1
        raise Ended

    monkeypatch.setattr(os, "_exit", leave)
    recipe = chat_recipe(FakeChat(respond=down))
    object.__setattr__(recipe, "made_by", recipe.made_by._replace(engine="vllm"))
    with pytest.raises(Ended):
        ChatWorker(recipe)(reports, {})


def test_a_context_that_is_too_short_is_told() -> None:
    chat = FakeChat()
    chat.context = 300
    with pytest.raises(InputError, match="the model takes 300 in all"):
        ChatWorker(chat_recipe(chat))
