"""Verdicts by a language model: each caption is put to it with its report, and what it says is taken apart.

Nothing is kept here. What comes back is handed to the caller at once, so that a run that is killed loses only what it
was waiting for.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Iterator
from concurrent.futures import Future
from contextlib import closing
from queue import Empty, SimpleQueue
from typing import Any, NamedTuple

from curation.caption_set.audit_results import Verdict
from curation.engines.chat import Answer, Chat, ChatEngine, ChatFailed, EngineDown, Message, TooLong
from curation.language.statements import split_statements
from curation.llm.answers import broken, json_value, without_wrapping
from curation.llm.dialogue import with_error
from curation.llm.pool import CHARACTERS_PER_TOKEN, Host
from curation.runtime.errors import InputError, RunError
from curation.runtime.progress import Progress
from prompts.judge_file import LONGEST_PASSAGE, LONGEST_WHY, JudgePrompt

REACHES = (3_000, 800)
"""Characters to each side of its evidence that a caption is judged by, where its whole report is too long."""


class Case(NamedTuple):
    """A caption to be judged. ``key`` is the caller's own name for it.

    ``start`` and ``end`` are where its evidence, or the nearest passage, stands in the report; -1 where there is none.
    """

    key: int
    report: str
    organ: str
    caption: str
    start: int
    end: int


class Judged(NamedTuple):
    """What a model says of a caption: a verdict with the passage it goes by, or an error why there is none."""

    key: int
    verdict: Verdict | None
    passage: str
    why: str
    error: str | None


def judge(
    connect: Callable[[], Awaitable[ChatEngine]],
    prompt: JudgePrompt,
    cases: Iterable[Case],
    keep: Callable[[Judged], None],
    progress: Progress,
    max_tokens: int,
) -> None:
    """Have a model judge some captions; ``keep`` is called, in this thread, with each verdict as it comes.

    Captions of one report should follow each other: most servers read it only once then. They are taken from ``cases``
    a few at a time, and come back in no particular order. Raises ``InputError`` where not even the prompt fits into
    the model, ``RunError`` where the engine goes down, ``Interrupted`` where the progress says so.
    """
    try:
        with closing(Host(connect, progress.raise_if_interrupted)) as host:
            _check_room(prompt, max_tokens, host.engine.context)
            for judged in _as_they_come(host, prompt, cases, progress.raise_if_interrupted, max_tokens):
                keep(judged)
                progress.advance()
    except EngineDown as error:
        raise RunError(str(error)) from error


def _check_room(prompt: JudgePrompt, max_tokens: int, context: int | None) -> None:
    """Raise ``InputError`` where not even a caption without a report would fit."""
    tokens = sum(len(content) for _, content in prompt.messages("", "", "")) // CHARACTERS_PER_TOKEN
    if context is not None and tokens + max_tokens > context:
        raise InputError(
            f"the judge's prompt {prompt.name} alone has about {tokens:,} tokens and its answers may have "
            f"{max_tokens:,}, but the model takes {context:,} in all: lower --max-tokens, take out examples, or take a "
            "model of longer context (--context, if the server has more)"
        )


def _as_they_come(
    host: Host, prompt: JudgePrompt, cases: Iterable[Case], check: Callable[[], None], max_tokens: int
) -> Iterator[Judged]:
    done: SimpleQueue[Future[Judged]] = SimpleQueue()
    under_way, most = 0, 2 * host.engine.in_flight  # while the model works on some, as many again are made ready
    for case in cases:
        check()
        host.begin(judge_case(host.engine, prompt, case, max_tokens)).add_done_callback(done.put)
        under_way += 1
        while under_way >= most or not done.empty():
            yield _next(done, check)
            under_way -= 1
    for _ in range(under_way):
        yield _next(done, check)


def _next(done: SimpleQueue[Future[Judged]], check: Callable[[], None]) -> Judged:
    while True:
        check()
        try:
            return done.get(timeout=0.2).result()
        except Empty:
            continue


async def judge_case(engine: ChatEngine, prompt: JudgePrompt, case: Case, max_tokens: int) -> Judged:
    """Have a model judge a caption. Raises ``EngineDown``; whatever else goes wrong is the caption's own error."""
    error = ""
    for report in _shorter_and_shorter(case):
        try:
            turns = prompt.messages(report, case.organ, case.caption)
        except Exception as wrong:  # a template is a program, and not ours
            return _without_verdict(case, f"the prompt {prompt.name} cannot be filled in: {wrong}")
        chat = Chat(tuple(Message(*turn) for turn in turns), prompt.schema, max_tokens)
        try:
            return await _asked(engine, chat, case)
        except ChatFailed as failed:
            return _without_verdict(case, str(failed))
        except TooLong as too_long:
            error = error or f"too long for the model: {too_long}"
    return _without_verdict(case, error)


def _shorter_and_shorter(case: Case) -> Iterator[str]:
    """The report, then its statements around the evidence, if that is known: the rest of it seldom matters."""
    shown = case.report
    yield shown
    for reach in REACHES if 0 <= case.start < case.end else ():
        around = _around(case, reach)
        if len(around) < len(shown):
            yield (shown := around)


def _around(case: Case, reach: int) -> str:
    """Whole statements: half of one could say the opposite, or another number."""
    first, last = case.start, case.end
    for start, end in split_statements(case.report):
        touches = start < case.end and end > case.start
        if touches or (start >= case.start - reach and end <= case.end + reach):
            first, last = min(first, start), max(last, end)
    before, behind = "… " * (first > 0), " …" * (last < len(case.report))
    return f"{before}{case.report[first:last]}{behind}"


async def _asked(engine: ChatEngine, chat: Chat, case: Case) -> Judged:
    """The verdict, at the second try if need be. Raises what ``ChatEngine.answer`` does."""
    answer = await engine.answer(chat)
    judged = _read(case, answer)
    if judged.error is None:
        return judged
    try:
        return _read(case, await engine.answer(with_error(chat, answer, judged.error)))
    except TooLong:
        return judged  # the error did not fit: the first answer stands


def _read(case: Case, answer: Answer) -> Judged:
    """The verdict in an answer, or what is wrong with it in words the model can use too."""
    content = answer.content.encode("utf-8", "replace").decode()
    body = without_wrapping(content)
    try:
        found = json_value(body)
    except ValueError as error:
        return _without_verdict(case, broken(content, body, answer.finish_reason, str(error)).detail)
    if not isinstance(found, dict):
        return _without_verdict(case, "an object with passage, why and verdict was expected")
    verdict = _verdict(found.get("verdict"))
    if verdict is None:
        said = f"not {str(found['verdict'])[:80]!r}" if "verdict" in found else "and there is none"
        return _without_verdict(case, f"verdict: one of {', '.join(Verdict)} was expected, {said}")
    passage, why = _text(found.get("passage"))[:LONGEST_PASSAGE], _text(found.get("why"))[:LONGEST_WHY]
    return Judged(case.key, verdict, passage, why, None)


def _verdict(said: Any) -> Verdict | None:
    """ "Wrong organ" is as good as ``wrong_organ``."""
    try:
        return Verdict("_".join(_text(said).lower().replace("-", " ").rstrip(".").split()))
    except ValueError:
        return None


def _text(said: Any) -> str:
    return " ".join(said.split()) if isinstance(said, str) else ""


def _without_verdict(case: Case, error: str) -> Judged:
    return Judged(case.key, None, "", "", error)
