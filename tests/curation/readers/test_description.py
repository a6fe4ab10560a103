"""What is told of an input: columns, encoding and language."""

import pytest

from curation.readers.description import InputDescription, describe_input, language_of
from curation.readers.reports import ColumnsRead
from curation.report import Report

SENTENCES = {
    "en": "The liver is normal in size and shape, and no focal lesion is seen.",
    "de": "Die Leber ist normal groß und homogen, ohne Nachweis einer fokalen Läsion.",
    "fr": "Le foie est de taille normale, sans lésion focale visible, la rate est normale.",
    "es": "El hígado es de tamaño normal y no se observan lesiones focales en el bazo.",
    "tr": "Karaciğer normal boyuttadır, parankimde fokal lezyon izlenmemiştir.",  # noqa: RUF001
    "zh": "肝脏大小形态正常,未见异常密度影,脾脏不大。",
}


def described(texts: list[str], columns: ColumnsRead | None = None) -> InputDescription:
    reports = [Report(f"r{number}", text, (), {}, number) for number, text in enumerate(texts, 1)]
    return describe_input("reports.csv", columns or ColumnsRead("id", ("text",), "utf-8", "CSV"), reports)


@pytest.mark.parametrize("code", SENTENCES)
def test_languages_are_told_apart(code: str) -> None:
    assert language_of(SENTENCES[code]) == code


@pytest.mark.parametrize("text", ["", "Normal.", "No PE.", "-"])
def test_a_text_that_is_too_short_has_no_language(text: str) -> None:
    assert language_of(text) == "und"


def test_short_texts_are_told_by_all_of_them_together() -> None:
    texts = ["Lungs clear.", "No pleural effusion.", "The heart is normal.", "No acute abnormality of the chest."] * 3
    assert described(texts).languages == {"en": 12}


def test_the_sentence_names_what_is_read() -> None:
    assert described([SENTENCES["en"]]).sentence() == (
        "reading reports.csv (CSV, utf-8, English): ids from id, text from text"
    )
    columns = ColumnsRead(None, ("findings", "impression"), None, "Parquet")
    assert described([SENTENCES["de"]], columns).sentence() == (
        "reading reports.csv (Parquet, German): reports named by their row, text from findings + impression"
    )


def test_reports_in_another_language_are_warned_of() -> None:
    assert described([SENTENCES["en"], "Normal."]).warning() is None
    warning = described([SENTENCES["en"], SENTENCES["de"], SENTENCES["de"], SENTENCES["fr"]]).warning()
    assert warning is not None and "of the first 4 reports, 2 German, 1 French" in warning


def test_of_many_reports_the_first_are_looked_at() -> None:
    assert described([SENTENCES["en"]] * 60 + [SENTENCES["de"]]).languages == {"en": 50}
