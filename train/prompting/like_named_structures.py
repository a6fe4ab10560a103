"""Unions of like-named structures: sets of structures that a prompt may mean together.

"left kidney" and "right kidney" share "kidney", "left upper lobe" and "left lower lobe" share "left" and "lobe". Words
that the prompts of single structures share are what people call them together by; no list of groups is needed, and no
name of one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from models.known_words import MOST_MEMBERS
from train.data.held_out_words import SIDES, singular_words

# Words of one union that are looked for together, at most: "upper lobe of the left lung".
MOST_WORDS = 3
# Words that do not say what a structure is, but where it lies or which of several it is; nor do numbers, and words
# shorter than three letters.
PLACES = frozenset(
    "upper lower middle superior inferior anterior posterior medial lateral proximal distal ventral dorsal "
    "internal external deep superficial".split()
)
ORDINALS = frozenset("first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth".split())
NOT_A_KIND = SIDES | PLACES | ORDINALS | frozenset("the and with organ common major minor main".split())


def find_like_named(names: Mapping[str, str], trained: Mapping[str, Sequence[str]]) -> list[dict[str, tuple[str, ...]]]:
    """Return every set of at most `MOST_MEMBERS` structures that share words, each with its prompts that have them.

    `names` has the name of each structure, `trained` its prompts. The same structures come again for other shared
    words. Their names must share a word too that says what they are: left organs have nothing in common but a side,
    and all that has a parenchyma is not one thing. A structure whose name has all words of another's, sides left out,
    is a part of that or lies in it ("kidney tumor" beside "left kidney"), and is not put together with it.
    """
    places: dict[str, set[tuple[str, str]]] = {}
    for structure, prompts in trained.items():
        for prompt in prompts:
            for word in _words(prompt):
                places.setdefault(word, set()).add((structure, prompt))
    words_of = {structure: frozenset(_words(name)) for structure, name in names.items()}
    found: dict[frozenset[tuple[str, str]], None] = {}
    for having in _shared(places, frozenset(), frozenset[tuple[str, str]]().union(*places.values()), set()):
        every = {structure for structure, _ in having}
        wholes = {one for one in every if not any(_lies_in(words_of[one], words_of[other]) for other in every)}
        kinds = frozenset.intersection(*(words_of[structure] for structure in wholes))
        if 2 <= len(wholes) <= MOST_MEMBERS and any(map(_says_what, kinds)):
            found.setdefault(frozenset(pair for pair in having if pair[0] in wholes))
    return [_by_structure(having) for having in found]


def _lies_in(one: frozenset[str], other: frozenset[str]) -> bool:
    """Whether a name, by its words, has all of another's and more, sides left out or else alone."""
    return other - SIDES < one - SIDES or (other - SIDES == one - SIDES and other < one)


def _says_what(word: str) -> bool:
    """Whether a word says what a structure is."""
    return word.isalpha() and len(word) > 2 and word not in NOT_A_KIND


def _shared(
    places: Mapping[str, set[tuple[str, str]]],
    words: frozenset[str],
    having: frozenset[tuple[str, str]],
    seen: set[frozenset[str]],
) -> Iterator[frozenset[tuple[str, str]]]:
    """Yield the structures, if several, with their prompts that have `words` and further ones, for each choice."""
    # Only words of the prompts that are left can be shared further.
    for word in sorted({word for _, prompt in having for word in _words(prompt)} - words):
        together = words | {word}
        if together in seen:
            continue
        seen.add(together)
        left = having & places[word]
        if len({name for name, _ in left}) < 2:
            continue
        yield left
        if len(together) < MOST_WORDS:
            yield from _shared(places, together, left, seen)


def _words(prompt: str) -> list[str]:
    return singular_words(prompt).split()


def _by_structure(having: frozenset[tuple[str, str]]) -> dict[str, tuple[str, ...]]:
    prompts: dict[str, list[str]] = {}
    for structure, prompt in sorted(having):
        prompts.setdefault(structure, []).append(prompt)
    return {structure: tuple(of_structure) for structure, of_structure in prompts.items()}
