"""Count the names, dates and numbers in the files of a caption set: what ``--check-phi`` tells.

The rows are read from the finished parts, so it is what was written that is looked through, whatever made it.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

from curation.privacy.columns import identifiers_in_cell
from curation.privacy.identifiers import KIND_WORDS, Identifier, IdentifierKind
from curation.privacy.scan import identifiers_in

from .manifest import Manifest
from .records.privacy_counts import PrivacyCounts
from .schemas import evidence_spans
from .set_files import SKIPPED_FILE, TableName, part_path, tables_of

BATCH_ROWS = 500
RECENT_TEXTS = 20_000
"""Short texts whose kinds are kept: most captions and cells come again and again."""
READ_COLUMNS: dict[TableName, tuple[str, ...]] = {
    "rejects": ("caption", "detail", "nearest"),
    "responses": ("content", "error"),
}
REPORT_COLUMNS = ("report_id", "text")


class PlaceCounts:
    """Counts rows by column and kind while tables are read."""

    def __init__(self) -> None:
        self.places: defaultdict[str, Counter[str]] = defaultdict(Counter)
        self.reports = self.captions = 0

    def add(self, place: str, kinds: Iterable[IdentifierKind]) -> None:
        """Count one row in which these kinds stand."""
        for kind in kinds:
            self.places[place][kind.value] += 1

    def counts(self) -> PrivacyCounts:
        """Return what was counted."""
        places = {place: dict(sorted(self.places[place].items())) for place in sorted(self.places)}
        return PrivacyCounts(reports=self.reports, captions=self.captions, places=places)


def count_part(root: Path, index: int, tables: Iterable[TableName]) -> PrivacyCounts:
    """Count what the files of one part hold."""
    count = PlaceCounts()
    passages = _count_reports(part_path(root, "reports", index), count)
    _count_captions(part_path(root, "captions", index), passages, count)
    for table in tables:
        for row in _rows(part_path(root, table, index), READ_COLUMNS.get(table, ())):
            for column, value in row.items():
                if value:
                    count.add(f"{table}.{column}", _kinds(value))
    return count.counts()


def count_problems(root: Path) -> PrivacyCounts:
    """Count what the list of problem rows holds."""
    count = PlaceCounts()
    path = root / SKIPPED_FILE
    if path.exists():
        with path.open(encoding="utf-8") as lines:
            for line in lines:
                count.add(SKIPPED_FILE, _kinds_of(identifiers_in(_problem(line))))
    return count.counts()


def count_parts(root: Path, manifest: Manifest, check: Callable[[], None] = lambda: None) -> PrivacyCounts:
    """Count what all finished parts of a set hold; ``check`` is called between them and may raise to give up."""
    counts = PrivacyCounts()
    for index in range(len(manifest.parts)):
        check()
        counts = counts.plus(count_part(root, index, tables_of(manifest.settings)))
    return counts


def count_written(root: Path, manifest: Manifest, check: Callable[[], None] = lambda: None) -> PrivacyCounts:
    """Count what a finished set holds: its parts, and the list of problem rows."""
    counts = count_parts(root, manifest, check)
    # Without problem rows a file of that name is none of the set's.
    return counts.plus(count_problems(root)) if manifest.skipped or manifest.warnings else counts


def _problem(line: str) -> str:
    import json

    problem = json.loads(line)
    return f"{problem.get('file')}: {problem.get('problem')}"


def _count_reports(path: Path, count: PlaceCounts) -> dict[str, list[Identifier]]:
    """Count the columns of the reports; return where identifiers stand in the texts, by the report's id."""
    passages: dict[str, list[Identifier]] = {}
    for row in _rows(path, None):
        count.reports += 1
        identifiers = identifiers_in(row["text"])
        if identifiers:
            passages[row["report_id"]] = identifiers
            count.add("reports.text", _kinds_of(identifiers))
        count.add("reports.report_id", _kinds(row["report_id"]))
        for column, cell in row.items():
            if column not in REPORT_COLUMNS and cell:
                count.add(f"reports.{column}", _cell_kinds(column, cell))
    return passages


def _count_captions(path: Path, passages: dict[str, list[Identifier]], count: PlaceCounts) -> None:
    for row in _rows(path, ("report_id", "caption", "evidence_start", "evidence_end", "evidence_spans")):
        spans = evidence_spans(row)
        inside = [
            identifier
            for identifier in passages.get(row["report_id"], ())
            if any(identifier.start < end and start < identifier.end for start, end in spans)
        ]
        evidence, caption = _kinds_of(inside), _kinds(row["caption"])
        count.add("captions.evidence", evidence)
        count.add("captions.caption", caption)
        count.captions += bool({*evidence, *caption} - {IdentifierKind.BLANKED})


def _rows(path: Path, columns: tuple[str, ...] | None) -> Iterator[dict[str, Any]]:
    """Yield the rows of a Parquet file by column, some at a time; ``columns`` None takes all that are text.

    A column that the file of an earlier version lacks is left out.
    """
    import pyarrow.parquet as pq

    with pq.ParquetFile(path) as file:
        texts = [field.name for field in file.schema_arrow if field.type == "string"]
        names = texts if columns is None else [name for name in columns if name in file.schema_arrow.names]
        if names:
            for batch in file.iter_batches(batch_size=BATCH_ROWS, columns=list(names)):
                values = [batch.column(name).to_pylist() for name in names]
                yield from (dict(zip(names, row, strict=True)) for row in zip(*values, strict=True))


def _kinds_of(identifiers: Iterable[Identifier]) -> tuple[IdentifierKind, ...]:
    return tuple(dict.fromkeys(one.kind for one in identifiers))


@lru_cache(RECENT_TEXTS)
def _kinds(text: str) -> tuple[IdentifierKind, ...]:
    return _kinds_of(identifiers_in(text))


@lru_cache(RECENT_TEXTS)
def _cell_kinds(column: str, cell: str) -> tuple[IdentifierKind, ...]:
    return _kinds_of(identifiers_in_cell(column, cell))


def with_privacy(root: Path, manifest: Manifest, check: Callable[[], None] = lambda: None) -> Manifest:
    """Return the manifest with the counts of what its finished parts hold now. Nothing is written."""
    return manifest.model_copy(update={"privacy": count_written(root, manifest, check)})


def is_checked(manifest: Manifest) -> bool:
    """Return whether all reports of a set's finished parts were checked."""
    return manifest.privacy is not None and manifest.privacy.reports == manifest.counts.reports


def remaining(counts: PrivacyCounts) -> dict[str, dict[str, int]]:
    """Return the places and kinds that still tell something: all but blanked passages."""
    left = {
        place: {kind: count for kind, count in kinds.items() if kind != IdentifierKind.BLANKED}
        for place, kinds in counts.places.items()
    }
    return {place: kinds for place, kinds in left.items() if kinds}


MOST_PLACES = 8


def privacy_lines(manifest: Manifest) -> list[str]:
    """Return what a check has counted as lines of a summary; none where there was no check."""
    counts = manifest.privacy
    if counts is None:
        return []
    all_captions = sum(manifest.counts.by_organ_and_status().values())
    some = "" if is_checked(manifest) else f" ({counts.reports:,} of {manifest.counts.reports:,} reports were checked)"
    places = [place_line(place, kinds) for place, kinds in counts.places.items()]
    more = [f"and {len(places) - MOST_PLACES:,} more columns"] if len(places) > MOST_PLACES else []
    return [
        f"{counts.captions:,} of {all_captions:,} captions tell a name, a date or a number{some}",
        *places[:MOST_PLACES],
        *more,
        "(counted by patterns: a check, no guarantee)",
    ]


def privacy_warning(manifest: Manifest) -> str | None:
    """Return a sentence on what a checked set still tells, None where nothing was seen."""
    left = remaining(manifest.privacy) if manifest.privacy else {}
    if not left:
        return None
    lines = "".join(f"\n  {place_line(place, kinds)}" for place, kinds in left.items())
    if not manifest.settings.drop_phi:
        way_out = "--drop-phi leaves such captions out, and blanks what tells such things in all other columns"
        return f"names, dates or numbers stand in the set, in so many rows:{lines}\n{way_out}"
    reason = " (ids are kept as they are: give the reports others first)" if "reports.report_id" in left else ""
    return f"these stay in the set in spite of --drop-phi{reason}:{lines}"


def place_line(place: str, kinds: dict[str, int]) -> str:
    """Return a line of the summary: "reports.text: a date in 230 rows, a name in 1"."""
    most_first = sorted(kinds.items(), key=lambda item: (-item[1], item[0]))
    facts = [f"{KIND_WORDS[IdentifierKind(kind)]} in {count:,}" for kind, count in most_first]
    return f"{place}: {', '.join(facts)}"
