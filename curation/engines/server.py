"""The settings of a server with OpenAI's interface, and the models that it lists."""

from __future__ import annotations

import json
import math
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from curation.runtime.errors import InputError
from curation.runtime.terminal import without_surrogates

OPENAI = "https://api.openai.com/v1"
EXAMPLES = "`vllm serve MODEL`, `llama-server -m FILE.gguf` or `ollama serve`"
NO_KEY = "no-key"
"""Sent to servers that want none: the client library insists on one."""
FROM_ENVIRONMENT = "env:"
ACCOUNT_HEADERS = {"OpenAI-Organization": "OPENAI_ORG_ID", "OpenAI-Project": "OPENAI_PROJECT_ID"}
MODELS_LISTED = 12
LONGEST_NAME = 1_000
"""Characters of a model's name."""


@dataclass(frozen=True)
class ServerSettings:
    """A server and how to treat it. ``base_url`` and the key are taken from the environment where they are not given.

    ``concurrency`` chats are asked at once. Each has ``attempts`` tries of ``timeout`` seconds; the waits between them
    begin at ``first_wait`` seconds and double up to ``longest_wait``, each shortened at random. What does not fit into
    ``context`` tokens, as far as that can be told from here, is not sent: some servers (Ollama) cut it without a word.
    ``request_options`` are further fields of each request for a chat, ``headers`` of each request at all; what the
    headers hold is shown nowhere, and ``env:NAME`` is read from the environment of the process that asks.
    Raises ``InputError`` for values that cannot be.
    """

    base_url: str | None = field(default=None, repr=False)
    model: str | None = None
    concurrency: int = 16
    timeout: float = 120.0
    attempts: int = 6
    longest_wait: float = 60.0
    first_wait: float = 1.0
    context: int | None = None
    request_options: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)

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
            _check_url(self.base_url)
        self.header_values()

    def url(self) -> str:
        """Return the base URL; ``/v1`` is added to one without a path. Raises ``InputError``."""
        given_url = self.base_url or os.environ.get("OPENAI_BASE_URL", "").strip()
        if not given_url and self.key() == NO_KEY:
            raise InputError(
                f"engine openai needs a server: start one ({EXAMPLES}) and give --base-url http://localhost:PORT/v1, "
                "or put a key for api.openai.com into OPENAI_API_KEY"
            )
        url = _check_url(given_url or OPENAI)
        parts = urlsplit(url)
        return url if parts.path.strip("/") else parts._replace(path="/v1").geturl()

    def header_values(self) -> dict[str, str]:
        """Return the headers with their values; those of the account are in the environment, as OpenAI's client has it.

        Raises ``InputError``, without showing one.
        """
        given = {name.lower() for name in self.headers}
        account = {
            name: f"{FROM_ENVIRONMENT}{variable}"
            for name, variable in ACCOUNT_HEADERS.items()
            if name.lower() not in given and os.environ.get(variable, "").strip()
        }
        return {name: _header_value(name, value) for name, value in {**account, **self.headers}.items()}

    def key(self) -> str:
        """Return the key in ``OPENAI_API_KEY``, or a placeholder. Raises ``InputError``, without showing it."""
        key = os.environ.get("OPENAI_API_KEY", "").strip()
        if not re.fullmatch("[!-~]*", key):
            raise InputError("OPENAI_API_KEY holds blanks or characters that no key has: set it to the key alone")
        return key or NO_KEY


def _header_value(name: str, value: str) -> str:
    if value.startswith(FROM_ENVIRONMENT):
        variable = value.removeprefix(FROM_ENVIRONMENT)
        if variable not in os.environ:
            raise InputError(f"--request-header {name}: there is no environment variable {variable}")
        value = os.environ[variable]
    value = value.strip()
    if not re.fullmatch(r"[ -~]+", value):
        raise InputError(f"--request-header {name}: the value is empty or holds characters that no header has")
    return value


def _check_url(url: str) -> str:
    try:
        parts = urlsplit(url)
        valid = parts.scheme in ("http", "https") and parts.hostname is not None and parts.port != 0
    except ValueError:
        valid = False
    if not valid:
        raise InputError("the base URL is not one: expected one such as http://localhost:8000/v1")
    return url


class ServedModel(NamedTuple):
    """A model that a server lists, and its context in tokens where the server says so."""

    name: str
    context: int | None


def served_models(body: str) -> list[ServedModel]:
    """Return the models in the answer to ``GET /models``; none where it cannot be read."""
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return []
    listed = value.get("data") if isinstance(value, dict) else value
    entries = [entry for entry in listed if isinstance(entry, dict)] if isinstance(listed, list) else []
    names = [(entry["id"], entry) for entry in entries if isinstance(entry.get("id"), str)]
    return [ServedModel(without_surrogates(name[:LONGEST_NAME]), _context(entry)) for name, entry in names]


def _context(entry: dict[str, Any]) -> int | None:
    """Return the context of a model, as vLLM, clouds and llama.cpp (the server's, else that of training) state it."""
    meta = entry.get("meta")
    return next(_context_sizes(entry, meta if isinstance(meta, dict) else {}), None)


def _context_sizes(entry: dict[str, Any], meta: dict[str, Any]) -> Iterator[int]:
    names = ("max_model_len", "context_length", "context_window", "max_context_length")
    for count in (*map(entry.get, names), meta.get("n_ctx"), meta.get("n_ctx_train")):
        if isinstance(count, int) and count > 0:
            yield count


def choose_model(models: list[ServedModel], name: str | None, url: str) -> ServedModel:
    """Return the model with this name, or without a name the only one. Raises ``InputError`` where that is unclear."""
    if name is not None:
        return next((model for model in models if model.name == name), ServedModel(name, None))
    if len(models) == 1:
        return models[0]
    if not models:
        raise InputError(
            f"{url} lists no models: name one with --model, or correct the base URL, which mostly ends in /v1"
        )
    raise InputError(f"{url} serves {len(models)} models; choose one with --model: {model_names(models)}")


def model_names(models: list[ServedModel]) -> str:
    """Return the names of the first models, on one line."""
    more = f" and {len(models) - MODELS_LISTED} more" if len(models) > MODELS_LISTED else ""
    return ", ".join(model.name for model in models[:MODELS_LISTED]) + more
