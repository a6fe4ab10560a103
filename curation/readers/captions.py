"""Read captions from anywhere and bring them together with the reports they are about, whatever order they come in."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import NamedTuple

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from curation.report import Report, RowProblem, Section
from curation.runtime.errors import InputError

from .layouts import plain_name
from .rows import TableRow
from .tables import open_table


class CaptionInput(BaseModel):
    """A row of a captions table, before it is compared with its report. An unknown field is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    report_id: str = Field(min_length=1)
    organ: str
    caption: str


COLUMNS = tuple(CaptionInput.model_fields)
BATCH_CLAIMS = 256
BATCH_CHARACTERS = 1_000_000

ReportText = tuple[str, tuple[Section, ...]]


class CaptionClaim(NamedTuple):
    """A caption that is claimed of a report; ``problem`` says why it cannot be compared with one, None if it can."""

    report_id: str
    organ: str
    caption: str
    problem: str | None


class ClaimBatch(NamedTuple):
    """Claims, with text and sections of the reports they are about by report id."""

    claims: list[CaptionClaim]
    texts: dict[str, ReportText]


class ReportIndex:
    """Stores reports by id in a nameless file that SQLite removes by itself: captions need not come in their order."""

    def __init__(self) -> None:
        self._base = sqlite3.connect("", isolation_level=None)
        self._base.execute("PRAGMA synchronous=OFF")
        self._base.execute("CREATE TABLE report (id TEXT PRIMARY KEY, text TEXT, sections TEXT)")

    def fill(self, reports: Iterable[Report]) -> int:
        """Store reports and return their number; of several with the same id the first counts."""
        rows = ((report.report_id, report.text, _sections_json(report.sections)) for report in reports)
        self._base.execute("BEGIN")
        count = self._base.executemany("INSERT OR IGNORE INTO report VALUES (?, ?, ?)", rows).rowcount
        self._base.execute("COMMIT")
        return count

    def get(self, report_id: str) -> ReportText | None:
        """Return text and sections of a report; None if there is none with this id."""
        row = self._base.execute("SELECT text, sections FROM report WHERE id = ?", (report_id,)).fetchone()
        return (row[0], tuple(Section(*section) for section in json.loads(row[1]))) if row else None

    def close(self) -> None:
        """Close the file, which removes it."""
        self._base.close()


def _sections_json(sections: Iterable[Section]) -> str:
    return json.dumps([(section.name, section.start, section.end) for section in sections])


def caption_files(path: Path) -> list[Path]:
    """Return the files that ``path`` names: itself, or the Parquet files of a folder, ordered by name."""
    if not path.is_dir():
        return [path]
    files = sorted(path.glob("*.parquet"))
    if not files:
        raise InputError(f"{path}: a folder without .parquet files; name a CSV, JSONL or Parquet file of captions")
    return files


def read_claims(path: Path, problems: Callable[[RowProblem], None]) -> Iterator[CaptionClaim]:
    """Stream captions from a table with the columns report_id, organ and caption, or a folder of such Parquet files.

    Problems with rows go to ``problems``. Raises ``InputError`` where a column is missing.
    """
    for file in caption_files(path):
        with open_table(file, partial(_note, problems, str(file))) as table:
            names = {plain_name(name): name for name in reversed(table.columns)}
            columns = {column: names.get(plain_name(column), "") for column in COLUMNS}
            missing = [column for column, name in columns.items() if not name]
            if missing:
                seen = ", ".join(table.columns) or "none"
                raise InputError(
                    f"{file}: no column {', '.join(missing)} (expected {', '.join(COLUMNS)}; seen: {seen})"
                )
            yield from (_claim(row, columns) for row in table.rows)


def _note(
    problems: Callable[[RowProblem], None],
    path: str,
    row: int | None,
    problem: str,
    *,
    kept: bool = False,
    file: str | None = None,
) -> None:
    problems(RowProblem(file or path, row, problem, kept))


def _claim(row: TableRow, columns: Mapping[str, str]) -> CaptionClaim:
    """Return the claim of a row; ``columns`` are the names that report_id, organ and caption have in its table."""
    cells = {column: row.cells.get(name, "") for column, name in columns.items()}
    cells["report_id"] = cells["report_id"].strip()
    problem = None
    if row.surplus:
        problem = f"row {row.number} has more cells than columns: put quotes around texts that hold the separator"
    try:
        CaptionInput.model_validate(cells)
    except ValidationError as error:
        problem = "; ".join(f"{fault['loc'][0]}: {fault['msg']}" for fault in error.errors())
    return CaptionClaim(**cells, problem=problem)


def batches_of(claims: Iterable[CaptionClaim], index: ReportIndex, reports: str) -> Iterator[ClaimBatch]:
    """Yield batches for a worker. A claim about a report that ``reports`` (a name) lacks gets that as its problem."""
    batch = ClaimBatch([], {})
    characters = 0
    for claim in claims:
        if claim.problem is None and claim.report_id not in batch.texts:
            text_and_sections = index.get(claim.report_id)
            if text_and_sections is None:
                claim = claim._replace(problem=f"report not found: {reports} has none with this id")
            else:
                batch.texts[claim.report_id] = text_and_sections
                characters += len(text_and_sections[0])
        batch.claims.append(claim)
        if len(batch.claims) >= BATCH_CLAIMS or characters >= BATCH_CHARACTERS:
            yield batch
            batch, characters = ClaimBatch([], {}), 0
    if batch.claims:
        yield batch
