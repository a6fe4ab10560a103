"""How organs of a caption and of its evidence relate: whole and part, left and right, and what a statement is about."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

from .analysis import Item, Reader


class Places:
    """How organs of one vocabulary relate: whole and part, left and right."""

    def __init__(self, reader: Reader) -> None:
        self.organs = reader.vocabulary.organs
        self.ancestors = reader.vocabulary.ancestors
        self.sided = reader.vocabulary.sided
        self.words = lru_cache(maxsize=10_000)(lambda name: frozenset(reader.lexicon.stems(name)))

    def covers(self, organ: str, name: str) -> bool:
        """Whether a statement about ``name`` is one about ``organ``: the same, or a part of it."""
        return organ == name or organ in self.ancestors(name)

    def other_side(self, organ: str, name: str) -> bool:
        """Whether ``name`` is the counterpart of ``organ``, or the pair without a side."""
        if organ not in self.organs or name not in self.organs:
            return False
        side, other = self.organs[organ].side, self.organs[name].side
        same_pair = bool(set(self.organs[organ].parents) & set(self.organs[name].parents))
        return side is not None and side != other and (same_pair or name in self.organs[organ].parents)

    def has_side(self, side: Item, items: Iterable[Item]) -> bool:
        """Whether a side word belongs to the organ right behind it, whose names tell the side: "both lungs"."""
        following = next((item.mention for item in items if item.mention and item.start == side.end), None)
        return following is not None and all(self.organs[name].side for name in following.names)

    def is_half(self, organ: str, name: str) -> bool:
        """Whether ``organ`` is one side of the pair ``name``."""
        pair = self.sided(name)
        return pair is not None and organ in pair


def subjects(items: Iterable[Item]) -> list[str]:
    """Names of the organs that items are about, without those that only say where."""
    return [name for item in items if item.mention and not item.mention.place for name in item.mention.names]
