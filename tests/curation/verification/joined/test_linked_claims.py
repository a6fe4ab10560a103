"""Two findings that a caption links may stand in two statements, but no feature of one thing is taken from another."""

from __future__ import annotations

import pytest

from curation.readers.sections import split_sections

from ..caption_cases import read, verifier

CHEST = (
    "FINDINGS: Moderate right pleural effusion. Compressive atelectasis in the right lower lobe. Small pericardial "
    "effusion. Diffuse bronchial wall thickening. A nodule in the left upper lobe. Calcification in the "
    "left upper lobe.\nIMPRESSION: Chronic bronchitis."
)
ABDOMEN = (
    "FINDINGS: Diffuse low attenuation of the liver. The uterus is enlarged. There are calcifications in the uterus. "
    "Distended stomach. There is a nasogastric tube in the stomach. Postsurgical changes in the abdominal wall. Fat "
    "stranding in the anterior abdominal wall. Dilated small bowel loops. No free air. Mild thickening of the bladder "
    "wall. Severe stranding around the bladder. Nondisplaced fracture of the left sixth rib. No pneumothorax.\n"
    "IMPRESSION: Hepatic steatosis. Splenic infarct. Possible cystitis."
)
LESIONS = (
    "FINDINGS: A 4 cm mass in the left kidney. A 2 cm cyst with calcification in the right kidney. Calcification of "
    "the left kidney. Opacity in the right upper lobe. Bronchiectasis in the left lower lobe.\n"
    "IMPRESSION: Pneumonia. Renal metastasis."
)
WALL = "FINDINGS: Wall thickening of the cecum.\nIMPRESSION: Colitis."

ACCEPTED = [
    (CHEST, "right lung", "Right lower lobe compressive atelectasis with a moderate right pleural effusion."),
    (CHEST, "right lung", "Compressive atelectasis of the right lower lobe accompanying a moderate pleural effusion."),
    (CHEST, "bronchi", "Diffuse bronchial wall thickening, in keeping with chronic bronchitis."),
    (ABDOMEN, "liver", "Diffuse low attenuation of the liver, in keeping with hepatic steatosis."),
    (ABDOMEN, "uterus", "Enlarged uterus containing calcifications."),
    (ABDOMEN, "stomach", "Distended stomach with a nasogastric tube in it."),
    (ABDOMEN, "abdominal wall", "Postsurgical changes with fat stranding in the anterior abdominal wall."),
    (ABDOMEN, "abdominal wall", "Postsurgical changes and fat stranding of the anterior abdominal wall."),
    (ABDOMEN, "bowel", "Dilated small bowel loops without free air."),
    (ABDOMEN, "ribs", "Nondisplaced fracture of the left sixth rib without pneumothorax."),
]
REFUSED = [
    # not there, or with another grade, side or certainty
    (CHEST, "right lung", "Compressive atelectasis of the right lower lobe with a small pleural effusion."),
    (CHEST, "left lung", "Left lower lobe compressive atelectasis with a moderate right pleural effusion."),
    (CHEST, "right lung", "Moderate compressive atelectasis in the right lower lobe."),
    (ABDOMEN, "uterus", "Enlarged uterus containing large calcifications."),
    (ABDOMEN, "liver", "Focal low attenuation of the liver, in keeping with hepatic steatosis."),
    (ABDOMEN, "liver", "Diffuse low attenuation of the liver, in keeping with cirrhosis."),
    (ABDOMEN, "liver", "Diffuse low attenuation of the liver, in keeping with infarct."),
    (ABDOMEN, "urinary bladder", "Mild thickening of the bladder wall, in keeping with cystitis."),
    (ABDOMEN, "urinary bladder", "Mild thickening and stranding of the bladder wall."),
    (ABDOMEN, "bowel", "Dilated small bowel loops with free air."),
    # a feature of another thing
    (CHEST, "left lung", "Nodule in the left upper lobe with calcification."),
    (LESIONS, "left kidney", "4 cm left renal mass with calcification."),
    (LESIONS, "left kidney", "4 cm left renal mass containing calcification."),
    # read as what may be meant of another finding
    (LESIONS, "lungs", "Opacity in the right upper lobe, in keeping with pneumonia."),
    (LESIONS, "left kidney", "4 cm left renal mass, consistent with metastasis."),
    (WALL, "colon", "Wall thickening of the cecum with colitis and stranding."),
]


def _is_accepted(report: str, organ: str, caption: str) -> bool:
    return verifier().verify(read(report, *split_sections(report)), organ, caption).accepted


@pytest.mark.parametrize(("report", "organ", "caption"), ACCEPTED)
def test_each_of_two_linked_findings_may_stand_in_its_own_statement(report: str, organ: str, caption: str) -> None:
    assert _is_accepted(report, organ, caption)


@pytest.mark.parametrize(("report", "organ", "caption"), REFUSED)
def test_a_linked_finding_is_no_feature_of_another_thing(report: str, organ: str, caption: str) -> None:
    assert not _is_accepted(report, organ, caption)


def test_the_evidence_has_the_statements_of_both_findings() -> None:
    report = read(ABDOMEN, *split_sections(ABDOMEN))
    verification = verifier().verify(report, "uterus", "Enlarged uterus containing calcifications.")
    passages = [ABDOMEN[start:end] for start, end in verification.spans]
    assert " ".join(passages) == "The uterus is enlarged. There are calcifications in the uterus."


@pytest.mark.parametrize(
    ("organ", "follows"), [("prostate", True), ("urinary bladder", False), ("spleen", False), ("liver", False)]
)
def test_one_of_the_findings_is_of_the_organ_that_the_caption_is_filed_under(organ: str, follows: bool) -> None:
    report = "FINDINGS: Spleen is normal. The prostate is enlarged. There are calcifications in the prostate."
    assert _is_accepted(report, organ, "Enlarged prostate with calcifications.") is follows
