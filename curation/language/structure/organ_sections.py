"""Words beside the name of an organ by which not all of it is meant: "the upper pole of the kidney", "native kidneys".

What is normal or denied there is not so in the whole organ, nor in another one of its kind: a transplanted kidney lies
beside native ones, a transplanted liver replaces one.
"""

from __future__ import annotations

from ..parsed_statement import ParsedStatement, Term
from ..word_lists import (
    ARTICLES,
    ORIGIN_STEMS,
    SECTION_STEMS,
    TRANSPLANT_STEMS,
    WHEREABOUTS_STEMS,
    WORDS_OF_A_PART,
)

_UNNAMED_PARTS = frozenset(("part", "portion"))
_SKIPPED = ARTICLES | WORDS_OF_A_PART | {"both"}

_ORIGINS_OF_SINGLE_ORGANS = ORIGIN_STEMS - TRANSPLANT_STEMS


def section_stems(organ: Term, statement: ParsedStatement) -> set[str]:
    """Return the stems around the name of an organ that narrow it: "upper pole", of "upper poles of both kidneys"."""
    stems = statement.stems
    is_one_of_two = organ.mention is not None and organ.mention.pair
    origins = ORIGIN_STEMS if is_one_of_two else _ORIGINS_OF_SINGLE_ORGANS
    narrowing: set[str] = set()
    for at in range(organ.start - 1, -1, -1):
        if stems[at] in SECTION_STEMS or stems[at] in origins or (narrowing and stems[at] in WHEREABOUTS_STEMS):
            narrowing.add(stems[at])
        elif statement.tokens[at].word not in _SKIPPED:
            break
    return narrowing | origins.intersection(stems[organ.end : organ.end + 1])


def stated_parts(caption: ParsedStatement) -> frozenset[str]:
    """Return "part" and "portion" where a caption restricts itself to what is seen: "the visualized brain"."""
    return frozenset() if WORDS_OF_A_PART.isdisjoint(caption.words) else _UNNAMED_PARTS
