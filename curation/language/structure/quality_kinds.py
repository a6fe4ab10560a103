"""The kinds of qualities, of which a finding has only one each: a length, a side, a severity, a change."""

from __future__ import annotations

from collections.abc import Iterable

from ..parsed_statement import Term
from ..word_lists import POSITION_STEMS

# Times that compare with an earlier day; others tell how old something is.
_TIMES = "new stable persistent recurrent residual resolved increased progressed worsened decreased regressed improved"
_CHANGES = frozenset(f"time:{change}" for change in _TIMES.split())


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
