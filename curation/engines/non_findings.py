"""Statements that are not findings of this examination: technique, limitation, advice, and earlier findings."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from curation.language.analysis import Analysis, Item, Segment
from curation.language.clauses import Unit
from curation.language.tokens import stem
from curation.language.word_lists import ADVICE_STEMS

_ASSESSED = frozenset(stem(word) for word in ("evaluated", "assessed", "characterized", "performed"))
_NOT = frozenset(("not", "cannot", "could", "suboptim", "limit"))
_EARLIER = frozenset(stem(word) for word in ("previous", "prior", "earlier", "old", "last"))
_EXAMINATION = frozenset(stem(word) for word in ("examination", "exam", "study", "ct", "scan", "tomography", "review"))


def without_non_findings(units: Sequence[Unit], analysis: Analysis) -> list[Unit]:
    """Return the units without technique, limitation and advice, and without the reasons given for them."""
    findings: list[Unit] = []
    skipping = False
    for unit in units:
        gives_reason = unit.segment.joiner in ("because", "since", "(")
        skipping = _is_non_finding(unit.segment, analysis) or (skipping and gives_reason)
        if not skipping:
            findings.append(unit)
    return findings


def _is_non_finding(segment: Segment, analysis: Analysis) -> bool:
    """Return whether a segment is true of the examination (technique, limitation, advice) or of an earlier one."""
    if _is_earlier_finding(segment, analysis):
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
    is_advice = any(word in ADVICE_STEMS for word in stems)
    return is_advice or not any(is_observation(item) for item in segment.items)


def _is_earlier_finding(segment: Segment, analysis: Analysis) -> bool:
    """Return whether a segment tells of an earlier examination alone: "In the previous CT there is a consolidation".

    A comparison with today is a finding of today.
    """
    stems = analysis.stems[segment.start : segment.end]
    if not any(word in _EARLIER and following in _EXAMINATION for word, following in pairwise(stems)):
        return False
    is_comparison = any(item.kind == "negation" or _is_change(item) for item in segment.items)
    return not is_comparison and any(is_observation(item) and item.kind == "finding" for item in segment.items)


def _is_change(item: Item) -> bool:
    return item.entry is not None and item.entry.modifier == "time" and item.key != "time:previous"


def is_observation(item: Item) -> bool:
    """Return whether an item says something of an organ: a finding, a quality or a length."""
    if item.measure is not None:
        return item.measure.kind == "length"
    return item.kind in ("finding", "modifier") and item.entry is not None and not item.attribute
