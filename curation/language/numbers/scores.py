"""Reads the value of a scheme that grades an organ: "Lung-RADS 1" finds nothing, "BI-RADS 0" leaves it open.

The name of a scheme is a finding of its organ (``implied_organ`` in ``lexicon.yaml``), and any other value affirms it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from ..assertion import Polarity
from ..lexicon.lexicon import PhraseMatch
from ..parsed_statement import Term
from ..tokens import Token, stem

_NOTHING = {
    "lung rads": "1",
    "co rads": "1",
    "bi rads": "1 i",
    "vi rads": "1",
    "c rads": "c1 e1",
    "cad rads": "0",
    "agatston score": "0",
    "fazekas": "0",
    "lund mackay": "0",
    "ctsi": "0",
}
"""Values with which nothing is found, in the words of the schemes: negative, normal, no stenosis, no calcium."""
_OPEN = {
    "lung rads": "0",
    "co rads": "0",
    "bi rads": "0",
    "li rads": "nc",
    "pi rads": "x",
    "c rads": "c0 e0",
    "o rads": "0",
}
"""Values of an examination that does not tell."""
_SCHEMES = frozenset((*_NOTHING, *_OPEN, "ti rads", "bosniak", "balthazar"))
_BEFORE_VALUE = frozenset("category score grade class assessment classification of is was : = - – . ( total".split())
_VALUE = re.compile(r"\d|[ce]\d\b")
_VERSION = re.compile(r"v\d+$|version$|(?:19|20)\d\d$|v$")
_LONGEST_NAME = 5
"""Tokens between the name of a scheme and its value."""


def _by_key(values: dict[str, str]) -> dict[str, frozenset[str]]:
    return {" ".join(map(stem, name.split())): frozenset(written.split()) for name, written in values.items()}


_NUMBERS_BY_KEY = _by_key(dict.fromkeys(("agatston score", "fazekas", "lund mackay", "ctsi"), "")).keys()
"""Schemes whose values are numbers alone."""
_NOTHING_BY_KEY, _OPEN_BY_KEY = _by_key(_NOTHING), _by_key(_OPEN)
_KEYS = frozenset(_by_key(dict.fromkeys(_SCHEMES, "")))


def is_scheme(key: str) -> bool:
    """Tell whether the key of a term is that of a scheme."""
    return key in _KEYS


def grades_by_number(key: str) -> bool:
    """Tell whether the key of a term is that of a scheme whose values are numbers alone."""
    return key in _NUMBERS_BY_KEY


def is_value(text: str) -> bool:
    """Tell whether a text begins with a value: "4A", "0 (no calcium)", "C2"."""
    return _VALUE.match(text.lower()) is not None


def cover_scores(tokens: Sequence[Token], matches: Sequence[PhraseMatch], covered: list[bool]) -> None:
    """Let no segment end between the name of a scheme and its value: "Agatston score: 0" is no label."""
    for match in matches:
        if is_scheme(match.entry.key) and match.end + 1 < len(tokens) and tokens[match.end].word in (":", "="):
            covered[match.end] |= is_value(tokens[match.end + 1].word)


def read_scores(tokens: Sequence[Token], terms: Sequence[Term]) -> None:
    """Let a scheme be denied where its value says that nothing is found, and be open where it tells nothing."""
    for term in terms:
        if term.key not in _NOTHING_BY_KEY and term.key not in _OPEN_BY_KEY:
            continue
        if term.polarity != Polarity.AFFIRMED:
            continue
        value = _value(tokens, term.end)
        if term.key in _NUMBERS_BY_KEY and not value[:1].isdigit():
            term.attribute = True  # "the Agatston score for the vessels: …", "a high calcium score"
        if value in _NOTHING_BY_KEY.get(term.key, ()):
            term.polarity = Polarity.NEGATED
        elif value in _OPEN_BY_KEY.get(term.key, ()):
            term.polarity = Polarity.UNCERTAIN


def _value(tokens: Sequence[Token], at: int) -> str:
    """Return the value behind the name of a scheme, without its version: 2 of "Lung-RADS v2022 category 2"."""
    for token in tokens[at : at + _LONGEST_NAME]:
        if token.word not in _BEFORE_VALUE and not _VERSION.match(token.word):
            return token.word
    return ""
