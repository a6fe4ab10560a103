"""More general and more special findings: which of them carries which, affirmed and denied."""

from __future__ import annotations

import pytest

from ..caption_cases import verifier

CARRIED = [
    # affirmed, the special finding is the general one
    ("A 14 mm hemangioma in segment 6 of the liver.", "liver", "A 14 mm lesion in segment 6 of the liver."),
    ("Cyst in the left kidney.", "left kidney", "Lesion in the left kidney."),
    ("Adenocarcinoma of the pancreatic head.", "pancreas", "Malignancy of the pancreatic head."),
    ("Staghorn calculus in the right kidney.", "right kidney", "Right renal stone."),
    ("Subdural hematoma on the left.", "brain", "Left intracranial hemorrhage."),
    ("Anterolisthesis of L4.", "L4", "Spondylolisthesis of L4."),
    ("Consolidation in the right lower lobe.", "right lung", "Opacity in the right lower lobe."),
    ("A possible metastasis in the liver.", "liver", "Possible malignancy in the liver."),
    ("Hepatosplenomegaly.", "liver", "Hepatomegaly."),
    # denied, the general finding denies its kinds
    ("No lesion in the spleen.", "spleen", "No splenic cyst."),
    ("There is no focal lesion in the liver.", "liver", "No liver mass."),
    ("No space occupying lesion was seen in the pancreas.", "pancreas", "No pancreatic mass."),
    ("No space occupying lesion was seen in the spleen.", "spleen", "No focal splenic lesion."),
    ("No calculus in the right kidney.", "right kidney", "No staghorn calculus in the right kidney."),
    ("No intracranial hemorrhage.", "brain", "No subdural hematoma."),
    ("No fracture in the lumbar spine.", "lumbar spine", "No compression fracture in the lumbar spine."),
    ("No obstructive pathology in the trachea.", "trachea", "No obstructive lesion in the trachea."),
    ("No malignant lesion in the liver.", "liver", "No liver metastasis."),
    ("No hepatosplenomegaly.", "liver", "No hepatomegaly."),
    ("The liver and spleen show no abnormality.", "spleen", "No splenic lesion."),
    ("A 4 cm calcified fibroid of the uterus.", "uterus", "A 4 cm calcified uterine mass."),
    # a compound carries its own words
    ("No osteoblastic or osteolytic lesions.", "bones", "No lytic or sclerotic bone lesion."),
    ("No pulmonary nodule.", "lungs", "No nodule in the lungs."),
    ("No calcified nodule in the lungs.", "lungs", "No calcified nodule."),
]

REFUSED = [
    # never from the general to the special, nor from the special denial to the general one
    ("Lesion in the left kidney.", "left kidney", "Cyst in the left kidney."),
    ("Mass in the right kidney.", "right kidney", "Right renal carcinoma."),
    ("No cyst in the liver.", "liver", "No liver lesion."),
    ("No mass in the pancreas.", "pancreas", "No pancreatic lesion."),
    ("No subdural hematoma.", "brain", "No intracranial hemorrhage."),
    ("No carcinoma in the colon.", "colon", "No malignancy in the colon."),
    # a doubt stays one, and a denial is none of the opposite
    ("A possible metastasis in the liver.", "liver", "Malignancy in the liver."),
    ("Metastasis in the liver.", "liver", "No lesion in the liver."),
    ("No lesion in the liver.", "liver", "Cyst in the liver."),
    # a narrowed denial denies no more than it says
    ("No large lesion in the liver.", "liver", "No liver cyst."),
    ("No lesion larger than 1 cm in the liver.", "liver", "No liver mass."),
    ("No calcified lesion in the liver.", "liver", "No liver cyst."),
    ("No acute or chronic hemorrhage in the left lobe of the liver.", "liver", "No liver hematoma."),
    ("No abnormal enhancement in the liver.", "liver", "No liver mass."),
    ("No inflammatory lymph nodes around the appendix.", "appendix", "No appendicitis."),
    ("No lesion other than a cyst in the spleen.", "spleen", "No splenic mass."),
    ("The common bile duct is not dilated.", "biliary tree", "No intrahepatic biliary dilatation."),
    ("Previously no lesion was seen in the liver.", "liver", "No liver mass."),
    ("A resolved hematoma of the left psoas muscle.", "left psoas muscle", "Hemorrhage of the left psoas muscle."),
    # a compound that is denied leaves room for the rest
    ("No calcified nodule in the lungs.", "lungs", "No nodule in the lungs."),
    ("No cavitary nodule in the lungs.", "lungs", "No nodule in the lungs."),
    ("No pathologic fracture.", "bones", "No fracture."),
    ("No compression fracture in the lumbar spine.", "lumbar spine", "No fracture in the lumbar spine."),
    # what the last word of a compound does not name
    ("No emphysema in the lungs.", "chest wall", "No subcutaneous emphysema."),
]


@pytest.mark.parametrize(("statement", "organ", "caption"), CARRIED)
def test_a_finding_carries_what_it_is_a_kind_of(statement: str, organ: str, caption: str) -> None:
    verification = verifier().verify(verifier().read(statement), organ, caption)
    assert verification.accepted, verification.detail


@pytest.mark.parametrize(("statement", "organ", "caption"), REFUSED)
def test_what_a_finding_does_not_carry(statement: str, organ: str, caption: str) -> None:
    assert not verifier().verify(verifier().read(statement), organ, caption).accepted


@pytest.mark.parametrize(
    ("report", "organ", "caption", "accepted"),
    [
        ("No loculated or free fluid in the abdomen.", "peritoneum", "No free or loculated abdominal fluid.", True),
        ("No loculated or free fluid in the abdomen.", "peritoneum", "No free abdominal fluid.", True),
        ("No loculated or free pelvic fluid.", "pelvis", "No free or loculated fluid in the pelvis.", True),
        ("No solid or cystic lesion in the liver.", "liver", "No cystic or solid hepatic lesion.", True),
        ("No loculated or free fluid in the abdomen.", "peritoneum", "No abdominal fluid.", False),
        ("No loculated fluid in the abdomen.", "peritoneum", "No free or loculated abdominal fluid.", False),
        ("No free fluid in the abdomen.", "peritoneum", "No free or loculated abdominal fluid.", False),
        ("No loculated or large free fluid in the abdomen.", "peritoneum", "No free or loculated fluid.", False),
        ("No loculated or free fluid in the abdomen.", "peritoneum", "No free or loculated pelvic fluid.", False),
        ("Loculated or free fluid in the abdomen.", "peritoneum", "No free or loculated abdominal fluid.", False),
        ("No loculated or free fluid in the abdomen.", "peritoneum", "Free or loculated abdominal fluid.", False),
    ],
)
def test_adjectives_of_a_list_share_the_noun_that_is_denied(
    report: str, organ: str, caption: str, accepted: bool
) -> None:
    assert verifier().verify(verifier().read(report), organ, caption).accepted is accepted
