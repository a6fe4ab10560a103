"""Typing errors in long words: "atalectasis" is read as the atelectasis that the lexicon knows.

A word is corrected only where neither the lexicon nor the vocabulary has it, and where one known word alone differs
from it by one typing error (by two, if it is very long).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from functools import lru_cache

from rapidfuzz.distance import OSA, Levenshtein

from ..word_lists import OPERATION_ENDINGS

SHORTEST = 8
"""Letters from which on a stem may be corrected."""
_VERY_LONG = 13
"""Letters from which on two letters may be wrong, behind a beginning that is right."""
_SAME_BEGINNING = 5
"""Letters that are to be right in a very long word: in them "inter" and "intra", "hypo" and "hyper" differ."""
_VOWELS = frozenset("aeiouy")
_KEPT_WORDS = 16_000


class Speller:
    """Corrects stems by the stems that are known."""

    def __init__(self, terms: Iterable[str], known: Callable[[], Collection[str]]) -> None:
        """Take the stems of ``terms``, to which others are corrected, and what returns the others ``known``."""
        self._known = lru_cache(maxsize=1)(known)  # takes a moment, and few reports need it
        self._terms: dict[str, list[str]] = {}
        for stem in sorted(set(terms)):
            if len(stem) >= SHORTEST - 1:
                self._terms.setdefault(stem[:1], []).append(stem)
        self._cached = lru_cache(maxsize=_KEPT_WORDS)(self._corrected)

    def correct(self, stem: str) -> str:
        """Return the known stem of which ``stem`` is a misspelling, or ``stem`` itself."""
        return stem if len(stem) < SHORTEST else self._cached(stem)

    def _corrected(self, stem: str) -> str:
        terms = self._terms.get(stem[:1], [])
        if stem in terms or not stem.isalpha() or stem.endswith(OPERATION_ENDINGS):
            return stem
        near = [term for term in terms if _is_misspelled(stem, term)]
        return near[0] if len(near) == 1 and stem not in self._known() else stem


def _is_misspelled(stem: str, term: str) -> bool:
    """Tell whether a stem is a term with a typing error: a letter too many or too few, two exchanged, or a wrong vowel.

    Another consonant makes another word: "extramural", "extradural".
    """
    if abs(len(stem) - len(term)) > 2 or stem[:-1] == term or term[:-1] == stem:
        return False
    may_differ_twice = len(term) >= _VERY_LONG and stem[:_SAME_BEGINNING] == term[:_SAME_BEGINNING]
    if OSA.distance(stem, term, score_cutoff=2) > (2 if may_differ_twice else 1):
        return False
    replaced = [(op.src_pos, op.dest_pos) for op in Levenshtein.editops(stem, term) if op.tag == "replace"]
    pairs = [(stem[at], term[to]) for at, to in replaced]
    is_exchange = len(pairs) == 2 and pairs[0] == pairs[1][::-1]
    return is_exchange or all(_VOWELS.issuperset(pair) for pair in pairs)
