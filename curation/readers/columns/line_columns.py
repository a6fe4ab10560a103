"""Tell tables that have one row for each line or section of a report: whose rows belong together, in which order."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import NamedTuple

from curation.readers.heading_phrases import section_of
from curation.readers.layouts import ColumnLayout, plain_name
from curation.readers.rows import TableRow

from .identifiers import hinted_ids, is_of_report
from .samples import SENTENCE_END, ColumnSample, samples_of

# Names of columns that number the lines of a text.
LINE_NAMES = frozenset((
    "line", "lineno", "linenr", "linenum", "linenumber", "linenbr", "lineid", "lineseq", "linesequence", "lineorder",
    "textline", "reportline", "noteline", "resultline", "narrativeline", "rptline", "ln", "seq", "seqno", "seqnum",
    "seqnumber", "sequence", "sequenceno", "sequencenumber", "textseq", "reportseq", "noteseq", "setid", "obxsetid",
    "setidobx", "obx1", "obxid", "obxseq", "obxno", "segment", "segmentno", "segmentnumber", "chunk", "chunkno",
    "chunkid", "zeile", "zeilennr", "paragraph",
))  # fmt: skip
# Of these, rows that follow each other under one id are lines, however long they are.
SURE_NAMES = ("line", "obx", "setid", "zeile")
LONGEST_LINE = 250


class ReportLines(NamedTuple):
    """The columns that say which rows are the lines of one report, in which order they come, and in which section."""

    id_column: str
    number_column: str | None
    part_column: str | None = None


def find_lines(
    columns: Sequence[str], rows: Sequence[TableRow], layout: ColumnLayout, *, named_id: bool
) -> ReportLines | None:
    """Return how lines are joined where each row is a line or section of a report, None where it is a whole report.

    It is decided by the first rows: under each id a column counts up, and the texts are as short as lines; or a column
    names the sections of a report.
    """
    if not rows or layout.heading:
        return None
    samples = samples_of(columns, rows)
    hinted = hinted_ids({name: samples[name] for name in columns if name not in layout.text_columns})
    ids = [layout.id_column] if named_id and layout.id_column else [*hinted, layout.id_column]
    others = [] if named_id else [name for name in columns if samples[name].could_be_id()]
    candidates = [name for name in dict.fromkeys(ids) if name is not None]
    for id_column in candidates:
        if part := _part_column(samples, id_column, layout.text_columns):
            by_part = [f"{one}\n{other}" if one else "" for one, other in _pairs(samples, id_column, part)]
            number = _number_column(samples, [(id_column, by_part)], {id_column, part})
            return ReportLines(id_column, number[1] if number else None, part)
    keys = [(name, list(samples[name].cells)) for name in candidates]
    keys += [(name, list(samples[name].cells)) for name in others if name not in candidates]
    if number := _number_column(samples, keys, set(), certain=len(candidates)):
        return ReportLines(*number)
    return None


def _pairs(samples: Mapping[str, ColumnSample], first: str, second: str) -> Iterator[tuple[str, str]]:
    return zip(samples[first].cells, samples[second].cells, strict=True)


def _part_column(samples: Mapping[str, ColumnSample], id_column: str, texts: Collection[str]) -> str | None:
    """Return the column that names the sections of a report, of which rows of one id have different ones."""
    for name, sample in samples.items():
        if name == id_column or name in texts or sample.share_filled() < 0.8 or not sample.is_terms():
            continue
        values = set(sample.filled)
        if len(values) < 2 or any(section_of(value) is None for value in values):
            continue
        parts: dict[str, set[str]] = defaultdict(set)
        for report_id, part in _pairs(samples, id_column, name):
            parts[report_id].add(part)
        if any(len(group) > 1 for group in parts.values()):
            return name
    return None


def _number_column(
    samples: Mapping[str, ColumnSample], keys: Sequence[tuple[str, list[str]]], apart: set[str], certain: int = 1
) -> tuple[str, str] | None:
    """Return the first of the id columns under whose ids a column numbers lines, and that column.

    ``keys`` are id columns with what groups their rows; those behind the first ``certain`` count for a column alone
    whose name says that it numbers lines.
    """
    numbers = {name: values for name, one in samples.items() if (values := one.integers()) and name not in apart}
    by_name = [name for name in numbers if plain_name(name) in LINE_NAMES]
    for number_column in (*by_name, *(name for name in numbers if name not in by_name)):
        for place, (id_column, group_names) in enumerate(keys):
            groups = _groups(group_names, numbers[number_column])
            if id_column == number_column or (
                place >= certain and (number_column not in by_name or len(groups) == len(group_names))
            ):
                continue
            if _counts_up(groups, number_column) and _are_lines(groups, samples, id_column, number_column):
                return id_column, number_column
    return None


def _groups(ids: Sequence[str], numbers: Sequence[int]) -> dict[str, list[tuple[int, int]]]:
    """Return for each id its numbers, each with the place of its row."""
    groups: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for place, (report_id, number) in enumerate(zip(ids, numbers, strict=True)):
        if report_id:
            groups[report_id].append((number, place))
    return groups


def _counts_up(groups: Mapping[str, Sequence[tuple[int, int]]], name: str) -> bool:
    """Return whether a column numbers the rows of each id: no number is there twice, and most begin at the start."""
    numbers = [[number for number, _ in group] for group in groups.values()]
    repeated = [group for group in numbers if len(group) > 1]
    if not repeated:
        plain = plain_name(name)
        return any(word in plain for word in SURE_NAMES) and {number for group in numbers for number in group} in (
            {0},
            {1},
        )
    distinct = sum(len(set(group)) == len(group) for group in repeated)
    if plain_name(name) in LINE_NAMES:
        return distinct >= 0.9 * len(repeated)
    whole = sum(sorted(group) == list(range(min(group), min(group) + len(group))) for group in repeated)
    starts = {min(group) for group in numbers}
    long = max(map(len, repeated)) >= 3
    return long and distinct == len(repeated) and whole >= 0.9 * len(repeated) and starts <= {0, 1}


def _are_lines(
    groups: Mapping[str, Sequence[tuple[int, int]]], samples: Mapping[str, ColumnSample], id_column: str, number: str
) -> bool:
    """Return whether the texts of the rows are lines rather than whole reports: short, and many go on in the next."""
    plain = plain_name(number)
    if any(word in plain for word in SURE_NAMES):
        return True
    texts = [sample for name, sample in samples.items() if name not in (id_column, number) and sample.filled]
    if not texts:
        return False
    longest = max(texts, key=lambda sample: sample.length)
    lengths = sorted(len(cell) for cell in longest.filled)
    if lengths[len(lengths) // 2] > LONGEST_LINE:
        return False
    inner = [longest.cells[place] for group in groups.values() for _, place in sorted(group)[:-1]]
    unfinished = sum(bool(cell) and not SENTENCE_END.search(cell.strip()) for cell in inner)
    if plain in LINE_NAMES and is_of_report(id_column):
        return True
    return unfinished >= (0.1 if plain in LINE_NAMES else 0.3) * max(len(inner), 1) and (
        plain in LINE_NAMES or any(len(cell.split()) > 3 for cell in inner)
    )
