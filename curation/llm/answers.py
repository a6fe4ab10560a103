"""What a model's answer claims: its JSON taken apart, whatever stands around it, and what is wrong with it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Literal, NamedTuple

from pydantic_core import from_json, to_json

from ..engines import Draft
from ..schemas import Reason

Form = Literal["organs", "captions"]

_THOUGHTS = re.compile(r"^\s*(?:<think(?:ing)?>)?.*?</think(?:ing)?>", re.DOTALL | re.IGNORECASE)
_FENCE = re.compile(r"```(?:json)?[ \t]*\n(.*?)(?:\n[ \t]*```|\Z)", re.DOTALL | re.IGNORECASE)
_OPENING = re.compile(r"[{\[]")
_LOOP = re.compile(r"\s{80,}|(.{1,80}?)\1{8,}", re.DOTALL)
"""White space without end, or the same words over and over: a model that has lost its way."""
LOOKED_AT = 2_000
_CONTROL = dict.fromkeys(range(32), " ")
"""Tabs and the like, which constrained decoding lets into strings and JSON does not."""


class Problem(NamedTuple):
    """Why an answer cannot be used as it is: a reason, and what exactly is wrong, in words the model can use too."""

    reason: Reason
    detail: str


class Claims(NamedTuple):
    """What an answer claims. With a problem, the drafts are those that stand whole before it."""

    drafts: tuple[Draft, ...]
    problem: Problem | None


def read_answer(content: str, finish_reason: str, form: Form) -> Claims:
    """Take an answer apart. ``form`` is that of the prompt: a key for each organ, or a list of captions."""
    body = _without_wrapping(content)
    try:
        return Claims(tuple(_drafts(_value(body), form)), None)
    except _Unexpected as error:
        return Claims((), Problem(Reason.SCHEMA, str(error)))
    except ValueError as error:
        return Claims(_complete(body, form), _broken(content, body, finish_reason, str(error)))


def _broken(content: str, body: str, finish_reason: str, error: str) -> Problem:
    """What is wrong with an answer that is no JSON."""
    if finish_reason in ("length", "repetition"):
        looping = " repeats itself and" if is_loop(content, finish_reason) else ""
        return Problem(Reason.TRUNCATED, f"the answer{looping} was cut off after {len(content):,} characters")
    if not body:
        said = content.strip()[:80]
        ended = "" if finish_reason == "stop" else f" (it ended with “{finish_reason}”)"
        return Problem(Reason.SCHEMA, (f"no JSON in the answer: “{said}”" if said else "the answer is empty") + ended)
    return Problem(Reason.SCHEMA, f"not JSON: {error}")


def is_loop(content: str, finish_reason: str) -> bool:
    """Whether an answer ends in white space or in repetitions instead of coming to an end."""
    return finish_reason == "repetition" or _LOOP.search(content[-LOOKED_AT:]) is not None


def _without_wrapping(content: str) -> str:
    """The answer without thoughts and code fences, from its first bracket on."""
    text = _THOUGHTS.sub("", content, count=1) if "</" in content else content
    if "```" in text and (fenced := _FENCE.search(text)):
        text = fenced[1]
    opening = _OPENING.search(text)
    return text[opening.start() :].translate(_CONTROL) if opening else ""


def _value(body: str) -> Any:
    try:
        return from_json(body)
    except ValueError:
        return from_json(_first_value(body))


def _first_value(body: str) -> str:
    """The JSON value that ``body`` begins with, without what a model adds behind it."""
    depth, inside = 0, False
    for match in _SIGNIFICANT.finditer(body):
        sign = match[0]
        if inside:
            inside = sign != '"'
        elif sign == '"':
            inside = True
        elif sign in "{[":
            depth += 1
        elif sign in "}]":
            depth -= 1
            if depth == 0:
                return body[: match.end()]
    return body


_SIGNIFICANT = re.compile(r'\\.|["{}\[\]]', re.DOTALL)


class _Unexpected(ValueError):
    """JSON, but not in the form that was asked for."""


def _drafts(found: Any, form: Form) -> Iterator[Draft]:
    if form == "organs":
        yield from _by_organ(found)
    else:
        yield from _listed(found)


def _by_organ(found: Any) -> Iterator[Draft]:
    if not isinstance(found, dict):
        raise _Unexpected(f"an object with a key for each organ was expected, not {_shown(found)}")
    for organ, said in found.items():
        for caption in said if isinstance(said, list) else [said]:
            if isinstance(caption, str):
                if caption.strip():
                    yield Draft(organ, caption.strip())
            elif caption is not None:
                raise _Unexpected(f"{organ}: null or a list of captions was expected, not {_shown(caption)}")


def _listed(found: Any) -> Iterator[Draft]:
    rows = found.get("captions") if isinstance(found, dict) else found
    if not isinstance(rows, list):
        raise _Unexpected(f'{{"captions": [...]}} was expected, not {_shown(found)}')
    for row in rows:
        organ, caption = (row.get("organ"), row.get("caption")) if isinstance(row, dict) else (None, None)
        if not isinstance(organ, str) or not isinstance(caption, str):
            raise _Unexpected(f"an organ and a caption were expected, not {_shown(row)}")
        yield Draft(organ.strip(), caption.strip())


def _shown(value: Any) -> str:
    text = to_json(value).decode()
    return text if len(text) <= 80 else f"{text[:80]}…"


def _complete(body: str, form: Form) -> tuple[Draft, ...]:
    """Captions that stand whole in an answer that breaks off; the one it breaks off in is left out."""
    try:
        found = from_json(body, allow_partial=True)
    except ValueError:
        return ()
    if form == "captions":
        rows = found.get("captions") if isinstance(found, dict) else found
        found = [row for row in rows if _is_row(row)] if isinstance(rows, list) else []
    try:
        return tuple(_drafts(found, form))
    except _Unexpected:
        return ()


def _is_row(row: Any) -> bool:
    return isinstance(row, dict) and isinstance(row.get("organ"), str) and isinstance(row.get("caption"), str)
