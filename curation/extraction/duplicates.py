"""Captions of one report that say something new, and those that repeat what another one says of the same organ.

Findings and impression often say the same thing. A caption whose claims are all among those of another caption of the
same organ and status repeats it: the one that says more is kept, and of two that say the same the first.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from curation.caption import Accepted

Claims = frozenset[tuple[str, object]]


def distinct(accepted: Sequence[Accepted], claims_of: Callable[[str], Claims]) -> tuple[list[Accepted], list[Accepted]]:
    """Split into (kept, repeated), each in the order given. ``claims_of`` tells what a caption claims."""
    by_organ: dict[str, list[_Said]] = {}
    repeated: set[int] = set()
    for number, row in enumerate(accepted):
        said = _Said(number, row.status, row.section, row.caption.casefold().strip(" .;,"), claims_of(row.caption))
        others = by_organ.setdefault(row.organ, [])
        if others and any(_repeats(said, other) for other in others):
            repeated.add(number)
            continue
        for other in [other for other in others if _repeats(other, said)]:
            repeated.add(other.number)
            others.remove(other)
        others.append(said)
    if not repeated:
        return list(accepted), []
    return (
        [row for number, row in enumerate(accepted) if number not in repeated],
        [row for number, row in enumerate(accepted) if number in repeated],
    )


class _Said(NamedTuple):
    number: int
    status: str
    section: str
    words: str
    claims: Claims


def _repeats(one: _Said, other: _Said) -> bool:
    if one.words == other.words:
        return True
    if one.status != other.status or not one.claims:
        return False
    if one.section == other.section:  # within a section a shorter statement is a statement of its own
        return one.claims == other.claims
    return one.claims <= other.claims
