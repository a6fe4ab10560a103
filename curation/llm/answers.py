"""What a model's answer claims: its JSON taken apart, whatever stands around it, and what is wrong with it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

from pydantic_core import from_json, to_json

from curation.caption import Draft, Reason

Form = Literal["organs", "captions"]

_THOUGHT_END = re.compile(r"</think(?:ing)?>", re.IGNORECASE)
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


def read_answer(content: str, finish_reason: str, form: Form, organs: Sequence[str] = ()) -> Claims:
    """Take an answer apart. ``form`` is that of the prompt: a key for each of ``organs``, or a list of captions."""
    body = without_wrapping(content)
    try:
        found = json_value(body)
    except ValueError as error:
        return Claims(_complete(body, form), broken(content, body, finish_reason, str(error)))
    drafts, wrong = _by_organ(found, organs) if form == "organs" else _listed(found)
    return Claims(tuple(drafts), Problem(Reason.SCHEMA, wrong) if wrong else None)


def broken(content: str, body: str, finish_reason: str, error: str) -> Problem:
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


def without_wrapping(content: str) -> str:
    """The answer without thoughts and code fences, from its first bracket on."""
    text = _behind_thoughts(content)
    if "```" in text and (fenced := _FENCE.search(text)):
        text = fenced[1]
    opening = _OPENING.search(text)
    return text[opening.start() :].translate(_CONTROL) if opening else ""


def _behind_thoughts(content: str) -> str:
    """What follows the model's thoughts; all of it where nothing does."""
    end = max((found.end() for found in _THOUGHT_END.finditer(content)), default=0)
    return content[end:] if content[end:].strip() else content


def json_value(body: str) -> Any:
    """The JSON value that ``body`` is, or at least begins with. Raises ``ValueError``."""
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


Found = tuple[list[Draft], str]
"""Drafts, and what is wrong with the rest; empty when nothing is."""


def _by_organ(found: Any, organs: Sequence[str]) -> Found:
    if not isinstance(found, dict):
        return [], f"an object with a key for each organ was expected, not {_shown(found)}"
    drafts: list[Draft] = []
    wrong = ""
    for organ, said in found.items():
        for caption in said if isinstance(said, list) else [said]:
            if isinstance(caption, str):
                drafts += [Draft(organ, clean)] if (clean := _clean(caption)) else []
            elif caption is not None:
                wrong = wrong or f"{organ}: null or a list of captions was expected, not {_shown(caption)}"
    missing = [organ for organ in organs if organ not in found]
    if missing and not wrong:
        more = f" and {len(missing) - 5} more" if len(missing) > 5 else ""
        wrong = f"no key for {', '.join(missing[:5])}{more}; every organ needs one, null where the report is silent"
    return drafts, wrong


def _listed(found: Any) -> Found:
    rows = found.get("captions") if isinstance(found, dict) else found
    if not isinstance(rows, list):
        return [], f'{{"captions": [...]}} was expected, not {_shown(found)}'
    drafts: list[Draft] = []
    wrong = ""
    for row in rows:
        if _is_row(row):
            drafts.append(Draft(_clean(row["organ"]), _clean(row["caption"])))
        else:
            wrong = wrong or f"an organ and a caption were expected, not {_shown(row)}"
    return drafts, wrong


def _clean(text: str) -> str:
    """On one line, without signs that no text has."""
    return " ".join(text.translate(_CONTROL).split())


def _shown(value: Any) -> str:
    text = to_json(value).decode()
    return text if len(text) <= 80 else f"{text[:80]}…"


def _complete(body: str, form: Form) -> tuple[Draft, ...]:
    """Captions that stand whole in an answer that breaks off; the one it breaks off in is left out."""
    try:
        found = from_json(body, allow_partial=True)
    except ValueError:
        return ()
    return tuple((_by_organ(found, ()) if form == "organs" else _listed(found))[0])


def _is_row(row: Any) -> bool:
    return isinstance(row, dict) and isinstance(row.get("organ"), str) and isinstance(row.get("caption"), str)
