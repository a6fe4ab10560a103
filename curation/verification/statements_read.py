"""A report read once: its statements, what each says, and which organ a statement without one goes on about."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import NamedTuple

from curation.language.analysis import CACHED, Analysis, Reader
from curation.language.statements import split_statements
from curation.report import READ_SECTIONS, Section

from .organs import statement_organs

RECENT = 128
"""Reports kept as read: the engine reads a batch, and then the verifier does."""
FARTHEST = 4
"""Statements after which a statement that names no organ no longer goes on about the last one that did."""
_EDGE = " .,;:!\"'“”"


def normalised(text: str) -> str:
    """Lower case, single spaces, no marks at the edges: what two spellings of the same words share."""
    return " ".join(text.split()).strip(_EDGE).lower()


class Statement(NamedTuple):
    """``text[start:end]`` of the report. ``context`` names the organs it goes on about where it names none itself;
    ``anchor`` is the number of the statement that named them."""

    number: int
    start: int
    end: int
    section: str
    words: str
    keys: frozenset[str]
    analysis: Analysis
    organs: tuple[str, ...]
    context: tuple[str, ...]
    anchor: int | None


@dataclass(slots=True, eq=False)
class ReadReport:
    """A report's text with its statements in order, and the place of each by its normalised words."""

    text: str
    statements: list[Statement] = field(default_factory=list)
    by_words: dict[str, list[int]] = field(default_factory=dict)


class _Known(NamedTuple):
    """What is the same wherever a statement occurs."""

    analysis: Analysis
    organs: tuple[str, ...]
    words: str
    keys: frozenset[str]


class ReportReader:
    """Reads reports; what a statement says is worked out once, however often reports repeat it."""

    def __init__(self, reader: Reader) -> None:
        self.reader = reader
        self._known = lru_cache(maxsize=CACHED)(self._know)
        self._recent = lru_cache(maxsize=RECENT)(self._read)

    def _know(self, text: str) -> _Known:
        analysis = self.reader.analyse(text)
        return _Known(analysis, statement_organs(self.reader, analysis), normalised(text), self.keys(text))

    def _on_side(self, context: tuple[str, ...], analysis: Analysis) -> tuple[str, ...]:
        """The context on the side that a statement states itself: "Left adrenal nodule. Normal right gland." """
        sides = {item.key.removeprefix("side:") for item in analysis.items if item.kind == "side"}
        if len(sides) != 1:
            return context
        found: dict[str, None] = {}
        for name in context:
            pair = self.reader.anatomist.pair_of(name)
            chosen = {"left": pair[:1], "right": pair[1:], "both": pair}[min(sides)] if pair else (name,)
            found.update(dict.fromkeys(chosen))
        return tuple(found)

    def _organ_keys(self, names: tuple[str, ...]) -> frozenset[str]:
        return frozenset(key for name in names for key in (name, *self.reader.vocabulary.organs[name].parents))

    def keys(self, text: str) -> frozenset[str]:
        """All that a statement may be recognised by: findings and their parts, numbers, organs and what holds them."""
        keys: set[str] = set()
        for item in self.reader.analyse(text).items:
            if item.mention:
                keys |= self._organ_keys(item.mention.names)
            elif item.measure:
                keys |= {f"{item.measure.kind} {value}" for value in item.measure.values}
            elif item.kind in ("finding", "modifier"):
                keys |= {item.key, *item.parts}
                if item.entry and item.entry.organ:
                    keys.add(item.entry.organ)
        return frozenset(keys)

    def read(self, text: str, sections: Sequence[Section] = ()) -> ReadReport:
        """Read the statements of the sections that hold findings. Without any section the whole text is read."""
        return self._recent(text, tuple(sections))

    def _read(self, text: str, sections: tuple[Section, ...]) -> ReadReport:
        report = ReadReport(text)
        statements, by_words = report.statements, report.by_words
        spans = [(s.name, s.start, s.end) for s in sections if s.name in READ_SECTIONS]
        for name, start, end in spans if sections else [("findings", 0, len(text))]:
            context: tuple[str, ...] = ()
            anchor: int | None = None
            for first, last in split_statements(text, start, end):
                analysis, organs, words, keys = self._known(text[first:last])
                index = len(statements)
                if organs:
                    context, anchor = organs, index
                elif anchor is not None and (index - anchor > FARTHEST or "\n\n" in text[statements[-1].end : first]):
                    context, anchor = (), None
                own: tuple[tuple[str, ...], int | None] = ((), None)
                if context and not organs:
                    own = (self._on_side(context, analysis), anchor)
                    keys |= self._organ_keys(own[0])
                statements.append(Statement(index, first, last, name, words, keys, analysis, organs, *own))
                by_words.setdefault(words, []).append(index)
        return report
