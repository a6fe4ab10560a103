"""Doubts in brackets and question marks: "Hemangioma (?) in segment 4", "Small cyst (probably)"."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ..cue_reach import CueReach
from ..doubt_and_past_words import LINKING_WORDS
from ..lexicon.lexicon import PhraseMatch
from ..tokens import Token, stem

_OPENING, _CLOSING = ("(", "["), (")", "]")
_DIFFERENTIAL_STEMS = frozenset(stem(word) for word in ("differential", "ddx", "dd", "versus", "vs"))

# They describe what is there, so that no diagnosis is a rival of theirs.
_DESCRIPTION_STEMS = frozenset(
    map(stem, "mass lesion nodule tumor opacity focus density collection abnormality thickening enlargement".split())
)


def remark_start(tokens: Sequence[Token], match: PhraseMatch) -> int | None:
    """Return the index of the bracket before a cue that is all its brackets hold: "(most likely)"; None elsewhere."""
    start, end = match.start, match.end
    while start and tokens[start - 1].word in LINKING_WORDS:
        start -= 1
    while end < len(tokens) and (tokens[end].word in LINKING_WORDS or tokens[end].word == "?"):
        end += 1
    if start and tokens[start - 1].word in _OPENING and end < len(tokens) and tokens[end].word in _CLOSING:
        return start - 1
    return None


def rival_start(tokens: Sequence[Token], matches: Sequence[PhraseMatch], match: PhraseMatch) -> int | None:
    """Return the index of the bracket before a differential diagnosis that puts what stands before it in doubt too.

    That is so where both are kinds of the same: "adenoma (DD metastasis)", unlike "mass (DD lymphoma)".
    """
    opening = match.start - 1
    if opening < 1 or tokens[opening].word not in _OPENING or tokens[match.start].stem not in _DIFFERENTIAL_STEMS:
        return None
    if not _DESCRIPTION_STEMS.isdisjoint(token.stem for token in tokens[:opening]):
        return None
    before = [other.entry for other in matches if other.end <= opening and other.entry.kinds]
    behind = [other.entry for other in matches if other.start >= match.end and other.entry.kinds]
    if not before or not behind:
        return None
    first, second = before[-1], behind[0]
    is_kind = first.key in second.kinds or second.key in first.kinds
    return None if is_kind or not first.kinds & second.kinds else opening


def questioned(tokens: Sequence[Token], reach: CueReach) -> Iterator[tuple[int, int]]:
    """Yield what stands before a question mark, or behind one that opens a segment: "cyst?", "?pneumonia"."""
    for index in [index for index, token in enumerate(tokens) if token.word == "?"]:
        if 0 < index < len(tokens) - 1 and tokens[index - 1].word in _OPENING and tokens[index + 1].word in _CLOSING:
            yield reach.hedge_start(index - 1), index - 1
            continue
        start = max((b + 1 for b in reach.breaks if b < index), default=0)
        start = max([start] + [mark + 1 for mark in range(start, index) if tokens[mark].word == "?"])
        if index + 1 < len(tokens) and (start == index or _asks_of_what_follows(tokens, index)):  # "?pneumonia"
            yield index + 1, reach.hedge_end(index + 1, governs=False)
        else:
            yield start, index


def _asks_of_what_follows(tokens: Sequence[Token], index: int) -> bool:
    """Tell whether a question mark stands behind a dash or right before a word: "thick wall - ? colitis"."""
    before, mark, behind = tokens[index - 1 : index + 2]
    return before.word in ("-", "–", "—", "--") or (before.end < mark.start and mark.end == behind.start)
