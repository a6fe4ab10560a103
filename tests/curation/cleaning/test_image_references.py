"""References to images: out in every form, and nothing else with them."""

import pytest

from curation.cleaning.clean_text import clean_text


@pytest.mark.parametrize(
    "reference",
    [
        "(3:44)", "(3: 44)", "[3:44]", "(3:44-48)", "(3:44, 51)", "(3:44; 5:12)", "(#3:44)", "(axial 3:44)",
        "(S4: 122)", "(s4/i122)", "(S4, I122)", "(se 3, im 44)", "(Se3 Im44)", "(Im 42, Se302)",
        "(series 3, image 44)", "(series 3/image 44)", "(3/144)", "(series 3 images 44-48)", "[series 3; image 40]",
        "(image 40; series 3)", "(image 40 of series 3)", "(image 44)", "(images 44 and 45)", "(see image 44)",
        "(best seen on series 3, image 44)", "(se 3, im 44; target 2)", "(coronal image 12)",
        "(series #3, image #44)", "(Ser. 3, Img. 44)", "(SERIES 3, IMAGE 44)", "(slice 44)",
        "(series 3, image 44, arrow)", "(image 44/120)", "(se: 3 im: 44)", "{3:44}", "(Section: 4 image: 44)",
        "{S#3 I#44}", "(section no: 55/192)",
        "(series 5  section  379)", "(IMA 99)", "(ima: 42, ima: 47)",
    ],
)  # fmt: skip
def test_a_reference_in_brackets_goes(reference: str) -> None:
    assert clean_text(f"A cyst {reference} in the spleen.").text == "A cyst in the spleen."
    assert clean_text(f"Two cysts: liver {reference}, spleen {reference}.").text == "Two cysts: liver, spleen."


@pytest.mark.parametrize(
    "running",
    [
        "on series 3, image 44",
        "on image 44 of series 3",
        "at image 44",
        "on axial image 44",
        "best seen on series 3 image 44",
        "as seen on image 44",
        "at the level of series 2 image 164",
        "on image 96 of the coronal reformations",
        "serial 2 image 60",
    ],
)
def test_a_reference_in_the_sentence_goes_with_its_preposition(running: str) -> None:
    assert clean_text(f"There is a cyst in the spleen, {running}.").text == "There is a cyst in the spleen."


def test_the_predicate_stays() -> None:
    assert clean_text("The cyst is seen on image 44 of series 3.").text == "The cyst is seen."


@pytest.mark.parametrize(
    "text",
    [
        "A cyst (5 mm) in the spleen.",
        "Fracture of the sacrum (S1).",
        "Disc at L4:5.",
        "Ratio (RV:LV 1:2).",
        "Called at (3:44 pm).",
        "Stable since (3/12).",
        "The images are of good quality.",
        "Image quality is limited by motion.",
        "Nodule of 5 mm (previously 4 mm).",
        "Lesion in segment 4 (S4).",
        "A series of 3 nodules.",
        "Since (12/2019) unchanged.",
    ],
)
def test_what_is_no_reference_stays(text: str) -> None:
    assert clean_text(text).text == text


def test_what_stands_beside_a_reference_stays() -> None:
    assert clean_text("Cyst (series 3, image 44, 5 mm) of the spleen.").text == "Cyst (5 mm) of the spleen."
    assert clean_text("A cyst in image 44, 17 mm.").text == "A cyst, 17 mm."
    assert clean_text("The ureter, on image 70, measures 7 mm.").text == "The ureter, measures 7 mm."
    assert (
        clean_text("It is seen in image 7 of the axial images, and on image 9, and grows.").text
        == "It is seen, and grows."
    )
    assert clean_text("Cyst (simple; 3:44) of the spleen.").text == "Cyst (simple) of the spleen."
