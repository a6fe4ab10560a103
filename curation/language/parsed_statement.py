"""A parsed statement: its terms, and the segments that keep together what belongs together."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

from .assertion import Polarity
from .lexicon.lexicon import LexiconEntry, PhraseMatch
from .mentions import OrganMention
from .numbers.measure import Measure
from .tokens import Token
from .word_lists import LATIN_PLURALS

Kind = Literal["organ", "finding", "modifier", "measure", "side", "hedge", "negation"]


@dataclass(slots=True, eq=False)
class Term:
    """One meaningful part of a statement: tokens ``[start, end)`` mean ``key``.

    ``key`` is the canonical name of an organ, the lexicon's key of a finding or cue, "severity:mild" of a modifier,
    "side:left" of a side, the kind of a measure, or the stem of a word that the lexicon does not list. ``parts`` are
    the keys of the words of a phrase.
    """

    kind: Kind
    start: int
    end: int
    key: str
    polarity: Polarity = Polarity.AFFIRMED
    parts: tuple[str, ...] = ()
    entry: LexiconEntry | None = None
    mention: OrganMention | None = None
    measure: Measure | None = None
    attribute: bool = False  # names a property without saying how it is
    implied: bool = False  # says no more than the operation beside it: "changes of"

    @property
    def is_resolution(self) -> bool:
        """Whether the term denies what was there before: "has resolved", "no longer seen"."""
        return self.kind == "negation" and self.key == "time:resolved"

    @property
    def is_normality(self) -> bool:
        """Whether the term calls its organ normal."""
        return self.entry is not None and "normality" in self.entry.flags

    @property
    def aspect(self) -> str | None:
        """The aspect of an organ that the term names: "size", of "dimensions"."""
        return self.entry.aspect if self.entry is not None else None


@dataclass(slots=True, eq=False)
class Segment:
    """Tokens ``[start, end)`` between two breaks. ``joiner`` is the break before it, ``verb`` its first finite verb."""

    start: int
    end: int
    joiner: str
    terms: list[Term] = field(default_factory=list)
    verb: int | None = None
    silent: bool = False  # names organs or attributes but no quality of them
    frame: bool = False  # says no more than when or where the statement holds
    excepted: bool = False  # is excepted from what the others say: "(normal) apart from a cyst"
    continues: bool = False  # goes on about the subject of the one before: "and it shows dilatation"
    relative: bool = False  # is about the one thing named last: "…, which shows no fracture"
    preposed: bool = False  # begins with a preposition: "in the lower lobe"
    organs: list[Term] = field(init=False)  # those of its terms that name an organ

    def __post_init__(self) -> None:
        """Note the organs: all that reads a segment asks for them."""
        self.organs = [term for term in self.terms if term.kind == "organ"]

    @property
    def sites(self) -> list[Term]:
        """The organs that the segment is about, without places on the way and enclosing organs."""
        return [term for term in self.organs if term.mention and not term.mention.place and not term.mention.container]

    @property
    def findings(self) -> list[Term]:
        """The terms that are findings, known to the lexicon or not."""
        return [term for term in self.terms if term.kind == "finding"]


@dataclass(eq=False)
class ParsedStatement:
    """A statement with its terms in order, and by segment. Token offsets count characters of ``text``."""

    text: str
    tokens: list[Token]
    stems: list[str]
    matches: list[PhraseMatch]
    terms: list[Term]
    segments: list[Segment]
    words: frozenset[str] = field(init=False)  # all of its words and marks

    def __post_init__(self) -> None:
        """Note the words: all that reads a statement looks for some of them."""
        self.words = frozenset([token.word for token in self.tokens])

    @cached_property
    def with_full_stop(self) -> ParsedStatement:
        """The same statement with a full stop behind its text, a token that is part of no term and no segment."""
        end = len(self.text)
        tokens = [*self.tokens, Token(end, end + 1, ".", ".")]
        return ParsedStatement(f"{self.text}.", tokens, [*self.stems, "."], self.matches, self.terms, self.segments)

    @cached_property
    def exceptions(self) -> list[PhraseMatch]:
        """The phrases that except something from what it says: "apart from"."""
        return [match for match in self.matches if "exception" in match.entry.flags]

    @cached_property
    def labels(self) -> list[Term]:
        """The organs and devices that stand before a colon, in order."""
        return [term for term in self.terms if self.is_label(term)]

    def is_label(self, term: Term) -> bool:
        """Tell whether a term is an organ or a device before a colon."""
        return term.mention is not None and term.end < len(self.tokens) and self.tokens[term.end].word == ":"

    def text_of(self, term: Term) -> str:
        """Return the passage that a term stands for."""
        return self.text_between(term.start, term.end)

    def text_between(self, start: int, end: int) -> str:
        """Return the passage of the tokens ``[start, end)``."""
        return self.text[self.tokens[start].start : self.tokens[end - 1].end]

    def is_plural(self, term: Term) -> bool:
        """Tell whether a term ends in a plural: "nodules", "hila"."""
        word = self.tokens[term.end - 1].word
        return word in LATIN_PLURALS or (word.endswith("s") and not word.endswith(("ss", "is", "us")))
