"""Clauses of a caption, and the segment of a statement that carries each of them best."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from curation.language.aspects import NORMAL
from curation.language.parsed_statement import ParsedStatement, Term
from curation.language.parser import StatementParser
from curation.language.structure.clauses import Clause, clauses_of
from curation.language.structure.single_claims import speaks_of_one_thing

from .clauses.caption_clauses import CaptionClause, caption_clause
from .clauses.exchanges import exchanged_qualities
from .clauses.halves import split_at_with, split_by_side
from .denials.removals import carries_removal
from .evidence import (
    CONTEXT,
    LITERAL,
    SYNONYM,
    RequiredTerm,
    SegmentEvidence,
)
from .organ_matching import match_organ, match_side
from .organs import OrganRelations, implied_organs, subject_organs
from .refusals import REPEATED, Mismatch
from .words.largest_sizes import is_largest_size
from .words.negating_prefixes import says_with_prefix
from .words.word_matching import match_measure, match_word

_MOST_SEGMENTS = 4
"""Segments of a statement that a clause is matched with, those that share most words with it first."""


class CarriedClause(NamedTuple):
    """A clause of a caption, and the index of the segment of the statement that carries it."""

    clause: Clause
    segment: int


class ClauseMatch(NamedTuple):
    """How well segment ``segment`` carries ``clause``: what it does not carry, and the share (0 to 1) that it does."""

    clause: CaptionClause
    evidence: SegmentEvidence
    segment: int
    mismatches: list[tuple[Mismatch, Term]]
    share: float
    uses_context: bool


class ClauseMatcher:
    """Matches the clauses of captions with the segments of statements."""

    def __init__(self, parser: StatementParser, relations: OrganRelations) -> None:
        self._parser, self._relations = parser, relations
        self._cached_clauses = lru_cache(maxsize=2_000)(self._caption_clauses)
        self._cached_evidence = lru_cache(maxsize=2_000)(self._evidence)
        self._cached_halves = lru_cache(maxsize=2_000)(self._halves)
        self._cached_match = lru_cache(maxsize=2_000)(_match_segment)

    def match(self, caption: str, statement: str, organ: str, context: tuple[str, ...]) -> list[ClauseMatch]:
        """Return each clause of a caption filed under ``organ`` with the segment of the statement that carries it best.

        ``context`` has the organs that the statement goes on about. A clause that no segment carries is given as its
        two halves where each of them is carried: "nodule with calcification".
        """
        parse = self._parser.parse(statement)
        matches: list[ClauseMatch] = []
        for clause in self._cached_clauses(caption):
            best = self._best_match(clause, parse, organ, context)
            halves = self._matched_halves(clause, parse, organ, context) if best.mismatches else []
            matches += halves or [best]
        return matches

    def evidence(self, statement: str, index: int | None, context: tuple[str, ...]) -> SegmentEvidence:
        """Return what segment ``index`` of a statement offers to a caption; all of the statement for None."""
        return self._cached_evidence(statement, index, context)

    def clauses(self, caption: str) -> tuple[CaptionClause, ...]:
        """Return the clauses of a caption that the evidence must carry."""
        return self._cached_clauses(caption)

    def match_segment(self, clause: CaptionClause, statement: str, index: int, context: tuple[str, ...]) -> ClauseMatch:
        """Return how well one segment of a statement carries a clause."""
        return self._cached_match(clause, self.evidence(statement, index, context), index)

    def halves(self, clause: CaptionClause) -> tuple[CaptionClause, ...]:
        """Return both halves of a clause that can be cut before "with" or "without"; nothing of any other."""
        return self._cached_halves(clause)[0]

    def sides(self, clause: CaptionClause) -> tuple[CaptionClause, ...]:
        """Return a clause about both sides once for each; nothing of any other."""
        return self._cached_halves(clause)[1]

    def _halves(self, clause: CaptionClause) -> tuple[tuple[CaptionClause, ...], ...]:
        """Return both halves of a clause that is cut at "with", and both of it cut by side; nothing for no cut."""
        caption = clause.caption
        return tuple(
            tuple(caption_clause(half, caption, self._relations) for half in halves)
            for halves in (split_at_with(clause.clause, caption), split_by_side(clause.clause))
        )

    def _evidence(self, statement: str, index: int | None, context: tuple[str, ...]) -> SegmentEvidence:
        return SegmentEvidence(self._parser, self._relations, self._parser.parse(statement), index, context)

    def _caption_clauses(self, caption: str) -> tuple[CaptionClause, ...]:
        parse = self._parser.parse(caption)
        clauses = [
            clause
            for clause in clauses_of(parse)
            if not clause.heading or any(term.kind == "organ" for term in clause.terms)
        ]
        return tuple(caption_clause(clause, parse, self._relations) for clause in clauses)

    def _best_match(
        self, clause: CaptionClause, statement: ParsedStatement, organ: str, context: tuple[str, ...]
    ) -> ClauseMatch:
        """Return the match with the segment that carries a clause best."""
        text, count = statement.text, len(statement.segments)
        if count == 1:
            return self.match_segment(clause, text, 0, context)
        has_words = clause.stems.issubset(statement.stems)
        if not has_words and lacks_a_word(anywhere := self.match_anywhere(clause, text, context)):
            return anywhere
        best: ClauseMatch | None = None
        closest = self._closest_segments(clause, statement, context)
        if not clause.organs:  # "open", of the bronchi: of several that it fits, the segment that is about them
            closest = sorted(closest, key=lambda index: not self._is_about(organ, statement, index))
        for index in closest:
            if _may_be_literal(clause, self.evidence(text, index, context)):
                match = self.match_segment(clause, text, index, context)
                if not match.mismatches and match.share == LITERAL:
                    return match
        for index in closest:
            match = self.match_segment(clause, text, index, context)
            if best is None or (len(match.mismatches), -match.share) < (len(best.mismatches), -best.share):
                best = match
        assert best is not None
        if not best.mismatches:
            return best
        if has_words and lacks_a_word(anywhere := self.match_anywhere(clause, text, context)):
            return anywhere
        if anywhere.mismatches or speaks_of_one_thing(statement):
            return anywhere._replace(segment=best.segment)
        return best

    def match_anywhere(self, clause: CaptionClause, statement: str, context: tuple[str, ...]) -> ClauseMatch:
        """Return how well all of a statement together carries a clause."""
        return self._cached_match(clause, self.evidence(statement, None, context), 0)

    def _matched_halves(
        self, clause: CaptionClause, statement: ParsedStatement, organ: str, context: tuple[str, ...]
    ) -> list[ClauseMatch]:
        """Return the matches of both halves of a clause, cut before "with" or by side, if each of them is carried."""
        if len(statement.segments) < 2:
            return []
        for halves in self._cached_halves(clause):
            matches = [self._best_match(half, statement, organ, context) for half in halves]
            if matches and not any(match.mismatches for match in matches):
                return matches
        return []

    def _is_about(self, organ: str, statement: ParsedStatement, index: int) -> bool:
        terms = statement.segments[index].terms
        names = [*subject_organs(terms), *implied_organs(self._parser, terms)]
        return any(self._relations.covers(organ, name) for name in names)

    def _closest_segments(
        self, clause: CaptionClause, statement: ParsedStatement, context: tuple[str, ...]
    ) -> Sequence[int]:
        """Return the segments to match a clause with: of many, those that share most with it."""
        count = len(statement.segments)
        if count <= _MOST_SEGMENTS:
            return range(count)

        keys = [required.term.key for required in clause.required]
        measures = [required.term for required in clause.required if required.term.kind == "measure"]

        def shared(index: int) -> int:
            evidence = self.evidence(statement.text, index, context)
            words = sum([key in evidence.polarities for key in keys])
            organs = sum([organ in evidence.covering for organ in clause.organs])
            return words + organs + sum(not isinstance(match_measure(term, evidence), Mismatch) for term in measures)

        return sorted(range(count), key=shared, reverse=True)[:_MOST_SEGMENTS]


def lacks_a_word(anywhere: ClauseMatch) -> bool:
    """Tell whether a word of a clause stands nowhere in a statement.

    That settles it, and says more than a word that stands elsewhere in it. Where all words are there as they stand, the
    segments are looked at first, for one that carries the clause settles it too.
    """
    return any(mismatch.weight == 0.0 and term.kind not in ("organ", "side") for mismatch, term in anywhere.mismatches)


def _may_be_literal(clause: CaptionClause, evidence: SegmentEvidence) -> bool:
    """Tell whether a segment has all words and organs of a clause: no other carries all of its terms as they stand."""
    names = evidence.named
    return all(
        required.term.mention.names[-1] in names
        if required.term.mention
        else required.term.kind in ("side", "measure")
        or required.term.key in evidence.polarities
        or required.term.key == NORMAL
        for required in clause.required
    )


def _match_segment(clause: CaptionClause, evidence: SegmentEvidence, index: int) -> ClauseMatch:
    """Look for all terms of a clause in what segment ``index`` offers."""
    if clause.only_absent and carries_removal(clause.clause.terms, evidence):
        return ClauseMatch(clause, evidence, index, [], SYNONYM, uses_context=False)
    # "Calcified calcifications" are not what "calcified nodules" are.
    mismatches = [(REPEATED, term) for term, count in clause.repeated if 1 <= evidence.counts[term.key] < count]
    share, uses_context = 0.0, False
    for required in clause.required:
        weight = match_term(required, clause, evidence)
        if isinstance(weight, Mismatch):
            mismatches.append((weight, required.term))
            weight = weight.weight
        share += weight
        uses_context |= weight == CONTEXT and required.term.kind == "organ"
    share = share / len(clause.required) if clause.required else LITERAL
    if not mismatches:
        mismatches = list(exchanged_qualities(clause.clause, clause.caption, evidence))
    return ClauseMatch(clause, evidence, index, mismatches, share, uses_context)


def match_term(required: RequiredTerm, clause: CaptionClause, evidence: SegmentEvidence) -> Mismatch | float:
    """Return the weight of a term of a clause in what a segment offers, or why it has none."""
    term = required.term
    if term.kind == "organ":
        return match_organ(required, evidence, clause.denied, clause.denied or clause.normal, clause.only_denied)
    if term.kind == "side":
        return match_side(term.key.removeprefix("side:"), clause.organs, evidence)
    if term.kind == "measure":
        weight = match_measure(term, evidence, required.only_narrows)
        is_largest = isinstance(weight, Mismatch) and is_largest_size(term, clause.clause, clause.caption, evidence)
        return SYNONYM if is_largest else weight
    weight = match_word(required, evidence)
    if isinstance(weight, Mismatch) and says_with_prefix(required, clause.clause.segment, clause.caption, evidence):
        return SYNONYM
    return weight
