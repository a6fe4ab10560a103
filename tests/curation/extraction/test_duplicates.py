"""What counts as saying the same thing twice in one report."""

from __future__ import annotations

from curation.caption import AcceptedCaption, Status
from curation.extraction.duplicates import split_repeated
from curation.verification.verifier import Verifier


def row(caption: str, organ: str = "liver", status: Status = "abnormal", section: str = "findings") -> AcceptedCaption:
    return AcceptedCaption(organ, caption, status, 0, 1, section, 100.0)


def split(*rows: AcceptedCaption) -> tuple[list[str], list[str]]:
    kept, repeated = split_repeated(rows, Verifier().claims)
    return [row.caption for row in kept], [row.caption for row in repeated]


def test_case_blanks_and_the_full_stop_do_not_make_a_difference() -> None:
    kept, repeated = split(row("5.5 mm cyst."), row("5.5  MM cyst"), row("5 mm cyst."), row("55 mm cyst"))
    assert kept == ["5.5 mm cyst.", "5 mm cyst.", "55 mm cyst"]
    assert repeated == ["5.5  MM cyst"]


def test_an_impression_that_says_less_repeats_the_finding() -> None:
    kept, repeated = split(
        row("A 13 mm hypodense lesion is observed in segment 4A of the liver"),
        row("Hypodense lesion in the liver", section="impression"),
    )
    assert kept == ["A 13 mm hypodense lesion is observed in segment 4A of the liver"]
    assert repeated == ["Hypodense lesion in the liver"]


def test_an_impression_that_says_more_takes_the_place_of_the_finding() -> None:
    kept, repeated = split(
        row("Hypodense lesion in the liver"), row("A 13 mm hypodense lesion in the liver", section="impression")
    )
    assert kept == ["A 13 mm hypodense lesion in the liver"]
    assert repeated == ["Hypodense lesion in the liver"]


def test_another_organ_status_or_size_is_no_repetition() -> None:
    rows = [
        row("5 mm nodule"),
        row("5 mm nodule", organ="spleen", section="impression"),
        row("No nodule", status="normal", section="impression"),
        row("6 mm nodule", section="impression"),
    ]
    assert split(*rows) == ([row.caption for row in rows], [])


def test_within_a_section_a_shorter_statement_stands() -> None:
    rows = [row("A small cyst and steatosis"), row("A cyst")]
    assert split(*rows) == ([row.caption for row in rows], [])
