"""Fields and headers of requests that a person adds on the command line, read and checked."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any

from curation.runtime.errors import InputError

OWN_FIELDS = {
    "model": "--model",
    "max_tokens": "--max-tokens",
    "max_completion_tokens": "--max-tokens",
    "messages": "--prompt",
    "response_format": "--prompt",
    "stream": None,
    "stream_options": None,
    "n": None,
}
"""Fields that are no one else's, with the option for what they say; None where there is nothing to choose."""
OWN_HEADERS = frozenset(
    ("host", "content-length", "content-type", "transfer-encoding", "accept-encoding", "connection")
)
_FIELD = re.compile(r"[A-Za-z_][\w.-]{0,99}")
_HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}")


def read_request_options(reasoning_effort: str | None, options: Iterable[str]) -> dict[str, Any]:
    """Return the fields for ``--reasoning-effort LEVEL`` and each ``--request-option NAME=VALUE``.

    A value is JSON, or text. Raises ``InputError``.
    """
    fields: dict[str, Any] = {} if reasoning_effort is None else {"reasoning_effort": reasoning_effort}
    for option in options:
        name, equals, text = option.partition("=")
        if not equals or not _FIELD.fullmatch(name):
            raise InputError(f"--request-option {option[:80]}: expected NAME=VALUE, such as top_k=20")
        if name in OWN_FIELDS:
            instead = f"; that is {OWN_FIELDS[name]}" if OWN_FIELDS[name] else ""
            raise InputError(f"--request-option {name}: ovct says that itself{instead}")
        if name in fields:
            raise InputError(f"--request-option {name}: it is given twice")
        fields[name] = _value(name, text)
    return fields


def _value(name: str, text: str) -> Any:
    """Return a value as JSON, or as text where it is none."""
    try:
        value = json.loads(text)
        json.dumps(value, allow_nan=False)
    except (ValueError, RecursionError):
        if text.lstrip().startswith(("{", "[")):
            raise InputError(
                f"--request-option {name}: the value begins like JSON and is none; in a shell it needs quotes, such as "
                f"{name}='{{\"enable_thinking\": false}}'"
            ) from None
        return text
    return value


def read_headers(options: Iterable[str]) -> dict[str, str]:
    """Return the headers for each ``--request-header NAME=VALUE``; values stay as they are given (``ServerSettings``).

    Raises ``InputError``, which never holds a value.
    """
    headers: dict[str, str] = {}
    for option in options:
        name, equals, value = option.partition("=")
        if not equals or not _HEADER.fullmatch(name):
            raise InputError("--request-header: expected NAME=VALUE, such as X-Api-Key=env:MY_KEY (it is not shown)")
        if name.lower() in OWN_HEADERS:
            raise InputError(f"--request-header {name}: ovct says that itself")
        if name.lower() in map(str.lower, headers):
            raise InputError(f"--request-header {name}: it is given twice")
        headers[name] = value
    return headers
