"""Segments about one side of a pair: which of its organs they mean, and whether two of them are about either side."""

from __future__ import annotations

from dataclasses import replace

from ..assertion import Polarity
from ..parsed_statement import Segment, Term


def on_own_side(term: Term, segment: Segment) -> Term:
    """Return an inherited pair narrowed to the side that ``segment`` states: "Kidneys: a stone on the right".

    It is denied where that segment denies: "No stone in the right kidney, 5 mm stone in the left".
    """
    sides = {word.key for word in segment.terms if word.kind == "side"}
    return on_side(term, sides, segment.findings[0].polarity if segment.findings else term.polarity)


def on_side(term: Term, sides: set[str], polarity: Polarity) -> Term:
    """Return a pair narrowed to the one side of which ``sides`` has the key; any other term as it is."""
    mention = term.mention
    if mention is None or mention.pair is None or len(sides) != 1 or "side:both" in sides:
        return term
    name = mention.pair[0 if "side:left" in sides else 1]
    return replace(term, key=name, polarity=polarity, mention=replace(mention, names=(name,)))


def are_on_two_sides(one: Segment, other: Segment) -> bool:
    """Tell whether two segments state a side each, one the left and one the right."""
    sides = [_sides(segment) for segment in (one, other)]
    return all(len(keys) == 1 for keys in sides) and {"side:left", "side:right"} == sides[0] | sides[1]


def _sides(segment: Segment) -> set[str]:
    """Return the keys of the sides that a segment states, by side words and by names of one organ of a pair."""
    sides = {term.key for term in segment.terms if term.kind == "side"}
    for term in segment.terms:
        if term.mention and term.mention.pair and len(term.mention.names) == 1:
            sides |= {"side:left" if term.mention.names[0] == term.mention.pair[0] else "side:right"}
    return sides
