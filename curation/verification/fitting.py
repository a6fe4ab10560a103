"""Claims of a caption, and how well one segment of a statement carries one of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

from curation.caption import Reason
from curation.language.analysis import Analysis, Item
from curation.language.assertion import Polarity
from curation.language.clauses import Unit

from .evidence import CONTEXT, LITERAL, Evidence, Gap, Wanted, denies
from .organs import Places, subjects

_REPEATED = Gap(Reason.NOT_GROUNDED, "“{words}” is once in the evidence, not twice")


class Claim(NamedTuple):
    """A unit of a caption with what has to be found for it. ``organs`` are those that it is about."""

    unit: Unit
    wanted: tuple[Wanted, ...]
    organs: tuple[str, ...]
    denied: bool
    normal: bool


def read_claim(unit: Unit, caption: Analysis, places: Places) -> Claim:
    """All that the evidence must have for one unit of a caption."""
    own = set(map(id, unit.segment.items))
    wanted = tuple(
        Wanted(
            item,
            tuple(stem for stem in caption.stems[item.start : item.end] if stem[0].isalnum()),
            caption.tokens[item.start].word,
            id(item) in own,
        )
        for item in unit.items
        if item.kind not in ("hedge", "negation")
        # A grade taken over from a neighbour has been looked at there, a side word as part of its organ.
        and (id(item) in own or item.kind != "modifier")
        and not (item.kind == "side" and places.has_side(item, unit.items))
    )
    normal = any(is_normality(item) and item.polarity == Polarity.AFFIRMED for item in unit.items)
    return Claim(unit, wanted, tuple(subjects(unit.items)), denies(unit.items), normal)


class Fit(NamedTuple):
    """How well one segment carries one claim: what is missing, and the share of it that is carried."""

    offer: Evidence
    segment: int
    gaps: list[tuple[Gap, Item]]
    share: float
    uses_context: bool


def fit(claim: Claim, offer: Evidence, index: int) -> Fit:
    """Look for all of a claim in what segment ``index`` offers."""
    gaps = [(_REPEATED, item) for item in _repeated(claim.unit, offer)]
    share, uses_context = 0.0, False
    for wanted in claim.wanted:
        weight = _weigh(wanted, claim, offer)
        if isinstance(weight, Gap):
            gaps.append((weight, wanted.item))
            weight = weight.weight
        share += weight
        uses_context |= weight == CONTEXT and wanted.item.kind == "organ"
    return Fit(offer, index, gaps, share / len(claim.wanted) if claim.wanted else LITERAL, uses_context)


def _weigh(wanted: Wanted, claim: Claim, offer: Evidence) -> Gap | float:
    kind = wanted.item.kind
    if kind == "organ":
        return offer.organ(wanted, claim.denied, claim.denied or claim.normal)
    if kind == "side":
        return offer.side(wanted.item.key.removeprefix("side:"), claim.organs)
    return offer.measure(wanted.item) if kind == "measure" else offer.word(wanted)


def at_with(unit: Unit, claim: Analysis) -> list[Unit]:
    """A claim cut before "with" or "without": what follows may be told in another segment, of the same organ."""
    segment = unit.segment
    inside = range(segment.start + 1, segment.end)
    cut = next((at for at in inside if claim.tokens[at].word in ("with", "without")), None)
    if cut is None:
        return []
    halves = [[i for i in segment.items if i.start < cut], [i for i in segment.items if i.start >= cut]]
    if not all(any(item.kind == "finding" for item in half) for half in halves):
        return []
    sites = [item for item in unit.items if item.mention and item not in halves[1]]
    first = Unit(segment, halves[0] + [item for item in unit.items if item not in segment.items])
    return [first, Unit(segment, halves[1] + ([] if any(i.mention for i in halves[1]) else sites))]


def _repeated(unit: Unit, offer: Evidence) -> Iterator[Item]:
    """Words that the claim has twice and its evidence once: "calcified calcifications" for calcified nodules."""
    seen: Counter[str] = Counter()
    for item in unit.segment.items:
        if item.kind in ("finding", "modifier"):
            seen[item.key] += 1
            if 1 <= offer.counts[item.key] < seen[item.key]:
                yield item


def is_normality(item: Item) -> bool:
    """Whether an item calls its organ normal."""
    return item.entry is not None and "normality" in item.entry.flags
