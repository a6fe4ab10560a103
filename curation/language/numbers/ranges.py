"""Ranges of numbered parts: "ribs 3-6" and "the left 3rd to 6th ribs" are four ribs, "T10 to T12" three vertebrae."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import pairwise

from prompts.vocabulary import Vocabulary

from ..mentions import OrganMention
from ..tokens import Token

_UP_TO = frozenset(("-", "–", "to", "through", "thru", "until"))
_LISTED = frozenset((",", "and", "&"))
_UNITS = frozenset(("mm", "cm", "x", "×", "%", "fractures", "fragments"))
_NUMBER = re.compile(r"(?<=\b)([CTLS]?)(\d{1,2})(?:st|nd|rd|th)?\b")
_LONGEST = 11


def mark_ranges(mentions: Sequence[OrganMention], tokens: Sequence[Token]) -> None:
    """Give the last mention of each range the numbers between, and one with both numbers in it all but the first."""
    for first, last in pairwise(mentions):
        between = [token.word for token in tokens[first.end : last.start]]
        if len(between) == 1 and between[0] in _UP_TO and _is_free(tokens, first, last):
            last.numbers = tuple(range(_number(first) + 1, _number(last)))
    for mention in mentions:
        if _is_rib(mention) and tokens[mention.end - 1].word == str(_number(mention)):
            _take_numbers(mention, tokens)


def _take_numbers(mention: OrganMention, tokens: Sequence[Token]) -> None:
    """Let a rib take in the numbers that go on behind it: "ribs 3-6", "ribs 4, 5 and 7"."""
    number = _number(mention)
    while mention.end + 1 < len(tokens):
        joiner, further = tokens[mention.end].word, tokens[mention.end + 1].word
        unit = tokens[mention.end + 2].word if mention.end + 2 < len(tokens) else ""
        if joiner not in _UP_TO | _LISTED or not further.isdigit() or unit in _UNITS:
            return
        if not number < int(further) <= _LONGEST + 1:
            return
        between = range(number + 1, int(further)) if joiner in _UP_TO else ()
        mention.numbers += (*between, int(further))
        number, mention.end = int(further), mention.end + 2


def fill_ranges(mentions: Iterable[OrganMention], vocabulary: Vocabulary) -> None:
    """Let each mention of a range name all parts between as well, on its sides."""
    for mention in mentions:
        if mention.numbers:
            names = [_with_number(name, number) for number in mention.numbers for name in mention.names]
            more = [name for name in names if name in vocabulary.organs]
            mention.names = tuple(dict.fromkeys((*mention.names, *more)))


def _is_free(tokens: Sequence[Token], first: OrganMention, last: OrganMention) -> bool:
    """Tell whether two mentions are of numbered parts of one kind, the second further on, and not both of a disc."""
    if len(first.names) != 1 or len(last.names) != 1 or "disc" in last.names[0]:
        return False
    kinds = {
        _NUMBER.sub(r"\1#", mention.names[0]).removeprefix("left ").removeprefix("right ") for mention in (first, last)
    }
    return len(kinds) == 1 and 0 < _number(last) - _number(first) <= _LONGEST


def _number(mention: OrganMention) -> int:
    match = _NUMBER.search(mention.names[0])
    return int(match[2]) if match else 0


def _is_rib(mention: OrganMention) -> bool:
    return len(mention.names) == 1 and mention.names[0].endswith(("rib", "ribs"))


def _with_number(name: str, number: int) -> str:
    suffix = {1: "st", 2: "nd", 3: "rd"}.get(number, "th") if re.search(r"\d(?:st|nd|rd|th)", name) else ""
    return _NUMBER.sub(lambda match: f"{match[1]}{number}{suffix}", name, count=1)
