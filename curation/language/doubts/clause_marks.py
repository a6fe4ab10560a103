"""What shows that an item behind a denial is stated for itself: a grade, a size, an adjective at its end."""

from __future__ import annotations

from collections.abc import Sequence

from ..lexicon.lexicon import PhraseMatch
from ..tokens import Token

# Keys of grades that name what is there where they open an item behind a denial: "no pneumothorax, small effusion" …
OF_WHAT_IS_THERE = frozenset(
    f"{table}:{grade}"
    for table, grades in {
        "severity": "minimal faint mild mild_to_moderate moderate moderate_to_severe",
        "size": "tiny millimetric subcentimeter small medium",
        "time": "chronic old healed stable persistent increased decreased progressed improved",
    }.items()
    for grade in grades.split()
)
# … and those that do so only beside a place: "no consolidation, large effusion on the left".
OF_WHAT_IS_THERE_AT_A_PLACE = (
    *("severity:severe", "severity:marked", "severity:massive"),
    *("size:large", "size:giant", "quantity:"),
    *("time:new", "time:acute", "time:early"),
)
# Adjectives that end a clause without a verb: "bladder distended".
PREDICATE_ENDINGS = ("ed", "ic", "ous", "ive", "clear", "small", "large", "dense")
# Kinds of measures that a finding of its own may open with.
MEASURES_OF_FINDINGS = ("length", "volume", "number")


def is_dash_behind_not(tokens: Sequence[Token], index: int, since: int) -> bool:
    """Tell whether a dash between spaces ends what a "not" before ``since`` denies: "not opacified - (occluded)"."""
    if tokens[index].word not in "-–—" or not 0 < index < len(tokens) - 1 or since < 1:
        return False
    before, dash, behind = tokens[index - 1 : index + 2]
    return tokens[since - 1].word == "not" and before.end < dash.start and dash.end < behind.start


def denies_of_several(tokens: Sequence[Token], match: PhraseMatch) -> bool:
    """Tell whether "none" denies of several things what follows, and not that they are there: "cysts, none large"."""
    start, end = match.start, match.end
    if tokens[start].word != "none" or not start or tokens[start - 1].word != "," or end >= len(tokens):
        return False
    return tokens[end].word.endswith((*PREDICATE_ENDINGS, "ly", "large", "ar", "al"))
