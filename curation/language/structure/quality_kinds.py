"""The kinds of qualities, of which a finding has only one each: a length, a side, a severity, a change.

A segment may grade a finding named before in another place: "mild stenosis at L2-L3, moderate at L3-L4".
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ..parsed_statement import Segment, Term
from ..word_lists import POSITION_STEMS

# Times that compare with an earlier day; others tell how old something is.
_TIMES = "new stable persistent recurrent residual resolved increased progressed worsened decreased regressed improved"
_CHANGES = frozenset(f"time:{change}" for change in _TIMES.split())
# Kinds of qualities that several findings of one name have alike.
_LASTING = frozenset(("morphology", "density"))


def qualities(terms: Iterable[Term]) -> set[str]:
    """Return the kinds of qualities that terms state."""
    return {kind for term in terms if (kind := rivalry(term))}


def rivalry(term: Term) -> str | None:
    """Return the kind of quality of which a finding has only one (a length, a side, a severity), None for others.

    A name such as "right kidney" states a side too.
    """
    if term.measure:
        return term.measure.kind
    if term.mention:
        return "side" if term.mention.pair and len(term.mention.names) == 1 and term.key in term.mention.pair else None
    if term.kind == "side":
        return "side"
    if term.key in _CHANGES:
        return "change"  # beside an age: "chronic, unchanged"
    return term.entry.modifier if term.entry else None


def is_whereabouts(term: Term) -> bool:
    """Tell whether a term only says where: "central", "posterior basal"."""
    return term.key in POSITION_STEMS or (bool(term.parts) and POSITION_STEMS.issuperset(term.parts))


def is_graded_elsewhere(segment: Segment) -> bool:
    """Tell whether a segment says how large or grave a finding named before is in another place.

    "Cysts of 5 mm in segment 2 and 9 mm in segment 7", "mild at L2-L3, moderate at L3-L4". A quality right beside an
    organ is the organ's own: "and a 14 cm spleen".
    """
    places = [term for term in segment.terms if term.mention or is_whereabouts(term)]
    if segment.verb is not None or not places or any(not is_whereabouts(term) for term in segment.findings):
        return False
    before = [term for term in segment.terms if term.start < places[0].start]
    return bool(before) and all(map(rivalry, before)) and before[-1].end < places[0].start


def findings_graded(segments: Sequence[Segment], index: int) -> list[Term]:
    """Return the findings of the nearest segment before that has any, for one that grades another one of them.

    What stands before a finding and is no grade of it belongs to all of them: "nonobstructing calculi, 3 mm in …".
    """
    for earlier in reversed(segments[:index]):
        findings = [term for term in earlier.findings if not is_whereabouts(term)]
        if findings:
            own = qualities(segments[index].terms)
            kinds = [term for term in earlier.terms if term.end <= findings[-1].start and rivalry(term) in _LASTING]
            return [*(term for term in kinds if rivalry(term) not in own), *findings]
    return []
