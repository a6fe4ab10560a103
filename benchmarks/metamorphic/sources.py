"""Reports as the benchmark takes them: the texts of each report, before they are cut into sections.

The visible reports are in ``../shared/data/reports``, beside the checkout; our own are in ``examples``.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from curation.readers.layouts import TextColumn, find_layout
from curation.readers.sections import split_sections
from curation.readers.tables import open_table
from curation.report import Report, Section

ROOT = Path(__file__).resolve().parents[2]
REPORTS = ROOT.parent / "shared/data/reports"
SOURCES = {
    "ctrate": REPORTS / "ctrate_chest_ct.csv",
    "mtsamples": REPORTS / "mtsamples_ct.jsonl",
    "kidney": REPORTS / "kidney_ct/10_sample_input.xlsx",
    "examples": ROOT / "examples/reports.csv",
}


class Cell(NamedTuple):
    """A text of a report, and the section that it belongs to until a heading in it opens another one."""

    text: str
    section: str


class SourceReport(NamedTuple):
    """A report as its file has it: one cell, or one for findings and one for the impression."""

    source: str
    key: str
    cells: tuple[Cell, ...]


def read_source(source: str) -> Iterator[SourceReport]:
    """Yield the reports of a source with their texts; those without any are passed over."""
    with open_table(SOURCES[source], lambda row, problem, *, kept=False, file=None: None) as table:
        layout = find_layout(table.columns)
        for row in table.rows:
            cells = next(filter(None, (_cells(row.cells, columns) for columns in layout.texts)), ())
            if cells:
                key = row.cells.get(layout.id_column or "", "") or f"row {row.number}"
                yield SourceReport(source, key, cells)


def _cells(row: dict[str, str], columns: tuple[TextColumn, ...]) -> tuple[Cell, ...]:
    texts = ((row.get(column.name, "").strip(), column.section) for column in columns)
    return tuple(Cell(text, section) for text, section in texts if text)


def report_of(key: str, cells: tuple[Cell, ...]) -> Report:
    """Return the report that the reader makes of its cells: with a blank line between them, and with sections."""
    text, sections = "", list[Section]()
    for cell in cells:
        text += "\n\n" if text else ""
        sections += [
            Section(section.name, len(text) + section.start, len(text) + section.end)
            for section in split_sections(cell.text, cell.section)
        ]
        text += cell.text
    return Report(key, text, tuple(sections), {}, 1)
