"""Captions of one report that say something new, and those that repeat what another one says of the same organ.

Findings and impression often say the same thing. A caption whose claims are all among those of another caption of the
same organ and status repeats it: the one that says more is kept, and of two that say the same the first.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from .outcomes import Accepted

Claims = frozenset[tuple[str, object]]


def distinct(accepted: Sequence[Accepted], claims_of: Callable[[str], Claims]) -> tuple[list[Accepted], list[Accepted]]:
    """Split into (kept, repeated), each in the order given. ``claims_of`` tells what a caption claims."""
    by_organ: dict[str, list[tuple[int, Accepted, Claims]]] = {}
    repeated: set[int] = set()
    for index, row in enumerate(accepted):
        claims = claims_of(row.caption)
        others = by_organ.setdefault(row.organ, [])
        if any(_repeats(row, claims, other, known) for _, other, known in others):
            repeated.add(index)
            continue
        for earlier, other, known in list(others):
            if _repeats(other, known, row, claims):
                repeated.add(earlier)
                others.remove((earlier, other, known))
        others.append((index, row, claims))
    return (
        [row for index, row in enumerate(accepted) if index not in repeated],
        [row for index, row in enumerate(accepted) if index in repeated],
    )


def _repeats(row: Accepted, claims: Claims, other: Accepted, known: Claims) -> bool:
    if row.caption.casefold().strip(" .;,") == other.caption.casefold().strip(" .;,"):
        return True
    if row.section == other.section:  # within a section a shorter statement is a statement of its own
        return row.status == other.status and bool(claims) and claims == known
    return row.status == other.status and bool(claims) and claims <= known
