"""Words and numbers of a statement, with their place in the text and a stem that inflections share."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from snowballstemmer import stemmer  # type: ignore[import-untyped]

_TOKEN = re.compile(
    r"(?<=\d)[xX×](?=\s?\d)"  # 12x9
    r"|\d+[A-Da-d](?![^\W_])"  # segment 4a
    r"|\d+(?:[.,]\d+)*"
    r"|[^\W\d_]+\d+[^\W\d_]?"  # L4, T12
    r"|[cC][aA][nN]['’][tT](?![^\W_])"
    r"|[^\W\d_]+?(?=[nN]['’][tT](?![^\W_]))|[nN]['’][tT](?![^\W_])"  # is | n't
    r"|(?i:is|are|was|were|do|does|did|has|have|had|could|would|should)(?=nt(?![^\W_]))|(?<=[^\W_])nt(?![^\W_])"
    r"|[^\W\d_]+(?:['’][^\W\d_]+)?"
    r"|[^\w\s]"
)
_snowball = stemmer("english")
_CONTRACTED_NOT = frozenset(("n't", "n’t", "nt"))
_BRITISH = (
    (re.compile(r"(?<!^)ae(?=[a-z]{2})|^ae(?=[mst])"), "e"),
    (re.compile(r"oe(?=[a-z]{2})"), "e"),
    (re.compile(r"our(?=s?$|ed$|ing$|al$)"), "or"),
    (re.compile(r"(?<=[bt])re(?=s?$)"), "er"),
    (re.compile(r"(?<=[a-z]{3})is(?=e[ds]?$|ing$|ation$)"), "iz"),
    (re.compile(r"ll(?=ed$|ing$)"), "l"),
    (re.compile(r"^grey"), "gray"),
)
_STEM_EXCEPTIONS = {
    "several": "several",
    "likely": "likely",
    "unlikely": "unlikely",
    "extensive": "extensive",
    "extensively": "extensive",
    "marking": "marking",
    "markings": "marking",
    "considerable": "considerable",
    "considerably": "considerable",
    "localization": "localization",
    "localizations": "localization",
    "localisation": "localization",
    "extremity": "extremity",
    "extremities": "extremity",
    "our": "our",
    "four": "four",
    "nature": "nature",
    "natures": "nature",
}
"""Words whose stem would fall together with that of another word (severe, like, extension, marked, for)."""


class Token(NamedTuple):
    """One word, number or mark. ``start`` and ``end`` count characters of the text that was tokenised."""

    start: int
    end: int
    word: str
    stem: str


def tokenize(text: str) -> list[Token]:
    """Return the tokens of the text in order; white space belongs to none. "isn't" is two: "is" and "not"."""
    return [
        Token(match.start(), match.end(), word := _word(match), _cached_stem(word)) for match in _TOKEN.finditer(text)
    ]


def _word(match: re.Match[str]) -> str:
    word = match[0].lower()
    if word in ("can't", "can’t"):
        return "cannot"
    glued = match.start() > 0 and match.string[match.start() - 1].isalpha()
    return "not" if glued and word in _CONTRACTED_NOT else word


def stem(word: str) -> str:
    """Return the form that inflections and the British and American spelling of a lower-case word share.

    Plurals and verb forms are cut by the Porter2 stemmer (Snowball); Latin plurals are in ``lexicon.yaml``.
    """
    return _cached_stem(word)


@lru_cache(maxsize=200_000)
def _cached_stem(word: str) -> str:
    if not word[0].isalpha():
        return word
    if word in _STEM_EXCEPTIONS or word.endswith("itis"):  # enter-itis, sinus-itis, pancreat-itis
        return _STEM_EXCEPTIONS.get(word, word)
    for pattern, american in _BRITISH:
        word = pattern.sub(american, word)
    return str(_snowball.stemWord(word))
