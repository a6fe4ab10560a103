"""A stand-in for the package vllm: what it does depends on the words in the chats and the name of the model."""

import json
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

# A token is a word.
STAND_IN = {
    "vllm/__init__.py": """
        import json, multiprocessing, os, signal, sys, time
        from types import SimpleNamespace as Bag
        from vllm.v1.engine.exceptions import EngineDeadError
        __version_tuple__ = (0, 32, 0)

        def note(**call):
            with open(os.environ["VLLM_CALLS"], "a") as calls:
                print(json.dumps(call), file=calls)

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
