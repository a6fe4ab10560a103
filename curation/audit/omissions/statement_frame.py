"""The frame that omissions are drawn from: the statements of findings and impressions that no caption covers.

Statements are those that the text is cut into before anything reads them, so that what the engine and the verifier pass
over is among them. Of a large set a random sample of the reports is read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow.parquet as pq

from curation.audit.sampling import random_generator
from curation.audit.sampling_frame import RowLocation, rows_of_reports
from curation.caption_set.kept_files import kept_site_words
from curation.caption_set.manifest import Manifest
from curation.caption_set.schemas import evidence_spans
from curation.caption_set.set_files import part_path
from curation.cleaning.clean_text import clean_text
from curation.language.parser import StatementParser
from curation.report import Section
from curation.report_language.known_words import site_stems
from curation.report_language.reports import settle, split_passages
from curation.report_page.organ_systems import organ_systems
from curation.runtime.progress import Progress
from curation.verification.headings.sub_headings import names_only
from curation.verification.organs import statement_organs

MOST_REPORTS = 2_000
"""Reports that are read at most."""
STATEMENTS_OF_A_REPORT = 1 << 20
"""More than any report has: the row of a statement is its report's times this, and its number in the report."""
NO_ORGAN = "no organ named"
# Sets of earlier versions lack the last one.
EVIDENCE_COLUMNS = ["report_id", "evidence_start", "evidence_end", "evidence_spans"]


class UncoveredStatement(NamedTuple):
    """A statement ``text[start:end]`` of a report that no caption covers; ``organ`` is the first that it names."""

    location: RowLocation
    report_id: str
    section: str
    start: int
    end: int
    text: str
    organ: str
    system: str


@dataclass(frozen=True)
class StatementFrame:
    """Stores the uncovered statements in the order of the set; ``statements`` counts the covered ones as well."""

    reports: int
    statements: int
    uncovered: Sequence[UncoveredStatement]


def read_statement_frame(root: Path, manifest: Manifest, seed: int, progress: Progress) -> StatementFrame:
    """Read the reports of a set, or ``MOST_REPORTS`` of them drawn by chance, and find what no caption covers.

    Headings and statements in other languages, which are told as such, are not among the statements.
    """
    words = kept_site_words(root, manifest.settings)
    statements = _Statements(StatementParser(words.vocabulary(), words.lexicon()))
    chosen = _chosen_reports([part.reports for part in manifest.parts], seed)
    progress.start(sum(map(len, chosen)), 0)
    uncovered: list[UncoveredStatement] = []
    count = 0
    for part, rows in enumerate(chosen):
        if not rows:
            continue
        reports = _reports(root, part, rows)
        evidence = _evidence(root, part, {row["report_id"] for row in reports}, progress.raise_if_interrupted)
        for row in reports:
            progress.raise_if_interrupted()
            found = list(statements.of_report(row, part))
            spans = evidence.get(row["report_id"], [])
            count += len(found)
            uncovered += [one for one in found if not _is_covered(row["text"], one, spans)]
            progress.advance()
    return StatementFrame(sum(map(len, chosen)), count, uncovered)


def _chosen_reports(counts: Sequence[int], seed: int) -> list[list[int]]:
    """Return the rows of the reports that are read, for each part."""
    total = sum(counts)
    numbers = np.arange(total)
    if total > MOST_REPORTS:
        numbers = np.sort(random_generator(seed, "reports", 0).choice(total, MOST_REPORTS, replace=False))
    ends = np.cumsum([0, *counts])
    cuts = np.searchsorted(numbers, ends)
    return [(numbers[cuts[part] : cuts[part + 1]] - ends[part]).tolist() for part in range(len(counts))]


def _reports(root: Path, part: int, rows: Sequence[int]) -> list[dict[str, Any]]:
    table = pq.read_table(part_path(root, "reports", part), columns=["report_id", "text", "sections"])
    return [{**row, "row": number} for row, number in zip(table.take(list(rows)).to_pylist(), rows, strict=True)]


def _evidence(
    root: Path, part: int, report_ids: set[str], check: Callable[[], None]
) -> Mapping[str, list[tuple[int, int]]]:
    """Return where the evidence of accepted captions stands, by report."""
    spans: dict[str, list[tuple[int, int]]] = {}
    for batch in rows_of_reports(root, part, "captions", EVIDENCE_COLUMNS, report_ids):
        check()
        for row in batch:
            spans.setdefault(row["report_id"], []).extend(evidence_spans(row))
    return spans


def _is_covered(text: str, statement: UncoveredStatement, evidence: Sequence[tuple[int, int]]) -> bool:
    """Return whether a letter or digit of a statement stands in the evidence of a caption."""
    shared = (text[max(statement.start, start) : min(statement.end, end)] for start, end in evidence)
    return any(any(map(str.isalnum, piece)) for piece in shared)


class _Statements:
    """Cuts reports into statements. What a statement names is worked out with the set's own words."""

    def __init__(self, parser: StatementParser) -> None:
        self._parser, self._system_of = parser, organ_systems(parser.vocabulary)
        self._site_stems = site_stems(parser.vocabulary, parser.lexicon)

    def of_report(self, row: Mapping[str, Any], part: int) -> Iterator[UncoveredStatement]:
        """Yield the statements of a row of ``reports``."""
        text = row["text"]
        clean = clean_text(text)
        passages = split_passages(clean, [Section(**section) for section in row["sections"]])
        texts = [clean.text[passage.first : passage.last] for passage in passages]
        language = settle(texts, [passage.place for passage in passages], self._site_stems)
        for number, passage in enumerate(passages):
            parse = self._parser.parse(texts[number])
            if not language.is_read(number) or names_only(parse):
                continue
            start, end = clean.source_span(passage.first, passage.last)
            organ = next(iter(statement_organs(self._parser, parse)), "")
            location = RowLocation(part, row["row"] * STATEMENTS_OF_A_REPORT + number)
            system = self._system_of(organ) if organ else NO_ORGAN
            yield UncoveredStatement(
                location, row["report_id"], passage.section, start, end, text[start:end], organ, system
            )
