"""Signatures, attestations and notes on who was told end the findings, also where no full stop stands before them."""

from __future__ import annotations

import pytest

from curation.readers.sections import split_sections


@pytest.mark.parametrize(
    "tail",
    [
        "As the teaching physician, I have personally reviewed the images of the liver.",
        "as attending radiologist I agree with the findings of the liver",
        "Electronically signed by: A. Miller, MD",
        "Dictated by J. Doe on 1/2/2020",
        "This report has been electronically signed by Dr. Doe",
        "Attending physician statement: the liver was reviewed.",
        "I, the attending radiologist, have reviewed the liver images and agree.",
        "I have personally reviewed the images and agree with the above.",
        "Findings were discussed with Dr. Miller at 3 pm",
        "These findings were communicated to the liver team.",
        "Dr. A. Miller was informed at 3 pm",
        "Discussed with Dr. Miller",
        "END OF REPORT",
        "Transcribed by: xyz",
    ],
)
@pytest.mark.parametrize("finding", ["Large spleen", "Cyst of 3 cm", "Cyst (simple)"])
def test_what_runs_on_behind_a_finding_is_not_read(tail: str, finding: str) -> None:
    text = f"FINDINGS: Normal.\nIMPRESSION: {finding} {tail}"
    sections = [text[section.start : section.end] for section in split_sections(text) if section.name == "impression"]
    assert sections == [finding]


def test_findings_behind_a_note_are_read_on() -> None:
    text = "IMPRESSION: Large spleen Findings were discussed with Dr. B. Miller at 3 pm. Gallstones."
    sections = [text[section.start : section.end] for section in split_sections(text) if section.name == "impression"]
    assert sections == ["Large spleen", "Gallstones."]


@pytest.mark.parametrize(
    "text",
    [
        "The findings discussed above are of the liver.",
        "Nodule, as reported by the outside hospital.",
        "The attending of the ward saw a rash.",
    ],
)
def test_what_only_looks_like_a_signature_stays(text: str) -> None:
    assert [section.name for section in split_sections(f"FINDINGS: {text}")] == ["findings"]
