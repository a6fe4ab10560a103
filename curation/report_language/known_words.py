"""The words that our own vocabulary of organs and lexicon of findings know: a statement of these alone can be read."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

from curation.language.lexicon.lexicon import Lexicon, load_lexicon
from curation.language.lexicon.lexicon_file import read_lexicon_file
from curation.language.tokens import stem
from prompts.vocabulary import Organ, Vocabulary, load_vocabulary

WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)?")


def is_known(word: str, site_stems: frozenset[str] = frozenset()) -> bool:
    """Return whether a lower-case word, or another form of it, stands in the vocabulary or in the lexicon.

    ``site_stems`` are those of words that a site has added to ours.
    """
    return stem(word) in _known_stems() or stem(word) in site_stems


def site_stems(vocabulary: Vocabulary, lexicon: Lexicon) -> frozenset[str]:
    """Return the stems of the words that a site has added to ours; none of our own vocabulary and lexicon."""
    ours = load_vocabulary(), load_lexicon()
    if (vocabulary, lexicon) == ours:
        return frozenset()
    names = (name for organ in vocabulary.organs.values() for name in _names(organ))
    words = {stem(word) for name in names for word in WORD.findall(name.lower())}
    return frozenset((words | lexicon.words) - _known_stems() - ours[1].words)


@lru_cache(maxsize=1)
def _known_stems() -> frozenset[str]:
    return frozenset(map(stem, known_words()))


def known_words() -> frozenset[str]:
    """Return all words of the vocabulary and of the lexicon, in lower case, as they are written there."""
    return frozenset(WORD.findall("\n".join(_phrases()).lower()))


def _phrases() -> Iterator[str]:
    for organ in load_vocabulary().organs.values():
        yield from _names(organ)
    yield from _texts(read_lexicon_file().model_dump())


def _names(organ: Organ) -> tuple[str, ...]:
    return (*organ.nouns, *organ.adjectives, *organ.findings)


def _texts(value: object) -> Iterator[str]:
    """Yield all texts of a nested value, keys included: they are phrases as well."""
    values = [value]
    while values:
        value = values.pop()
        if isinstance(value, str):
            yield value
        elif isinstance(value, dict):
            values += (*value.keys(), *value.values())
        elif isinstance(value, (list, tuple)):
            values += value
