"""A mention: the tokens of a statement that name one organ or a pair."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .word_lists import LATIN_PLURALS

_SEVERAL_OF_ONE = frozenset("spines condyles epicondyles malleoli plateaus plateaux trochanters".split())
"""Parts of which one bone has several, so that their plural is of no two bones: "the tibial spines"."""


@dataclass(slots=True)
class OrganMention:
    """Tokens ``[start, end)`` name ``names`` (two where both sides are meant).

    ``place``: only something else is described relative to it ("adjacent to the spleen"). ``container``: it only
    encloses a more exact organ of the same segment ("right lung" beside "right upper lobe").
    """

    start: int
    end: int
    names: tuple[str, ...]
    place: bool = False
    container: bool = False
    adjective: bool = False
    plural: bool = False
    bilateral: bool = False  # its words say both sides: "both lungs", "bibasal"
    station: bool = False  # a place of lymph nodes that are named elsewhere in the statement
    origin: tuple[str, ...] = ()  # the organ that gives a station its name; the disc at which two vertebrae meet
    finding: bool = False  # the words are a finding as well ("lymphadenopathy")
    within: frozenset[str] = frozenset()  # all organs that it is a part of
    pair: tuple[str, str] | None = None  # (left, right) where the organ has sides
    noun: tuple[int, int] | None = None  # tokens of the noun that it shares with the last of a list
    numbers: tuple[int, ...] = ()  # the further parts of a range: 4 and 5 of the last of "the 3rd to 6th ribs"
    device: bool = False  # the thing itself is what is found: "a stent in the left anterior descending artery"


def is_listed_with(mention: OrganMention, earlier: OrganMention) -> bool:
    """Tell whether one of a pair is listed with one side of another: "Left kidney and ureter"."""
    is_one = len(earlier.names) == 1 and not (mention.plural or mention.adjective or earlier.adjective)
    return is_one and earlier.end + 1 == mention.start and not mention.device and not earlier.device


def is_plural_name(words: Sequence[str]) -> bool:
    """Tell whether the words of a name mean several of what they name, and no several parts of one."""
    return words[-1] not in _SEVERAL_OF_ONE and any(map(_is_plural, words))


def _is_plural(word: str) -> bool:
    return word in LATIN_PLURALS or (word.endswith("s") and not word.endswith(("ss", "us", "is", "as")))
