"""Names that mean no organ where they stand: "Lt 2 nodules", "L 9 mm", "polyp (C2)" are no levels."""

from __future__ import annotations

from collections.abc import Sequence

from prompts.vocabulary import Vocabulary

from ..mentions import OrganMention
from ..tokens import Token
from ..word_lists import LATIN_PLURALS
from ..word_senses import LEVEL

_SIDE_LETTERS = frozenset(("l", "lt", "left"))
_LONGEST_SCORE = 4
_OPENING, _CLOSING = frozenset("(["), frozenset(")]")
_UNITS = frozenset("mm cm ml cc hu mmhg x ×".split())
_SPINAL = frozenset(("vertebrae", "spine", "intervertebral discs", "skeleton", "nerve roots", "spinal cord", "back"))


def without_false_levels(
    mentions: list[OrganMention], tokens: Sequence[Token], vocabulary: Vocabulary
) -> list[OrganMention]:
    """Return the mentions without sides that a count follows, and codes in brackets behind organs off the spine."""
    levels = [mention for mention in mentions if LEVEL.match(mention.names[0]) and mention.end - mention.start <= 2]
    if not levels:
        return mentions
    false = [
        level
        for level in levels
        if _is_side(level, tokens) or _is_code(level, mentions, tokens, vocabulary) or _is_score(level, tokens)
    ]
    return [mention for mention in mentions if mention not in false] if false else mentions


def _is_side(level: OrganMention, tokens: Sequence[Token]) -> bool:
    """Tell whether a level is a side letter with a number behind it, of a thing that is counted or measured."""
    first, last = tokens[level.start], tokens[level.end - 1]
    if level.end - level.start != 2 or first.word not in _SIDE_LETTERS or last.start == first.end:
        return False
    if first.word != "l" or any(token.word in ("r", "rt") for token in tokens):
        return True
    following = [token.word for token in tokens[level.end : level.end + 3]]
    if following[:1] and following[0] in _UNITS:
        return True
    return any(
        word in LATIN_PLURALS or (word.endswith("s") and not word.endswith(("ss", "us", "is"))) for word in following
    )


def _is_code(
    level: OrganMention, mentions: Sequence[OrganMention], tokens: Sequence[Token], vocabulary: Vocabulary
) -> bool:
    """Tell whether a level stands alone in brackets behind nothing but organs that are not of the spine."""
    if level.start == 0 or level.end >= len(tokens):
        return False
    if tokens[level.start - 1].word not in _OPENING or tokens[level.end].word not in _CLOSING:
        return False
    before = [mention for mention in mentions if mention.end <= level.start]
    return bool(before) and not any(
        _SPINAL.intersection((name, *vocabulary.ancestors(name))) for mention in before for name in mention.names
    )


def _is_score(level: OrganMention, tokens: Sequence[Token]) -> bool:
    """Tell whether a level is the value of a scheme of the colon: "C-RADS C2, E1"."""
    before = [token.word for token in tokens[max(0, level.start - _LONGEST_SCORE) : level.start]]
    return "rads" in before and "c" in before


def is_fat_of_a_node(mention: OrganMention, tokens: Sequence[Token]) -> bool:
    """Tell whether a hilum is that of a lymph node: "nodes with a fatty hilum"."""
    words = {token.word for token in tokens[max(0, mention.start - 2) : mention.start]}
    return tokens[mention.end - 1].word in ("hilum", "hila", "hilus") and not words.isdisjoint(("fatty", "fat"))
