"""vLLM in a process and a session of its own, started by ``curation/engines/vllm.py``: JSON lines in, JSON lines out.

vLLM starts more processes. On Ctrl-C each of them writes a traceback; when ours is killed they go on for ever, and
when one of them is killed for memory, ``LLM.chat`` waits for ever. Here all of them are one process group, which
ends as a whole when the pipe closes or when one of them is gone. The file runs as a script and imports nothing of this
project.
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

# A batch is what a killed run loses: between these seconds of work.
FIRST_BATCH, SHORT_SECONDS, LONG_SECONDS = 32, 30.0, 120.0
LARGEST_BATCH = {True: 128, False: 1024}  # by whether it is a CPU that computes
PAUSE = 0.01  # s; when no chat has come for this long, the batch starts with those that are there

# A model that repeats itself is stopped the third time. Every period of up to 96 tokens has a multiple
# between these two, so shorter ones need not be looked for: vLLM looks after each token of each chat.
LOOP = {"min_pattern_size": 48, "max_pattern_size": 96, "min_count": 3}

MARKER = "QZX"
PROBE = [{"role": "system", "content": MARKER}, {"role": "user", "content": "?"}]
TURN_TOKENS = 10  # what a template puts around a turn: 4 or 5 in those in use


class ReplyChannel:
    """Sends replies on stdout, one JSON object a line. What vLLM prints goes to stderr instead."""

    def __init__(self) -> None:
        self._out = os.fdopen(os.dup(1), "w", encoding="utf-8")
        os.dup2(2, 1)
        self._lock = threading.Lock()

    def send(self, **reply: Any) -> None:
        """Send one line. Ignores a closed pipe: the process ends when its stdin closes too."""
        with self._lock, suppress(BrokenPipeError):
            print(json.dumps(reply), file=self._out, flush=True)


class StartFailed(Exception):
    """The model cannot be used. ``cause`` is its kind (a key of ``START_ERRORS``), ``detail`` vLLM's message."""

    def __init__(self, cause: str, detail: str) -> None:
        super().__init__(detail)
        self.cause = cause
        self.detail = detail


def described(error: Exception) -> str:
    """Return an error's text with its type: the text alone may be a single word."""
    return f"{type(error).__name__}: {error}"


def load(keywords: dict[str, Any]) -> tuple[Any, bool]:
    """Return the ``LLM`` and whether it runs on a CPU. Raises ``StartFailed``."""
    try:
        from vllm import LLM, __version_tuple__
        from vllm.platforms import current_platform
    except Exception as broken:
        raise StartFailed("import", described(broken)) from broken
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
        raise StartFailed("start", described(failed)) from failed


class ModelHost:
    """One model and the queue of chats that wait for it."""

    def __init__(self, llm: Any, largest_batch: int, channel: ReplyChannel) -> None:
        from vllm.v1.engine.exceptions import EngineDeadError

        self.dead_error = EngineDeadError
        self.llm = llm
        self.channel = channel
        self.batch_size, self.largest_batch = min(FIRST_BATCH, largest_batch), largest_batch
        self.waiting: queue.Queue[dict[str, Any]] = queue.Queue()
        self.schemas: dict[int, str] = {}
        self.context = int(llm.model_config.max_model_len)
        self.has_system_turns, self.overhead = self.probe_template()
        # A copy: the model's own is in use by another thread.
        tokenizer = copy.deepcopy(llm.get_tokenizer())
        self.cached_count = lru_cache(4096)(lambda text: len(tokenizer.encode(text, add_special_tokens=False)))

    def probe_template(self) -> tuple[bool, int]:
        """Return whether the chat template has system turns, and how many tokens of its own it adds."""
        for messages in (PROBE, PROBE[1:]):
            try:
                ids = self.chat([messages], [sampling(1, None)])[0].prompt_token_ids
            except self.dead_error as failed:
                raise StartFailed("start", str(failed)) from failed
            except Exception as failed:
                reason = described(failed)
                continue
            # Some templates refuse a system turn, others leave it out without a word.
            if messages is not PROBE or MARKER in self.llm.get_tokenizer().decode(ids):
                return messages is PROBE, len(ids)
        raise StartFailed("template", reason)

    def chat(self, messages: list[list[dict[str, str]]], params: list[Any]) -> Any:
        """Call ``LLM.chat``. Thinking is switched off in templates that have it (Qwen3); others ignore the keyword."""
        return self.llm.chat(messages, params, use_tqdm=False, chat_template_kwargs={"enable_thinking": False})

    def count_tokens(self, text: str) -> int:
        """Return the number of tokens of a text. Turns that many chats share, such as examples, are counted once."""
        return self.cached_count(text)

    def read_requests(self) -> None:
        """Read schemas and chats from stdin and queue the chats that fit, while the model is at work."""
        for line in sys.stdin:
            request = json.loads(line)
            if "json" in request:
                self.schemas[request["schema"]] = request["json"]
                continue
            if not self.has_system_turns:
                request["messages"] = fold_system(request["messages"])
            tokens = sum(self.count_tokens(message["content"]) + TURN_TOKENS for message in request["messages"])
            if self.overhead + tokens + request["max_tokens"] <= self.context:
                self.waiting.put(request)
            else:
                self.channel.send(id=request["id"], error="too_long")

    def run(self) -> None:
        """Answer batch after batch until the process ends: those that wait, and those that come within ``PAUSE``."""
        while True:
            batch = [self.waiting.get()]
            with suppress(queue.Empty):
                while len(batch) < self.batch_size:
                    batch.append(self.waiting.get(timeout=PAUSE))
            began = time.monotonic()
            for chat, reply in self.answer(batch):
                self.channel.send(id=chat["id"], **reply)
            self.batch_size = next_size(self.batch_size, self.largest_batch, len(batch), time.monotonic() - began)

    def answer(self, batch: list[dict[str, Any]]) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
        """Yield each chat with its reply. A batch that vLLM refuses is halved, until the refused chat is alone."""
        try:
            params = [sampling(chat["max_tokens"], self.schemas[chat["schema"]]) for chat in batch]
            outputs = self.chat([chat["messages"] for chat in batch], params)
        except self.dead_error as failed:
            report_down(self.channel, str(failed))
        except Exception as failed:
            if len(batch) == 1:
                yield batch[0], {"error": "failed", "detail": described(failed)}
            else:
                middle = len(batch) // 2
                yield from self.answer(batch[:middle])
                yield from self.answer(batch[middle:])
        else:
            # An aborted output is no answer, nor is one that is left over from an earlier batch.
            if len(outputs) != len(batch) or any(output.outputs[0].finish_reason == "abort" for output in outputs):
                report_down(self.channel, "it broke a batch off")
            yield from zip(batch, map(read_output, outputs), strict=True)


def next_size(size: int, largest: int, count: int, seconds: float) -> int:
    """Return the size of the next batch: batches grow while full ones are quick, and shrink when they are slow."""
    if seconds > LONG_SECONDS:
        return max(1, size // 2)
    return min(largest, size * 2) if seconds < SHORT_SECONDS and count >= size else size


@lru_cache(64)
def sampling(max_tokens: int, schema: str | None) -> Any:
    """Return sampling parameters: the same object for all chats that have them in common."""
    from vllm import SamplingParams, sampling_params

    structure = None if schema is None else sampling_params.StructuredOutputsParams(json=schema)
    options = {}
    if hasattr(sampling_params, "RepetitionDetectionParams"):  # not in older versions
        options["repetition_detection"] = sampling_params.RepetitionDetectionParams(**LOOP)
    return SamplingParams(temperature=0.0, max_tokens=max_tokens, structured_outputs=structure, **options)


def read_output(output: Any) -> dict[str, Any]:
    """Return the reply for an output of vLLM."""
    completion = output.outputs[0]
    if completion.finish_reason not in ("stop", "length", "repetition"):
        return {"error": "failed", "detail": f"vLLM ended the answer with {completion.finish_reason!r}"}
    tokens = {"prompt_tokens": len(output.prompt_token_ids), "completion_tokens": len(completion.token_ids)}
    return {"content": completion.text, "finish_reason": completion.finish_reason, **tokens}


def fold_system(messages: list[dict[str, str]]) -> list[dict[str, str]]:
    """Move the system text to the beginning of the first user turn, for templates without system turns (Gemma)."""
    system = [message["content"] for message in messages if message["role"] == "system"]
    first, *later = (message for message in messages if message["role"] != "system")
    return [{**first, "content": "\n\n".join([*system, first["content"]])}, *later]


def end_group() -> NoReturn:
    """End this process and all of its group but Python's resource tracker, which frees their shared memory and ends."""
    for entry in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            member = int(entry.name)
            ours = os.getpgid(member) == os.getpgrp() and member != os.getpid()
            if ours and b"resource_tracker" not in (entry / "cmdline").read_bytes():
                os.kill(member, signal.SIGKILL)
    os._exit(0)


def report_down(channel: ReplyChannel, reason: str) -> NoReturn:
    """Report that no chat will get an answer any more, and end."""
    channel.send(down=reason)
    end_group()


def watch_processes(channel: ReplyChannel) -> None:
    """End when one of vLLM's processes is gone: ``LLM.chat`` does not always notice it."""
    children: dict[Any, Any] = {child.sentinel: child for child in multiprocessing.active_children()}
    if children:
        ended = children[next(iter(wait(children)))]
        ended.join(1)  # its exit code comes a moment after its end
        report_down(channel, f"{ended.name} ended with {ended.exitcode} (-9: killed, for want of memory as a rule)")


def end_with_parent() -> None:
    """End the group when the other end of stdin is closed, on purpose or because its process was killed."""
    poller = select.poll()
    poller.register(0, 0)  # no event but the hang-up
    poller.poll()
    end_group()


def main() -> None:
    """Load the model by the first line on stdin, the keywords of ``LLM``; all other lines are schemas and chats."""
    channel = ReplyChannel()
    threading.Thread(target=end_with_parent, daemon=True).start()
    try:
        llm, cpu = load(json.loads(sys.stdin.readline()))
        host = ModelHost(llm, LARGEST_BATCH[cpu], channel)
    except StartFailed as failed:
        channel.send(failed=failed.cause, detail=failed.detail)
        end_group()
    threading.Thread(target=host.read_requests, daemon=True).start()
    threading.Thread(target=watch_processes, args=(channel,), daemon=True).start()
    channel.send(ready=True, in_flight=2 * host.largest_batch, context=host.context)
    host.run()


if __name__ == "__main__":
    main()
