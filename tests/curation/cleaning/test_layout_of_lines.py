"""Line breaks, columns and capitals: what only keeps lines short goes, what begins something stays."""

import textwrap

import pytest

from curation.cleaning.clean_text import clean_text

REPORT = (
    "There is a 5 mm stone in the left kidney without dilatation of the collecting system. Liver segment 7 holds "
    "a cyst of 12 mm that has not changed since March. Right Lower Lobe consolidation is new. The Spleen, "
    "Pancreas and Gallbladder show nothing of note, and CT signs of Crohn disease are absent in the bowel that "
    "can be seen here."
)


@pytest.mark.parametrize("width", [40, 60, 80, 100])
def test_wrapped_lines_are_joined(width: int) -> None:
    assert clean_text("\n".join(textwrap.wrap(REPORT, width))).text == REPORT
    assert clean_text(REPORT.upper()).text == clean_text("\r\n".join(textwrap.wrap(REPORT.upper(), width))).text


@pytest.mark.parametrize(
    "text",
    [
        "FINDINGS:\nLiver normal.\nSpleen normal.",
        "Liver: normal\nSpleen: large\nKidneys: cysts",
        "Liver normal\nSpleen normal\nKidneys normal\nBowel normal\nBladder normal",
        "Brain\nNo bleeding.\n\nSpine\nNo fracture.",
        "- cyst\n- stone\n- gas",
        "1. Cyst\n2. Stone\n3. Gas",
        "Cysts:\nliver, 5 mm",
    ],
)
def test_lines_of_their_own_stay(text: str) -> None:
    assert clean_text(text).text == text


def test_a_sentence_that_goes_on_in_small_letters_is_joined() -> None:
    assert clean_text("A stone in the left\nkidney.").text == "A stone in the left kidney."


def test_a_word_with_a_soft_hyphen_at_the_end_of_a_line_is_one() -> None:
    assert clean_text("The pan\u00ad\n  creas is large.").text == "The pancreas is large."


def test_columns_keep_a_tab() -> None:
    assert clean_text("Liver        normal\nSpleen\tlarge").text == "Liver\tnormal\nSpleen\tlarge"
    assert clean_text("Spleen      : large").text == "Spleen : large"
    assert clean_text("The   liver   is   not   large.").text == "The liver is not large."
    assert (
        clean_text("The  liver   is not  large, a    cyst   is  seen.").text
        == "The liver is not large, a cyst is seen."
    )
    table = "Liver         normal\nGallbladder  stones\nSpleen        large\nPancreas      normal"
    assert clean_text(table).text.count("\t") == 3
    labels = ["Gallbladder", "Pericardium", "Liver", "Spleen", "Pancreas", "Aorta", "Lungs", "Pleura", "Heart", "Brain"]
    rows = "\n".join(f"{label:<13}normal" for label in labels)
    assert clean_text(rows).text.count("\t") == len(labels) - 2


def test_a_text_in_capitals_is_written_in_sentences() -> None:
    text = "FINDINGS: THE LIVER IS LARGE. NO STONE IN THE LEFT KIDNEY, 5 mm CYST.\nIMPRESSION: LARGE LIVER."
    assert clean_text(text).text == (
        "Findings: The liver is large. No stone in the left kidney, 5 mm cyst.\nImpression: Large liver."
    )
    assert clean_text("CT ABDOMEN").text == "CT ABDOMEN"


def test_a_text_without_capitals_gets_them_where_sentences_begin() -> None:
    text = "findings: the liver is large. no stone in the left kidney.\nimpression: large liver."
    assert clean_text(text).text == (
        "Findings: The liver is large. No stone in the left kidney.\nImpression: Large liver."
    )
