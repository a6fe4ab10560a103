"""What a report says that is no finding of this examination: technique, limitation, advice, what was found earlier."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from curation.language.analysis import Analysis, Item, Segment
from curation.language.clauses import Unit
from curation.language.tokens import stem
from curation.language.word_lists import ADVICE_STEMS


def _is_past(segment: Segment, analysis: Analysis) -> bool:
    """ "In the previous examination there is a consolidation": no finding of today, unless compared with today."""
    stems = analysis.stems[segment.start : segment.end]
    if not any(one in _EARLIER and two in _EXAMINATION for one, two in pairwise(stems)):
        return False
    compared = any(item.kind == "negation" or _is_change(item) for item in segment.items)
    return not compared and any(is_known(item) and item.kind == "finding" for item in segment.items)


def _is_change(item: Item) -> bool:
    return item.entry is not None and item.entry.modifier == "time" and item.key != "time:previous"


_ASSESSED = frozenset(stem(word) for word in ("evaluated", "assessed", "characterized", "performed"))
_NOT = frozenset(("not", "cannot", "could", "suboptim", "limit"))
_EARLIER = frozenset(stem(word) for word in ("previous", "prior", "earlier", "old", "last"))
_EXAMINATION = frozenset(stem(word) for word in ("examination", "exam", "study", "ct", "scan", "tomography", "review"))


def without_asides(claims: Sequence[Unit], analysis: Analysis) -> list[Unit]:
    """Claims without technique, limitation and advice, and without the reasons given for them."""
    kept: list[Unit] = []
    aside = False
    for unit in claims:
        aside = _is_aside(unit.segment, analysis) or (aside and unit.segment.joiner in ("because", "since", "("))
        if not aside:
            kept.append(unit)
    return kept


def _is_aside(segment: Segment, analysis: Analysis) -> bool:
    """Technique, limitation and recommendation, true of the examination and not of the patient; and what was found on
    an earlier one."""
    if _is_past(segment, analysis):
        return True
    flags = {
        flag
        for match in analysis.matches
        if match.start < segment.end and match.end > segment.start
        for flag in match.entry.flags
    }
    if not flags.intersection(("recommendation", "limitation")):
        return False
    stems = analysis.stems[segment.start : segment.end]
    if "limitation" in flags and not _ASSESSED.isdisjoint(stems) and not _NOT.isdisjoint(stems):
        return True  # "bowel loops cannot be evaluated for lack of contrast"
    advised = any(word in ADVICE_STEMS for word in stems)
    return advised or not any(is_known(item) for item in segment.items)


def is_known(item: Item) -> bool:
    """Whether an item is something that a report says of an organ it has just spoken of."""
    if item.measure is not None:
        return item.measure.kind == "length"
    return item.kind in ("finding", "modifier") and item.entry is not None and not item.attribute
