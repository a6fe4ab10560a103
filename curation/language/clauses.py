"""Complete the segments of a statement: what each takes from its neighbours, as a reader does without noticing.

``units`` gives the one reading that we would defend; ``available`` gives everything that a faithful caption might have
drawn together around one segment, and still no more than one finding's own place, size and severity.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from .analysis import Analysis, Item, Segment
from .word_lists import NEUTRAL, POSITIONS

_LISTING = (",", "and", "or", "nor", "/", "&", "plus")


@dataclass(slots=True, eq=False)
class Unit:
    """One claim: a segment with the organs and the predicate that it shares."""

    segment: Segment
    items: list[Item]
    heading: bool = False


def is_loose(segment: Segment) -> bool:
    """Whether a segment only qualifies something else: sizes, severities, hedges without a finding or an organ."""
    return not segment.organs and not any(item.kind == "finding" and not item.attribute for item in segment.items)


@lru_cache(maxsize=2_048)
def units(analysis: Analysis) -> tuple[Unit, ...]:
    """The claims of a statement, one for each segment, in order."""
    return tuple(_unit(analysis.segments, index) for index in range(len(analysis.segments)))


@lru_cache(maxsize=2_048)
def available(analysis: Analysis, index: int) -> tuple[Item, ...]:
    """Items that a faithful caption about segment ``index`` may use."""
    return tuple(_available(analysis.segments, index))


def _available(segments: Sequence[Segment], index: int) -> list[Item]:
    segment = segments[index]
    found = list(_unit(segments, index).items)
    _extend(found, _outer_organs(segments, index))
    if not segment.organs:
        _extend(found, _heading(segments, index))
        if index and segments[index].joiner not in (";", "."):
            _extend(found, _shared(segments[index - 1]))
        if index + 1 < len(segments) and not segments[index + 1].organs:
            _extend(found, _shared(segments[index + 1]))
    rivals = {_rivalry(item) for item in segment.items} - {None}
    for neighbour in _qualifying(segments, index):
        if "side" in rivals and any(item.kind == "side" for item in neighbour.items):
            continue  # what is said of one side stays with it
        _extend(found, [item for item in neighbour.items if _rivalry(item) not in rivals])
        rivals |= {_rivalry(item) for item in neighbour.items} - {None}
    if segment.verb is not None and not segment.organs and not segment.findings:
        _extend(found, _subject(segments, index))
    if segment.verb is None and not segment.findings:
        _extend(found, _predicate(segments, index))
    return found


def _qualifying(segments: Sequence[Segment], index: int) -> Iterator[Segment]:
    """Neighbours that only qualify a segment, on both sides, and the other half of "infiltrate/consolidation"."""
    for step in (-1, 1):
        at = index + step
        while 0 <= at < len(segments) and (_only_qualifies(segments[at]) or _is_apposed(segments, max(at, at - step))):
            if abs(at - index) > 1 and segments[at].verb is not None:
                break
            yield segments[at]
            at += step


def _only_qualifies(segment: Segment) -> bool:
    """Sizes, grades and whereabouts without a finding or an organ."""
    return not segment.organs and all(
        item.attribute or item.key in NEUTRAL or is_whereabouts(item)
        for item in segment.items
        if item.kind == "finding"
    )


def is_whereabouts(item: Item) -> bool:
    """Whether an item only says where: "central", "posterior basal"."""
    return item.key in POSITIONS or (bool(item.parts) and POSITIONS.issuperset(item.parts))


def _is_apposed(segments: Sequence[Segment], at: int) -> bool:
    """Whether a segment only says what the one before it may be: ", suspicious for carcinoma", "/consolidation"."""
    segment = segments[at]
    if segment.joiner == "/":
        return True
    hedged = any(item.kind == "hedge" for item in segment.items[:2])
    return segment.joiner == "," and segment.verb is None and hedged


def _subject(segments: Sequence[Segment], index: int) -> list[Item]:
    """Findings that a predicate without a subject goes on about: "A nodule in the left lung, 5 mm, and has grown"."""
    return next((segment.findings for segment in segments[:index] if segment.findings), [])


def _heading(segments: Sequence[Segment], index: int) -> list[Item]:
    """All organs of the heading that a segment stands under: "PANCREAS, SPLEEN: Unremarkable." """
    first = next((at for at in range(index, 0, -1) if segments[at].joiner == ":"), 0)
    found: list[Item] = []
    if any(segment.organs for segment in segments[first:index]):
        return found
    for heading in reversed(segments[:first]):
        if not heading.silent:
            break
        found += [_on_own_side(item, segments[index]) for item in heading.organs]
    return found


def _extend(found: list[Item], items: Sequence[Item]) -> None:
    found.extend(item for item in items if item not in found)


def _is_heading(segments: Sequence[Segment], index: int) -> bool:
    """Whether a segment is in a list of names before a colon: "KIDNEYS AND URETERS: …"."""
    for at in range(index, len(segments) - 1):
        if not segments[at].silent:
            return False
        if segments[at + 1].joiner == ":":
            return True
    return False


def _unit(segments: Sequence[Segment], index: int) -> Unit:
    segment = segments[index]
    items = list(segment.items)
    if _is_heading(segments, index):
        return Unit(segment, items, heading=True)
    if not any(item.mention and not item.mention.place for item in items):
        _extend(items, inherited_sites(segments, index))
    _extend(items, _framing_sites(segments, index))
    nodes = _nodes(segments, segment)
    if nodes is not None:
        _extend(items, [item for item in nodes.items if item.kind not in ("organ", "side")])
    elif segment.silent:
        _extend(items, _predicate(segments, index) or _listed_findings(segments, index))
    elif is_loose(segment) and index:
        _extend(items, _unrivalled(segments[index - 1].items, segment))
    return Unit(segment, items)


def _framing_sites(segments: Sequence[Segment], index: int) -> list[Item]:
    """Organs that open the sentence, for what follows: "In the right lower lobe, a pulmonary nodule is seen"."""
    if not index or segments[index].joiner not in (",", ":") or not segments[index - 1].silent:
        return []
    own = [name for item in segments[index].sites if item.mention for name in item.mention.names]
    framing = [item for item in segments[index - 1].sites if item.mention and not item.mention.plural]
    within = {name for item in framing if item.mention for name in item.mention.within}
    return framing if own and within.issuperset(own) else []


def _nodes(segments: Sequence[Segment], segment: Segment) -> Segment | None:
    """The segment that names the lymph nodes of which ``segment`` only lists a station."""
    if not any(item.mention and item.mention.station for item in segment.items):
        return None
    named = [other for other in segments if any(item.key == "lymph nodes" for item in other.organs)]
    return next((other for other in named if other is not segment), None)


def inherited_sites(segments: Sequence[Segment], index: int) -> list[Item]:
    """Organs of the neighbour that a segment without one of its own belongs to."""
    left = next((s for s in reversed(segments[:index]) if s.organs), None)
    right = next((s for s in segments[index + 1 :] if s.organs), None)
    if left is None or right is None:
        chosen = left or right
    else:
        chosen = right if _leans_right(segments, index) else left
    sites = [item for item in chosen.organs if item.mention and not item.mention.place] if chosen else []
    return [_on_own_side(item, segments[index]) for item in sites]


def _on_own_side(item: Item, segment: Segment) -> Item:
    """A pair narrowed to the side that the inheriting segment states: "Kidneys: a stone on the right"."""
    sides = {other.key for other in segment.items if other.kind == "side"}
    mention = item.mention
    if mention is None or mention.pair is None or len(sides) != 1 or "side:both" in sides:
        return item
    name = mention.pair[0 if "side:left" in sides else 1]
    return replace(item, key=name, mention=replace(mention, names=(name,)))


def _unrivalled(items: Sequence[Item], segment: Segment) -> list[Item]:
    """Items of a neighbour, without the sizes, sides and grades of which the segment has its own."""
    own = {_rivalry(item) for item in segment.items} - {None}
    return [item for item in items if _rivalry(item) not in own]


def _rivalry(item: Item) -> str | None:
    if item.measure:
        return item.measure.kind
    if item.kind == "side":
        return "side"
    return item.entry.modifier if item.entry else None


def _leans_right(segments: Sequence[Segment], index: int) -> bool:
    """A comma to the left and "and" to the right: the segment is listed with what follows."""
    segment, following = segments[index], segments[index + 1]
    if segment.verb is not None or not following.organs or following.joiner not in ("and", "or"):
        return False
    first = following.organs[0].start
    return segment.joiner == "," and any(item.start < first for item in following.findings)


def _outer_organs(segments: Sequence[Segment], index: int) -> list[Item]:
    """Organs to the left that may enclose this segment's own ("In the right lung, a nodule in the upper lobe")."""
    own = segments[index].organs
    if not own:
        return []
    left = next((s for s in reversed(segments[:index]) if s.organs), None)
    if left is None or any(item.kind not in ("organ", "side") for item in left.items):
        return []
    return [item for item in left.organs if item.mention and not item.mention.place and len(item.mention.names) == 1]


def _predicate(segments: Sequence[Segment], index: int) -> list[Item]:
    """What is said of the last member of a list of subjects holds for each: "liver, spleen and pancreas are normal"."""
    if segments[index].verb is not None:
        return []
    adjective = all(item.mention and item.mention.adjective for item in segments[index].organs)
    for following in segments[index + 1 :]:
        if not any(word in _LISTING for word in following.joiner.split()):
            return []
        if adjective and following.findings and all(i.mention and i.mention.adjective for i in following.organs[:1]):
            # "pleural or pericardial effusion"
            return [item for item in following.items if item.kind not in ("organ", "side")]
        if following.verb is not None:
            if any(item.start > following.verb for item in following.organs) and not any(
                item.start < following.verb for item in following.organs
            ):
                return []
            return [item for item in following.items if item.end > following.verb and item.kind != "organ"]
        if not following.silent:
            first = min(item.start for item in following.findings or following.items)
            if following.organs and following.organs[0].start < first:
                return [item for item in following.items if item.kind not in ("organ", "side")]
            return []
    return []


def _listed_findings(segments: Sequence[Segment], index: int) -> list[Item]:
    """What is found in the first of a list of places is found in each: "nodules in the liver and the spleen"."""
    for earlier in reversed(segments[:index]):
        if not earlier.silent:
            return [item for item in earlier.items if item.kind not in ("organ", "side")]
    return []


def _shared(neighbour: Segment) -> list[Item]:
    """Findings (not sizes or severities, which belong to their own finding) of a segment next door."""
    return [item for item in neighbour.items if item.kind in ("finding", "side", "hedge", "negation")]
