"""Parses a model's answer: the captions in its JSON, whatever stands around it, and what is wrong with it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

from pydantic_core import from_json, to_json

from curation.caption import Draft, Reason, RefusedCaption
from curation.engines.thinking.thoughts import after_thoughts, is_only_thoughts
from prompts.answer_form import LONGEST_QUOTE
from prompts.prompt_file import MOST_QUOTES

from .answer_limits import WIDE_LIMITS, AnswerLimits, within_limits

AnswerForm = Literal["organs", "captions"]
"""An object with a key for each organ, or a list of captions."""

_FENCE = re.compile(r"```(?:json)?[ \t]*\n(.*?)(?:\n[ \t]*```|\Z)", re.DOTALL | re.IGNORECASE)
_OPENING = re.compile(r"[{\[]")
_SIGNIFICANT = re.compile(r'\\.|["{}\[\]]', re.DOTALL)
_LOOP = re.compile(r"\s{80,}|(.{1,80}?)\1{8,}", re.DOTALL)
"""White space without end, or the same words over and over."""
LOOP_CHARACTERS = 2_000
"""Characters at the end of an answer in which a loop is looked for."""
MOST_LISTED = 100
LONGEST_READ = 10_000
"""Items of a list of quotes, and characters of a quote, that are looked at."""
_HALF_CHARACTER = re.compile(
    r"(?P<whole>\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2})|\\u[dD][89a-fA-F][0-9a-fA-F]{2}"
)
"""An escape that stands for half a character, in pairs or, where a model has lost its way, alone."""
_CONTROL = dict.fromkeys(range(32), " ")
"""Tabs and the like, which constrained decoding lets into strings and JSON does not."""


class AnswerProblem(NamedTuple):
    """Why an answer cannot be used as it is: a reason, and what exactly is wrong, in words the model can use too."""

    reason: Reason
    detail: str


class ParsedAnswer(NamedTuple):
    """The drafts in an answer. With a problem, the drafts are those that are complete in spite of it.

    ``oversized`` are the captions beyond the limits of the prompt, refused, with no more of their text than is allowed.
    """

    drafts: tuple[Draft, ...]
    problem: AnswerProblem | None
    oversized: tuple[RefusedCaption, ...] = ()


def parse_answer(
    content: str,
    finish_reason: str,
    form: AnswerForm,
    organs: Sequence[str] = (),
    limits: AnswerLimits = WIDE_LIMITS,
) -> ParsedAnswer:
    """Parse an answer. ``form`` is that of the prompt; in the form ``organs`` a key for each of ``organs`` is due.

    Captions beyond the ``limits`` of the prompt are no drafts: a server need not keep to the schema that it is given.
    """
    body = without_wrapping(content)
    try:
        value = json_value(body)
    except ValueError as error:
        drafts = _complete_drafts(body, form)
        answer_problem: AnswerProblem | None = json_problem(content, body, finish_reason, str(error))
    else:
        drafts, problem = _read_organs(value, organs) if form == "organs" else _read_list(value)
        answer_problem = AnswerProblem(Reason.SCHEMA, problem) if problem else None
    within, oversized = within_limits(drafts, limits, by_organ=form == "organs")
    return ParsedAnswer(tuple(within), answer_problem, tuple(oversized))


def json_problem(content: str, body: str, finish_reason: str, error: str) -> AnswerProblem:
    """Return what is wrong with an answer that is no JSON. ``body`` is the answer ``without_wrapping``."""
    if finish_reason in ("length", "repetition"):
        looping = " repeats itself and" if is_loop(content, finish_reason) else ""
        return AnswerProblem(Reason.TRUNCATED, f"the answer{looping} was cut off after {len(content):,} characters")
    if is_only_thoughts(content):
        return AnswerProblem(Reason.SCHEMA, "the model only thinks: no answer follows its thoughts")
    if not body:
        start = content.strip()[:80]
        end = "" if finish_reason == "stop" else f" (it ended with “{finish_reason}”)"
        return AnswerProblem(
            Reason.SCHEMA, (f"no JSON in the answer: “{start}”" if start else "the answer is empty") + end
        )
    return AnswerProblem(Reason.SCHEMA, f"not JSON: {error}")


def is_loop(content: str, finish_reason: str) -> bool:
    """Return whether an answer ends in white space or in repetitions instead of coming to an end."""
    return finish_reason == "repetition" or _LOOP.search(content[-LOOP_CHARACTERS:]) is not None


def without_wrapping(content: str) -> str:
    """Return the answer without thoughts and code fences, from its first bracket on; "" without a bracket."""
    text = after_thoughts(content)
    if "```" in text and (fenced := _FENCE.search(text)):
        text = fenced[1]
    opening = _OPENING.search(text)
    return _whole_characters(text[opening.start() :].translate(_CONTROL)) if opening else ""


def _whole_characters(body: str) -> str:
    """Return JSON with a mark in place of each half of a character, escaped or not: no JSON holds these."""
    if "\\u" in body:
        body = _HALF_CHARACTER.sub(lambda match: match["whole"] or r"\ufffd", body)
    return body.encode("utf-8", "replace").decode()


def json_value(body: str) -> Any:
    """Return the JSON value that ``body`` is, or at least begins with. Raises ``ValueError``."""
    try:
        return from_json(body)
    except ValueError:
        return from_json(_first_value(body))


def _first_value(body: str) -> str:
    """Return the JSON value that ``body`` begins with, without the text that a model adds behind it."""
    depth, in_string = 0, False
    for match in _SIGNIFICANT.finditer(body):
        character = match[0]
        if in_string:
            in_string = character != '"'
        elif character == '"':
            in_string = True
        elif character in "{[":
            depth += 1
        elif character in "}]":
            depth -= 1
            if depth == 0:
                return body[: match.end()]
    return body


DraftsAndProblem = tuple[list[Draft], str]
"""Drafts, and what is wrong with the rest; "" when nothing is."""


def _read_organs(value: Any, organs: Sequence[str]) -> DraftsAndProblem:
    if not isinstance(value, dict):
        return [], f"an object with a key for each organ was expected, not {_shown(value)}"
    drafts: list[Draft] = []
    problem = ""
    for organ, captions in value.items():
        for caption in captions if isinstance(captions, list) else [captions]:
            if isinstance(caption, str):
                drafts += [Draft(organ, clean)] if (clean := _on_one_line(caption)) else []
            elif caption is not None:
                problem = problem or f"{organ}: null or a list of captions was expected, not {_shown(caption)}"
    missing = [organ for organ in organs if organ not in value]
    if missing and not problem:
        more = f" and {len(missing) - 5} more" if len(missing) > 5 else ""
        problem = f"no key for {', '.join(missing[:5])}{more}; every organ needs one, null where the report is silent"
    return drafts, problem


def _read_list(value: Any) -> DraftsAndProblem:
    rows = value.get("captions") if isinstance(value, dict) else value
    if not isinstance(rows, list):
        return [], f'{{"captions": [...]}} was expected, not {_shown(value)}'
    drafts: list[Draft] = []
    problem = ""
    for row in rows:
        if _is_caption_row(row):
            drafts.append(Draft(_on_one_line(row["organ"]), _on_one_line(row["caption"]), quotes=_quotes(row)))
        else:
            problem = problem or f"an organ and a caption were expected, not {_shown(row)}"
    return drafts, problem


def _is_caption_row(row: Any) -> bool:
    return isinstance(row, dict) and isinstance(row.get("organ"), str) and isinstance(row.get("caption"), str)


def _quotes(row: dict[str, Any]) -> tuple[str, ...]:
    """Return the passages of a caption, under ``quotes`` or, where one is asked for, ``quote``; the first few."""
    quotes = row.get("quotes", row.get("quote"))
    listed = quotes if isinstance(quotes, list) else [quotes]
    passages = [quote for quote in listed[:MOST_LISTED] if isinstance(quote, str) and quote.strip()][:MOST_QUOTES]
    return tuple(_on_one_line(quote[:LONGEST_READ])[: LONGEST_QUOTE + 1] for quote in passages)


def _on_one_line(text: str) -> str:
    """Return a text on one line, without control characters."""
    return " ".join(text.translate(_CONTROL).split())


def _shown(value: Any) -> str:
    text = to_json(value).decode()
    return text if len(text) <= 80 else f"{text[:80]}…"


def _complete_drafts(body: str, form: AnswerForm) -> list[Draft]:
    """Return the captions before the place where an answer breaks off; the one that is cut is left out."""
    try:
        value = from_json(body, allow_partial=True)
    except ValueError:
        return []
    return (_read_organs(value, ()) if form == "organs" else _read_list(value))[0]
