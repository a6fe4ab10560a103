"""Normal, abnormal or uncertain: what a caption says of its organ."""

from __future__ import annotations

from .analysis import Analysis, Item
from .assertion import Polarity
from .schemas import Status
from .units import is_attribute


def status_of(*analyses: Analysis) -> Status:
    """Status of a caption of one or more sentences.

    A finding that is affirmed makes it abnormal, one that is only suspected uncertain. Normal is what is stated as
    unremarkable or denied. A word the lexicon does not know counts as a finding only where nothing is called normal.
    """
    items = [item for analysis in analyses for item in analysis.items if item.kind in ("finding", "modifier")]
    normal = any(_is_normality(item) and item.polarity != Polarity.NEGATED for item in items)
    findings = [item for item in items if _is_finding(item, normal)]
    if any(item.polarity in (Polarity.AFFIRMED, Polarity.ATTRIBUTED) for item in findings):
        return "abnormal"
    if any(item.polarity == Polarity.UNCERTAIN for item in findings):
        return "uncertain"
    if any(_is_normality(item) and item.polarity == Polarity.NEGATED for item in items) and not normal:
        return "abnormal"
    return "normal"


def _is_normality(item: Item) -> bool:
    return item.entry is not None and "normality" in item.entry.flags


def _is_finding(item: Item, normal: bool) -> bool:
    if is_attribute(item) or _is_normality(item) or item.kind == "modifier":
        return False
    return not normal or item.entry is not None
