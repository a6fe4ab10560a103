"""A mention: the tokens of a statement that name one organ or a pair."""

from __future__ import annotations

from dataclasses import dataclass


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
