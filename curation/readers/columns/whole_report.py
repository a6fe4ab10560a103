"""Find the column that holds a whole report beside columns that hold parts of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from curation.readers.layouts import ROLES, ColumnLayout, TextColumn, listed, plain_name

from .samples import ColumnSample, plain_text

# A column holds others where it does so in this share of rows, and is longer by this factor.
MOST_ROWS = 0.6
LONGER = 1.1
# A column with headings of its own that is so many times longer is the report, whether or not it holds the others.
MANY_TIMES = 3.0


def prefer_whole_report(
    layout: ColumnLayout, samples: Mapping[str, ColumnSample], whole: Sequence[ColumnSample], notes: list[str]
) -> ColumnLayout:
    """Return the layout in which the longest text column that holds the others is read first; itself if there is none.

    ``whole`` are the columns that could be a report. Findings and impression that are both there go on to be read
    together, unless the whole report is many times longer. Either way ``notes`` says what was used.
    """
    by_name = layout.texts[0]
    best: tuple[ColumnSample, list[ColumnSample], bool] | None = None
    for column in whole:
        if ROLES.get(plain_name(column.name), "report") != "report":
            continue  # findings may say what the impression says, and are a part all the same
        parts = [samples[text.name] for text in by_name if text.name != column.name and samples[text.name].filled]
        if not parts or (best is not None and best[0].length >= column.length):
            continue
        holds = is_report_like(column, parts)
        if holds or (_are_parts(by_name) and _is_far_longer(column, parts)):
            best = column, parts, holds
    if best is None:
        return _instead_of_empty(layout, samples, whole, notes)
    column, parts, holds = best
    names = listed([part.name for part in parts])
    if holds and _has_both(by_name, samples) and _ratio(column, parts) < MANY_TIMES:
        notes.append(
            f"{column.name} holds {names} and more; {names} were read (--text-column {column.name} reads it all)"
        )
        return layout
    more = f"holds {names} and more" if holds else f"is far longer than {names} and has headings of its own"
    if by_name[0].name != column.name:
        notes.append(f"{column.name} {more}; it was used")
    first = (
        TextColumn(column.name, "findings"),
        *(replace(text, held=True) for text in by_name if text.name != column.name),
    )
    return replace(layout, texts=(first, *layout.texts))


def is_report_like(column: ColumnSample, parts: Sequence[ColumnSample]) -> bool:
    """Return whether a column holds the texts of all others in most rows, and more than these."""
    rows = held = 0
    for number, cell in enumerate(column.cells):
        texts = [part.cells[number] for part in parts if part.cells[number]]
        if cell and texts:
            rows += 1
            report = plain_text(cell)
            held += all(plain_text(text) in report for text in texts)
    return rows > 0 and held >= MOST_ROWS * rows and _ratio(column, parts) >= LONGER


def _ratio(column: ColumnSample, parts: Sequence[ColumnSample]) -> float:
    """Return how many times longer a column is than others together, in the rows that have both."""
    both = [
        (len(cell), sum(len(part.cells[number]) for part in parts))
        for number, cell in enumerate(column.cells)
        if cell and any(part.cells[number] for part in parts)
    ]
    return sum(longer for longer, _ in both) / max(sum(shorter for _, shorter in both), 1)


def _is_far_longer(column: ColumnSample, parts: Sequence[ColumnSample]) -> bool:
    return column.share_filled() >= 0.5 and column.is_headed() and _ratio(column, parts) >= MANY_TIMES


def _are_parts(by_name: Sequence[TextColumn]) -> bool:
    return all(ROLES.get(plain_name(text.name)) != "report" for text in by_name)


def _has_both(by_name: Sequence[TextColumn], samples: Mapping[str, ColumnSample]) -> bool:
    """Return whether findings and impression have columns of their own, and both hold text in half of the rows."""
    if not _are_parts(by_name):
        return False
    findings, impression = (
        [samples[text.name].share_filled() for text in by_name if text.section == section]
        for section in ("findings", "impression")
    )
    return bool(findings and impression) and min(max(findings), max(impression)) >= 0.5


def _instead_of_empty(
    layout: ColumnLayout, samples: Mapping[str, ColumnSample], whole: Sequence[ColumnSample], notes: list[str]
) -> ColumnLayout:
    """Return the layout with the one column of prose added, where the columns of known names are mostly empty."""
    mostly_empty = all(samples[name].share_filled() < 0.2 for name in layout.text_columns)
    others = [column for column in whole if column.name not in layout.text_columns and column.share_filled() >= 0.5]
    if not mostly_empty or len(others) != 1:
        return layout
    notes.append(f"{listed(layout.text_columns)} are mostly empty; {others[0].name} is read where they are")
    return replace(layout, texts=(*layout.texts, (TextColumn(others[0].name, "findings"),)))
