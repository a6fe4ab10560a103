"""A judge's verdicts on the sample: what is missing is asked for, and kept as it comes."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import NamedTuple

from curation.llm.recipes import Connect
from curation.runtime.progress import Progress
from prompts.judge_file import JudgePrompt

from .judging import Case, Judged, judge
from .passages import passage
from .store import Store


class JudgeRun(NamedTuple):
    """What came of it. ``problem`` is why the first of the captions without a verdict has none."""

    judge: str
    judged: int
    known: int
    failed: int
    problem: str | None


def judge_sample(
    store: Store, model: str, connect: Connect, prompt: JudgePrompt, max_tokens: int | None, progress: Progress
) -> JudgeRun:
    """Have a model judge what it has not judged yet. A run that is stopped goes on where it was.

    Raises what ``judge`` does.
    """
    name = f"{model}, {prompt.name} {prompt.hash[:8]}"
    known = store.value("SELECT count(*) FROM judgement WHERE judge = ?", name)
    problems: list[str] = []
    kept = 0

    def keep(found: Judged) -> None:
        nonlocal kept
        if found.verdict is None:
            problems.append(found.error or "no verdict")
            return
        row = (
            name,
            found.key,
            found.verdict,
            found.passage,
            found.why,
            datetime.now(UTC).isoformat(timespec="seconds"),
        )
        store.base.execute("INSERT OR REPLACE INTO judgement VALUES (?, ?, ?, ?, ?, ?)", row)
        kept += 1

    left = store.value("SELECT count(*) FROM item") - known
    progress.start(left + known, known)
    if left:
        judge(connect, prompt, _cases(store, name), keep, progress, max_tokens or prompt.file.response.max_tokens)
    return JudgeRun(name, kept, known, len(problems), problems[0] if problems else None)


def _cases(store: Store, name: str) -> Iterator[Case]:
    """Captions that the judge has not judged, those of one report together."""
    items = store.rows(
        """SELECT item.id FROM item JOIN caption ON caption.id = item.caption
        WHERE NOT EXISTS (SELECT 1 FROM judgement WHERE judge = ? AND item = item.id) ORDER BY report, item.id""",
        name,
    )
    query = """SELECT text, caption.organ, caption.caption, evidence_start, evidence_end, nearest FROM item
        JOIN caption ON caption.id = item.caption JOIN report ON report.id = caption.report WHERE item.id = ?"""
    for (item,) in items:
        ((text, organ, caption, start, end, nearest),) = store.rows(query, item)
        found = passage(text, start, end, nearest, caption) or (-1, -1)
        yield Case(item, text, organ, caption, *found)
