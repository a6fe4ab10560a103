"""Numbers that tell which item is meant, and count nothing: "image 56", "segment 7", "(4; 56)"."""

from __future__ import annotations

from collections.abc import Sequence

from curation.language.tokens import Token
from curation.language.word_lists import FUNCTION_WORDS, ORDINAL_ENDINGS, VERBS

from .measure import WHEN_OR_WHERE, Measure
from .measurement_words import LABEL_JOINERS, LABEL_MARKS, NOUNS_BEFORE_OF, NUMBERED_NOUNS, WORDS_OF_VALUE

_MARKS_OF_REFERENCES = frozenset(";:,/-–")
_LONGEST_REFERENCE = 8
_LONGEST_MARKS = 3


def numbered_kind(tokens: Sequence[Token], at: int, end: int, before: Measure | None) -> str:
    """Return the kind of a number without a unit at ``[at, end)`` ("image number"), or "" for one that counts.

    ``before`` is the number before it, whose noun it may share: "images 4 and 5".
    """
    if end < len(tokens) and (tokens[end].word in ORDINAL_ENDINGS or tokens[end].word == "o'clock"):
        return "position number"
    noun = _noun_before(tokens, at)
    if noun or (at and tokens[at - 1].word == "#"):
        return f"{noun or 'item'} number"
    if before is not None and before.kind.endswith(" number") and at - before.end in (1, 2):
        goes_on = all(token.word in LABEL_JOINERS for token in tokens[before.end : at])
        if goes_on and not _names_what_is_counted(tokens, end):
            return before.kind
    return "reference" if _is_in_bracket_of_numbers(tokens, at) else ""


def label_start(tokens: Sequence[Token], at: int, kind: str) -> int:
    """Return where a number with its noun begins, if it only tells when or where in the images: "image 56", "day 2"."""
    is_label = kind in WHEN_OR_WHERE and at > 0 and tokens[at - 1].word in NUMBERED_NOUNS
    return at - 1 if is_label else at


def _noun_before(tokens: Sequence[Token], at: int) -> str:
    """Return the noun before a number that the number belongs to, as "image"; "" where there is none."""
    index, has_verb = at - 1, False
    while index >= 0 and at - index <= _LONGEST_MARKS and tokens[index].word in LABEL_MARKS | WORDS_OF_VALUE:
        has_verb |= tokens[index].word in WORDS_OF_VALUE
        index -= 1
    noun = NUMBERED_NOUNS.get(tokens[index].word, "") if index >= 0 else ""
    return "" if has_verb and noun not in NOUNS_BEFORE_OF else noun


def _names_what_is_counted(tokens: Sequence[Token], at: int) -> bool:
    """Tell whether a noun or adjective follows, as behind a count: "segment 4 and 2 cysts"."""
    if at >= len(tokens):
        return False
    word = tokens[at].word
    return word[0].isalpha() and word not in FUNCTION_WORDS and word not in VERBS and word not in NUMBERED_NOUNS


def _is_in_bracket_of_numbers(tokens: Sequence[Token], at: int) -> bool:
    """Tell whether a number stands with others, and no word, in a bracket: "(604; 118)", "[4:56]"."""
    start = at - 1
    while start >= 0 and at - start <= _LONGEST_REFERENCE and _is_of_reference(tokens[start].word):
        start -= 1
    end = at + 1
    while end < len(tokens) and end - at <= _LONGEST_REFERENCE and _is_of_reference(tokens[end].word):
        end += 1
    is_bracket = start >= 0 and end < len(tokens) and tokens[start].word + tokens[end].word in ("()", "[]")
    return is_bracket and end - start > 2


def _is_of_reference(word: str) -> bool:
    return word in _MARKS_OF_REFERENCES or word.isdigit()
