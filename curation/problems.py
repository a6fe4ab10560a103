"""Rows that could not be used, and warnings about others: counted, the first few at hand, all of them in a list."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from dataclasses import asdict

from .reports import Skipped

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
