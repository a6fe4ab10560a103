"""A judge's verdicts on the sample: each caption that has none is put to a language model, and each verdict is stored.

Verdicts are stored as they come, so that a run that is killed loses only what it was waiting for.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from typing import NamedTuple

from curation.engines.chat import ChatEngine, EngineDown
from curation.llm.engine_thread import EngineThread, results_as_they_come
from curation.llm.pool import CHARACTERS_PER_TOKEN
from curation.llm.recipes import Connect
from curation.report_page.passages import evidence_or_nearest
from curation.runtime.errors import InputError, RunError
from curation.runtime.progress import Progress
from prompts.judge_file import JudgePrompt

from .judge_case import JudgeCase, JudgeVerdict, judge_case
from .store import AuditStore


class JudgeRun(NamedTuple):
    """The outcome of a run: captions judged in it, judged before, and left without a verdict.

    ``problem`` is why the first of the captions without a verdict has none.
    """

    judge: str
    judged: int
    judged_before: int
    failed: int
    problem: str | None


def judge_sample(
    store: AuditStore, model: str, connect: Connect, prompt: JudgePrompt, max_tokens: int | None, progress: Progress
) -> JudgeRun:
    """Have a model judge the captions that it has not judged yet. A run that is stopped goes on where it was.

    Raises what ``judge_captions`` does.
    """
    name = f"{model}, {prompt.name} {prompt.hash[:8]}"
    judged_before = store.value("SELECT count(*) FROM judgement WHERE judge = ?", name)
    problems: list[str] = []
    judged = 0

    def save(result: JudgeVerdict) -> None:
        nonlocal judged
        if result.verdict is None:
            problems.append(result.error or "no verdict")
            return
        now = datetime.now(UTC).isoformat(timespec="seconds")
        row = (name, result.key, result.verdict, result.passage, result.why, now)
        store.connection.execute("INSERT OR REPLACE INTO judgement VALUES (?, ?, ?, ?, ?, ?)", row)
        judged += 1

    size = store.value("SELECT count(*) FROM item WHERE kind <> 'uncovered'")
    progress.start(size, judged_before)
    if size > judged_before:
        limit = max_tokens or prompt.file.response.max_tokens
        judge_captions(connect, prompt, _cases(store, name), save, progress, limit)
    return JudgeRun(name, judged, judged_before, len(problems), problems[0] if problems else None)


def _cases(store: AuditStore, judge: str) -> Iterator[JudgeCase]:
    """Yield the captions that a judge has not judged, those of one report together."""
    items = store.rows(
        """SELECT item.id FROM item JOIN caption ON caption.id = item.caption
        WHERE item.kind <> 'uncovered' AND NOT EXISTS (SELECT 1 FROM judgement WHERE judge = ? AND item = item.id)
        ORDER BY report, item.id""",
        judge,
    )
    query = """SELECT text, caption.organ, caption.caption, evidence_start, evidence_end, spans, nearest
        FROM item
        JOIN caption ON caption.id = item.caption JOIN report ON report.id = caption.report WHERE item.id = ?"""
    for (item,) in items:
        ((text, organ, caption, start, end, spans, nearest),) = store.rows(query, item)
        span = evidence_or_nearest(text, start, end, nearest, caption)
        yield JudgeCase(item, text, organ, caption, json.loads(spans) if spans else [span] if span else [])


def judge_captions(
    connect: Callable[[], Awaitable[ChatEngine]],
    prompt: JudgePrompt,
    cases: Iterable[JudgeCase],
    save: Callable[[JudgeVerdict], None],
    progress: Progress,
    max_tokens: int,
) -> None:
    """Have a model judge some captions; ``save`` is called, in this thread, with each verdict as it comes.

    Captions of one report should follow each other: most servers read it only once then. They are taken from ``cases``
    a few at a time, and come back in no particular order. Raises ``InputError`` where not even the prompt fits into
    the model, ``RunError`` where the engine goes down, ``Interrupted`` where the progress says so.
    """
    try:
        with closing(EngineThread(connect, progress.raise_if_interrupted)) as host:
            _check_room(prompt, max_tokens, host.engine.context)
            jobs = (judge_case(host.engine, prompt, case, max_tokens) for case in cases)
            for result in results_as_they_come(host, jobs, progress.raise_if_interrupted):
                save(result)
                progress.advance()
    except EngineDown as error:
        raise RunError(str(error)) from error


def _check_room(prompt: JudgePrompt, max_tokens: int, context: int | None) -> None:
    """Raise ``InputError`` where not even a caption without a report would fit into the model."""
    tokens = sum(len(content) for _, content in prompt.messages("", "", "")) // CHARACTERS_PER_TOKEN
    if context is not None and tokens + max_tokens > context:
        raise InputError(
            f"the judge's prompt {prompt.name} alone has about {tokens:,} tokens and its answers may have "
            f"{max_tokens:,}, but the model takes {context:,} in all: lower --max-tokens, take out examples, or take a "
            "model of longer context (--context, if the server has more)"
        )
