"""A language model in a worker of a cluster, and what the process that reads and writes makes of what it tells."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from curation.caption import OutcomeColumns
from curation.engines.chat import EngineDown
from curation.llm.dialogue import first_chats
from curation.llm.responses import chat_key
from curation.pipeline import CurateJob, curate
from curation.ray_cluster.chat_worker import ChatLabour
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
    labour = ChatLabour(chat_recipe(chat))
    packed = labour(reports, {})
    assert [OutcomeColumns.unpack(one).accepted[1] for one, failed in packed if not failed] and len(packed) == 5
    told = labour.drain()
    assert told.spent.questions == 5 == len(told.answers) and told.spent.prompt_tokens == 500
    assert [accepted for accepted, _ in told.judged] == [
        len(OutcomeColumns.unpack(one).accepted[0]) for one, _ in packed
    ]
    assert labour.drain() == ({}, told.spent._replace(questions=0, prompt_tokens=0, completion_tokens=0), [])

    one = FakeChat()
    curate(CurateJob(tmp_path / "reports.csv", tmp_path / "set"), chat_recipe(one))
    assert [chat.messages for chat in one.history] == [asked.messages for asked in chat.history]


def test_known_answers_are_not_asked_for_and_are_forgotten_with_their_batch(
    reports: list[Report], chat: FakeChat
) -> None:
    recipe = chat_recipe(chat)
    labour = ChatLabour(recipe)
    labour(reports[:2], {})
    answers = labour.drain().answers
    assert set(answers) == {
        chat_key(one) for report in reports[:2] for one in first_chats(recipe.prompt, recipe.max_tokens, report)
    }
    other = FakeChat()
    again = ChatLabour(chat_recipe(other))
    again(reports[:3], answers)
    assert len(other.history) == 1 and again.drain().spent.questions == 1
    again(reports[:2], {})
    assert len(other.history) == 3


def down(message: str) -> Any:
    raise EngineDown("the model is gone")


def test_a_server_that_is_gone_is_told(reports: list[Report]) -> None:
    with pytest.raises(EngineDown):
        ChatLabour(chat_recipe(FakeChat(respond=down)))(reports, {})


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
        ChatLabour(recipe)(reports, {})


def test_a_context_that_is_too_short_is_told() -> None:
    chat = FakeChat()
    chat.context = 300
    with pytest.raises(InputError, match="the model takes 300 in all"):
        ChatLabour(chat_recipe(chat))
