"""The marks that a dictation spells out are written, and words that only look like them are left alone."""

import pytest

from curation.cleaning.clean_text import clean_text

DICTATION = (
    "the lungs are clear period no effusion comma no pneumothorax period new paragraph the colon is normal full stop "
    "a cyst open paren 12 mm close paren in the liver period impression colon no acute finding period"
)
WRITTEN = (
    "the lungs are clear. No effusion, no pneumothorax.\nThe colon is normal. A cyst (12 mm) in the liver.\n"
    "IMPRESSION: No acute finding."
)


def test_the_marks_of_a_dictation_are_written() -> None:
    assert clean_text(DICTATION).text == WRITTEN


@pytest.mark.parametrize(
    "text",
    [
        "The patient was observed for a period of rest. The colon is normal. No change over this period.",
        "Stable over the period. No new lesion in the follow-up period. A short period. The liver is normal.",
        "spleen normal period liver normal",  # too few to be sure
        "Comma shaped tibia. The semicolon is no organ.",
    ],
)
def test_words_that_are_no_marks_stay(text: str) -> None:
    assert clean_text(text).text == text


def test_the_evidence_is_what_was_spoken() -> None:
    clean = clean_text(DICTATION)
    start = clean.text.index("No effusion, no")
    span = clean.source_span(start, start + len("No effusion, no"))
    assert DICTATION[slice(*span)].endswith("no effusion comma no")
