"""What counts as saying the same thing twice in one report."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

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


@pytest.mark.parametrize(
    ("organ", "caption", "other"),
    [
        ("liver", "Cyst in segment 2 of the liver", "Cyst in segment 7 of the liver"),
        ("lungs", "Atelectasis of the right lower lobe", "Atelectasis of the left lower lobe"),
        ("lungs", "5 mm nodule in the lingula", "5 mm nodule in the right middle lobe"),
        ("kidneys", "Stone on the left", "Stone on the right"),
        ("bones", "Fracture of L1", "Fracture of L3"),
        ("bowel", "Wall thickening of the cecum", "Wall thickening of the rectum"),
        ("lymph nodes", "Enlarged node in the left axilla", "Enlarged node in the right axilla"),
        ("peritoneum", "Fluid near the spleen", "Fluid near the liver"),
    ],
)
@pytest.mark.parametrize("section", ["findings", "impression"])
def test_captions_of_two_sites_are_no_repetition(organ: str, caption: str, other: str, section: str) -> None:
    assert split(row(caption, organ), row(other, organ, section=section)) == ([caption, other], [])


@pytest.mark.parametrize(
    ("organ", "caption", "less"),
    [
        ("liver", "Small hypodense lesion in segment 2 of the liver", "Hypodense lesion of the liver"),
        ("lungs", "5 mm nodule in the right middle lobe", "5 mm nodule in the right lung"),
        ("lungs", "Atelectasis in the right middle lobe, mild", "Atelectasis of the lung"),
        ("left kidney", "Scar in the left kidney, 4 mm", "Scar in the kidney"),
    ],
)
def test_an_impression_with_the_site_in_general_repeats_the_finding(organ: str, caption: str, less: str) -> None:
    assert split(row(caption, organ), row(less, organ, section="impression")) == ([caption], [less])


def test_claims_are_asked_only_of_captions_that_another_may_repeat() -> None:
    captions: list[str] = []

    def claims_of(caption: str, organ: str) -> frozenset[tuple[str, object]]:
        captions.append(caption)
        return Verifier().claims(caption, organ)

    split_repeated([row("5 mm cyst"), row("Calculus", organ="left kidney")], claims_of)
    assert captions == []
    split_repeated([row("5 mm cyst"), row("Normal liver", status="normal")], claims_of)
    assert captions == []
    split_repeated([row("5 mm cyst"), row("Steatosis")], claims_of)
    assert set(captions) == {"5 mm cyst", "Steatosis"}


CAPTIONS = st.tuples(
    st.sampled_from(("w0", "w1.", "W1", "w2", "w3", "w4", "w5")),
    st.sampled_from(("liver", "spleen")),
    st.sampled_from(("normal", "abnormal")),
    st.sampled_from(("findings", "impression", "addendum")),
)
CLAIMS = st.frozensets(st.tuples(st.sampled_from("abc"), st.integers(1, 2)), max_size=3)


@given(st.lists(CAPTIONS, max_size=12), st.lists(CLAIMS, min_size=16, max_size=16))
def test_it_finds_what_a_comparison_of_all_pairs_finds(
    captions: list[tuple[str, str, Status, str]], contents: list[frozenset[tuple[str, object]]]
) -> None:
    rows = [row(caption, organ, status, section) for caption, organ, status, section in captions]
    drawn: dict[tuple[str, str], frozenset[tuple[str, object]]] = {}

    def claims_of(caption: str, organ: str) -> frozenset[tuple[str, object]]:
        return drawn.setdefault((caption, organ), contents[len(drawn)])

    def repeats(one: AcceptedCaption, other: AcceptedCaption) -> bool:
        if one.organ != other.organ:
            return False
        if one.caption.casefold().strip(".") == other.caption.casefold().strip("."):
            return True
        claims, others = claims_of(one.caption, one.organ), claims_of(other.caption, other.organ)
        if one.status != other.status or not claims:
            return False
        return claims == others if one.section == other.section else claims <= others

    kept: list[AcceptedCaption] = []
    for new in rows:
        if not any(repeats(new, other) for other in kept):
            kept = [*(other for other in kept if not repeats(other, new)), new]
    assert split_repeated(rows, claims_of)[0] == kept
