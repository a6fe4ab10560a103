"""How far two readers agree, beyond what chance alone would do."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from curation.caption_set.audit_results import Agreement, Verdict

from .intervals import Z, estimate
from .verdicts import HALLUCINATIONS

SCALE: tuple[Verdict, ...] = tuple(verdict for verdict in Verdict if verdict != Verdict.UNSURE)
"""What can be decided; a caption that one of the two is unsure about is left out."""

Pairs = Sequence[tuple[str, str]]


class Coefficient(NamedTuple):
    """A coefficient of agreement with its 95 % interval; all null where it is not defined."""

    value: float | None
    low: float | None = None
    high: float | None = None


def _shares(pairs: Pairs) -> dict[tuple[str, str], float]:
    return {pair: count / len(pairs) for pair, count in Counter(pairs).items()}


def cohen_kappa(pairs: Pairs) -> Coefficient:
    """Cohen's kappa (1960), with the standard error of Fleiss, Cohen and Everitt (1969).

    It is not defined where both say one and the same thing all the time.
    """
    cells = _shares(pairs)
    first, second = (_marginal(cells, side) for side in (0, 1))
    names = first.keys() | second.keys()
    seen = math.fsum(share for (one, two), share in cells.items() if one == two)
    chance = math.fsum(first[name] * second[name] for name in names)
    if not pairs or chance >= 1 - 1e-12:
        return Coefficient(None)
    kappa = (seen - chance) / (1 - chance)
    left = 1 - kappa
    terms = [
        share
        * ((1 - (first[one] + second[one]) * left) ** 2 if one == two else (left * (second[one] + first[two])) ** 2)
        for (one, two), share in cells.items()
    ]
    variance = (math.fsum(terms) - (kappa - chance * left) ** 2) / ((1 - chance) ** 2 * len(pairs))
    return _with_interval(kappa, variance)


def gwet_ac1(pairs: Pairs, scale: int) -> Coefficient:
    """Gwet's AC1 (2008), for a scale of so many categories, whether all were used or not.

    Unlike kappa it does not fall where nearly all captions are supported, which is what a good caption set looks like.
    """
    if not pairs:
        return Coefficient(None)
    cells = _shares(pairs)
    first, second = (_marginal(cells, side) for side in (0, 1))
    mean = {name: (first[name] + second[name]) / 2 for name in first.keys() | second.keys()}
    seen = math.fsum(share for (one, two), share in cells.items() if one == two)
    chance = math.fsum(share * (1 - share) for share in mean.values()) / (scale - 1)
    ac1 = (seen - chance) / (1 - chance)
    left = 1 - ac1
    agreed = math.fsum(share * (1 - mean[one]) for (one, two), share in cells.items() if one == two) / (scale - 1)
    spread = math.fsum(share * (1 - (mean[one] + mean[two]) / 2) ** 2 for (one, two), share in cells.items())
    spread /= (scale - 1) ** 2
    inside = seen * (1 - seen) - 4 * left * (agreed - seen * chance) + 4 * left**2 * (spread - chance**2)
    return _with_interval(ac1, inside / ((1 - chance) ** 2 * len(pairs)))


def _marginal(cells: dict[tuple[str, str], float], side: int) -> Counter[str]:
    found: Counter[str] = Counter()
    for pair, share in cells.items():
        found[pair[side]] += share  # type: ignore[assignment]
    return found


def _with_interval(value: float, variance: float) -> Coefficient:
    half = Z * math.sqrt(max(0.0, variance))
    return Coefficient(value, max(-1.0, value - half), min(1.0, value + half))


def agreement(first: str, second: str, pairs: Sequence[tuple[Verdict, Verdict]]) -> Agreement:
    """Agreement of two readers on captions that both judged; where one is unsure the caption is left out."""
    decided = [(one, two) for one, two in pairs if Verdict.UNSURE not in (one, two)]
    binary = [(str(one in HALLUCINATIONS), str(two in HALLUCINATIONS)) for one, two in decided]
    kappa, ac1 = cohen_kappa(decided), gwet_ac1(decided, len(SCALE))
    return Agreement(
        first=first,
        second=second,
        reviewed=len(decided),
        percent=estimate((one == two, 1.0) for one, two in decided),
        kappa=kappa.value,
        kappa_low=kappa.low,
        kappa_high=kappa.high,
        ac1=ac1.value,
        ac1_low=ac1.low,
        ac1_high=ac1.high,
        binary_percent=estimate((one == two, 1.0) for one, two in binary),
        binary_kappa=cohen_kappa(binary).value,
        binary_ac1=gwet_ac1(binary, 2).value,
    )
