"""Where a server with OpenAI's interface is found, how patiently it is asked, and what it serves."""

from __future__ import annotations

import json
import math
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from curation.runtime.errors import InputError

OPENAI = "https://api.openai.com/v1"
EXAMPLES = "`vllm serve MODEL`, `llama-server -m FILE.gguf` or `ollama serve`"
NO_KEY = "no-key"
"""Sent to servers that want none: the client insists on one."""
NAMED_AT_MOST = 12
SHORT_KEY = 12


@dataclass(frozen=True)
class Server:
    """A server and how to treat it. ``base_url`` and the key are taken from the environment where they are not given.

    ``concurrency`` chats are asked at once. Each has ``attempts`` tries of ``timeout`` seconds; the waits between them
    begin at ``first_wait`` seconds and double up to ``longest_wait``, each shortened at random. What does not fit into
    ``context`` tokens, as far as that can be told from here, is not sent: some servers (Ollama) cut it without a word.
    """

    base_url: str | None = field(default=None, repr=False)
    model: str | None = None
    concurrency: int = 16
    timeout: float = 120.0
    attempts: int = 6
    longest_wait: float = 60.0
    first_wait: float = 1.0
    context: int | None = None

    def __post_init__(self) -> None:
        if self.model is not None and not self.model.strip():
            raise InputError("the model's name is empty: leave --model out for the one that the server has")
        if self.concurrency < 1:
            raise InputError(f"concurrency is {self.concurrency}; it is the number of chats at once, 1 or more")
        if not (math.isfinite(self.timeout) and self.timeout > 0):
            raise InputError(f"timeout is {self.timeout}; it is counted in seconds and above 0")
        if self.attempts < 1:
            raise InputError(f"attempts is {self.attempts}; a chat is tried once at least")
        for name, wait in (("first_wait", self.first_wait), ("longest_wait", self.longest_wait)):
            if not (math.isfinite(wait) and wait >= 0):
                raise InputError(f"{name} is {wait}; it is counted in seconds, 0 or more")
        if self.base_url is not None:
            _checked(self.base_url)

    def url(self) -> str:
        """The base URL; ``/v1`` is added to one without a path. Raises ``InputError``."""
        said = self.base_url or os.environ.get("OPENAI_BASE_URL", "").strip()
        if not said and self.key() == NO_KEY:
            raise InputError(
                f"engine openai needs a server: start one ({EXAMPLES}) and give --base-url http://localhost:PORT/v1, "
                "or put a key for api.openai.com into OPENAI_API_KEY"
            )
        url = _checked(said or OPENAI)
        parts = urlsplit(url)
        return url if parts.path.strip("/") else parts._replace(path="/v1").geturl()

    def key(self) -> str:
        """The key in ``OPENAI_API_KEY``, or a placeholder. Raises ``InputError``, without showing it."""
        key = os.environ.get("OPENAI_API_KEY", "").strip()
        if not re.fullmatch("[!-~]*", key):
            raise InputError("OPENAI_API_KEY holds blanks or characters that no key has: set it to the key alone")
        return key or NO_KEY


def _checked(url: str) -> str:
    try:
        parts = urlsplit(url)
        fine = parts.scheme in ("http", "https") and parts.hostname is not None and parts.port != 0
    except ValueError:
        fine = False
    if not fine:
        raise InputError("the base URL is not one: expected one such as http://localhost:8000/v1")
    return url


def shown(url: str) -> str:
    """A URL for people to read: without user, password and query, which may be secrets."""
    parts = urlsplit(url)
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname or ""
    return f"{parts.scheme}://{host}{f':{parts.port}' if parts.port else ''}{parts.path}"


class Secrets:
    """Takes secrets out of what a server says: the key, and the password in a base URL."""

    def __init__(self, url: str, key: str) -> None:
        said = [key if key != NO_KEY else "", urlsplit(url).password or ""]
        self._long = [secret for secret in said if len(secret) >= SHORT_KEY]
        # A short key, of a server at home, may be a word of every day.
        alone = [rf"(?<!\w){re.escape(secret)}(?!\w)" for secret in said if 0 < len(secret) < SHORT_KEY]
        # Users and passwords of any URL; what some servers show of a key, the rest made stars.
        self._others = re.compile("|".join([*alone, r"(?<=//)[^/@\s\"']+(?=@)", r"[\w-]+\*{3,}[\w-]*"]))

    def hidden_in_answer(self, text: str) -> str:
        """An answer without them. Its words stay as they are: only a key that can be no word is looked for."""
        for secret in self._long:
            text = text.replace(secret, "***")
        return text

    def hidden_in_error(self, text: str) -> str:
        """An error without them, nor what else looks like one."""
        return self._others.sub("***", self.hidden_in_answer(text))


class Served(NamedTuple):
    """A model that a server lists, and its context in tokens where the server says so."""

    name: str
    context: int | None


def served_models(body: str) -> list[Served]:
    """The models in the answer to ``GET /models``; none where it cannot be read."""
    try:
        found = json.loads(body)
    except ValueError:
        return []
    listed = found.get("data") if isinstance(found, dict) else found
    entries = [entry for entry in listed if isinstance(entry, dict)] if isinstance(listed, list) else []
    return [Served(entry["id"], _context(entry)) for entry in entries if isinstance(entry.get("id"), str)]


def _context(entry: dict[str, Any]) -> int | None:
    """The context of a model, as vLLM, clouds and llama.cpp (that of the server, else of the training) tell it."""
    meta = entry.get("meta")
    return next(_counts(entry, meta if isinstance(meta, dict) else {}), None)


def _counts(entry: dict[str, Any], meta: dict[str, Any]) -> Iterator[int]:
    top = [entry.get(name) for name in ("max_model_len", "context_length", "context_window", "max_context_length")]
    for count in (*top, meta.get("n_ctx"), meta.get("n_ctx_train")):
        if isinstance(count, int) and count > 0:
            yield count


def chosen(models: list[Served], asked: str | None, url: str) -> Served:
    """The model to use: the one asked for, or the only one. Raises ``InputError`` where that is not clear."""
    if asked is not None:
        return next((model for model in models if model.name == asked), Served(asked, None))
    if len(models) == 1:
        return models[0]
    if not models:
        raise InputError(
            f"{url} lists no models: name one with --model, or correct the base URL, which mostly ends in /v1"
        )
    raise InputError(f"{url} serves {len(models)} models; choose one with --model: {names(models)}")


def names(models: list[Served]) -> str:
    """The names of some models, on one line."""
    more = f" and {len(models) - NAMED_AT_MOST} more" if len(models) > NAMED_AT_MOST else ""
    return ", ".join(model.name for model in models[:NAMED_AT_MOST]) + more
