"""Write a report that is all in capitals, or has none, as sentences that begin with a capital.

Capitals tell where sentences and headings begin; where all letters are of one case, they tell nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from .edits import Edit

FEWEST_LETTERS = 40
"""Letters that a text needs for its case to be a habit of its writer."""
LARGEST_SHARE = 0.03
"""Share of letters in the other case that may stand in a text of one case: units, a name in a signature."""
_SENTENCE_START = re.compile(r"(?:\A|\n|[.!?:]\s|\s[\"“”•]\s)[\s\"'“(•*-]*(?:\d{1,2}[.)]\s*)?(?P<first>[^\W\d_])")


def capitals_edits(text: str) -> Iterator[Edit]:
    """Yield one edit for each run of letters whose case changes."""
    if _has_both_cases(text):
        return
    upper, lower = sum(map(str.isupper, text)), sum(map(str.islower, text))
    if upper + lower < FEWEST_LETTERS:
        return
    if lower <= LARGEST_SHARE * (upper + lower):
        starts = {match.start("first") for match in _SENTENCE_START.finditer(text)}
        for match in re.finditer(r"[^\W\d_]+", text):
            word, start = match[0], match.start()
            lowered = word.lower()
            if len(lowered) == len(word):
                first = word[0] if start in starts else lowered[0]
                yield Edit(start, match.end(), first + lowered[1:], "capitals")
    elif upper <= LARGEST_SHARE / 3 * (upper + lower):
        for match in _SENTENCE_START.finditer(text):
            first = match["first"]
            if len(first.upper()) == 1:
                yield Edit(match.start("first"), match.end("first"), first.upper(), "capitals")


def _has_both_cases(text: str) -> bool:
    """Tell from the most frequent letters, which are quick to count, that a text is not all of one case."""
    few = LARGEST_SHARE * len(text)
    return _more_than(few, text, "eatoins") and _more_than(few / 3, text, "TNAILSCMRPBFHDE")


def _more_than(number: float, text: str, letters: str) -> bool:
    for letter in letters:
        number -= text.count(letter)
        if number < 0:
            return True
    return False
