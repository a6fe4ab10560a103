"""Structures whose prompts share words: those that a prompt may mean together, and how such a prompt would be placed.

"left kidney" and "right kidney" share "kidney", "left upper lobe" and "left lower lobe" share "left" and "lobe". What
the names of a data set share is what people call its structures together, and needs neither a list of groups nor any
name of one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from models.known_words import MOST_MEMBERS
from train.data.held_out_words import SIDES, singular_words

# Words of one union that are looked for together, at most: "upper lobe of the left lung".
MOST_WORDS = 3
# Words that say nothing of what a structure is, beside sides; words shorter than three letters and numbers neither.
NOT_A_KIND = SIDES | {"the", "and", "organ"}


def find_like_named(trained: Mapping[str, Sequence[str]]) -> list[dict[str, tuple[str, ...]]]:
    """Return every set of at most `MOST_MEMBERS` structures that share words, each with its prompts that have them.

    `trained` has the prompts of each structure. The same structures come again for other shared words. One of the
    words must say what the structures are: left organs have nothing in common but a side.
    """
    places: dict[str, set[tuple[str, str]]] = {}
    for structure, prompts in trained.items():
        for prompt in prompts:
            for word in _words(prompt):
                places.setdefault(word, set()).add((structure, prompt))
    found: dict[frozenset[tuple[str, str]], None] = {}
    seen: set[frozenset[str]] = set()
    for words, having in _shared(places, frozenset(), None, seen):
        if any(word.isalpha() and len(word) > 2 and word not in NOT_A_KIND for word in words):
            found.setdefault(having)
    return [_by_structure(having) for having in found if len({name for name, _ in having}) <= MOST_MEMBERS]


def _shared(
    places: Mapping[str, set[tuple[str, str]]],
    words: frozenset[str],
    having: frozenset[tuple[str, str]] | None,
    seen: set[frozenset[str]],
) -> Iterator[tuple[frozenset[str], frozenset[tuple[str, str]]]]:
    """Yield words beyond `words` that prompts of several structures share, with these structures and prompts."""
    # Only words of the prompts that are left can be shared further.
    further = (
        sorted(places) if having is None else sorted({word for _, prompt in having for word in _words(prompt)} - words)
    )
    for word in further:
        together = words | {word}
        if together in seen:
            continue
        seen.add(together)
        left = frozenset(places[word] if having is None else having & places[word])
        if len({name for name, _ in left}) < 2:
            continue
        yield together, left
        if len(together) < MOST_WORDS:
            yield from _shared(places, together, left, seen)


def _words(prompt: str) -> list[str]:
    return singular_words(prompt).split()


def _by_structure(having: frozenset[tuple[str, str]]) -> dict[str, tuple[str, ...]]:
    prompts: dict[str, list[str]] = {}
    for structure, prompt in sorted(having):
        prompts.setdefault(structure, []).append(prompt)
    return {structure: tuple(of_structure) for structure, of_structure in prompts.items()}
