"""The words that cost a caption set most statements: on these the rules refused them as not understood."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from curation.caption import Reason

from .set_files import part_path

DETAIL = "not understood: "
"""What the detail of such a refusal begins with; behind it stand the words, each in quotation marks."""
_WORD = re.compile(r"“([^”]*)”")


class UnknownWord(BaseModel):
    """A word that was not understood, with the number of ``statements`` that were refused for it, and one of them.

    The same statement in several reports counts once.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    word: str
    statements: int
    report_id: str
    example: str


def unknown_words(root: Path, parts: int) -> list[UnknownWord]:
    """Return the words on which statements of a set's ``parts`` were refused, those of most statements first."""
    statements: defaultdict[str, dict[str, str]] = defaultdict(dict)
    for row in _refusals(root, parts):
        statement = row["nearest"] or row["caption"]
        for word in words_in(row["detail"]):
            statements[word].setdefault(statement, row["report_id"])
    words = [
        UnknownWord(word=word, statements=len(reports), report_id=report_id, example=" ".join(statement.split()))
        for word, reports in statements.items()
        for statement, report_id in list(reports.items())[:1]
    ]
    return sorted(words, key=lambda word: (-word.statements, word.word))


def words_in(detail: str) -> Iterable[str]:
    """Return the words that the detail of a refusal names.

    >>> words_in("not understood: “ropy”, “wibbled”")
    ['ropy', 'wibbled']
    """
    return _WORD.findall(detail) if detail.startswith(DETAIL) else []


def _refusals(root: Path, parts: int) -> Iterator[dict[str, Any]]:
    """Yield the refusals of a set for words that were not understood."""
    import pyarrow.parquet as pq

    columns = ["report_id", "caption", "reason", "detail", "nearest"]
    for index in range(parts):
        with pq.ParquetFile(part_path(root, "rejects", index)) as file:
            for batch in file.iter_batches(batch_size=1_000, columns=columns):
                yield from (row for row in batch.to_pylist() if row["reason"] == Reason.NOT_UNDERSTOOD)
