"""What follows from the sizes of two days: "12 mm, previously 9 mm" has increased from 9 to 12 mm."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from curation.language.assertion import Polarity
from curation.language.numbers.measure import Measure
from curation.language.parsed_statement import Term

INCREASED, DECREASED, STABLE = "time:increased", "time:decreased", "time:stable"
PREVIOUS = "time:previous"

# What a length, area or volume is of, which a caption may name beside its change: "increased in size".
_DIMENSION_WORDS = {"length": ("size",), "area": ("size",), "volume": ("size", "volum")}
# What says the same as a change of a size: "smaller than before".
_COMPARED_SIZES = {INCREASED: ("size:larger",), DECREASED: ("size:smaller",), STABLE: ()}


class SizeChange(NamedTuple):
    """The same size on an earlier day and today, and the key of the change between them."""

    earlier: Term
    today: Term
    key: str


def size_changes(terms: Sequence[Term]) -> list[SizeChange]:
    """Return the changes that follow from the sizes of a statement, each with its earlier and its present size.

    The two stand next to each other, and have one value for each dimension.
    """
    sizes = [term for term in terms if term.measure and term.measure.has_unit and term.measure.kind != "duration"]
    changes: list[SizeChange] = []
    for first, second in pairwise(sizes):
        if first.measure is None or second.measure is None:
            continue
        is_earlier = [term.measure.role == "earlier" for term in (first, second) if term.measure]
        if is_earlier.count(True) != 1:
            continue
        earlier, today = (first, second) if is_earlier[0] else (second, first)
        key = _change(earlier, today)
        if key:
            changes.append(SizeChange(earlier, today, key))
    return changes


def with_changes(terms: Sequence[Term], changes: Sequence[SizeChange]) -> tuple[list[Term], list[str]]:
    """Return terms with the earlier sizes that belong to sizes among them, and the keys of the changes."""
    if not changes:
        return list(terms), []
    inside = set(map(id, terms))
    of_terms = [change for change in changes if id(change.today) in inside]
    added = [change.earlier for change in of_terms if id(change.earlier) not in inside]
    keys = [key for change in of_terms for key in (change.key, PREVIOUS, *_DIMENSION_WORDS.get(change.today.key, ()))]
    keys += [key for change in of_terms for key in _COMPARED_SIZES[change.key]]
    return [*terms, *added], keys


def _change(earlier: Term, today: Term) -> str:
    """Return the key of the change from one size to another, "" where neither is larger in every dimension."""
    before, now = earlier.measure, today.measure
    if before is None or now is None or earlier.polarity != Polarity.AFFIRMED or today.polarity != Polarity.AFFIRMED:
        return ""
    if before.kind != now.kind or not _is_exact(before) or not _is_exact(now) or len(before.values) != len(now.values):
        return ""
    pairs = list(zip(sorted(before.values), sorted(now.values), strict=True))
    if all(was == value for was, value in pairs):
        return STABLE
    if all(was <= value for was, value in pairs):
        return INCREASED
    return DECREASED if all(was >= value for was, value in pairs) else ""


def _is_exact(measure: Measure) -> bool:
    return not measure.bound and not measure.is_range
