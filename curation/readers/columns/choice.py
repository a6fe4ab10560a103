"""Choose the columns of a table: those of known names, held against what stands in the first rows of all columns."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from curation.readers.layouts import (
    ColumnLayout,
    TextColumn,
    find_layout,
    first_name,
    listed,
    plain_name,
    section_by_name,
    unknown_text,
)
from curation.readers.rows import TableRow
from curation.runtime.errors import InputError

from .identifiers import guess_id
from .label_tables import labels_seen
from .line_columns import ReportLines, find_lines
from .report_lines import join_sample
from .samples import ColumnSample, samples_of
from .whole_report import is_report_like, prefer_whole_report

# Words in the names of columns that hold text beside a report, or none of it.
BESIDE_WORDS = (
    "techni", "histor", "indication", "compar", "recommend", "reason", "symptom", "anamnes", "protocol", "instruct",
    "address", "signature", "disclaimer", "path", "url", "prompt", "question", "caption", "complaint", "medication",
)  # fmt: skip
# Words in the names of columns that hold reports.
REPORT_WORDS = (
    "report",
    "befund",
    "rapport",
    "narrat",
    "transcri",
    "dictat",
    "radiolog",
    "notetext",
    "referto",
    "informe",
)


@dataclass(frozen=True, slots=True)
class ChosenColumns:
    """The layout of a table, and ``notes``: what was decided from contents, as sentences for the person."""

    layout: ColumnLayout
    notes: tuple[str, ...] = ()


def choose_columns(
    columns: Sequence[str], rows: Sequence[TableRow], id_column: str | None = None, text_columns: Sequence[str] = ()
) -> ChosenColumns:
    """Choose the columns of ids and texts among ``columns``, of whose table ``rows`` are the first.

    What the caller names is taken as it is. Raises ``InputError`` where a named column is not there, where no column or
    several could hold the reports, and where the table holds labels.
    """
    layout = find_layout(columns, id_column, text_columns)
    notes = _alike(layout, columns)
    lines = find_lines(columns, rows, layout, named_id=id_column is not None)
    if lines is not None:
        rows = join_sample(rows, lines)
        readable = [name for name in columns if name not in (lines.number_column, lines.part_column)]
        layout = find_layout(readable, lines.id_column, text_columns)
        layout = replace(layout, line=lines.number_column, part=lines.part_column)
        notes.append(_joined(lines))
    samples = samples_of([name for name in columns if name not in (layout.line, layout.part)], rows)
    if text_columns:
        return ChosenColumns(layout, tuple(notes))
    if layout.heading is None:
        layout = _with_texts(layout, samples, notes)
    if layout.id_column is None and (guess := _guessed_id(layout, samples)):
        layout = replace(layout, id_column=guess)
        notes.append(f"no column of a known name holds ids; {guess}, whose values are short and differ, was taken")
    return ChosenColumns(layout, tuple(notes))


def _with_texts(layout: ColumnLayout, samples: Mapping[str, ColumnSample], notes: list[str]) -> ColumnLayout:
    """Return the layout with the columns of text; what contents decided is added to ``notes``."""
    possible = [sample for name, sample in samples.items() if name != layout.id_column and _may_be_report(name)]
    whole = [sample for sample in possible if sample.is_free_text()]
    codes = [samples[name] for name in layout.text_columns if samples[name].is_codes()]
    if codes and (whole or len(codes) < len(layout.text_columns)):
        layout = _without(layout, {sample.name for sample in codes})
        notes.append(f"{_named(codes)} {'holds' if len(codes) == 1 else 'hold'} codes and no text, and was not read")
    if layout.texts:
        preferred = prefer_whole_report(layout, samples, whole, notes)
        if preferred is layout and (labels := labels_seen(layout, samples)):
            raise InputError(
                f"it is a table of labels, not of reports: {labels}. Read as reports, all of them would be taken for "
                "findings that are there. Name the file with the reports, or a column of report text with --text-column"
            )
        return preferred
    chosen = _plainest(whole) or (_longest_lines(possible) if layout.is_joined else [])
    if not chosen:
        raise unknown_text(list(samples), layout.id_column, labels_seen(layout, samples))
    if len(chosen) > 1:
        raise InputError(
            f"several columns could hold the reports: {_named(chosen)}. Name the one, or those to be read together, "
            "with --text-column NAME"
        )
    notes.append(
        f"no column has a known name for report text; {chosen[0].name}, which holds it by its contents, was used"
    )
    return replace(layout, texts=(_alone(chosen[0].name),))


def _without(layout: ColumnLayout, names: Collection[str]) -> ColumnLayout:
    texts = (tuple(text for text in alternative if text.name not in names) for alternative in layout.texts)
    return replace(layout, texts=tuple(dict.fromkeys(alternative for alternative in texts if alternative)))


def _joined(lines: ReportLines) -> str:
    """Return what to say of a table of lines."""
    one = "line" if lines.number_column else "section"
    under = f", under the sections in {lines.part_column}" if lines.part_column else ""
    order = f", in order of {lines.number_column}" if lines.number_column else ""
    return f"each row is a {one} of a report: {one}s are joined by {lines.id_column}{order}{under}"


def _plainest(whole: list[ColumnSample]) -> list[ColumnSample]:
    """Return the columns that could be the report: one where contents or a name make that plain."""
    if len(whole) < 2:
        return whole
    longest = max(whole, key=lambda sample: sample.length)
    rest = [sample for sample in whole if sample is not longest and not is_report_like(longest, [sample])]
    if not rest:
        return [longest]
    for plain in (
        [sample for sample in whole if sample.is_headed()],
        [sample for sample in whole if any(word in plain_name(sample.name) for word in REPORT_WORDS)],
    ):
        if len(plain) == 1:
            return plain
    return [longest, *rest]


def _longest_lines(possible: Sequence[ColumnSample]) -> list[ColumnSample]:
    """Return the column with the longest text of several words: in a table of lines, one that goes on is the text."""
    texts = [sample for sample in possible if not sample.is_tokens() and not sample.is_label() and sample.filled]
    return [max(texts, key=lambda sample: sample.length)] if texts else []


def _may_be_report(name: str) -> bool:
    plain = plain_name(name)
    if any(word in plain for word in REPORT_WORDS):
        return not any(word in plain for word in ("path", "url", "date"))
    return not any(word in plain for word in (*BESIDE_WORDS, "clinical"))


def _guessed_id(layout: ColumnLayout, samples: Mapping[str, ColumnSample]) -> str | None:
    return guess_id({name: sample for name, sample in samples.items() if name not in layout.text_columns})


def _alone(name: str) -> tuple[TextColumn, ...]:
    return (TextColumn(name, section_by_name(name)),)


def _named(samples: Sequence[ColumnSample]) -> str:
    return listed([sample.name for sample in samples])


def _alike(layout: ColumnLayout, columns: Sequence[str]) -> list[str]:
    """Return what to say of columns that have the same name in the file, where texts or ids are read from them."""
    notes = []
    for name in (*layout.text_columns, *([layout.id_column] if layout.id_column else [])):
        alike = [column for column in columns if column != name and first_name(column, columns) == name]
        if alike and name == layout.id_column:
            notes.append(f"{len(alike) + 1} columns are named {name}; the first was taken for the ids")
        elif alike:
            notes.append(f"{len(alike) + 1} columns are named {name}; all of them are read, in their order")
    return notes
