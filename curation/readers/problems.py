"""Problems with rows of the input: rows that were skipped (not used), and rows that were used with a warning."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict

from curation.report import RowProblem

FIRST_PROBLEMS = 5
# What is said of the whole input, such as which column was taken, is not crowded out by problems with rows.
FIRST_REMARKS = 10


class ProblemLog:
    """Counts problems, keeps the first few at hand and writes all of them to a temporary file as JSON lines.

    ``skipped`` counts the rows that were not used, ``warnings`` those that were used all the same.
    """

    def __init__(self) -> None:
        self._remarks: list[RowProblem] = []
        self._rows: list[RowProblem] = []
        self.skipped = self.warnings = 0
        self._lines = tempfile.SpooledTemporaryFile(max_size=1 << 20)  # noqa: SIM115 -- closed by close()

    def __call__(self, problem: RowProblem) -> None:
        """Add a problem."""
        if problem.kept:
            self.warnings += 1
        else:
            self.skipped += 1
        first, most = (self._remarks, FIRST_REMARKS) if problem.row is None else (self._rows, FIRST_PROBLEMS)
        if len(first) < most:
            first.append(problem)
        self._lines.write(json.dumps(asdict(problem), ensure_ascii=True).encode() + b"\n")

    @property
    def first(self) -> list[RowProblem]:
        """The first problems with rows, behind the first that speak of the whole input."""
        return [*self._remarks, *self._rows]

    def lines(self) -> Iterator[bytes]:
        """Yield all problems as JSON lines, in the order in which they were met."""
        self._lines.seek(0)
        yield from self._lines

    def close(self) -> None:
        """Delete the temporary file."""
        self._lines.close()


def problem_lines(problems: Sequence[RowProblem], count: int) -> list[str]:
    """Return the first problems, each with its place, and a line that says how many more of ``count`` there are."""
    lines = [f"{problem.file}: {place_of(problem)}{problem.problem}" for problem in problems]
    if count > len(lines):
        lines.append(f"… and {count - len(lines):,} more")
    return lines


def place_of(problem: RowProblem) -> str:
    """Return where in its file a problem is, as "row 3 (line 5): "; "" where it speaks of the whole file."""
    if problem.row is None:
        return ""
    line = "" if problem.line is None else f" (line {problem.line:,})"
    return f"row {problem.row:,}{line}: "
