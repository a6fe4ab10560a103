"""One verdict by a language model: it gets the caption with its report, and the verdict is read from its answer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from curation.caption_set.audit_results import Verdict
from curation.engines.chat import Answer, Chat, ChatEngine, ChatFailed, Message, TooLong
from curation.language.statements import Span, split_statements
from curation.llm.answer_parsing import json_problem, json_value, without_wrapping
from curation.llm.dialogue import with_error
from prompts.judge_file import LONGEST_PASSAGE, LONGEST_WHY, JudgePrompt

EXCERPT_MARGINS = (3_000, 800)
"""Characters to each side of its evidence that a caption is judged by, where its whole report is too long."""


class JudgeCase(NamedTuple):
    """A caption to be judged. ``key`` is chosen by the caller, and returned with the verdict.

    ``spans`` are where its evidence, or the nearest passage, stands in the report; empty where there is none.
    """

    key: int
    report: str
    organ: str
    caption: str
    spans: Sequence[tuple[int, int]]


class JudgeVerdict(NamedTuple):
    """A model's verdict on a caption with the passage that it rests on, or the error why there is none."""

    key: int
    verdict: Verdict | None
    passage: str
    why: str
    error: str | None


async def judge_case(engine: ChatEngine, prompt: JudgePrompt, case: JudgeCase, max_tokens: int) -> JudgeVerdict:
    """Have a model judge a caption. Raises ``EngineDown``; whatever else goes wrong is the caption's own error."""
    error = ""
    for report in _shorter_and_shorter(case):
        try:
            turns = prompt.messages(report, case.organ, case.caption)
        except Exception as template_error:  # a template is a program, and not ours
            return _without_verdict(case, f"the prompt {prompt.name} cannot be filled in: {template_error}")
        chat = Chat(tuple(Message(*turn) for turn in turns), prompt.schema, max_tokens)
        try:
            return await _ask(engine, chat, case)
        except ChatFailed as failure:
            return _without_verdict(case, str(failure))
        except TooLong as too_long:
            error = error or f"too long for the model: {too_long}"
    return _without_verdict(case, error)


def _shorter_and_shorter(case: JudgeCase) -> Iterator[str]:
    """Yield the report, then its statements around the evidence, if that is known: the rest of it seldom matters."""
    shown = case.report
    yield shown
    for margin in EXCERPT_MARGINS if case.spans else ():
        excerpt = _excerpt(case, margin)
        if len(excerpt) < len(shown):
            yield (shown := excerpt)


def _excerpt(case: JudgeCase, margin: int) -> str:
    """Return the statements around the evidence, whole: half of one could say the opposite, or another number."""
    statements = split_statements(case.report)
    stretches = [_statements_around(statements, span, margin) for span in case.spans]
    joined: list[tuple[int, int]] = []
    for first, last in sorted(stretches):
        if joined and first <= joined[-1][1]:
            first, last = joined[-1][0], max(joined.pop()[1], last)
        joined.append((first, last))
    before, behind = "… " * (joined[0][0] > 0), " …" * (joined[-1][1] < len(case.report))
    return before + " … ".join(case.report[first:last] for first, last in joined) + behind


def _statements_around(statements: Sequence[Span], span: tuple[int, int], margin: int) -> tuple[int, int]:
    """Return the stretch of statements that touch a passage or lie within ``margin`` characters of it."""
    first, last = span
    for start, end in statements:
        touches = start < span[1] and end > span[0]
        if touches or (start >= span[0] - margin and end <= span[1] + margin):
            first, last = min(first, start), max(last, end)
    return first, last


async def _ask(engine: ChatEngine, chat: Chat, case: JudgeCase) -> JudgeVerdict:
    """Return the verdict, at the second try if need be. Raises what ``ChatEngine.answer`` does."""
    answer = await engine.answer(chat)
    result = _read_answer(case, answer)
    if result.error is None:
        return result
    try:
        return _read_answer(case, await engine.answer(with_error(chat, answer, result.error)))
    except TooLong:
        return result  # the error did not fit: the first answer stands


def _read_answer(case: JudgeCase, answer: Answer) -> JudgeVerdict:
    """Return the verdict in an answer, or what is wrong with it in words that the model can use too."""
    content = answer.content.encode("utf-8", "replace").decode()
    body = without_wrapping(content)
    try:
        value = json_value(body)
    except ValueError as error:
        return _without_verdict(case, json_problem(content, body, answer.finish_reason, str(error)).detail)
    if not isinstance(value, dict):
        return _without_verdict(case, "an object with passage, why and verdict was expected")
    verdict = _read_verdict(value.get("verdict"))
    if verdict is None:
        problem = f"not {str(value['verdict'])[:80]!r}" if "verdict" in value else "and there is none"
        return _without_verdict(case, f"verdict: one of {', '.join(Verdict)} was expected, {problem}")
    passage, why = _text(value.get("passage"))[:LONGEST_PASSAGE], _text(value.get("why"))[:LONGEST_WHY]
    return JudgeVerdict(case.key, verdict, passage, why, None)


def _read_verdict(value: Any) -> Verdict | None:
    """Return the verdict that a model names; "Wrong organ" is as good as ``wrong_organ``."""
    try:
        return Verdict("_".join(_text(value).lower().replace("-", " ").rstrip(".").split()))
    except ValueError:
        return None


def _text(value: Any) -> str:
    return " ".join(value.split()) if isinstance(value, str) else ""


def _without_verdict(case: JudgeCase, error: str) -> JudgeVerdict:
    return JudgeVerdict(case.key, None, "", "", error)
