"""Beginnings that are words of their own: "non" in "noncirrhotic", "post" in "postcholecystectomy"."""

from __future__ import annotations

from collections.abc import Callable

from ..doubt_and_past_words import OPERATION_WORD_ENDINGS
from ..tokens import Token, stem

_PREFIXES = ("non", "post")


def prefixes_apart(tokens: list[Token], is_listed: Callable[[Token], bool]) -> list[Token]:
    """Return the tokens with "non" apart from a word that is listed, and "post" from an operation.

    A word that is listed as it stands stays whole.
    """
    if not any([token.word.startswith(_PREFIXES) for token in tokens]):
        return tokens
    return [part for token in tokens for part in _apart(token, is_listed)]


def _apart(token: Token, is_listed: Callable[[Token], bool]) -> tuple[Token, ...]:
    prefix = next((prefix for prefix in _PREFIXES if token.word.startswith(prefix)), "")
    rest = token.word.removeprefix(prefix)
    if rest in ("", token.word) or is_listed(token):
        return (token,)
    word = Token(token.start + len(prefix), token.end, rest, stem(rest))
    is_named = rest.endswith(OPERATION_WORD_ENDINGS) if prefix == "post" else is_listed(word)
    return (Token(token.start, word.start, prefix, prefix), word) if is_named else (token,)
