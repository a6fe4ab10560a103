"""The language of one statement: by counted words, and where they leave it open by a language identifier.

English reports are full of English words, so nearly every statement is settled by counting them, which takes some
microseconds. A word that another language uses speaks for that language. Where neither is there, py3langid can be
asked, which knows 97 languages by their byte n-grams; ``reports.py`` asks it only where it matters, for it takes half a
second to load. What stays open has no language of its own: "Thorax: normal" is as good in German.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache, lru_cache
from typing import TYPE_CHECKING, NamedTuple

from curation.language.parser import CACHED_STATEMENTS

from .english_words import ENGLISH_WORDS, SHARED_WORDS
from .known_words import WORD, is_known
from .languages import ENGLISH, FOREIGN_LETTERS, LANGUAGES, LANGUAGES_BY_WORD, UNDETERMINED

if TYPE_CHECKING:
    from py3langid.langid import LanguageIdentifier

LEAST_ENGLISH = 0.15
"""Share of English words from which a statement without a foreign word is English."""
DOUBTED_ENGLISH = 0.02
"""A statement is foreign by its n-grams only where English is less likely than this (chance would give 0.03)."""
LEAST_PROBABILITY = 0.6
"""And where one other language is as likely as this."""
ELISION = re.compile(r"(?:d|l|n|qu|jusqu|dell|nell|all|dall|sull|un)['’].{3}")
"""An article or preposition that has run into the next word: "d'épanchement", "dell'aorta"."""
ELIDING = ("fr", "it")
ENTIRE_SCRIPTS = {"HIRAGANA": "ja", "KATAKANA": "ja", "HANGUL": "ko", "GREEK": "el", "HEBREW": "he", "THAI": "th"}
"""Scripts that one language writes in, by the first word of their letters' Unicode names."""


class StatementLanguage(NamedTuple):
    """The language of a statement by its words, and its size in words.

    ``english`` counts the English words. Where ``code`` is undetermined, ``strange`` counts the words that are neither
    English nor any that we know, and what stands around the statement decides.
    """

    code: str
    words: int
    english: int
    strange: int = 0

    @property
    def is_strange(self) -> bool:
        """Whether a statement of no certain language is made of words that we do not know."""
        return self.strange > 0 and 2 * self.strange >= self.words


@lru_cache(maxsize=CACHED_STATEMENTS)
def statement_language(text: str, site_stems: frozenset[str] = frozenset()) -> StatementLanguage:
    """Return the language of a statement as far as its words and letters tell.

    ``site_stems`` are those of words that a site has added to ours, which are not strange.
    """
    words = WORD.findall(text.lower())
    english = len([word for word in words if word in ENGLISH_WORDS])
    count = len(words)
    if not text.isascii() and _is_of_other_script(text):
        return StatementLanguage(_by_script(text), max(count, len(text) // 4), 0)
    foreign = sum(map(_is_foreign, words))
    if english >= max(foreign, 1) and (foreign or english >= LEAST_ENGLISH * count):
        return StatementLanguage(ENGLISH, count, english)
    if foreign > english:
        return StatementLanguage(_foreign_code(text, words), count, english)
    return StatementLanguage(UNDETERMINED, count, english, sum(_is_strange(word, site_stems) for word in words))


@lru_cache(maxsize=CACHED_STATEMENTS)
def _is_foreign(word: str) -> bool:
    return (
        word in LANGUAGES_BY_WORD
        or (not word.isascii() and not FOREIGN_LETTERS.isdisjoint(word))
        or ELISION.match(word) is not None
    )


def _is_strange(word: str, site_stems: frozenset[str]) -> bool:
    return word not in SHARED_WORDS and word not in ENGLISH_WORDS and not is_known(word, site_stems)


def _is_of_other_script(text: str) -> bool:
    """Tell whether most letters of a text are none of the Latin alphabet."""
    letters = [letter for letter in text if letter.isalpha()]
    other = sum(letter > "\u024f" and not unicodedata.name(letter, "").startswith("LATIN") for letter in letters)
    return 2 * other > len(letters)


def _by_script(text: str) -> str:
    for letter in text:
        if letter.isalpha() and (code := ENTIRE_SCRIPTS.get(unicodedata.name(letter, "").partition(" ")[0])):
            return code
    code, _, _ = identify(text)
    return code


def _foreign_code(text: str, words: list[str]) -> str:
    """Return the language that has most of a foreign statement's words, of equals the one that its n-grams show."""
    votes: dict[str, int] = {}
    for word in words:
        elided = ELISION.match(word)
        for code in LANGUAGES_BY_WORD.get(word, ()) or (ELIDING if elided else ()):
            votes[code] = votes.get(code, 0) + 1
    most = max(votes.values(), default=0)
    candidates = tuple(sorted(code for code, count in votes.items() if count == most))
    return candidates[0] if len(candidates) == 1 else identify(text, candidates)[0]


@lru_cache(maxsize=CACHED_STATEMENTS)
def language_by_ngrams(text: str) -> str:
    """Return the language that the n-grams of a statement show, where they show one clearly."""
    code, probability, english = identify(text)
    is_clear = code != ENGLISH and probability >= LEAST_PROBABILITY and english < DOUBTED_ENGLISH
    return code if is_clear else UNDETERMINED


def identify(text: str, among: tuple[str, ...] = ()) -> tuple[str, float, float]:
    """Return the most likely language of a text, its probability, and that of English.

    ``among`` leaves only some languages, and English out.
    """
    ranked = _identifier().rank(text)
    english = next(float(probability) for code, probability in ranked if code == ENGLISH)
    candidates = [(code, float(p)) for code, p in ranked if not among or code in among]
    return (str(candidates[0][0]), candidates[0][1], english)


@cache
def _identifier() -> LanguageIdentifier:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    identifier = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    identifier.set_languages(LANGUAGES)
    return identifier
