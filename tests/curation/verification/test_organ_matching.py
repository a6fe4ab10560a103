"""Organs, sides and levels: another one than the report names is refused, and beside it what the report says is not."""

from __future__ import annotations

import pytest

from curation.caption import Reason

from .caption_cases import (
    FOREIGN,
    PLACE,
    PairTable,
    accepted_of_pairs,
    assert_accepted,
    assert_names_one_case_each,
    assert_refused,
    cases,
    refused_of_pairs,
)

ORGAN = [
    ("The liver is enlarged. The spleen is normal.", "spleen", "The spleen is normal.", "The spleen is enlarged."),
    ("There is a cyst in the pancreas.", "pancreas", "Cyst in the pancreas.", "Cyst in the liver."),
    ("Stone in the gallbladder. The kidneys are normal.", "gallbladder", "Gallbladder stone.", "Kidney stone."),
    ("The aorta is dilated. The heart is normal.", "aorta", "Dilated aorta.", "Dilated heart."),
]

SIDE = [
    (
        "A 5 mm stone in the left kidney.",
        "left kidney",
        "5 mm stone in the left kidney.",
        "5 mm stone in the right kidney.",
    ),
    ("Small right pleural effusion.", "right pleura", "Small right pleural effusion.", "Small left pleural effusion."),
    ("Small right pleural effusion.", "pleura", "Right pleural effusion.", "Bilateral pleural effusion."),
    ("Nodule in the right lung.", "right lung", "Nodule in the right lung.", "Nodules in both lungs."),
    (
        "Left adrenal nodule. Right adrenal is normal.",
        "left adrenal gland",
        "Left adrenal nodule.",
        "Right adrenal nodule.",
    ),
    ("Both kidneys are normal.", "left kidney", "The left kidney is normal.", "The left kidney is not normal."),
    ("The left ovary holds a cyst.", "left ovary", "Cyst of the left ovary.", "Cyst of the right ovary."),
]

LEVEL = [
    ("Nodule in the right upper lobe.", "lungs", "Nodule in the right upper lobe.", "Nodule in the right lower lobe."),
    ("RUL nodule.", "right upper lobe", "Nodule in the right upper lobe.", "Nodule in the right middle lobe."),
    ("Cyst in segment 4 of the liver.", "liver", "Cyst in liver segment 4.", "Cyst in liver segment 7."),
    ("Compression fracture of the L1 vertebra.", "spine", "L1 fracture.", "L2 fracture."),
    ("Fracture of the left 7th rib.", "ribs", "Left 7th rib fracture.", "Left 8th rib fracture."),
    (
        "Cyst in the upper pole of the left kidney.",
        "left kidney",
        "Left renal upper pole cyst.",
        "Left renal lower pole cyst.",
    ),
    ("Disc herniation at the L4-L5 level.", "spine", "Disc herniation at L4-L5.", "Disc herniation at L5-S1."),
    ("Dilated ascending aorta.", "aorta", "The ascending aorta is dilated.", "The descending aorta is dilated."),
]

UNFAITHFUL = [
    # the place is not the organ
    ("Nodule adjacent to the spleen.", "spleen", "Nodule in the spleen.", (*FOREIGN, Reason.LATERALITY)),
    ("Para-aortic lymph nodes are enlarged.", "aorta", "The aorta is enlarged.", FOREIGN),
    ("Para-aortic lymph nodes are enlarged.", "aorta", "Para-aortic lymph nodes are enlarged.", FOREIGN),
    ("Disc herniation at the L4 level.", "L4 vertebra", "L4 vertebra is herniated.", FOREIGN),
    ("Fluid beneath the liver.", "liver", "Fluid in the liver.", FOREIGN),
]

PAIRS: list[PairTable] = [
    ("organ", FOREIGN, ORGAN),
    ("side", (Reason.LATERALITY, Reason.NEGATION), SIDE),
    ("level", (*PLACE, Reason.NOT_GROUNDED, Reason.MODIFIER, Reason.MEASUREMENT), LEVEL),
]
KNOWN_FAILURES: dict[str, str] = {
    "not side: Nodules in both lungs.": "refused as not_grounded, not as laterality",
}
"""Cases that the code gets wrong, with the reason."""

ACCEPTED = accepted_of_pairs(PAIRS, KNOWN_FAILURES)
REFUSED = refused_of_pairs(PAIRS, KNOWN_FAILURES) + cases("unfaithful", UNFAITHFUL, KNOWN_FAILURES)


@pytest.mark.parametrize(("report", "organ", "caption"), ACCEPTED)
def test_what_the_report_says_is_accepted(report: str, organ: str, caption: str) -> None:
    assert_accepted(report, organ, caption)


@pytest.mark.parametrize(("report", "organ", "caption", "reasons"), REFUSED)
def test_what_it_does_not_say_is_refused(report: str, organ: str, caption: str, reasons: tuple[Reason, ...]) -> None:
    assert_refused(report, organ, caption, reasons)


def test_each_known_failure_names_one_case() -> None:
    assert_names_one_case_each(KNOWN_FAILURES, ACCEPTED + REFUSED)


WHOLE = [
    ("The distal left ureter is normal.", "left ureter", "The distal left ureter is normal."),
    ("Bibasilar atelectasis.", "lungs", "Atelectasis at both lung bases."),
    ("Consolidation in both lung bases.", "lungs", "Bibasilar consolidation."),
    ("No mass was seen in either kidney.", "kidneys", "No renal mass."),
    ("The hip joints are intact and show no effusion.", "bones", "No hip joint effusion."),
    ("Both ovaries are normal.", "ovaries", "Normal ovaries."),
    ("The lungs show no nodule.", "right upper lobe", "No nodule in the right upper lobe."),
    ("There is no lesion in the liver.", "liver", "No lesion in segment 4."),
    (
        "No enlarged cervical, axillary or inguinal lymph nodes.",
        "lymph nodes",
        "No inguinal or cervical lymphadenopathy.",
    ),
    ("There is no pelvic fluid or lymphadenopathy.", "pelvis", "No pelvic fluid."),
    ("There is no pelvic fluid or lymphadenopathy.", "lymph nodes", "No pelvic lymphadenopathy."),
    ("Minimal free fluid is seen in the pelvis.", "pelvis", "Minimal free pelvic fluid."),
]
"""What is said of both sides, of the whole and of a list holds for the whole, for each part and for any of the list."""

NOT_WHOLE = [
    ("No mass in the left kidney.", "kidneys", "No renal mass."),
    ("The right hip joint shows no effusion.", "bones", "No hip joint effusion."),
    ("The distal left ureter is normal.", "left ureter", "The left ureter is normal."),
    ("The distal ureters are normal.", "ureters", "The ureters are normal."),
    ("The proximal left renal artery shows no stenosis.", "left renal artery", "No stenosis of the left renal artery."),
    ("The posterior spleen is normal.", "spleen", "The spleen is normal."),
    ("The right ovary is normal.", "ovaries", "Normal ovaries."),
    ("No nodule in the right upper lobe.", "lungs", "No nodule in the lungs."),
    ("The imaged lungs show no nodule.", "right upper lobe", "No nodule in the right upper lobe."),
    (
        "The lungs show no nodule except in the right upper lobe.",
        "right upper lobe",
        "No nodule in the right upper lobe.",
    ),
    ("There is no large lesion in the liver.", "liver", "No lesion in segment 4."),
    ("There is a cyst without septation in the liver.", "liver", "Cyst without septation in segment 4."),
    ("The liver is normal.", "liver", "Normal segment 4."),
    ("No enlarged cervical, axillary or inguinal lymph nodes.", "lymph nodes", "No mediastinal lymphadenopathy."),
    ("There is no pelvic fluid or lymphadenopathy.", "lymph nodes", "No lymphadenopathy."),
]


@pytest.mark.parametrize(("report", "organ", "caption"), WHOLE)
def test_the_whole_its_sides_and_its_parts(report: str, organ: str, caption: str) -> None:
    assert_accepted(report, organ, caption)


@pytest.mark.parametrize(("report", "organ", "caption"), NOT_WHOLE)
def test_a_part_is_not_the_whole(report: str, organ: str, caption: str) -> None:
    assert_refused(report, organ, caption, tuple(Reason))


def test_a_part_that_only_the_other_side_has_needs_its_own_words() -> None:
    report = "Bulla in the apical segment of the upper lobe of the right lung."
    assert_accepted(report, "right lung", "Bulla in the apical segment of the upper lobe of the right lung.")
    assert_refused(report, "right lung", "Bulla in the lingular segment of the upper lobe of the right lung.", FOREIGN)


def test_a_part_of_the_other_side_is_not_that_of_its_own_side() -> None:
    report = "Atelectasis in the middle lobe of the right lung and in the lingula."
    assert_refused(report, "left lung", "Atelectasis in the middle lobe of the left lung and in the lingula.", FOREIGN)
    assert_accepted(report, "left lung", "Atelectasis in the lingula.")
    contradictory = "Atelectasis in the middle lobe of the left lung."
    assert_accepted(contradictory, "left lung", "Atelectasis of the middle lobe of the left lung.")
