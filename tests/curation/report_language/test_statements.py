"""The language of one statement: English words, words of other languages, scripts, n-grams."""

import pytest

from curation.report_language.english_words import ENGLISH_WORDS, SHARED_WORDS
from curation.report_language.known_words import known_words
from curation.report_language.languages import FOREIGN_LETTERS, LANGUAGES, LANGUAGES_BY_WORD
from curation.report_language.statements import language_by_ngrams, statement_language


def test_no_word_speaks_for_two_sides() -> None:
    assert ENGLISH_WORDS.isdisjoint(LANGUAGES_BY_WORD)
    assert SHARED_WORDS.isdisjoint(LANGUAGES_BY_WORD)
    assert SHARED_WORDS.isdisjoint(ENGLISH_WORDS)
    assert known_words().isdisjoint(LANGUAGES_BY_WORD)


def test_all_languages_have_a_name_and_words_without_capitals() -> None:
    assert {code for codes in LANGUAGES_BY_WORD.values() for code in codes} <= LANGUAGES.keys()
    assert all(word == word.lower() for word in {*ENGLISH_WORDS, *LANGUAGES_BY_WORD, *FOREIGN_LETTERS})


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("No focal lesion is seen in the spleen.", "en"),
        ("LIVER AND SPLEEN UNREMARKABLE.", "en"),
        ("Roux-en-Y anastomosis patent, compared with the scan of Hôpital Saint-Louis.", "en"),
        ("Kein Pleuraerguss.", "de"),
        ("Pas d'ascite.", "fr"),
        ("Bazo sin lesiones.", "es"),
        ("Milza nei limiti.", "it"),
        ("Keine Raumforderung", "de"),
        ("Splina fără leziuni.", "ro"),
        ("Печень не увеличена.", "ru"),
        ("胰腺未见异常。", "zh"),
        ("脾臓は正常です。", "ja"),
        ("췌장 정상.", "ko"),
        ("Σπλήνας φυσιολογικός.", "el"),
        ("הטחול תקין.", "he"),
    ],
)
def test_a_statement_is_told_by_its_words_and_letters(text: str, code: str) -> None:
    assert statement_language(text).code == code


@pytest.mark.parametrize(
    "text",
    ["Aorta: normal.", "NO ASCITES", "Pneumonia?", "T12", "5 x 4 mm", "Vena cava inferior", "Os sacrum: NAD", "2.", ""],
)
def test_what_could_be_in_any_language_has_none(text: str) -> None:
    assert statement_language(text).code == "und"


def test_n_grams_tell_what_no_listed_word_does() -> None:
    text = "Leberzysten multipel vorhanden, Verkalkungen abgrenzbar."
    language = statement_language(text)
    assert (language.code, language.strange) == ("und", 5)
    assert language_by_ngrams(text) == "de"
    assert language_by_ngrams("No ascites.") == "und"


def test_words_that_we_know_are_not_strange() -> None:
    assert not statement_language("Aorta: normal. No ascites.").is_strange
    assert statement_language("HTN, DJD.").is_strange
