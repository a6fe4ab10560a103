"""What several reviewers say together, and how far two readers agree beyond what chance alone would do."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import NamedTuple, TypeVar

from curation.caption_set.audit_results import Agreement, Verdict

from .intervals import Z, estimate

HALLUCINATIONS = frozenset(
    (Verdict.HALLUCINATED, Verdict.WRONG_ORGAN, Verdict.WRONG_POLARITY_OR_SIDE, Verdict.WRONG_MEASUREMENT)
)
"""Verdicts by which a caption says what its report does not: these make the hallucination rate."""
DECIDED_VERDICTS: tuple[Verdict, ...] = tuple(verdict for verdict in Verdict if verdict != Verdict.UNSURE)
"""The scale of agreement; a caption that one of the two readers is unsure about is left out."""
_GRAVEST_FIRST = (
    Verdict.HALLUCINATED,
    Verdict.WRONG_ORGAN,
    Verdict.WRONG_POLARITY_OR_SIDE,
    Verdict.WRONG_MEASUREMENT,
    Verdict.INCOMPLETE,
    Verdict.SUPPORTED,
)

VerdictT = TypeVar("VerdictT", bound=str)
RatingPairs = Sequence[tuple[str, str]] | Counter[tuple[str, str]]
"""For each caption, the categories that the first and the second reader chose; or how often each pair of them."""


class Coefficient(NamedTuple):
    """A coefficient of agreement with its 95 % interval; all null where it is not defined."""

    value: float | None
    low: float | None = None
    high: float | None = None


def consensus(verdicts: Iterable[Verdict]) -> Verdict:
    """Return one verdict on a caption for several reviewers' (``most_frequent``)."""
    return most_frequent(verdicts, _GRAVEST_FIRST, Verdict.UNSURE)


def most_frequent(verdicts: Iterable[VerdictT], gravest_first: Sequence[VerdictT], unsure: VerdictT) -> VerdictT:
    """Return the most frequent verdict, of equally frequent ones the gravest.

    ``unsure`` counts only where nobody has decided.
    """
    counts = Counter(verdicts)
    del counts[unsure]
    if not counts:
        return unsure
    return max(counts, key=lambda verdict: (counts[verdict], -gravest_first.index(verdict)))


def cohen_kappa(pairs: RatingPairs) -> Coefficient:
    """Return Cohen's kappa (1960), with the standard error of Fleiss, Cohen and Everitt (1969).

    It is not defined where both readers choose one and the same category all the time.
    """
    cells = _shares(pairs)
    first, second = (_marginal(cells, reader) for reader in (0, 1))
    names = first.keys() | second.keys()
    agreed = math.fsum(share for (left, right), share in cells.items() if left == right)
    chance = math.fsum(first[name] * second[name] for name in names)
    if not pairs or chance >= 1 - 1e-12:
        return Coefficient(None)
    kappa = (agreed - chance) / (1 - chance)
    rest = 1 - kappa
    terms = [
        share
        * (
            (1 - (first[left] + second[left]) * rest) ** 2
            if left == right
            else (rest * (second[left] + first[right])) ** 2
        )
        for (left, right), share in cells.items()
    ]
    variance = (math.fsum(terms) - (kappa - chance * rest) ** 2) / ((1 - chance) ** 2 * Counter(pairs).total())
    return _with_interval(kappa, variance)


def gwet_ac1(pairs: RatingPairs, categories: int) -> Coefficient:
    """Return Gwet's AC1 (2008) for a scale of so many categories, whether all were used or not.

    Unlike kappa it does not fall where nearly all captions are supported, which is what a good caption set looks like.
    """
    if not pairs:
        return Coefficient(None)
    cells = _shares(pairs)
    first, second = (_marginal(cells, reader) for reader in (0, 1))
    mean = {name: (first[name] + second[name]) / 2 for name in first.keys() | second.keys()}
    agreed = math.fsum(share for (left, right), share in cells.items() if left == right)
    chance = math.fsum(share * (1 - share) for share in mean.values()) / (categories - 1)
    ac1 = (agreed - chance) / (1 - chance)
    rest = 1 - ac1
    diagonal = math.fsum(share * (1 - mean[left]) for (left, right), share in cells.items() if left == right)
    diagonal /= categories - 1
    spread = math.fsum(share * (1 - (mean[left] + mean[right]) / 2) ** 2 for (left, right), share in cells.items())
    spread /= (categories - 1) ** 2
    numerator = agreed * (1 - agreed) - 4 * rest * (diagonal - agreed * chance) + 4 * rest**2 * (spread - chance**2)
    return _with_interval(ac1, numerator / ((1 - chance) ** 2 * Counter(pairs).total()))


def _shares(pairs: RatingPairs) -> dict[tuple[str, str], float]:
    counts = Counter(pairs)
    return {pair: count / counts.total() for pair, count in counts.items()}


def _marginal(cells: dict[tuple[str, str], float], reader: int) -> Counter[str]:
    """Return how often one of the two readers chose each category, as shares."""
    shares: Counter[str] = Counter()
    for pair, share in cells.items():
        shares[pair[reader]] += share  # type: ignore[assignment]
    return shares


def _with_interval(value: float, variance: float) -> Coefficient:
    half = Z * math.sqrt(max(0.0, variance))
    return Coefficient(value, max(-1.0, value - half), min(1.0, value + half))


def agreement(first: str, second: str, pairs: Sequence[tuple[Verdict, Verdict]]) -> Agreement:
    """Return the agreement of two readers on captions that both judged, without those that one is unsure about."""
    decided = [pair for pair in pairs if Verdict.UNSURE not in pair]
    binary = [(str(left in HALLUCINATIONS), str(right in HALLUCINATIONS)) for left, right in decided]
    kappa, ac1 = cohen_kappa(decided), gwet_ac1(decided, len(DECIDED_VERDICTS))
    return Agreement(
        first=first,
        second=second,
        reviewed=len(decided),
        percent=estimate((left == right, 1.0) for left, right in decided),
        kappa=kappa.value,
        kappa_low=kappa.low,
        kappa_high=kappa.high,
        ac1=ac1.value,
        ac1_low=ac1.low,
        ac1_high=ac1.high,
        binary_percent=estimate((left == right, 1.0) for left, right in binary),
        binary_kappa=cohen_kappa(binary).value,
        binary_ac1=gwet_ac1(binary, 2).value,
    )
