"""What tests of second readers share: a small set, a model that reads it rightly or as told, and runs of it."""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from curation.audit.folder import finished_set
from curation.audit.second_reader.reader_run import ModelReader, ReaderRun, read_set
from curation.audit.second_reader.readings import Reading, ReadingStore, readings_to_write
from curation.engines.chat import Answer, ChatEngine
from curation.runtime.progress import Progress
from prompts.second_reader.reader_file import load_reader_prompt
from tests.curation.audit.builders import plain_reports, write_set
from tests.curation.fakes import FakeChat

PROMPT = load_reader_prompt()
READER = "llm-1, second reader"
Row = dict[str, Any]
RIGHT = {
    "liver is normal": {"organ": "liver", "status": "normal", "said": "yes"},
    "cyst": {"organ": "left kidney", "status": "abnormal", "said": "yes"},
    "enlarged": {"organ": "spleen", "status": "uncertain", "said": "yes"},
}
"""What a reader says of the captions of ``plain_reports``, by words of theirs."""


def numbered(question: str) -> dict[int, str]:
    """Return the captions in a question by their number."""
    return {
        int(number): text for number, text in re.findall(r"^(\d+)\. (.+)$", question.partition("Captions:")[2], re.M)
    }


def rows_for(question: str) -> list[Row]:
    """Return the right rows of an answer."""
    return [
        {"number": number, **next(row for words, row in RIGHT.items() if words in text)}
        for number, text in numbered(question).items()
    ]


def rightly(question: str) -> str:
    return json.dumps({"captions": rows_for(question)})


def changed(words: str, **changes: str) -> Callable[[str], str]:
    """Return a model that reads captions with some words otherwise."""

    def respond(question: str) -> str:
        texts = numbered(question)
        rows = [row | (changes if words in texts[row["number"]] else {}) for row in rows_for(question)]
        return json.dumps({"captions": rows})

    return respond


def connected(chat: ChatEngine) -> Callable[[], Awaitable[ChatEngine]]:
    async def connect() -> ChatEngine:
        return chat

    return connect


def small_set(root: Path, reports: int = 4) -> Path:
    write_set(root, plain_reports(reports))
    return root


def read_by(
    root: Path,
    respond: Callable[[str], str | Answer] | FakeChat = rightly,
    name: str = READER,
    progress: Progress | None = None,
) -> ReaderRun:
    """Have a model read the set."""
    chat = respond if isinstance(respond, FakeChat) else FakeChat(respond)
    manifest = finished_set(root)
    with readings_to_write(root, manifest) as store:
        return read_set(root, manifest, store, name, ModelReader(connected(chat), PROMPT), progress or Progress())


def stored(store: ReadingStore) -> list[Reading]:
    """Return all readings in the order of the set."""
    columns = ", ".join(Reading._fields)
    rows = store._connection.execute(f"SELECT {columns} FROM reading ORDER BY reader, part, row")
    return [Reading(*row) for row in rows]
