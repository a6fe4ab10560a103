"""Lymph nodes by station: which nodes "mediastinal and hilar lymph nodes" names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .tokens import Token

_ADENOPATHY = frozenset("lymphadenopathy lymphadenopathies adenopathy adenopathies lap laps".split())
_STOPS = frozenset((";", ":", ".", "but", "which", "while", "with", "without", "however", "adjacent", "level"))
_JOIN = frozenset(("and", "or", ",", "/", "-", "&", "nor", "to"))


@dataclass(slots=True)
class OrganMention:
    """Tokens ``[start, end)`` name ``names`` (two where both sides are meant)."""

    start: int
    end: int
    names: tuple[str, ...]
    place: bool = False
    container: bool = False
    adjective: bool = False
    plural: bool = False
    station: bool = False  # a place of lymph nodes that are named elsewhere in the statement
    origin: tuple[str, ...] = ()  # the organ that gives a station its name
    finding: bool = False  # the words are a finding as well ("lymphadenopathy")
    within: frozenset[str] = frozenset()  # all that it is a part of
    pair: tuple[str, str] | None = None  # (left, right) where the organ has sides
    device: bool = False  # the thing itself is what is found: "a stent in the left anterior descending artery"


def clause_start(tokens: Sequence[Token], at: int) -> int:
    return next((index + 1 for index in range(at - 1, -1, -1) if tokens[index].word in _STOPS), 0)


def adenopathies(tokens: Sequence[Token], found: Sequence[OrganMention]) -> list[OrganMention]:
    """Words that name lymph nodes and a finding of them at once."""
    if not any(token.word in _ADENOPATHY for token in tokens):
        return []
    taken = {index for mention in found for index in range(mention.start, mention.end)}
    return [
        OrganMention(index, index + 1, ("lymph nodes",), finding=True)
        for index, token in enumerate(tokens)
        if token.word in _ADENOPATHY and index not in taken
    ]
