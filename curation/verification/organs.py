"""How organs of a caption and of its evidence relate: whole and part, left and right, and what a statement is about."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache

from curation.language.analysis import Analysis, Item, Reader


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


def statement_organs(reader: Reader, analysis: Analysis) -> tuple[str, ...]:
    """Organs that a statement is about, named or implied by a finding ("pneumothorax": pleura), in order."""
    found: dict[str, None] = {}
    for segment in analysis.segments:
        for item in segment.sites:
            if item.mention:
                found.update(dict.fromkeys(item.mention.names))
        for name in implied_organs(reader, segment.items):
            found.setdefault(name)
    return tuple(found)


def implied_organs(reader: Reader, items: Sequence[Item]) -> tuple[str, ...]:
    """Organs that findings bring with them, on the side that is stated beside them."""
    sides = {item.key.removeprefix("side:") for item in items if item.kind == "side"}
    organs = reader.vocabulary.organs
    named = [name for item in items if item.mention for name in item.mention.names]
    sides |= {side for name in named if organs[name].region and (side := organs[name].side)}
    found: dict[str, None] = {}
    for item in items:
        organ = item.entry.organ if item.entry else None
        name = reader.anatomist.resolve(organ) if organ else None
        if name is None or not _adds(reader, name, items):
            continue
        pair = reader.vocabulary.sided(name)
        if pair and sides:
            chosen = pair if "both" in sides or len(sides) > 1 else (pair[0] if "left" in sides else pair[1],)
            found.update(dict.fromkeys(chosen))
        else:
            found.setdefault(name)
    return tuple(found)


# Cavities and nodes remain meant where another organ says whereabouts ("pneumothorax in the left lung").
_SEROUS = frozenset(("pleura", "pericardium", "peritoneum", "lymph nodes"))


def _adds(reader: Reader, name: str, items: Sequence[Item]) -> bool:
    """Whether an implied organ says more than the organs that are named beside it."""
    sites = [item for item in items if item.mention and not item.mention.place]
    named = [organ for item in sites if item.mention for organ in item.mention.names]
    if any(name == organ or name in reader.vocabulary.ancestors(organ) for organ in named):
        return False
    regions = all(reader.vocabulary.organs[item.key].region for item in sites)
    return regions or name in _SEROUS
