"""Normal, abnormal or uncertain: what a caption says of its organ."""

from __future__ import annotations

from collections.abc import Sequence

from curation.caption import Status
from curation.language.analysis import Analysis, Item
from curation.language.assertion import Polarity


def status_of(*analyses: Analysis) -> Status:
    """Status of a caption of one or more sentences.

    A finding that is affirmed makes it abnormal, one that is only suspected uncertain. Normal is what is stated as
    unremarkable or denied. A word the lexicon does not know counts as a finding only where nothing is called normal.
    """
    items = [item for analysis in analyses for item in _said(analysis)]
    devices = [item for analysis in analyses for item in analysis.items if item.mention and item.mention.device]
    normal = any(_is_normality(item) and item.polarity != Polarity.NEGATED for item in items)
    for group in (_findings(items, normal) + devices, _qualities(items, normal)):
        polarities = {item.polarity for item in group}
        if polarities & {Polarity.AFFIRMED, Polarity.ATTRIBUTED}:
            return "abnormal"
        if Polarity.UNCERTAIN in polarities:
            return "uncertain"
        if polarities:
            return "normal"
    if any(_is_normality(item) and item.polarity == Polarity.NEGATED for item in items) and not normal:
        return "abnormal"
    return "abnormal" if any(_is_missing(analysis) for analysis in analyses) else "normal"


def _said(analysis: Analysis) -> list[Item]:
    """What a sentence states, without its heading ("LYMPHADENOPATHY: none") and what it calls normal itself."""
    start = max((s.start for s in analysis.segments if s.joiner == ":" and s.items), default=0)
    items = [item for item in analysis.items if item.kind in ("finding", "modifier") and item.start >= start]
    praised = {item.end for item in items if _is_normality(item) and item.polarity == Polarity.AFFIRMED}
    return [item for item in items if item.start not in praised]


def _is_missing(analysis: Analysis) -> bool:
    """An organ that is itself denied: "the right kidney is not visualised"."""
    absent = [item for item in analysis.items if item.kind == "organ" and item.polarity == Polarity.NEGATED]
    return any(not item.key.endswith("lymph nodes") for item in absent) and not any(
        item.kind in ("finding", "modifier") and item.polarity == Polarity.NEGATED for item in analysis.items
    )


def _findings(items: Sequence[Item], normal: bool) -> list[Item]:
    """What is found. Words that the lexicon does not know count only where it knows none and nothing is normal."""
    found = [item for item in items if item.kind == "finding" and not item.attribute and not _is_normality(item)]
    known = [item for item in found if item.entry is not None]
    if known or normal:
        return known
    return [item for item in found if not item.key.endswith("li")]  # an adverb is no finding


def _qualities(items: Sequence[Item], normal: bool) -> list[Item]:
    """Changes and grades that stand alone ("the diameter is increased"). Beside "normal" they qualify that word."""
    if normal:
        return []
    return [item for item in items if item.kind == "modifier" and item.key not in _EVEN]


def _is_normality(item: Item) -> bool:
    return item.entry is not None and "normality" in item.entry.flags


_EVEN = frozenset(("time:stable", "density:homogeneous", "morphology:regular", "morphology:smooth", "extent:symmetric"))
