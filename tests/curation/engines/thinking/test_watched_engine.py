"""A model that only thinks is told after a few answers and ends the run after many."""

import asyncio
import logging

import pytest

from curation.engines.chat import Answer, EngineDown
from curation.engines.thinking.watched_engine import FEW, MANY, WatchedEngine
from tests.curation.engines.server_chats import chat
from tests.curation.fakes import FakeChat

THOUGHTS = "<think>The report says that the liver"


def ask(contents: list[str], caplog: pytest.LogCaptureFixture, engine: str = "openai") -> list[Answer]:
    queue = iter(contents)
    fake = FakeChat(lambda question: Answer(next(queue), "length", 0, 0))
    fake.name = engine

    async def run() -> list[Answer]:
        watched = WatchedEngine(fake)
        return [await watched.answer(chat()) for _ in contents]

    with caplog.at_level(logging.WARNING, "ovct"):
        return asyncio.run(run())


def test_it_is_told_once_after_a_few_answers(caplog: pytest.LogCaptureFixture) -> None:
    ask([THOUGHTS] * (FEW + 5), caplog)
    (told,) = caplog.messages
    assert told.startswith(f"the model only thinks: {FEW} answers of fake-1")
    assert all(way in told for way in ("--reasoning-effort none", "chat_template_kwargs", "--max-tokens (now 64)"))


def test_vllm_has_no_such_options(caplog: pytest.LogCaptureFixture) -> None:
    ask([THOUGHTS] * FEW, caplog, "vllm")
    assert "--reasoning-effort" not in caplog.text and "--max-tokens" in caplog.text


@pytest.mark.parametrize("first", ['{"captions": []}', "Sure!", "<think>hm</think>{}"])
def test_one_answer_is_enough(first: str, caplog: pytest.LogCaptureFixture) -> None:
    assert len(ask([first, *[THOUGHTS] * (MANY + 9)], caplog)) == MANY + 10
    assert not caplog.messages


def test_an_empty_answer_is_no_thought(caplog: pytest.LogCaptureFixture) -> None:
    ask([""] * (MANY + 1), caplog)
    assert not caplog.messages


def test_a_run_of_thoughts_alone_ends(caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(EngineDown, match=f"only thinks: {MANY} answers"):
        ask([THOUGHTS] * (MANY + 1), caplog)


def test_half_characters_do_not_pass(caplog: pytest.LogCaptureFixture) -> None:
    fake = FakeChat(lambda question: Answer("a\ud800", "st\udfffop", 1, 2))
    assert asyncio.run(WatchedEngine(fake).answer(chat())) == Answer("a?", "st?op", 1, 2)
