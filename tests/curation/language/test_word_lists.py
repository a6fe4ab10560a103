"""The closed word lists: words that a token of a text can be equal to."""

from __future__ import annotations

import pytest

from curation.language import denial_words, word_lists
from curation.language.numbers import measurement_words
from curation.language.tokens import tokenize

ORGAN_LISTS = ("NEVER_A_PLACE", "IMPLIED_BESIDE_ANOTHER")
"""Lists of canonical names of organs, which may have several words."""
DOTTED = {"e.g", "i.e"}
"""Abbreviations that are compared with the text itself and not with its tokens."""

LISTS = {
    name: words
    for module in (word_lists, denial_words, measurement_words)
    for name, words in vars(module).items()
    if name.isupper() and isinstance(words, frozenset) and name not in ORGAN_LISTS
}


@pytest.mark.parametrize("name", sorted(LISTS))
def test_each_word_is_one_token_in_lower_case(name: str) -> None:
    words = LISTS[name] - DOTTED
    assert words
    assert {word for word in words if [token.word for token in tokenize(word)] != [word]} <= {"n't"}
