"""Headings that a site adds to ours: where they open a section, where they do not, and which are refused."""

from __future__ import annotations

import pytest

from curation.readers.sections import split_sections
from curation.readers.site_headings import site_headings
from curation.runtime.errors import InputError

OWN = site_headings({"findings": ["was man sieht"], "impression": ["beurteilung", "upshot"], "history": ["anlass"]})


def sections(text: str) -> list[tuple[str, str]]:
    return [(section.name, text[section.start : section.end]) for section in split_sections(text, of_site=OWN)]


@pytest.mark.parametrize(
    "text",
    [
        "Was man sieht: The liver is normal.\nUpshot: No metastasis.",
        "WAS MAN SIEHT:\nThe liver is normal.\n\nUPSHOT:\nNo metastasis.",
        "**Was man sieht:** The liver is normal.\n\n**Upshot:** No metastasis.",
        "Was man sieht\nThe liver is normal.\n\nUpshot\nNo metastasis.",
        "Was man sieht: The liver is normal. Upshot: No metastasis.",
        "FINDINGS: The liver is normal.\nBeurteilung: No metastasis.",
        "1. Was  man sieht: The liver is normal.\n2. Upshot: No metastasis.".replace("1. ", "- ").replace("2. ", "- "),
    ],
)
def test_they_open_their_sections(text: str) -> None:
    assert sections(text) == [("findings", "The liver is normal."), ("impression", "No metastasis.")]


def test_what_stands_under_a_history_is_not_read() -> None:
    assert sections("Anlass: Known metastasis.\nFindings: The liver is normal.") == [
        ("history", "Known metastasis."), ("findings", "The liver is normal."),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "text",
    ["The upshot: normal liver.", "Findings: The liver is normal, the upshot is good.", "The liver. upshot: normal."],
)
def test_in_a_sentence_they_are_words(text: str) -> None:
    assert all(name == "findings" for name, _ in sections(text))


def test_without_a_site_they_open_nothing() -> None:
    assert [section.name for section in split_sections("Findings: Normal.\nBeurteilung: Normal.")] == ["findings"]
    assert site_headings({}) is None


@pytest.mark.parametrize(
    ("headings", "problem"),
    [
        ({"findings": ["impression"]}, "“impression” is a heading of impression already, and not of findings"),
        (
            {"findings": ["upshot"], "history": ["upshot"]},
            "“upshot” is a heading of findings already",
        ),
        ({"findings": ["liver"]}, "“liver” is a name of the organ “liver”"),
    ],
)
def test_headings_of_two_meanings_are_refused(headings: dict[str, list[str]], problem: str) -> None:
    with pytest.raises(InputError, match="--lexicon: headings: ") as raised:
        site_headings(headings)
    assert problem in str(raised.value)
