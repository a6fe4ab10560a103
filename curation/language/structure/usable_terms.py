"""All terms around one segment that a faithful caption might have drawn together.

More than its clause has, and still no more than one finding's own place, size and severity.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache

from ..parsed_statement import ParsedStatement, Segment, Term
from ..word_lists import LIST_JOINERS, NEUTRAL_STEMS, SENTENCE_BREAKS
from .clauses import (
    add_missing,
    clauses_of,
    is_below_label,
    only_denies,
    shared_predicate,
    unrivalled,
)
from .quality_kinds import is_whereabouts, qualities, rivalry
from .side_pairs import are_on_two_sides, gapped_side, on_own_side, on_side

_GRADES = frozenset(("severity", "size", "quantity"))
"""Kinds of qualities that do not say of what they are."""


def usable_terms(statement: ParsedStatement, index: int) -> tuple[Term, ...]:
    """Return the terms that a faithful caption about segment ``index`` may use."""
    return _cached_usable_terms(statement, index)


@lru_cache(maxsize=2_048)
def _cached_usable_terms(statement: ParsedStatement, index: int) -> tuple[Term, ...]:
    return tuple(_usable_terms(statement, index))


def _usable_terms(statement: ParsedStatement, index: int) -> list[Term]:
    segments = statement.segments
    segment = segments[index]
    terms = list(clauses_of(statement)[index].terms)
    add_missing(terms, _outer_organs(segments, index))
    if not segment.organs:
        add_missing(terms, _heading_organs(segments, index))
        if index and segment.joiner not in SENTENCE_BREAKS and not _is_of_other_side(segments, index, index - 1):
            add_missing(terms, _shared_findings(segments[index - 1], segment))
        behind = index + 1
        if behind < len(segments) and not segments[behind].organs and not _is_of_other_side(segments, index, behind):
            add_missing(terms, _shared_findings(segments[behind], segment))
    rivals = qualities(segment.terms)
    neighbours = list(_qualifying_neighbours(segments, index))
    sided = [at for at in neighbours if "side" in qualities(segments[at].terms)]
    if len(sided) > 1:  # "a calculus, large on the right and small on the left"
        neighbours = [at for at in neighbours if at not in sided]
    for at in neighbours:
        neighbour = segments[at]
        theirs = qualities(neighbour.terms)
        is_placed = "side" in theirs or any(map(is_whereabouts, neighbour.terms))
        if at > index and neighbour.joiner == ":" and segment.silent and "side" in theirs:
            break  # "Kidneys: right 11 cm, left 9 cm"
        if rivals & theirs and is_placed and segments[max(at, index)].joiner != "/":
            continue  # what is said of one side or place stays with it
        add_missing(terms, [term for term in neighbour.terms if rivalry(term) not in rivals])
        rivals |= theirs
    following = segments[index + 1] if index + 1 < len(segments) else None
    if following and following.continues and not following.organs and following.joiner in LIST_JOINERS:
        add_missing(terms, [term for term in following.terms if term.kind != "side" and rivalry(term) not in rivals])
    if segment.verb is not None and not segment.organs and not segment.findings and not only_denies(segment):
        add_missing(terms, _findings_before(segments, index))
    if segment.verb is None and not segment.findings and not _is_of_other_side(segments, index, index + 1):
        add_missing(terms, shared_predicate(segments, index))
    if side := gapped_side(segments, index):
        return [on_side(term, {side}, term.polarity) for term in terms if term.key != "side:both"]
    sides = {term.key for term in terms if term.kind == "side"}
    if segment.organs or any(term.kind == "side" and term.end > segment.start for term in terms):
        return terms
    return [on_side(term, sides, term.polarity) for term in terms]  # "Adrenals: left nodule, 6 HU"


def _is_of_other_side(segments: Sequence[Segment], index: int, at: int) -> bool:
    """Tell whether what the segment ``at`` says is of the other side: "Arteries: left dominant, right hypoplastic".

    A grade alone shares the finding: "Effusion: left small, right moderate".
    """
    if only_denies(segments[index]):
        return True  # "The left is dilated, the right is not"
    if gapped_side(segments, min(index, at)):
        return True  # "Effusions have cleared on the right and decreased on the left"
    if at >= len(segments) or not is_below_label(segments, index):
        return False
    if not are_on_two_sides(segments[index], segments[at]):
        return False
    return not any(term.entry and term.entry.modifier in _GRADES for term in segments[index].terms)


def _outer_organs(segments: Sequence[Segment], index: int) -> list[Term]:
    """Return organs to the left that may enclose the segment's own: "In the right lung, a nodule in the upper lobe".

    Behind a grade of its own a segment has only those that do: "pleural and mild pericardial effusion".
    """
    segment = segments[index]
    own = [term.mention for term in segment.organs if term.mention]
    if not own:
        return []
    left = next((segment for segment in reversed(segments[:index]) if segment.organs), None)
    if left is None or any(term.kind not in ("organ", "side") for term in left.terms):
        return []
    outer = [term for term in left.organs if term.mention and not term.mention.place and len(term.mention.names) == 1]
    if not any(rivalry(term) for term in segment.terms if term.start < segment.organs[0].start):
        return outer
    return [term for term in outer if any(term.key in (*mention.names, *mention.within) for mention in own)]


def _heading_organs(segments: Sequence[Segment], index: int) -> list[Term]:
    """Return all organs of the heading that a segment stands under: "PANCREAS, SPLEEN: Unremarkable"."""
    first = next((at for at in range(index, 0, -1) if segments[at].joiner == ":"), 0)
    organs: list[Term] = []
    if any(segment.organs for segment in segments[first:index]):
        return organs
    for heading in reversed(segments[:first]):
        if not heading.silent:
            break
        organs += [on_own_side(term, segments[index]) for term in heading.organs]
    return organs


def _shared_findings(neighbour: Segment, segment: Segment) -> list[Term]:
    """Return what a segment takes from one next door: findings without sizes or severities, which are their own.

    Two segments with the same finding in two places are about two of it: "a stone in the upper pole and a stone in the
    lower pole".
    """
    is_of_both = any(term.key == "side:both" for term in (*segment.terms, *neighbour.terms))
    on_sides = "side" in qualities(segment.terms) & qualities(neighbour.terms) and not is_of_both
    if on_sides and segment.findings and neighbour.findings:
        return []  # "effusion on the left, atelectasis on the right"
    shared = [term for term in neighbour.terms if term.kind in ("finding", "side", "hedge", "negation")]
    own_place = any(map(is_whereabouts, segment.terms))
    if own_place and any(map(is_whereabouts, neighbour.terms)):
        keys = {term.key for term in neighbour.findings if not is_whereabouts(term)}
        if any(term.key in keys for term in segment.findings):
            return []
        shared = [term for term in shared if not is_whereabouts(term)]
    return unrivalled(shared, segment)


def _qualifying_neighbours(segments: Sequence[Segment], index: int) -> Iterator[int]:
    """Yield the indices of neighbours on both sides that only qualify a segment.

    So does the other half of "infiltrate/consolidation".
    """
    for step in (-1, 1):
        at = index + step
        while 0 <= at < len(segments) and (_says_no_more(segments[at]) or _is_apposed(segments, max(at, at - step))):
            if abs(at - index) > 1 and segments[at].verb is not None:
                break
            yield at
            at += step


def _says_no_more(segment: Segment) -> bool:
    """Tell whether a segment has sizes, grades and whereabouts, and neither a finding nor an organ."""
    return not segment.organs and all(
        term.attribute or term.key in NEUTRAL_STEMS or is_whereabouts(term) for term in segment.findings
    )


def _is_apposed(segments: Sequence[Segment], at: int) -> bool:
    """Tell whether a segment only says what the one before may be: ", suspicious for carcinoma", "/consolidation"."""
    segment = segments[at]
    if segment.joiner == "/":
        return True
    opens_with_hedge = any(term.kind == "hedge" for term in segment.terms[:2])
    return segment.joiner == "," and segment.verb is None and opens_with_hedge


def _findings_before(segments: Sequence[Segment], index: int) -> list[Term]:
    """Return the findings that a predicate without a subject goes on about: "A nodule, 5 mm, and has grown"."""
    return next((segment.findings for segment in segments[:index] if segment.findings), [])
