"""What shows that an item behind a denial is stated for itself: a grade, a size, an adjective at its end."""

from __future__ import annotations

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
