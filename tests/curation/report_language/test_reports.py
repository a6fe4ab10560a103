"""The language of reports: foreign ones are told, English ones are not lost, mixed ones are told apart."""

from pathlib import Path

import pytest

from curation.readers.sections import split_sections
from curation.report_language.reports import ReportLanguage, report_language

FOREIGN = [
    line.split("\t")
    for line in Path(__file__).with_name("foreign_reports.tsv").read_text(encoding="utf-8").splitlines()
]
# Too short and too Latin to tell: nothing speaks for a language.
OPEN = {"Aspect normal des surrenales. Adenopathie mediastinale de 14 mm de petit axe."}
# Danish and Norwegian, Italian and Spanish: told from English, but taken for one another.
TAKEN_FOR_A_NEIGHBOUR = 4


def read(text: str) -> ReportLanguage:
    return report_language(text, split_sections(text))


@pytest.mark.parametrize("text", [text for _, text in FOREIGN if text not in OPEN])
def test_a_foreign_report_is_told_and_no_statement_of_it_is_read(text: str) -> None:
    language = read(text)
    assert language.is_foreign
    assert not any(map(language.is_read, range(len(language.statements))))


def test_nearly_all_languages_are_named_rightly() -> None:
    assert len(FOREIGN) > 100
    assert len({code for code, _ in FOREIGN}) > 20
    wrong = [(code, text) for code, text in FOREIGN if read(text).code != code and text not in OPEN]
    assert len(wrong) <= TAKEN_FOR_A_NEIGHBOUR


@pytest.mark.parametrize(
    "text",
    [
        "Liver: normal. Spleen: NP. GB: NAD.",
        "LUNGS CLEAR. NO EFFUSION. NO PNEUMOTHORAX.",
        "Pneumonia.",
        "Normal.",
        "Vena cava inferior patent. Os sacrum intact. Processus spinosus L4 fractured.",
        "Liver 15 cm. Spleen 10 cm. Right kidney 10.5 x 4.5 cm. Left kidney 11 x 5 cm.",
        "In both lungs, sequelae fibrotic changes are watched. No mass in lung parenchyma.",
        "Impression: St. p. cholecystectomy. Unchanged since the scan at Klinikum Großhadern, München.",
        "",
    ],
)
def test_english_is_not_lost(text: str) -> None:
    language = read(text)
    assert not language.is_foreign
    assert all(map(language.is_read, range(len(language.statements))))


def test_a_foreign_letterhead_costs_an_english_report_nothing_else() -> None:
    language = read(
        "Klinik für Radiologie, Universität Zürich.\nFindings: The liver is normal. No free fluid in the pelvis."
    )
    assert language.code == "en" and not language.notable


@pytest.mark.parametrize(
    ("text", "read_statements"),
    [
        ("CT of the chest with contrast.\nKein Pneumothorax. Leber ohne Herde. Aorta normal.", [0]),
        ("The lungs are clear. The heart is of normal size. Milz unauffällig. Kein Aszites.", [0, 1]),
        ("Findings: No nodule is seen in the lungs. Aorta normal.\nImpression: Kein Aneurysma. Thorax normal.", [0, 1]),
    ],
)
def test_of_a_mixed_report_only_the_english_statements_are_read(text: str, read_statements: list[int]) -> None:
    language = read(text)
    assert language.code == "en" and language.notable
    assert [index for index in range(len(language.statements)) if language.is_read(index)] == read_statements


def test_an_english_word_in_a_foreign_report_makes_no_english_statement() -> None:
    text = "Leber ohne Läsion, kein Erguss. Nieren und Gallenblase ohne Steine. Level Milz quer 11 cm, Form o. B."
    assert read(text).is_foreign


def test_the_sentence_says_how_much_is_in_which_language() -> None:
    assert read("Kein Pneumothorax.").sentence() == "the report is not English but German"
    mixed = read("The lungs are clear. Kein Pneumothorax.")
    assert mixed.sentence() == "1 of its 2 statements are not English but German"


def test_between_the_languages_what_we_know_is_read_and_what_is_strange_is_not() -> None:
    german, english = "Leber ohne Läsion, kein Aszites.", "The lungs are clear."
    known, strange = read(f"{german} Aorta: normal. {english}"), read(f"{german} Aorta: ektatisch. {english}")
    assert known.statements == ("de", "en", "en")
    assert strange.statements == ("de", "de", "en")


def test_a_strange_word_or_two_do_not_load_the_identifier(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(text: str) -> str:
        raise AssertionError(text)

    monkeypatch.setattr("curation.report_language.reports.language_by_ngrams", fail)
    assert read("The lungs are clear. HTN. DJD.").code == "en"
    with pytest.raises(AssertionError, match="vorhanden"):
        read("The lungs are clear. Leberzysten multipel vorhanden, Verkalkungen abgrenzbar.")
