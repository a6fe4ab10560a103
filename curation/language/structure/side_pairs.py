"""Segments about one side of a pair: which of its organs they mean, and whether two of them are about either side."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
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
    """Return the keys of the sides that a segment states, of two the one that is told apart: "both, on the left"."""
    apart = [term for term in segment.terms if term.key != "side:both"]
    return sides_of(apart) or sides_of(segment.terms)


def sides_of(terms: Iterable[Term]) -> set[str]:
    """Return the keys of the sides that terms state, by side words and by names of one organ of a pair."""
    sides: set[str] = set()
    for term in terms:
        if term.kind == "side":
            sides |= {"side:left", "side:right"} if term.key == "side:both" else {term.key}
        elif term.mention and term.mention.pair and len(term.mention.names) == 1:
            sides |= {"side:left" if term.mention.names[0] == term.mention.pair[0] else "side:right"}
    return sides


def gapped_side(segments: Sequence[Segment], index: int) -> str:
    """Return the key of the side that alone a segment speaks of, as the next one speaks of the other; "" for none.

    "The maxillary sinuses are opacified on the left and clear on the right."
    """
    segment = segments[index]
    if segment.verb is None or index + 1 >= len(segments) or segments[index + 1].organs:
        return ""
    stated = [term for term in segment.terms if term.kind == "side" and term.start > segment.verb]
    if len(stated) != 1 or not are_on_two_sides(segment, segments[index + 1]):
        return ""
    return stated[0].key


def on_the_other_side(terms: Iterable[Term], before: Segment, segment: Segment) -> list[Term]:
    """Return what a segment takes from the one before it about the other side, affirmed where that denies it behind.

    "Effusions have cleared on the right and decreased on the left": there is one on the left.
    """
    if all(term.kind == "side" for term in segment.terms) or any(term.kind == "negation" for term in segment.terms):
        return list(terms)
    findings = [term for term in before.terms if term.kind == "finding"]
    cues = [term for term in before.terms if term.kind == "negation"]
    if not findings or not cues or any(cue.start < findings[0].start for cue in cues):
        return list(terms)
    return [replace(term, polarity=Polarity.AFFIRMED) for term in terms if term.kind != "negation"]
