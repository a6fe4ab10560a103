"""Which organs a clause of a statement makes claims about: those that it names, and those that its findings imply.

Effusions that name no place are in the pleura beside the lungs, on the side that is stated: "The lungs are clear, but
there is a right effusion", "Nodule in the left lung. Small left effusion."
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

from curation.language.assertion import Polarity
from curation.language.parsed_statement import ParsedStatement, Term
from curation.language.parser import StatementParser
from curation.language.structure.clauses import Clause
from curation.language.understanding.account import account_of
from curation.language.understanding.passages import StatementPassage, passages_in
from curation.verification.organs import LOBECTOMY, effusion_cavity, implied_organs, stated_sides

from .caption_wording import OrganClaim
from .cuts.only_places import only_tells_where

_WORDS_OF_SIZES = frozenset(("up", "size:largest", "bilater"))
KINDS_OF_ORGANS = frozenset(("arteries", "veins", "skeleton", "joints", "intervertebral discs"))
"""Organs that a finding implies as a kind: plaques are of arteries, fractures of bones, unless a label says of what."""

_MANY_ORGANS = frozenset(
    ("vessels", "arteries", "veins", "skeleton", "joints", "lymph nodes", "muscles", "soft tissues")
)
"""Kinds of organs all over the body: two of a kind need not be on one side."""

_NOT_OF_BONE = frozenset(("ulcer", "aneurysm", "dissect"))
_ATROPHY = frozenset(("atrophi", "volum loss"))
"""Keys of what the brain as a whole has with age."""
_PASSED_OVER = frozenset("the a level of left right".split())


class ClaimedOrgans:
    """Finds the organs of clauses with one parser."""

    def __init__(self, parser: StatementParser) -> None:
        self.parser = parser

    def below_heading(self, name: str, term: Term | None, context: tuple[str, ...]) -> str:
        """Return an organ as the heading above its statement means it: "No hydronephrosis" below "Right kidney: …".

        A heading tells which of a pair is meant, and of which part a finding is that brings with it no more than a kind
        of organ: below "LAD:" a plaque is not one of any artery.
        """
        vocabulary = self.parser.vocabulary
        if len(context) != 1:
            return name
        is_above = name in vocabulary.ancestors(context[0])
        is_implied = name in KINDS_OF_ORGANS and (term is None or (term.mention is not None and term.mention.adjective))
        if is_above and (context[0] in (vocabulary.sided(name) or ()) or is_implied):
            return name if vocabulary.organs[name].region else context[0]
        pair = vocabulary.sided(name) or ()
        parts = vocabulary.shared_parts(name, context[0]).intersection(pair)
        return min(parts) if len(parts) == 1 else name

    def below_property(self, clauses: Sequence[Clause], statement: ParsedStatement) -> list[OrganClaim]:
        """Return the claims of what stands behind a property that one organ has: "Ejection fraction: low"."""
        first = statement.segments[0]
        behind = tuple(clause for clause in clauses if not clause.heading)
        if len(behind) == len(clauses) or not all(term.attribute for term in first.terms):
            return []
        return [OrganClaim(organ, behind, None) for organ in implied_organs(self.parser, first.terms)]

    def is_only_sized(self, term: Term, clauses: Sequence[Clause]) -> bool:
        """Return whether a place or an adjective has a size, and nothing tells of what: "left hilar 1.4 cm"."""
        if term.mention is None or not (term.mention.adjective or self.parser.vocabulary.organs[term.key].region):
            return False
        others = [other for clause in clauses for other in clause.terms if not other.mention]
        return any(other.kind == "measure" for other in others) and all(
            other.kind in ("measure", "side") or other.key in _WORDS_OF_SIZES for other in others
        )

    def organs(self, clause: Clause, statement: ParsedStatement) -> list[tuple[str, Term | None]]:
        """Return the organs that a clause is about, without those that only enclose another of them.

        Of what is parted by "with", each passage has its own: "Normal heart, without pericardial fluid" is about both.
        """
        passages = passages_in(clause, statement)
        apart = self._sites_apart(passages) if len(passages) > 1 else []
        organs = [*self._named_organs(clause, apart, statement), *self._implied_behind_with(passages)]
        organs = organs or self._of_whole_brain(clause, statement)
        names = {name for name, term in organs if term not in apart}
        enclosing = {ancestor for name in names for ancestor in self.parser.vocabulary.ancestors(name)}
        return [(name, term) for name, term in organs if name not in enclosing or term in apart]

    def _of_whole_brain(self, clause: Clause, statement: ParsedStatement) -> list[tuple[str, Term | None]]:
        """Return the brain for an atrophy behind a finding of it: "Microvascular changes and generalized atrophy"."""
        before = next((one for one, other in pairwise(statement.segments) if other is clause.segment), None)
        is_listed = clause.segment.joiner in ("and", ",") and clause.segment.verb is None
        if before is None or not is_listed or not any(term.key in _ATROPHY for term in clause.segment.terms):
            return []
        return [("brain", None)] if implied_organs(self.parser, before.terms) == ("brain",) else []

    def _implied_behind_with(self, passages: Sequence[StatementPassage]) -> Iterator[tuple[str, None]]:
        """Yield the organs of findings behind "with" that are in another organ: "Liver normal with splenomegaly"."""
        for before, passage in pairwise(passages):
            if passage.names_site or not any(term.is_normality for term in before.own):
                continue
            implied = implied_organs(self.parser, passage.own)
            if not any(self._related(term, implied) for term in before.sites):
                yield from ((name, None) for name in implied if name not in KINDS_OF_ORGANS)

    def _sites_apart(self, passages: Sequence[StatementPassage]) -> list[Term]:
        """Return the terms of organs of which one of several passages says something."""
        own = [passage for passage in passages if passage.names_site and account_of(passage).says_something]
        return [term for passage in own if not implied_organs(self.parser, passage.own) for term in passage.sites]

    def _named_organs(
        self, clause: Clause, apart: Sequence[Term], statement: ParsedStatement
    ) -> Iterator[tuple[str, Term | None]]:
        from_heading = _implied_of_heading(self.parser, clause)
        implied = implied_organs(self.parser, clause.terms)
        implied_here = () if clause.segment.organs else implied_organs(self.parser, clause.segment.terms)
        if _is_labelled(clause, statement):
            implied_here = tuple(name for name in implied_here if name not in KINDS_OF_ORGANS)
            implied = tuple(name for name in implied if name not in KINDS_OF_ORGANS)
            if any(term.key == LOBECTOMY for term in clause.terms):  # of the thyroid, below its label
                implied_here = tuple(name for name in implied_here if name != "lungs")
                implied = tuple(name for name in implied if name != "lungs")
        following = [s for s in statement.segments if s.start > clause.segment.end and s.joiner == "," and s.findings]
        if any(self.parser.vocabulary.sided(organ) for organ in implied_here):
            following = []  # "hydronephrosis, stone in the left kidney" is in one kidney
        listed = {id(term) for segment in following for term in segment.terms}
        beside = [term for term in clause.terms if term.mention and id(term) not in listed]
        if implied_here and not any(self._related(term, implied_here) for term in beside):
            # "cardiomegaly, dilatation of the aorta": not both of the aorta
            yield from ((self._on_shared_side(name, clause, statement), None) for name in implied_here)
            return
        if cavity := cavity_behind_lungs(self.parser, clause):
            yield from ((name, None) for name in cavity)
            return
        for term in clause.terms:
            if term.mention and not term.mention.place and (not term.mention.container or term in apart):
                if implied and self.parser.vocabulary.organs[term.key].region:
                    continue  # "effusion in the right hemithorax" is about the pleura
                if only_tells_where(term, clause, statement, self.parser.vocabulary) or self._is_level_of_vessel(
                    term, clause, implied
                ):
                    continue
                if self._encloses_label(term, statement) or self._is_origin(term, clause, statement):
                    yield from self._of_label(statement, term)
                    continue
                if _is_label_of_others(term, clause, statement):
                    continue
                for name in term.mention.names:
                    if not from_heading or term in clause.segment.terms or name in from_heading:
                        yield name, term
        for name in implied:
            yield self._on_shared_side(name, clause, statement), None

    def _on_shared_side(self, name: str, clause: Clause, statement: ParsedStatement) -> str:
        """Return an organ on the side of what its finding is joined to: "left hydronephrosis and hydroureter".

        Both have to be in the same system of organs: not "left renal cyst and pulmonary edema".
        """
        vocabulary, segment = self.parser.vocabulary, clause.segment
        pair = vocabulary.sided(name)
        before = next((one for one, other in pairwise(statement.segments) if other is segment), None)
        if pair is None or before is None or segment.joiner != "and" or segment.verb is not None or segment.organs:
            return name
        beside = implied_organs(self.parser, before.terms)
        if len(beside) != 1 or vocabulary.organs[beside[0]].side is None or stated_sides(segment.terms):
            return name
        shared = vocabulary.ancestors(beside[0]) & vocabulary.ancestors(name)
        if all(vocabulary.organs[system].region for system in shared - _MANY_ORGANS):
            return name
        return pair[0] if vocabulary.organs[beside[0]].side == "left" else pair[1]

    def _is_level_of_vessel(self, term: Term, clause: Clause, implied: Sequence[str]) -> bool:
        """Return whether a vertebra only tells at which level a vessel has a finding: "penetrating ulcer at T10"."""
        above = [self.parser.vocabulary.ancestors(name) for name in implied]
        is_of_vessel = any("vessels" in names for names in above) or any(t.key in _NOT_OF_BONE for t in clause.terms)
        return term.key.endswith(" vertebra") and is_of_vessel

    def _encloses_label(self, term: Term, statement: ParsedStatement) -> bool:
        """Return whether a term names no more than what the label before it is a part of: "Glenoid: bone loss"."""
        if self.parser.vocabulary.organs[term.key].side is not None:
            return False
        labels = (label.mention for label in statement.labels if label.mention and label.end < term.start)
        return any(term.key in self.parser.vocabulary.ancestors(name) for label in labels for name in label.names)

    def _is_origin(self, term: Term, clause: Clause, statement: ParsedStatement) -> bool:
        """Return whether a vessel only tells where another begins or ends: "from the SMA", "patent to the ankle"."""
        at = term.start - 1
        while at > 0 and statement.tokens[at].word in _PASSED_OVER:
            at -= 1
        if at <= 0 or statement.tokens[at].word not in ("from", "to", "at"):
            return False
        labels = [label for label in statement.labels if label.end <= at]
        if statement.tokens[at].word == "at":
            inside = [other for other in clause.segment.terms if other is not term]
            is_bare = all(other.entry is None and other.mention is None for other in inside)
            return is_bare and term in clause.segment.terms and bool(labels)
        if any("vessels" in self._above(label) for label in labels) and "vessels" not in self._above(term):
            return True  # "SFA: occluded to the knee"
        before = [other for other in statement.terms if other.end <= at]
        if statement.tokens[at].word == "to":
            return any(other.is_normality and other.end == at for other in before)
        return "vessels" in self._above(term) and any(other.mention and not other.mention.place for other in before)

    def _of_label(self, statement: ParsedStatement, term: Term) -> Iterator[tuple[str, Term]]:
        """Yield the organs of the last label before a term."""
        labels = [label for label in statement.labels if label.end < term.start]
        for label in labels[-1:]:
            yield from ((name, label) for name in (label.mention.names if label.mention else ()))

    def _above(self, term: Term) -> frozenset[str]:
        names = term.mention.names if term.mention else ()
        return frozenset[str]().union(*(self.parser.vocabulary.ancestors(name) for name in names))

    def _related(self, term: Term, organs: Sequence[str]) -> bool:
        names = term.mention.names if term.mention else ()
        return any(self.parser.vocabulary.related(name, organ) for name in names for organ in organs)


def _implied_of_heading(parser: StatementParser, clause: Clause) -> set[str]:
    """Return the organs of a heading that the finding below it implies: "PERITONEUM/ABDOMINAL WALL: No ascites." """
    implied = {term.entry.organ for term in clause.segment.terms if term.entry and term.entry.organ}
    inherited = [term.mention for term in clause.terms if term.mention and term not in clause.segment.terms]
    heading_names = {name for mention in inherited for name in mention.names}
    organs = {parser.organ_finder.resolve(organ) for organ in implied} - {None}
    return {name for name in heading_names if any(organ and parser.vocabulary.related(name, organ) for organ in organs)}


def _is_labelled(clause: Clause, statement: ParsedStatement) -> bool:
    """Return whether a clause stands behind a label that names an organ or a device: "Pleura: calcified plaques"."""
    return any(label.end < clause.segment.start for label in statement.labels)


def _is_label_of_others(term: Term, clause: Clause, statement: ParsedStatement) -> bool:
    """Return whether a device is only the label of what is said of an organ: "Sutures: no mass at the anastomosis"."""
    if term.mention is None or not term.mention.device or not statement.is_label(term):
        return False
    behind = [other for other in statement.terms if other.start > term.end]
    return any(other.mention and not (other.mention.device or other.mention.place) for other in behind) and any(
        other.kind == "finding" and other.entry is not None and not other.is_normality for other in behind
    )


def cavity_behind_lungs(parser: StatementParser, clause: Clause) -> tuple[str, ...]:
    """Return the pleura for an effusion in a clause beside one of the lungs; nothing for other clauses."""
    segment = clause.segment
    named = [(t.end <= segment.start, name) for t in clause.terms if t.mention for name in t.mention.names]
    before = [name for is_before, name in named if is_before]
    if segment.organs or not named:
        return ()
    if not before:  # "Small right effusion and consolidation in the left lower lobe"
        is_sided = bool(stated_sides(segment.terms))
        return effusion_cavity(parser, segment.terms, [name for _, name in named]) if is_sided else ()
    is_denied = all(term.polarity == Polarity.NEGATED for term in segment.terms)  # "no infiltrates, effusions, …"
    if segment.verb is None and segment.joiner == "," and not is_denied:
        return ()  # "…, adjacent to the effusion"
    return effusion_cavity(parser, segment.terms, before)


def claims_of_effusions(
    parser: StatementParser, clauses: Sequence[Clause], context: Sequence[str]
) -> list[OrganClaim] | None:
    """Return the claims of a statement about nothing but effusions, which goes on about the lungs; None for others."""
    organs: dict[str, list[Clause]] = {}
    for clause in clauses:
        cavity = effusion_cavity(parser, clause.terms, context)
        if not cavity:
            return None
        for name in cavity:
            organs.setdefault(parser.vocabulary.filed_under(name), []).append(clause)
    return [OrganClaim(organ, tuple(of_organ), None) for organ, of_organ in organs.items()]
