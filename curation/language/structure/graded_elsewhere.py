"""Segments that grade a finding named before in another place: "mild stenosis at L2-L3, moderate at L3-L4"."""

from __future__ import annotations

from collections.abc import Sequence

from ..parsed_statement import Segment, Term
from .quality_kinds import is_whereabouts, qualities, rivalry

# Kinds of qualities that several findings of one name have alike.
_LASTING = frozenset(("morphology", "density"))


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
