"""vLLM in a process and a session of its own, started by ``curation/engines/vllm.py``: JSON lines in, JSON lines out.

vLLM starts more processes. On Ctrl-C each of them writes a traceback; when ours is killed they go on for ever, and
when one of them is killed for memory, ``LLM.chat`` waits for ever. Here all of them are one process group, which
ends as a whole when the pipe closes or when one of them is gone. It runs as a script and imports nothing of ours.
"""

from __future__ import annotations

import copy
import json
import multiprocessing
import os
import queue
import select
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from functools import lru_cache
from multiprocessing.connection import wait
from pathlib import Path
from typing import Any, NoReturn

# A batch is what a killed run loses: about this many seconds of work.
FIRST_BATCH, SHORT, LONG = 32, 30.0, 120.0
LARGEST_BATCH = {True: 128, False: 1024}  # by whether it is a CPU that computes
LULL = 0.01  # s; when no chat has come for so long, the batch starts with those that are there

# A model that says the same over and over is stopped the third time. Every period of up to 96 tokens has a multiple
# between these two, so shorter ones need not be looked for: vLLM looks after each token of each chat.
LOOP = {"min_pattern_size": 48, "max_pattern_size": 96, "min_count": 3}

MARK = "QZX"
PROBE = [{"role": "system", "content": MARK}, {"role": "user", "content": "?"}]
TURN_TOKENS = 10  # what a template puts around a turn: 4 or 5 in those in use


class Channel:
    """The way back: one JSON object a line. What vLLM prints goes to stderr."""

    def __init__(self) -> None:
        self._out = os.fdopen(os.dup(1), "w", encoding="utf-8")
        os.dup2(2, 1)
        self._lock = threading.Lock()

    def send(self, **reply: Any) -> None:
        """Send one line. Nobody at the other end is no fault of the sender: the reader of chats sees it too."""
        with self._lock, suppress(BrokenPipeError):
            print(json.dumps(reply), file=self._out, flush=True)


class StartFailed(Exception):
    """The model cannot be used: the kind of cause, and what vLLM said."""


def named(error: Exception) -> str:
    """An error with its name: its text alone may be a single word."""
    return f"{type(error).__name__}: {error}"


def load(keywords: dict[str, Any]) -> tuple[Any, bool]:
    """Build the ``LLM`` and say whether it runs on a CPU."""
    try:
        from vllm import LLM, __version_tuple__
        from vllm.platforms import current_platform
    except Exception as broken:
        raise StartFailed("import", named(broken)) from broken
    if not current_platform.device_type:
        raise StartFailed("device", "it found no device")
    cpu = current_platform.is_cpu()
    if cpu:
        keywords.setdefault("enforce_eager", True)
        if "kv_cache_memory_bytes" not in keywords:
            os.environ.setdefault("VLLM_CPU_KVCACHE_SPACE", "4")  # GiB; else nearly all of the machine's memory
        if keywords["dtype"] == "auto" and "torch.bfloat16" in map(str, current_platform.supported_dtypes):
            keywords["dtype"] = "bfloat16"
    if __version_tuple__ >= (0, 14):
        keywords.setdefault("max_model_len", -1)  # as much of the model's context as there is memory for
    try:
        return LLM(**keywords), cpu
    except Exception as failed:
        raise StartFailed("start", named(failed)) from failed


class Host:
    """One model, the chats that wait for it, and the thread that reads them."""

    def __init__(self, llm: Any, largest: int, channel: Channel) -> None:
        from vllm.v1.engine.exceptions import EngineDeadError

        self.dead = EngineDeadError
        self.llm = llm
        self.channel = channel
        self.size, self.largest = min(FIRST_BATCH, largest), largest
        self.waiting: queue.Queue[dict[str, Any]] = queue.Queue()
        self.schemas: dict[int, str] = {}
        self.context = int(llm.model_config.max_model_len)
        self.system_turns, self.overhead = self.probe()
        # A copy: the model's own is in use by another thread.
        tokenizer = copy.deepcopy(llm.get_tokenizer())
        self.count = lru_cache(4096)(lambda text: len(tokenizer.encode(text, add_special_tokens=False)))

    def probe(self) -> tuple[bool, int]:
        """Whether the chat template has system turns, and how many tokens of its own it adds."""
        for messages in (PROBE, PROBE[1:]):
            try:
                ids = self.chat([messages], [sampling(1, None)])[0].prompt_token_ids
            except self.dead as failed:
                raise StartFailed("start", str(failed)) from failed
            except Exception as failed:
                reason = named(failed)
                continue
            # Some templates refuse a system turn, others leave it out without a word.
            if messages is not PROBE or MARK in self.llm.get_tokenizer().decode(ids):
                return messages is PROBE, len(ids)
        raise StartFailed("template", reason)

    def chat(self, messages: list[list[dict[str, str]]], params: list[Any]) -> Any:
        """``LLM.chat``; templates that know thinking (Qwen3) are told to leave it, others do not read the word."""
        return self.llm.chat(messages, params, use_tqdm=False, chat_template_kwargs={"enable_thinking": False})

    def read(self) -> None:
        """Take schemas and chats in, and make them ready while the model is at work."""
        for line in sys.stdin:
            told = json.loads(line)
            if "json" in told:
                self.schemas[told["schema"]] = told["json"]
                continue
            if not self.system_turns:
                told["messages"] = fold_system(told["messages"])
            # Turns that many chats share, such as examples, are counted once.
            tokens = sum(self.count(message["content"]) + TURN_TOKENS for message in told["messages"])
            if self.overhead + tokens + told["max_tokens"] <= self.context:
                self.waiting.put(told)
            else:
                self.channel.send(id=told["id"], error="too_long")

    def run(self) -> None:
        """Answer batch after batch until the process ends: what has come in meanwhile, and a moment's worth more."""
        while True:
            batch = [self.waiting.get()]
            with suppress(queue.Empty):
                while len(batch) < self.size:
                    batch.append(self.waiting.get(timeout=LULL))
            began = time.monotonic()
            for chat, reply in self.ask(batch):
                self.channel.send(id=chat["id"], **reply)
            self.size = next_size(self.size, self.largest, len(batch), time.monotonic() - began)

    def ask(self, batch: list[dict[str, Any]]) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
        """Each chat with its answer. A batch that vLLM refuses is halved, until the chat it stumbles over is alone."""
        try:
            params = [sampling(chat["max_tokens"], self.schemas[chat["schema"]]) for chat in batch]
            outputs = self.chat([chat["messages"] for chat in batch], params)
        except self.dead as failed:
            give_up(self.channel, str(failed))
        except Exception as failed:
            if len(batch) == 1:
                yield batch[0], {"error": "failed", "detail": named(failed)}
            else:
                middle = len(batch) // 2
                yield from self.ask(batch[:middle])
                yield from self.ask(batch[middle:])
        else:
            # What was broken off is no answer, nor is what is left over from an earlier batch.
            if len(outputs) != len(batch) or any(output.outputs[0].finish_reason == "abort" for output in outputs):
                give_up(self.channel, "it broke a batch off")
            yield from zip(batch, map(read_output, outputs), strict=True)


def next_size(size: int, largest: int, count: int, seconds: float) -> int:
    """The size of the next batch: batches grow while full ones are quick, and shrink when they are slow."""
    if seconds > LONG:
        return max(1, size // 2)
    return min(largest, size * 2) if seconds < SHORT and count >= size else size


@lru_cache(64)
def sampling(max_tokens: int, schema: str | None) -> Any:
    """Sampling parameters, the same object for all chats that have them in common."""
    from vllm import SamplingParams, sampling_params

    form = None if schema is None else sampling_params.StructuredOutputsParams(json=schema)
    more = {}
    if hasattr(sampling_params, "RepetitionDetectionParams"):  # not in older versions
        more["repetition_detection"] = sampling_params.RepetitionDetectionParams(**LOOP)
    return SamplingParams(temperature=0.0, max_tokens=max_tokens, structured_outputs=form, **more)


def read_output(output: Any) -> dict[str, Any]:
    """vLLM's answer as ours."""
    said = output.outputs[0]
    if said.finish_reason not in ("stop", "length", "repetition"):
        return {"error": "failed", "detail": f"vLLM ended the answer with {said.finish_reason!r}"}
    tokens = {"prompt_tokens": len(output.prompt_token_ids), "completion_tokens": len(said.token_ids)}
    return {"content": said.text, "finish_reason": said.finish_reason, **tokens}


def fold_system(messages: list[dict[str, str]]) -> list[dict[str, str]]:
    """The system text as the beginning of the first user turn, for templates without system turns (Gemma)."""
    system = [message["content"] for message in messages if message["role"] == "system"]
    first, *others = (message for message in messages if message["role"] != "system")
    return [{**first, "content": "\n\n".join([*system, first["content"]])}, *others]


def end_group() -> NoReturn:
    """End this process and all of its group but Python's resource tracker, which frees their shared memory and ends."""
    for entry in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            member = int(entry.name)
            ours = os.getpgid(member) == os.getpgrp() and member != os.getpid()
            if ours and b"resource_tracker" not in (entry / "cmdline").read_bytes():
                os.kill(member, signal.SIGKILL)
    os._exit(0)


def give_up(channel: Channel, reason: str) -> NoReturn:
    """Say that no chat will get an answer any more, and end."""
    channel.send(down=reason)
    end_group()


def watch(channel: Channel) -> None:
    """Give up when one of vLLM's processes is gone: ``LLM.chat`` does not notice it in every case."""
    children: dict[Any, Any] = {child.sentinel: child for child in multiprocessing.active_children()}
    if children:
        gone = children[next(iter(wait(children)))]
        gone.join(1)  # its exit code comes a moment after its end
        give_up(channel, f"{gone.name} ended with {gone.exitcode} (-9: killed, for want of memory as a rule)")


def hold_lifeline() -> None:
    """End everything when the other end of stdin is closed, by intention or because its process was killed."""
    poller = select.poll()
    poller.register(0, 0)  # no event but the hang-up
    poller.poll()
    end_group()


def main() -> None:
    """The first line on stdin holds the keywords of ``LLM``, all others schemas and chats."""
    channel = Channel()
    threading.Thread(target=hold_lifeline, daemon=True).start()
    try:
        llm, cpu = load(json.loads(sys.stdin.readline()))
        host = Host(llm, LARGEST_BATCH[cpu], channel)
    except StartFailed as failed:
        channel.send(failed=failed.args[0], detail=failed.args[1])
        end_group()
    threading.Thread(target=host.read, daemon=True).start()
    threading.Thread(target=watch, args=(channel,), daemon=True).start()
    channel.send(ready=True, in_flight=2 * host.largest, context=host.context)
    host.run()


if __name__ == "__main__":
    main()
