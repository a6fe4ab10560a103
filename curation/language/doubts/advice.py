"""Advice that stands behind a dash or in brackets: "Nodule in the lingula - CT in 3 months suggested".

What is suggested there is an examination, so that the finding is in no doubt.
"""

from __future__ import annotations

from collections.abc import Sequence

from ..tokens import Token, stem
from .examination_words import FURTHER_EXAMINATION_STEMS, MODALS

_DASHES = frozenset("-–—")
_ADVISING_STEMS = frozenset(map(stem, "suggested recommended advised considered required warranted".split()))
_ADVISING_WORDS = frozenset(("suggested", "considered"))
_BEHIND_ADVICE = frozenset("in for to at as within after if once when with and".split())
_FIRST_WORDS = 3
"""Words within which an examination is named that is advised: "repeat low dose CT", "chest CT"."""


def with_advice_apart(tokens: Sequence[Token]) -> list[Token]:
    """Return tokens in which a dash with a space on each side, before advice, ends the clause as a semicolon does."""
    if _DASHES.isdisjoint(token.word for token in tokens):
        return list(tokens)
    return [
        token._replace(word=";", stem=";") if _is_spaced_dash(tokens, at) and _advises(tokens, at + 1) else token
        for at, token in enumerate(tokens)
    ]


def advises(tokens: Sequence[Token], breaks: Sequence[int], start: int, end: int) -> bool:
    """Return whether a hedge ``[start, end)`` is advice on an examination: "(MRI suggested)", "CT to be considered"."""
    if not any(token.word in _ADVISING_WORDS for token in tokens[start:end]):
        return False
    following = tokens[end].word if end < len(tokens) else "."
    if following[0].isalpha() and following not in _BEHIND_ADVICE:
        return False  # "CT suggested a mass"
    return _opens_with_examination(tokens, max((at + 1 for at in breaks if at < start), default=0), start)


def _opens_with_examination(tokens: Sequence[Token], start: int, end: int) -> bool:
    return any(tokens[at].stem in FURTHER_EXAMINATION_STEMS for at in range(start, min(start + _FIRST_WORDS, end)))


def _is_spaced_dash(tokens: Sequence[Token], at: int) -> bool:
    if tokens[at].word not in _DASHES or not 0 < at < len(tokens) - 1:
        return False
    return tokens[at - 1].end < tokens[at].start and tokens[at].end < tokens[at + 1].start


def _advises(tokens: Sequence[Token], start: int) -> bool:
    tells = any(token.stem in _ADVISING_STEMS or token.word in MODALS for token in tokens[start:])
    return tells and _opens_with_examination(tokens, start, len(tokens))
