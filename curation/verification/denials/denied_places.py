"""Places that narrow a denial: "no nodule or mass in the left lung", "no intraperitoneal bladder rupture".

A caption denies more than its evidence does where it leaves such a place off ("no nodule") or names a larger one ("no
nodule in the lungs"). A place behind a list of denied findings holds for each of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from curation.caption import Reason
from curation.language.parsed_statement import ParsedStatement, Term
from curation.language.parser import StatementParser
from curation.language.structure.organ_sections import section_stems
from curation.language.word_lists import CAVITY_ADJECTIVES, PLACE_PREFIXES, WHEREABOUTS_STEMS

from ..clause_matching import CarriedClause
from ..evidence import both_sides, denies_a_finding
from ..organs import OrganRelations, implied_organs, stated_sides, subject_organs
from ..refusals import RefusalCause
from .denied_parts import DeniedPart, continues_list, denied_parts

# Words before the name of a vessel or duct that leave out its branches: "the main portal vein".
_NARROWING_STEMS = WHEREABOUTS_STEMS | {"main"}


class DeniedPlaces:
    """Checks captions for the places of which their evidence denies something."""

    def __init__(self, parser: StatementParser, relations: OrganRelations) -> None:
        self._parser, self._relations = parser, relations

    def dropped(
        self, carried: Sequence[CarriedClause], caption: ParsedStatement, statement: ParsedStatement, organ: str
    ) -> Iterator[RefusalCause]:
        """Yield a cause for a place of a denied finding that a caption filed under ``organ`` drops."""
        for clause, index in carried:
            if denies_a_finding(clause.terms):
                for place in (*_shared_places(statement, index), *_own_places(statement, index)):
                    if not self._keeps(place, caption, statement, organ, index):
                        detail = f"leaves off “{statement.text_of(place)}”, which narrows the denial"
                        yield RefusalCause(Reason.MODIFIER, detail)

    def _keeps(self, place: Term, caption: ParsedStatement, statement: ParsedStatement, organ: str, index: int) -> bool:
        """Tell whether a caption denies nothing beyond a place of segment ``index``, or is about what is not in it."""
        relations, named = self._relations, subject_organs(caption.terms)
        names = named or list(implied_organs(self._parser, caption.terms)) or [organ]
        sides = {side for word in stated_sides(caption.terms) for side in both_sides(word)}
        sides |= {side for name in (*names, organ) if (side := relations.organs[name].side)}
        if place.mention is None:
            is_one_sided = any(relations.sided(name) or relations.organs[name].side for name in names)
            return not is_one_sided or both_sides(place.key.removeprefix("side:")) <= sides
        places = place.mention.names
        halves_of_body = [
            name for name in places if relations.organs[name].region and relations.organs[name].side in sides
        ]
        places += tuple(whole for half in halves_of_body for whole in relations.ancestors(half))
        narrower = [name for name in (*names, organ) if any(relations.covers(part, name) for part in places)]
        halves = [relations.sided(name) for name in names]
        if narrower or any(pair is not None and set(pair) <= set(places) for pair in halves):
            return not _narrowing_stems(place, statement) - set(caption.stems).union(
                *map(relations.stems, places)
            ) and not _cavities(caption) - _cavities(statement)
        if any(self._is_related(name, part) for name in names for part in places):
            return False
        terms = [term for term in statement.segments[index].terms if not _are_alternatives(term, place, statement)]
        beside = (*subject_organs(terms), *implied_organs(self._parser, terms))
        is_beside = place in statement.segments[index].terms
        return not (is_beside and any(self._is_related(name, other) for name in names for other in beside))

    def _is_related(self, first: str, second: str) -> bool:
        return self._relations.covers(first, second) or self._relations.covers(second, first)


def _narrowing_stems(place: Term, statement: ParsedStatement) -> set[str]:
    """Return the words of a place that leave out a part of its organ: "distal", "endobronchial"."""
    words = zip(statement.tokens[place.start : place.end], statement.stems[place.start : place.end], strict=True)
    inside = {stem for token, stem in words if stem in _NARROWING_STEMS or token.word.startswith(PLACE_PREFIXES)}
    return inside | section_stems(place, statement)


def _are_alternatives(first: Term, second: Term, statement: ParsedStatement) -> bool:
    """Tell whether two places are the same, or joined by a hyphen or slash: "hilar-axillary"."""
    if first.start > second.start:
        first, second = second, first
    between = statement.text[statement.tokens[first.end - 1].end : statement.tokens[second.start].start]
    return first is second or between.strip() in ("-", "/", "–")


def _cavities(statement: ParsedStatement) -> set[str]:
    return {token.word.replace("-", "") for token in statement.tokens} & CAVITY_ADJECTIVES


def _shared_places(statement: ParsedStatement, index: int) -> list[Term]:
    """Return the places behind the list that segment ``index`` is a member of; none where it has some of its own.

    The last member has the place, and may carry what an earlier one names: "no abscess or mass in the spleen".
    """
    parts = denied_parts(statement)
    at = _last_part(parts, index)
    if at is None:
        return []
    if own := [term for term in parts[at].after if _is_place(term)]:
        return own if at and parts[at].core and continues_list(statement.segments[index]) else []
    for later in parts[at + 1 :]:
        if later.segment != parts[at].segment + 1 or not continues_list(statement.segments[later.segment]):
            break
        if later.core and (places := [term for term in later.after if _is_place(term)]):
            return places
        at += 1
    return []


def _own_places(statement: ParsedStatement, index: int) -> list[Term]:
    """Return the organs that segment ``index`` has of its own, where its finding is denied of no others."""
    parts = denied_parts(statement)
    at = _last_part(parts, index)
    if at is None or not any(term.kind == "finding" for term in parts[at].core):
        return []
    if at + 1 < len(parts) and continues_list(statement.segments[parts[at + 1].segment]):
        if not any(term.kind == "finding" for term in parts[at + 1].core):
            return []  # the next adds a place: "no mass in the left or right lung"
    organs = [term for term in (*parts[at].core, *parts[at].after) if term.mention is not None and _is_place(term)]
    return organs if len(organs) == 1 else [term for term in organs if term.mention and not term.mention.container]


def _last_part(parts: Sequence[DeniedPart], index: int) -> int | None:
    return next((at for at in reversed(range(len(parts))) if parts[at].segment == index), None)


def _is_place(term: Term) -> bool:
    return (term.kind == "side" and term.key != "side:both") or (term.mention is not None and not term.mention.place)
