"""Sentences on who was told and who read the images go; findings stay, also told ones."""

import pytest

from curation.cleaning.clean_text import clean_text


@pytest.mark.parametrize(
    "notice",
    [
        "Dr. A. Miller was informed at 3:40 pm.",
        "Dr. Miller was notified by phone at 15:40 on 3/4/2020.",
        "These findings were discussed with Dr. Miller at 3 p.m.",
        "The critical results were communicated to the emergency department by telephone.",
        "Findings called to nurse Jones.",
        "The referring physician was informed.",
        "The ordering team has been made aware.",
        "Discussed with Dr. Miller.",
        "I have personally reviewed the images and agree with the report.",
        "I, the attending radiologist, have reviewed the images and agree.",
        "We discussed the case with the surgical team.",
        "Thank you for this referral.",
        "[**Name**] was informed.",
        "Dr. XXXX was called.",
        "Results were relayed via secure message.",
    ],
)
def test_a_notice_goes(notice: str) -> None:
    assert (
        clean_text(f"The liver is large. {notice} The spleen is normal.").text
        == "The liver is large. The spleen is normal."
    )
    assert clean_text(f"The liver is large.\n{notice}").text.strip() == "The liver is large."


@pytest.mark.parametrize(
    "text",
    [
        "A large pneumothorax, discussed with Dr. Miller.",
        "The liver was reported to be large.",
        "Compared with the report of March, the cyst is larger.",
        "The patient was examined in the prone position.",
        "Findings are consistent with pneumonia.",
        "The study was limited by motion.",
        "We see a cyst in the spleen.",
        "The so-called pseudocyst was reported earlier.",
    ],
)
def test_what_is_no_notice_stays(text: str) -> None:
    assert clean_text(text).text == text
