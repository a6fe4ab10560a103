"""Words that only say where a device lies or ends."""

from __future__ import annotations

import pytest

from ..caption_cases import assert_accepted, verify

SAME = [
    ("Foley catheter in the bladder, which is empty.", "urinary bladder", "Empty bladder containing a Foley catheter."),
    ("Foley catheter in the bladder.", "urinary bladder", "The bladder contains a Foley catheter."),
    ("Foley catheter in the bladder.", "urinary bladder", "Indwelling Foley catheter in the bladder."),
    ("Foley catheter in the bladder.", "devices", "Foley catheter located in the bladder."),
    ("Drain in the pelvis.", "pelvis", "A drain lies in the pelvis."),
    ("Nasogastric tube tip in the stomach.", "stomach", "Nasogastric tube terminating in the stomach."),
    (
        "Endotracheal tube terminates 3 cm above the carina.",
        "endotracheal tube",
        "Endotracheal tube tip 3 cm above the carina.",
    ),
    ("Right PICC with tip at the cavoatrial junction.", "heart", "Right PICC ending at the cavoatrial junction."),
    ("Stent in the left ureter.", "left ureter", "Stent in situ in the left ureter."),
]
"""Report, organ and a caption with other words for where it lies."""

OTHER = [
    (
        "Stone in the bladder. Drain.",
        "urinary bladder",
        "The bladder contains a drain.",
    ),
    ("Hernia with fat beside the colon.", "abdominal wall", "Hernia containing the colon."),
    ("Nasogastric tube in the esophagus.", "stomach", "Nasogastric tube terminating in the stomach."),
    ("Right PICC passing the superior vena cava.", "vessels", "Right PICC ending in the superior vena cava."),
    (
        "Endotracheal tube terminates 3 cm above the carina.",
        "endotracheal tube",
        "Endotracheal tube tip 5 cm above the carina.",
    ),
    ("Stent in the left ureter.", "left ureter", "Stone located in the left ureter."),
    ("Stone in the left ureter.", "left ureter", "Stent in situ in the left ureter."),
    ("No drain in the pelvis.", "pelvis", "A drain lies in the pelvis."),
]
"""Report, organ and a caption of another thing or another place."""


@pytest.mark.parametrize(("report", "organ", "caption"), SAME)
def test_words_of_lying_say_no_more_than_the_place(report: str, organ: str, caption: str) -> None:
    assert_accepted(report, organ, caption)


@pytest.mark.parametrize(("report", "organ", "caption"), OTHER)
def test_where_a_device_ends_and_what_lies_there_must_be_told(report: str, organ: str, caption: str) -> None:
    assert not verify(report, organ, caption).accepted
