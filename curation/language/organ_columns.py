"""The organ that a name means as people and models write it in a column: "imaged lung bases", "distal left ureter".

The name itself counts first. Else words that only say how much of an organ is seen, or which part of it, are passed
over; what then remains must be one organ with its side.
"""

from __future__ import annotations

import re
from functools import lru_cache

from prompts.vocabulary import Vocabulary

from .tokens import stem
from .word_lists import POSITION_STEMS, SIDES, WHEREABOUTS_STEMS

_WORD = re.compile(r"[^\W_]+(?:['’-][^\W_]+)*")
_FRAME_STEMS = frozenset(
    map(stem, "imaged visualized visualised visible included scanned covered partially partly incompletely the".split())
)


@lru_cache(maxsize=50_000)
def resolve_organ(vocabulary: Vocabulary, name: str) -> str | None:
    """Return the canonical name of the organ that ``name`` means, or None where it means none or several."""
    if (organ := vocabulary.resolve(name)) is not None:
        return organ
    words = [word for word in _WORD.findall(name) if stem(word.lower()) not in _FRAME_STEMS]
    if (organ := vocabulary.resolve(" ".join(words))) is not None:
        return organ
    kept = [word for word in words if not _is_whereabouts(word)]
    return vocabulary.resolve(" ".join(kept)) if kept and len(kept) < len(words) else None


def _is_whereabouts(word: str) -> bool:
    """Tell whether a word says which part of an organ is meant, and not which side of a pair."""
    base = stem(word.lower())
    return (base in WHEREABOUTS_STEMS or base in POSITION_STEMS) and word.lower() not in SIDES
