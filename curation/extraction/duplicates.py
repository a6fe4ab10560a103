"""Which captions of one report say something new, and which repeat another caption of the same organ.

Findings and impression often say the same thing. A caption whose claims are all among those of another caption of the
same organ and status repeats it: the one that says more is kept, and of two that say the same the first. Its site is
among its claims: "a cyst in segment 2" and "a cyst in segment 7" are two.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence

from curation.caption import AcceptedCaption

Claim = tuple[str, object]
Claims = frozenset[Claim]
ClaimsOf = Callable[[str, str], Claims]


def split_repeated(
    accepted: Sequence[AcceptedCaption], claims_of: ClaimsOf
) -> tuple[list[AcceptedCaption], list[AcceptedCaption]]:
    """Split captions into (kept, repeated), each in the order given.

    ``claims_of`` returns what a caption claims of the organ that it is filed under; it is asked only of captions that
    another of the same organ and status may repeat.
    """
    kept: dict[tuple[str, str], _KeptCaptions] = {}
    wordings: set[tuple[str, str]] = set()
    repeated: set[int] = set()
    for number, row in enumerate(accepted):
        wording = _wording(row)
        if wording not in wordings:
            of_organ = kept.get((row.organ, row.status))
            if of_organ is None:
                of_organ = kept[row.organ, row.status] = _KeptCaptions(claims_of)
            less = of_organ.take_in(number, row)
            if less is not None:
                wordings.add(wording)
                wordings.difference_update(_wording(accepted[other]) for other in less)
                repeated.update(less)
                continue
        repeated.add(number)
    if not repeated:
        return list(accepted), []
    return (
        [row for number, row in enumerate(accepted) if number not in repeated],
        [row for number, row in enumerate(accepted) if number in repeated],
    )


def _wording(row: AcceptedCaption) -> tuple[str, str]:
    return row.organ, row.caption.casefold().strip(" .;,")


class _KeptCaptions:
    """Finds among the captions of one organ and status those that repeat each other, without comparing all pairs.

    Within a section a shorter statement is a statement of its own: only one with the same claims repeats it. Elsewhere
    a caption repeats one that has all of its claims and more. Such ones are looked up by their rarest claim.
    """

    def __init__(self, claims_of: ClaimsOf) -> None:
        self._claims_of = claims_of
        self._first: tuple[int, AcceptedCaption] | None = None
        self._content: dict[int, tuple[str, Claims]] = {}
        self._with_claim: defaultdict[Claim, set[int]] = defaultdict(set)
        self._by_rarest: defaultdict[Claim, set[int]] = defaultdict(set)
        self._said: set[tuple[str, Claims]] = set()

    def take_in(self, number: int, row: AcceptedCaption) -> list[int] | None:
        """Keep a caption and return the numbers of those that repeat it; None where it repeats one that is kept."""
        if self._first is None:
            self._first = number, row
            return []
        if not self._content:
            self._add(self._first[0], self._first[1].section, self._claims_of_row(self._first[1]))
        claims = self._claims_of_row(row)
        if claims and self._is_said(row.section, claims):
            return None
        less = self._saying_less(row.section, claims)
        for other in less:
            self._remove(other)
        self._add(number, row.section, claims)
        return less

    def _claims_of_row(self, row: AcceptedCaption) -> Claims:
        return self._claims_of(row.caption, row.organ)

    def _is_said(self, section: str, claims: Claims) -> bool:
        """Tell whether a kept caption says the same in this section, or all of it in another."""
        if (section, claims) in self._said:
            return True
        fewest = min((self._with_claim.get(claim, ()) for claim in claims), key=len)
        contents = (self._content[number] for number in fewest)
        return any(other_section != section and claims <= others for other_section, others in contents)

    def _saying_less(self, section: str, claims: Claims) -> list[int]:
        """Return the kept captions of other sections that say nothing but what is among these claims."""
        candidates = [number for claim in claims for number in self._by_rarest.get(claim, ())]
        contents = ((number, *self._content[number]) for number in candidates)
        return [number for number, other_section, others in contents if other_section != section and others <= claims]

    def _add(self, number: int, section: str, claims: Claims) -> None:
        self._content[number] = section, claims
        if claims:
            self._said.add((section, claims))
            self._by_rarest[self._rarest(claims)].add(number)
            for claim in claims:
                self._with_claim[claim].add(number)

    def _remove(self, number: int) -> None:
        section, claims = self._content.pop(number)
        self._said.discard((section, claims))
        for claim in claims:
            self._with_claim[claim].discard(number)
            self._by_rarest[claim].discard(number)

    def _rarest(self, claims: Claims) -> Claim:
        return min(claims, key=lambda claim: len(self._with_claim.get(claim, ())))
