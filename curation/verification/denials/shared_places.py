"""Places behind a list of denied findings, which hold for each of them: "no nodule or mass in the left lung".

Of one of them a caption denies more than its evidence does where it leaves such a place off ("no nodule"), or names a
larger one ("no nodule in the lungs").
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from curation.caption import Reason
from curation.language.parsed_statement import ParsedStatement, Term
from curation.language.parser import StatementParser
from curation.language.word_lists import WHEREABOUTS_STEMS

from ..clause_matching import CarriedClause
from ..evidence import both_sides, denies_a_finding
from ..organs import OrganRelations, implied_organs, stated_sides, subject_organs
from ..refusals import RefusalCause
from .denied_parts import continues_list, denied_parts

# Words before the name of a vessel or duct that leave out its branches: "the main portal vein".
_NARROWING_STEMS = WHEREABOUTS_STEMS | {"main"}


class SharedPlaces:
    """Checks captions for the places that their evidence has behind a list of what it denies."""

    def __init__(self, parser: StatementParser, relations: OrganRelations) -> None:
        self._parser, self._relations = parser, relations

    def dropped(
        self, carried: Sequence[CarriedClause], caption: ParsedStatement, statement: ParsedStatement, organ: str
    ) -> Iterator[RefusalCause]:
        """Yield a cause for a place that a caption filed under ``organ`` drops of a member of a denied list."""
        for clause, index in carried:
            if denies_a_finding(clause.terms):
                for place in _shared_places(statement, index):
                    if not self._keeps(place, caption, statement, organ):
                        detail = f"leaves off “{statement.text_of(place)}”, which narrows the denial"
                        yield RefusalCause(Reason.MODIFIER, detail)

    def _keeps(self, place: Term, caption: ParsedStatement, statement: ParsedStatement, organ: str) -> bool:
        """Tell whether a caption denies nothing beyond a place: it has it, or is about what does not hold it."""
        relations, named = self._relations, subject_organs(caption.terms)
        names = named or list(implied_organs(self._parser, caption.terms)) or [organ]
        if place.mention is None:
            sides = {side for word in stated_sides(caption.terms) for side in both_sides(word)}
            sides |= {side for name in (*names, organ) if (side := relations.organs[name].side)}
            is_one_sided = any(relations.sided(name) or relations.organs[name].side for name in names)
            return not is_one_sided or both_sides(place.key.removeprefix("side:")) <= sides
        places = place.mention.names
        narrower = [name for name in (*names, organ) if any(relations.covers(part, name) for part in places)]
        halves = [relations.sided(name) for name in names]
        if narrower or any(pair is not None and set(pair) <= set(places) for pair in halves):
            whereabouts = _NARROWING_STEMS.intersection(statement.stems[place.start : place.end])
            return whereabouts <= set(caption.stems).union(*map(relations.stems, places))
        return not any(relations.covers(name, part) for name in names for part in places)


def _shared_places(statement: ParsedStatement, index: int) -> list[Term]:
    """Return the places behind the list that segment ``index`` is a member of; none where it has some of its own.

    The last member has the place, and may carry what an earlier one names: "no abscess or mass in the spleen".
    """
    parts = denied_parts(statement)
    at = next((at for at in reversed(range(len(parts))) if parts[at].segment == index), None)
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


def _is_place(term: Term) -> bool:
    return (term.kind == "side" and term.key != "side:both") or (term.mention is not None and not term.mention.place)
