"""What a reviewer can say of a caption, and what follows from it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from enum import StrEnum
from typing import NamedTuple

from ..schemas import Reason


class Verdict(StrEnum):
    """A reviewer's, or a judge's, verdict on one caption."""

    SUPPORTED = "supported"
    HALLUCINATED = "hallucinated"
    WRONG_ORGAN = "wrong_organ"
    WRONG_POLARITY_OR_SIDE = "wrong_polarity_or_side"
    WRONG_MEASUREMENT = "wrong_measurement"
    INCOMPLETE = "incomplete"
    UNSURE = "unsure"


class Meaning(NamedTuple):
    """A verdict for people: its key on the keyboard, its name, and what it says of a caption."""

    key: str
    name: str
    says: str


MEANINGS = {
    Verdict.SUPPORTED: Meaning("s", "supported", "the report says it, of this organ"),
    Verdict.HALLUCINATED: Meaning("h", "hallucinated", "the report does not say it"),
    Verdict.WRONG_ORGAN: Meaning("o", "wrong organ", "said, but of another organ or part"),
    Verdict.WRONG_POLARITY_OR_SIDE: Meaning(
        "p", "wrong polarity or side", "denied for affirmed, normal for abnormal, doubt lost, left for right"
    ),
    Verdict.WRONG_MEASUREMENT: Meaning("m", "wrong measurement", "another number, unit or comparison"),
    Verdict.INCOMPLETE: Meaning("i", "incomplete", "nothing false, but what is left out misleads"),
    Verdict.UNSURE: Meaning("u", "unsure", "cannot be decided from the report"),
}

HALLUCINATIONS = frozenset(
    (Verdict.HALLUCINATED, Verdict.WRONG_ORGAN, Verdict.WRONG_POLARITY_OR_SIDE, Verdict.WRONG_MEASUREMENT)
)
"""Verdicts by which a caption says what its report does not: these make the hallucination rate."""

REASONS = {
    Verdict.HALLUCINATED: Reason.NOT_GROUNDED,
    Verdict.WRONG_ORGAN: Reason.WRONG_ORGAN,
    Verdict.WRONG_POLARITY_OR_SIDE: Reason.NEGATION,
    Verdict.WRONG_MEASUREMENT: Reason.MEASUREMENT,
}
"""Reason of refusal under which a caption goes out of a cleaned set."""

_GRAVEST_FIRST = (
    Verdict.HALLUCINATED,
    Verdict.WRONG_ORGAN,
    Verdict.WRONG_POLARITY_OR_SIDE,
    Verdict.WRONG_MEASUREMENT,
    Verdict.INCOMPLETE,
    Verdict.SUPPORTED,
)


def consensus(verdicts: Iterable[Verdict]) -> Verdict:
    """One verdict for several reviewers': the most frequent one, of equally frequent ones the gravest.

    ``unsure`` counts only where nobody has decided.
    """
    counts = Counter(verdicts)
    del counts[Verdict.UNSURE]
    if not counts:
        return Verdict.UNSURE
    return max(counts, key=lambda verdict: (counts[verdict], -_GRAVEST_FIRST.index(verdict)))
