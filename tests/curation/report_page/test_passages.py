"""The passage that a caption is shown beside."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from curation.language.statements import Span
from curation.report_page.passages import evidence_or_nearest, most_similar_passage

TEXT = "The liver is normal. There is a 5 mm nodule in the right upper lobe. No effusion."


def test_evidence_comes_first_then_the_nearest_passage_then_the_likest() -> None:
    assert evidence_or_nearest(TEXT, 4, 9, None, "x") == Span(4, 9)
    start, end = evidence_or_nearest(TEXT, None, None, "No effusion.", "pleural effusion") or (0, 0)
    assert TEXT[start:end] == "No effusion."
    start, end = evidence_or_nearest(TEXT, None, None, None, "6 mm nodule in right upper lobe") or (0, 0)
    assert TEXT[start:end] == "There is a 5 mm nodule in the right upper lobe."


def test_the_statement_with_most_of_the_words_is_the_likest() -> None:
    text = "The liver, spleen and kidneys are unremarkable. The appendix is diffusely unremarkable. The liver is large."
    start, end = most_similar_passage(text, "liver: The liver is unremarkable") or (0, 0)
    assert text[start:end] == "The liver, spleen and kidneys are unremarkable."


@pytest.mark.parametrize("words", ["", "  ", "zzz qqq xxx"])
def test_where_nothing_is_like_it_there_is_none(words: str) -> None:
    assert most_similar_passage(TEXT, words) is None


def test_no_word_is_cut() -> None:
    start, end = most_similar_passage(TEXT, "odule in the right upper lob") or (0, 0)
    assert TEXT[start:end] == "nodule in the right upper lobe"


@given(text=st.text(max_size=60), words=st.text(max_size=30))
def test_it_is_always_within_the_text(text: str, words: str) -> None:
    span = most_similar_passage(text, words)
    assert span is None or 0 <= span.start < span.end <= len(text)
