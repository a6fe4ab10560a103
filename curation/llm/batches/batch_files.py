"""The files of a batch: a request a line to the server, a result a line from it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from curation.engines.chat import Answer, EngineDown, TooLong
from curation.engines.dialect import read_completion
from curation.engines.http_errors import RequestRefused, TransientError, classify_error
from curation.runtime.files import PRIVATE_FILE, make_file, named_in_errors

ENDPOINT = "/v1/chat/completions"


class LineResult(NamedTuple):
    """The result of one request: an answer, or why there is none, and whether it may be sent again."""

    key: str
    answer: Answer | None
    error: str = ""
    again: bool = False


def request_line(key: str, body: Mapping[str, Any]) -> bytes:
    """Return the line of a request."""
    return json.dumps({"custom_id": key, "method": "POST", "url": ENDPOINT, "body": dict(body)}).encode() + b"\n"


def write_lines(path: Path, lines: Iterable[bytes]) -> None:
    """Write the file of a batch. It holds text of reports, so that only its owner may read it."""
    make_file(path, PRIVATE_FILE)
    with named_in_errors(path), path.open("wb") as file:
        file.writelines(lines)


def read_results(path: Path, redact: Callable[[str], str]) -> Iterator[LineResult]:
    """Yield the results in a file of answers or of errors; lines that are none are passed over."""
    with path.open("rb") as file:
        for line in file:
            result = _read_line(redact(line.decode("utf-8", "replace")))
            if result is not None:
                yield result


def _read_line(line: str) -> LineResult | None:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError):
        return None
    key = row.get("custom_id") if isinstance(row, dict) else None
    if not isinstance(key, str):
        return None
    response, error = row.get("response"), row.get("error")
    if not isinstance(response, dict):
        text = json.dumps(error if isinstance(error, dict) else {"message": "no response"})
        return LineResult(key, None, _message(text), again=True)
    status = response.get("status_code")
    body = json.dumps(response.get("body"))
    if not isinstance(status, int) or status >= 300:
        return _failed(key, status if isinstance(status, int) else 500, body)
    try:
        return LineResult(key, read_completion(body))
    except TransientError as problem:
        return LineResult(key, None, str(problem), again=True)
    except TooLong as problem:
        return LineResult(key, None, TOO_LONG + str(problem))


TOO_LONG = "too long: "
"""How an error begins that says that less is to be asked about."""


def _failed(key: str, status: int, body: str) -> LineResult:
    problem = classify_error(status, {}, body)
    if isinstance(problem, TooLong):
        return LineResult(key, None, TOO_LONG + str(problem))
    again = isinstance(problem, (TransientError, EngineDown))
    return LineResult(key, None, f"refused: {problem}" if isinstance(problem, RequestRefused) else str(problem), again)


def _message(body: str) -> str:
    value = json.loads(body)
    return str(value.get("message") or value.get("code") or "no response")[:300]
