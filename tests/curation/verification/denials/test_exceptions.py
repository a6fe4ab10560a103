"""What is excepted restricts a denial and a praise, on either side of it, and is itself affirmed."""

from __future__ import annotations

import pytest

from curation.caption import Reason

from ..caption_cases import assert_accepted, assert_refused

WHOLE = [
    # exceptions behind and before
    ("Apart from a tiny hemangioma, the liver is normal.", "liver", "The liver is normal."),
    ("Save for a tiny hemangioma, the liver is unremarkable.", "liver", "The liver is unremarkable."),
    ("With the exception of a calcified granuloma, the lungs are clear.", "lungs", "The lungs are clear."),
    ("The lungs are clear with the exception of a granuloma in the right upper lobe.", "lungs", "The lungs are clear."),
    ("Except for a 5 mm cyst there is no liver lesion.", "liver", "No liver lesion."),
    ("Spleen: no lesion except a 7 mm cyst.", "spleen", "No splenic lesion."),
    ("No adenopathy other than a 14 mm left axillary node.", "lymph nodes", "No adenopathy."),
    ("No bowel abnormality besides a small hiatal hernia.", "bowel", "No bowel abnormality."),
    ("The bladder is normal but for mild wall thickening.", "urinary bladder", "The bladder is normal."),
    ("No fracture except for an old rib fracture.", "ribs", "No rib fracture."),
    ("No new mass was detected in the trachea other than this.", "trachea", "No new mass in the trachea."),
    ("The liver, spleen and pancreas are normal except for a splenic cyst.", "spleen", "The spleen is normal."),
    ("The liver, spleen and pancreas are normal except for a cyst.", "liver", "The liver is normal."),
    # what is excepted from "patent" is not patent
    ("All vessels are patent except the left vertebral artery.", "left vertebral artery", "Left vertebral is patent."),
    ("No fracture except for an old rib fracture.", "ribs", "No old rib fracture."),
    # the exception has no noun of its own
    ("No renal mass in the right kidney except for a small one.", "right kidney", "No renal mass in the right kidney."),
    ("No splenic cyst in the spleen apart from a 4 mm one.", "spleen", "No splenic cyst."),
    # remainders; the exception may stand in another statement
    ("The gallbladder is otherwise normal.", "gallbladder", "The gallbladder is normal."),
    ("Otherwise the adrenal glands are normal.", "adrenal glands", "The adrenal glands are normal."),
    ("Otherwise, no adrenal mass.", "adrenal glands", "No adrenal mass."),
    ("Cyst in the left kidney. The kidneys are otherwise unremarkable.", "kidneys", "The kidneys are unremarkable."),
    ("The uterus is bulky but otherwise unremarkable.", "uterus", "The uterus is unremarkable."),
    ("The remainder of the aorta is normal.", "aorta", "The aorta is normal."),
    ("The rest of the liver shows no lesion.", "liver", "No liver lesion."),
    ("The remaining visualized bowel is normal.", "bowel", "The visualized bowel is normal."),
    ("The remaining lung is clear.", "lungs", "The lungs are clear."),
    ("The remainder of the bladder wall is smooth.", "urinary bladder", "The bladder wall is smooth."),
    ("The remaining nodules of the lungs are stable.", "lungs", "The lung nodules are stable."),
    ("No nodule elsewhere in the lungs.", "lungs", "No nodule in the lungs."),
    ("Elsewhere the liver is normal.", "liver", "The liver is normal."),
    ("The remainder of the liver and spleen are unremarkable.", "spleen", "The spleen is unremarkable."),
    ("The spleen, the remainder of the liver and the pancreas are normal.", "liver", "The liver is normal."),
]

RESTRICTED = [
    (
        "Apart from a tiny hemangioma, the liver is normal.",
        "liver",
        "The liver is normal apart from a tiny hemangioma.",
    ),
    ("Apart from a tiny hemangioma, the liver is normal.", "liver", "The liver is otherwise normal."),
    ("The gallbladder is otherwise normal.", "gallbladder", "Otherwise normal gallbladder."),
    ("The remainder of the aorta is normal.", "aorta", "The rest of the aorta is normal."),
    ("The remainder of the aorta is normal.", "aorta", "Remaining aorta is normal."),
    ("The rest of the liver shows no lesion.", "liver", "No lesion in the rest of the liver."),
    ("No adenopathy other than a 14 mm left axillary node.", "lymph nodes", "No other adenopathy."),
    ("No nodule elsewhere in the lungs.", "lungs", "No other nodule in the lungs."),
    ("The uterus is bulky but otherwise unremarkable.", "uterus", "The uterus is bulky but otherwise unremarkable."),
    ("The remainder of the liver and the spleen are normal.", "liver", "The remainder of the liver is normal."),
    # members of a list that nothing is excepted from
    ("The remainder of the liver and the spleen are normal.", "spleen", "The spleen is normal."),
    ("The liver, spleen and pancreas are normal except for a splenic cyst.", "liver", "The liver is normal."),
    ("The brain is otherwise normal without hemorrhage.", "brain", "No hemorrhage in the brain."),
    # a word of another meaning
    ("The 5 mm nodule remains. The lungs are clear.", "lungs", "The lungs are clear."),
]

EXCEPTED = [
    ("Apart from a tiny hemangioma, the liver is normal.", "liver", "Tiny liver hemangioma."),
    ("Aside from mild atrophy, the pancreas appears normal.", "pancreas", "Mild pancreatic atrophy."),
    ("The lungs are clear with the exception of a granuloma in the right upper lobe.", "lungs", "RUL granuloma."),
    (
        "The sinuses are clear aside from mild left maxillary sinus thickening.",
        "paranasal sinuses",
        "Left maxillary sinus thickening.",
    ),
    ("No adenopathy other than a 14 mm left axillary node.", "lymph nodes", "14 mm left axillary node."),
    ("Spleen: no lesion except a 7 mm cyst.", "spleen", "7 mm splenic cyst."),
    ("The kidneys are normal other than a 4 mm right stone.", "right kidney", "4 mm right renal stone."),
    ("The bladder is normal but for mild wall thickening.", "urinary bladder", "Mild bladder wall thickening."),
    ("Besides a small stone, the gallbladder is normal.", "gallbladder", "Small gallbladder stone."),
    ("No fracture except for an old rib fracture.", "ribs", "Old rib fracture."),
]

ELSEWHERE_TRUE = [
    # conditions, hearsay and corrections say nothing of the patient's CT
    ("If the renal mass enlarges, biopsy should be done.", "kidneys", "The renal mass enlarges."),
    ("If there is a renal mass, MRI is advised.", "kidneys", "Renal mass."),
    ("If colitis is present, it will be treated.", "colon", "Colitis."),
    ("The pancreas is said to be atrophic on outside ultrasound.", "pancreas", "Atrophic pancreas."),
    ("The stone is in the LEFT kidney, not the right.", "right kidney", "Stone in the right kidney."),
    # a caption that stops at a denial
    ("The gallbladder is normal without stones.", "gallbladder", "The gallbladder is without."),
]

CUT_BEFORE_A_DENIAL = [
    ("The liver is normal in size without focal mass.", "liver", "The liver is normal in size."),
    ("Cardiac size is normal without pericardial effusion.", "heart", "Cardiac size is normal."),
    ("The gallbladder is normal without stones.", "gallbladder", "The gallbladder is normal."),
    ("The stone is in the LEFT kidney, not the right.", "left kidney", "Stone in the left kidney."),
    ("While not a dedicated study, the spleen appears normal.", "spleen", "The spleen appears normal."),
    (
        "Although not a vascular study, there is a 5 mm stone in the left kidney.",
        "left kidney",
        "5 mm left renal stone.",
    ),
]


@pytest.mark.parametrize(("report", "organ", "caption"), WHOLE)
def test_an_exception_may_not_be_left_off(report: str, organ: str, caption: str) -> None:
    assert_refused(report, organ, caption, tuple(Reason))


@pytest.mark.parametrize(("report", "organ", "caption"), RESTRICTED)
def test_a_restricted_caption_follows(report: str, organ: str, caption: str) -> None:
    assert_accepted(report, organ, caption)


@pytest.mark.parametrize(("report", "organ", "caption"), EXCEPTED)
def test_what_is_excepted_is_there(report: str, organ: str, caption: str) -> None:
    assert_accepted(report, organ, caption)


@pytest.mark.parametrize(("report", "organ", "caption"), ELSEWHERE_TRUE)
def test_what_is_not_said_of_this_examination_is_refused(report: str, organ: str, caption: str) -> None:
    assert_refused(report, organ, caption, tuple(Reason))


@pytest.mark.parametrize(("report", "organ", "caption"), CUT_BEFORE_A_DENIAL)
def test_a_caption_may_stop_before_another_thing_is_denied(report: str, organ: str, caption: str) -> None:
    assert_accepted(report, organ, caption)
