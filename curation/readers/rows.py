"""Rows that could not be used, and warnings about others: counted, the first few at hand, all of them in a list."""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from typing import Protocol

from curation.report import Skipped

SHOWN = 5


class Problems:
    """The rows that could not be used, and warnings: counted, the first few kept, all of them in a file."""

    def __init__(self) -> None:
        self.first: list[Skipped] = []
        self.skipped = self.warnings = 0
        self._lines = tempfile.SpooledTemporaryFile(max_size=1 << 20)  # noqa: SIM115 -- closed by close()

    def __call__(self, problem: Skipped) -> None:
        """Note one."""
        if problem.kept:
            self.warnings += 1
        else:
            self.skipped += 1
        if len(self.first) < SHOWN:
            self.first.append(problem)
        self._lines.write(json.dumps(asdict(problem), ensure_ascii=True).encode() + b"\n")

    def lines(self) -> Iterator[bytes]:
        """All of them, as JSON lines."""
        self._lines.seek(0)
        yield from self._lines

    def close(self) -> None:
        """Drop the file."""
        self._lines.close()


class DamagedError(Exception):
    """A file that can be read up to here and no further."""


class Note(Protocol):
    """Passes on a problem as it is met, so that nothing is dropped in silence."""

    def __call__(self, row: int | None, problem: str, *, kept: bool = False, file: str | None = None) -> None: ...


@dataclass(slots=True)
class Row:
    """One data row. ``number`` counts from 1; ``surplus`` holds cells beyond the last column, cut at ``delimiter``."""

    number: int
    cells: dict[str, str]
    surplus: list[str] = field(default_factory=list)
    delimiter: str = ","


@dataclass(slots=True)
class Table:
    """Columns (for JSON: those of the first rows) and a stream of rows, read once."""

    columns: tuple[str, ...]
    rows: Iterator[Row]


UNUSABLE = re.compile("[\x00\ud800-\udfff]")


def clean(value: str) -> str:
    """Replace NUL by a space and half a surrogate pair by U+FFFD, one for one, so that offsets stay as they are.

    Neither can be stored in Parquet and shown again.
    """
    if value.isascii() and "\0" not in value:
        return value
    return UNUSABLE.sub(lambda found: " " if found[0] == "\0" else "\ufffd", value)


def as_text(value: object) -> str:
    """A cell of any type as text: nothing for null and NaN, ``7`` for 7.0 (spreadsheets keep ids as floats)."""
    if isinstance(value, str):
        return value
    if value is None or value != value:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, list) and value and all(isinstance(item, str) for item in value):
        return "\n".join(value)
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False, default=str) if value else ""
    return str(value)


def flatten(record: dict[str, object], prefix: str = "") -> dict[str, str]:
    """Nested objects as one row: ``{"report": {"findings": "…"}}`` has the column ``report.findings``."""
    cells: dict[str, str] = {}
    for key, value in record.items():
        if isinstance(value, dict) and value:
            cells |= flatten(value, f"{prefix}{key}.")
        else:
            cells[f"{prefix}{key}"] = as_text(value)
    return cells


def problem_lines(problems: Sequence[Skipped], count: int) -> list[str]:
    """The first problem rows as ``file:row: problem``, and how many more there are."""
    lines = [f"{found.file}:{'' if found.row is None else f'{found.row}:'} {found.problem}" for found in problems]
    if count > len(lines):
        lines.append(f"… and {count - len(lines):,} more")
    return lines
