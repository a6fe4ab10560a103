"""What a reviewer can say of a caption, and what follows from it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from curation.caption import Reason
from curation.caption_set.audit_results import Verdict

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
