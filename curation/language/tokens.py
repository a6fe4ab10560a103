"""Words and numbers of a statement, with their place in the text and a stem that inflections share."""

from __future__ import annotations

import re
from functools import lru_cache
from threading import Lock
from typing import NamedTuple

from snowballstemmer import stemmer  # type: ignore[import-untyped]

_TOKEN = re.compile(
    r"([\s_]*)("  # what stands before it and belongs to no token
    r"[A-WYZa-wyz][^\W\d_]*(?:\d+[^\W\d_]?|['’][^\W\d_]+)?"  # most tokens: a word, L4, T12
    r"|(?<=\d)[xX×](?=\s?\d)"  # 12x9
    r"|\d+[A-Da-d](?![^\W_])"  # segment 4a
    r"|(?:(?<![\w.)\]])|(?<=\d[xX×]))\.\d+"  # .8
    r"|[½¼¾⅓⅔⅛⅜⅝⅞]"  # letters to \w: "½cm"
    r"|\d+(?:[.,]\d+)*"
    r"|[^\W\d_]+(?:\d+[^\W\d_]?|['’][^\W\d_]+)?"  # a word with another first letter
    r"|[^\w\s])"
)
_snowball = stemmer("english")
_one_at_a_time = Lock()  # the stemmer keeps the word it works on: of two threads one would get a wrong stem
_CONTRACTED_VERBS = "is are was were do does did has have had could would should must might need wo".split()
# How many letters of a word are its contracted "not".
_CONTRACTIONS = {
    f"{verb}{ending}": len(ending)
    for verb in _CONTRACTED_VERBS
    for ending in ("n't", "n’t", "nt")
    if verb + ending != "wont"
}
_CANNOT = frozenset(("can't", "can’t"))
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
    "additionally": "additionally",
    "reportedly": "reportedly",
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
    "respected": "respected",
    "our": "our",
    "four": "four",
    "measurable": "measurable",
    "evaluable": "evaluable",
    "assessable": "assessable",
    "nature": "nature",
    "natures": "nature",
    "suggestive": "suggestive",
    "branching": "branching",
    "resolving": "resolving",
    "favorable": "favorable",
    "favourable": "favorable",
}
"""Words whose stem would fall together with that of another word (severe, like, extension, marked, for, resolved)."""


class Token(NamedTuple):
    """One word, number or mark. ``start`` and ``end`` count characters of the text that was tokenised."""

    start: int
    end: int
    word: str
    stem: str


def tokenize(text: str) -> list[Token]:
    """Return the tokens of the text in order; white space belongs to none. "isn't" is two: "is" and "not"."""
    tokens, end, new = [], 0, tuple.__new__  # what Token(…) does, without a call in Python for each
    for space, written in _TOKEN.findall(text):
        start = end + len(space)
        end = start + len(written)
        word, word_stem, contracted = _cached_word(written)
        if contracted:
            tokens.append(Token(start, end - contracted, word, word_stem))
            tokens.append(Token(end - contracted, end, "not", "not"))
        else:
            tokens.append(new(Token, (start, end, word, word_stem)))
    return tokens


def with_conjunctions(tokens: list[Token]) -> list[Token]:
    """Return the tokens with "&", and "well" of "A as well as B", as an "and" of a list."""
    words = [token.word for token in tokens]
    if "&" in words or "well" in words:
        for index, word in enumerate(words):
            if word == "&" or (word == "well" and words[index - 1 : index] == words[index + 1 : index + 2] == ["as"]):
                tokens[index] = tokens[index]._replace(word="and", stem="and")
    return tokens


@lru_cache(maxsize=200_000)
def _cached_word(written: str) -> tuple[str, str, int]:
    """Return a word as it stands in a token, its stem, and how many of its letters are a contracted "not"."""
    word = written.lower()
    if word in _CANNOT:
        return "cannot", "cannot", 0
    contracted = _CONTRACTIONS.get(word, 0)
    if contracted:
        word = written[:-contracted].lower()
    elif word[0] == "." and len(word) > 1:
        word = f"0{word}"
    return word, _cached_stem(word), contracted


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
    with _one_at_a_time:
        return str(_snowball.stemWord(word))
