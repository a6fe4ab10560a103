"""What one segment of a statement offers to a caption: its words, sides, measures and organs, each as it is meant."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from functools import cached_property
from typing import NamedTuple

from curation.language.aspects import NORMAL, normal_aspects
from curation.language.assertion import Polarity
from curation.language.lexicon.lexicon import LexiconEntry
from curation.language.mentions import OrganMention
from curation.language.numbers.measure import Measure
from curation.language.parsed_statement import ParsedStatement, Term
from curation.language.parser import StatementParser
from curation.language.structure.attachments import may_head
from curation.language.structure.shared_heads import shared_head
from curation.language.structure.usable_terms import usable_terms
from curation.language.word_lists import ATTRIBUTE_STEMS, NEUTRAL_STEMS, POSITION_STEMS, SIDES

from .organs import OrganRelations, effusion_cavity, implied_organs
from .size_changes import size_changes, with_changes

LITERAL, SYNONYM, SPELLED, CONTEXT = 1.0, 0.9, 0.8, 0.7
"""Weights of a term that the evidence carries: as it stands, in a synonym, in another spelling, by its context."""

# Words of a compound that narrow nothing: "wall structure".
_NOT_NARROWING = ATTRIBUTE_STEMS | NEUTRAL_STEMS


class ClauseWords(NamedTuple):
    """What a clause of a caption is made of.

    ``words`` has the keys of the findings and qualities of the whole caption and of their parts, for a list shares
    them; ``kinds`` those of what its own findings are kinds of, ``organs`` those that it is about. ``device``: one of
    these is a device.
    """

    words: frozenset[str] = frozenset()
    kinds: frozenset[str] = frozenset()
    organs: tuple[str, ...] = ()
    device: bool = False


class RequiredTerm(NamedTuple):
    """A term of a caption that the evidence must carry.

    ``stems`` are its content stems, ``word`` its first word. ``is_own``: its clause has it of its own rather than from
    a neighbour. ``is_head``: it is no adjective of what follows. ``compound`` is what it names together with a word on
    the other side of an organ ("focal splenic lesion"). ``only_narrows``: it only qualifies what its clause denies, and
    may be missing where that is denied. ``joins_organ``: it is a verb between a finding and its organ. ``aspects`` are
    those of which it says that they are normal. ``text`` is its wording. ``is_dimension``: it only says that a measure
    beside it is a size: "4 mm in diameter".
    """

    term: Term
    stems: tuple[str, ...]
    word: str
    is_own: bool
    is_head: bool = True
    clause: ClauseWords = ClauseWords()
    compound: LexiconEntry | None = None
    only_narrows: bool = False
    joins_organ: bool = False
    aspects: frozenset[str] = frozenset()
    text: str = ""
    is_dimension: bool = False


class SegmentEvidence:
    """Stores what one segment of a statement (or, with ``index`` None, the whole of it) offers to a caption.

    ``terms`` are those that a caption about the segment may use, ``own_terms`` those that stand in it.
    """

    def __init__(
        self,
        parser: StatementParser,
        relations: OrganRelations,
        statement: ParsedStatement,
        index: int | None,
        context: tuple[str, ...],
    ) -> None:
        self.parser, self.relations, self.statement, self.context = parser, relations, statement, context
        self.terms = statement.terms if index is None else usable_terms(statement, index)
        self.own_terms = statement.terms if index is None else statement.segments[index].terms
        self.terms, changes = with_changes(self.terms, size_changes(statement.terms))
        self.polarities: dict[str, set[Polarity]] = {
            key: {Polarity.AFFIRMED} for key in changes
        }  # of each word, its synonyms' key and its parts
        self._denied: set[str] = set()  # keys of what is denied as such …
        self._denied_within: dict[str, list[frozenset[str]]] = {}  # … and parts of it, each with the parts beside it
        self.words = statement.words
        self.organ_stems: set[str] = set()  # words inside organ names, of which a caption may hold a part
        self.normal: list[tuple[Term, frozenset[str]]] = []  # what calls something normal, and which aspects of it
        self._segment = None if index is None else statement.segments[index]
        for term in self.terms:
            self._add(term)
        for at in range(len(statement.segments)) if index is None else (index,):
            if pair := shared_head(statement, at):
                self._add_shared_head(*pair)
        self.organs = [term for term in self.terms if term.mention]
        self.named = {name for term in self.organs if term.mention for name in term.mention.names}

    @cached_property
    def counts(self) -> Counter[str]:
        """How often each finding, modifier and part of one is named."""
        terms = (term for term in self.terms if term.kind in ("finding", "modifier"))
        return Counter(key for term in terms for key in {term.key, *term.parts})

    @cached_property
    def measures(self) -> dict[str, set[tuple[Measure, Polarity]]]:
        """Its measures by their kind, each as it is meant, and once wherever it stands."""
        measures: dict[str, set[tuple[Measure, Polarity]]] = {}
        for term in self.terms:
            if term.measure:
                said = (term.measure._replace(start=0, end=0), term.polarity)
                measures.setdefault(term.measure.kind, set()).add(said)
        return measures

    @cached_property
    def heads(self) -> int:
        """How many of its terms can be what a quality belongs to."""
        return sum(map(may_head, self.terms))

    @cached_property
    def states_side(self) -> bool:
        """Whether it has a side apart from organs, whose sides count where none is stated."""
        return bool(self._own_sides())

    @cached_property
    def sides(self) -> set[str]:
        """The sides that it states, or else those of its organs."""
        return self._own_sides() or self._sides_of_organs()

    @cached_property
    def implied(self) -> tuple[str, ...]:
        """The organs that its findings bring with them, and not those that its findings lie around."""
        implied = implied_organs(self.parser, self.own_terms)
        implied = tuple(name for name in implied if not self._lies_around(name))
        return implied + effusion_cavity(self.parser, self.terms, self.context)

    @cached_property
    def covering(self) -> frozenset[str]:
        """The organs that it has, or else goes on about, and all that they are parts of."""
        names = self.organ_names()
        return frozenset(names).union(*map(self.relations.ancestors, names))

    @cached_property
    def denies(self) -> bool:
        """Whether it denies a finding."""
        return denies_a_finding(self.terms)

    def _lies_around(self, name: str) -> bool:
        """Tell whether it names the region around an organ: "perinephric stranding" is not in the kidney."""
        surroundings, organs = self.parser.organ_finder.surroundings, self.relations.organs
        regions = {region for term in self.own_terms if term.mention for region in term.mention.names}
        regions |= {parent for region in regions for parent in organs[region].parents}
        return any(surroundings.get(organ) in regions for organ in (name, *organs[name].parents))

    def organ_names(self) -> list[str]:
        """Return the names of the organs that the evidence has, or else goes on about."""
        return [name for term in self.organs if term.mention for name in term.mention.names] or list(self.context)

    def subjects(self) -> list[str]:
        """Return the organs that the evidence is about, without places and what only encloses a more exact one."""
        mentions = [term.mention for term in self.organs if term.mention]
        return [name for mention in mentions if not (mention.place or mention.container) for name in mention.names]

    def in_context(self, subjects: Iterable[OrganMention]) -> tuple[str, ...]:
        """Return the organs that the context gives: its own, or the parts of the subjects that it tells of."""
        shared_parts = self.parser.vocabulary.shared_parts
        names = [name for mention in subjects for name in mention.names]
        parts = [part for name in names for organ in self.context for part in shared_parts(name, organ)]
        return (*self.context, *parts)

    def is_about(self, word: str) -> bool:
        """Tell whether a word of a finding's wording ("renal") is an organ that the evidence speaks of."""
        if word in self.organ_stems:
            return True
        name = self.parser.organ_finder.resolve(word)
        names = (*self.organ_names(), *self.context)
        return name is not None and any(self.relations.covers(name, organ) for organ in names)

    def _add(self, term: Term) -> None:
        canonical, stems = self.parser.lexicon.canonical, self.statement.stems[term.start : term.end]
        if term.kind in ("finding", "modifier"):
            for key in (term.key, *term.parts, *self.findings_inside(term), *(term.entry.joint if term.entry else ())):
                self.polarities.setdefault(key, set()).add(term.polarity)
            if term.polarity == Polarity.NEGATED:
                self._add_denied(term)
            if term.key == NORMAL:
                self.normal.append((term, normal_aspects(term, self._segment, self.statement)))
        if term.kind == "negation" or (term.entry and "pseudo_negation" in term.entry.flags):
            for stem in stems:  # "no suspicious …", "no increase in …"
                self.polarities.setdefault(canonical(stem), set()).add(Polarity.NEGATED)
        if term.mention and not term.mention.finding:  # "lymphadenopathy" is looked for as a finding
            self.organ_stems.update(stems)

    def denies_more_than(self, key: str, beside: frozenset[str]) -> bool:
        """Tell whether ``key`` is denied only in a compound with more than a caption has: "no calcified nodule"."""
        compounds = self._denied_within.get(key, [])
        return bool(compounds) and key not in self._denied and not any(others <= beside for others in compounds)

    def _add_denied(self, term: Term) -> None:
        """Note what a denied term denies as such, and which words it only denies together."""
        joint = term.entry.joint if term.entry else ()
        self._denied.update((term.key, *self.findings_inside(term), *joint))
        content = [part for part in term.parts if part not in _NOT_NARROWING and not self.relations.is_organ(part)]
        for part in term.parts:
            if part != term.key:
                self._denied_within.setdefault(part, []).append(frozenset(content) - {part})

    def _add_shared_head(self, quality: Term, head: Term) -> None:
        """Note that a denied quality denies the noun that it shares with another: "no loculated or free fluid"."""
        noun = self.statement.stems[head.end - 1]
        self.polarities.setdefault(noun, set()).add(Polarity.NEGATED)
        self._denied_within.setdefault(noun, []).append(frozenset((quality.key,)))

    def findings_inside(self, term: Term) -> tuple[str, ...]:
        """Return the findings inside a name that holds its organ: "nephrolithiasis" is renal calculi, so calculi."""
        entry = term.entry
        return self.relations.findings_inside(entry.wordings) if entry and not entry.modifier else ()

    def _own_sides(self) -> set[str]:
        """Return the sides that the segment states apart from organs, or else those that its neighbours do."""
        side_words = [term for term in self.terms if term.kind == "side"]
        apart = [term for term in side_words if not self.relations.belongs_to_organ(term, self.terms)]
        apart = [term for term in apart if term in self.own_terms] or apart
        return {side for term in apart for side in both_sides(term.key.removeprefix("side:"))}

    def _sides_of_organs(self) -> set[str]:
        """Return the sides of organs, by their names and by the side words that belong to them."""
        sides: set[str] = set()
        for term in self.terms:
            if term.kind == "side":
                sides |= both_sides(term.key.removeprefix("side:"))
            elif term.mention:
                words = {SIDES.get(token.word) for token in self.statement.tokens[term.start : term.end]}
                sides |= {side for side in words if side in ("left", "right")}
                sides |= {side for name in term.mention.names if (side := self.relations.organs[name].side)}
        return sides


def both_sides(side: str) -> set[str]:
    """Return the sides that a side word means: two for "both"."""
    return {"left", "right"} if side == "both" else {side}


def denies_a_finding(terms: Iterable[Term]) -> bool:
    """Tell whether a finding, and not only an organ or its whereabouts, is denied."""
    for term in terms:
        if term.polarity == Polarity.NEGATED and term.kind in ("finding", "modifier", "measure"):
            if term.key not in POSITION_STEMS:
                return True
    return False


def only_denies(terms: Iterable[Term]) -> bool:
    """Tell whether findings are denied, and none is affirmed or in doubt."""
    findings = [term for term in terms if term.kind == "finding" and not term.attribute]
    polarities = {term.polarity for term in findings if term.key not in POSITION_STEMS}
    return polarities == {Polarity.NEGATED}
