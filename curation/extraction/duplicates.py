"""Which captions of one report say something new, and which repeat another caption of the same organ.

Findings and impression often say the same thing. A caption whose claims are all among those of another caption of the
same organ and status repeats it: the one that says more is kept, and of two that say the same the first. Its site is
among its claims: "a cyst in segment 2" and "a cyst in segment 7" are two.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple

from curation.caption import AcceptedCaption

Claims = frozenset[tuple[str, object]]


def split_repeated(
    accepted: Sequence[AcceptedCaption], claims_of: Callable[[str, str], Claims]
) -> tuple[list[AcceptedCaption], list[AcceptedCaption]]:
    """Split captions into (kept, repeated), each in the order given.

    ``claims_of`` returns what a caption claims of the organ that it is filed under; it is asked only of captions that
    another of the same organ and status may repeat.
    """
    by_organ: dict[str, list[_Content]] = {}
    repeated: set[int] = set()
    for number, row in enumerate(accepted):
        words = row.caption.casefold().strip(" .;,")
        content = _Content(number, row.status, row.section, words, partial(claims_of, row.caption, row.organ))
        others = by_organ.setdefault(row.organ, [])
        if others and any(_repeats(content, other) for other in others):
            repeated.add(number)
            continue
        for other in [other for other in others if _repeats(other, content)]:
            repeated.add(other.number)
            others.remove(other)
        others.append(content)
    if not repeated:
        return list(accepted), []
    return (
        [row for number, row in enumerate(accepted) if number not in repeated],
        [row for number, row in enumerate(accepted) if number in repeated],
    )


class _Content(NamedTuple):
    """What a caption says, for comparison; ``number`` is its place among the report's captions."""

    number: int
    status: str
    section: str
    words: str
    claims: Callable[[], Claims]


def _repeats(caption: _Content, other: _Content) -> bool:
    if caption.words == other.words:
        return True
    if caption.status != other.status:
        return False
    claims, others = caption.claims(), other.claims()
    if not claims:
        return False
    if caption.section == other.section:  # within a section a shorter statement is a statement of its own
        return claims == others
    return claims <= others
