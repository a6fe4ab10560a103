"""What narrows a denial belongs to it: it may be added to a caption, and never left off."""

from __future__ import annotations

import pytest

from curation.caption import Reason

from ..caption_cases import assert_accepted, assert_refused, verify

WIDENED = [
    # qualifiers before the finding, known to the lexicon or not
    ("No suspicious nodule in the lungs.", "lungs", "No nodule in the lungs."),
    ("No aggressive bone lesion.", "bones", "No bone lesion."),
    ("There is no evidence of obstructing ureteral calculus.", "ureters", "No ureteral calculus."),
    ("No gross hepatic lesion.", "liver", "No hepatic lesion."),
    ("No measurable hepatic lesion.", "liver", "No hepatic lesion."),
    ("No pathological pericardial effusion.", "pericardium", "No pericardial effusion."),
    ("No definite evidence of pneumonia in the left lung.", "left lung", "No pneumonia in the left lung."),
    ("No additional liver metastasis.", "liver", "No liver metastasis."),
    ("No residual stone in the right kidney.", "right kidney", "No stone in the right kidney."),
    ("No abnormal enhancement of the brain.", "brain", "No enhancement of the brain."),
    ("No intrahepatic biliary dilatation.", "biliary tree", "No biliary dilatation."),
    ("Displaced fracture was not seen in the ribs.", "ribs", "No fracture in the ribs."),
    ("The spleen is not significantly enlarged.", "spleen", "The spleen is not enlarged."),
    ("The appendix is not acutely inflamed.", "appendix", "The appendix is not inflamed."),
    ("Without drainable abscess in the pelvis.", "peritoneum", "Without abscess in the pelvis."),
    # the first word of a compound
    ("No hiatal hernia.", "stomach", "No hernia."),
    ("No wall thickening of the stomach.", "stomach", "No thickening of the stomach."),
    # what is said about the finding behind it
    ("No hepatic lesion larger than 1 cm.", "liver", "No hepatic lesion."),
    ("No nodule larger than 5 mm in the lungs.", "lungs", "No nodule larger than 3 mm in the lungs."),
    ("No splenic lesion with calcification.", "spleen", "No splenic lesion."),
    ("No splenic lesion with calcification.", "spleen", "No splenic calcification."),
    ("No adrenal mass that enhances.", "adrenal glands", "No adrenal mass."),
    ("No mass which is suspicious for malignancy in the pancreas.", "pancreas", "No pancreatic mass."),
    ("No lesion suspicious for metastasis in the liver.", "liver", "No liver lesion."),
    ("No fracture of recent date in the ribs.", "ribs", "No fracture in the ribs."),
    ("No lymph node was seen in the axilla in pathological size.", "lymph nodes", "No axillary lymph node."),
    ("No lymphadenopathy by size criteria in the abdomen.", "lymph nodes", "No abdominal lymphadenopathy."),
    # lists
    ("No new or enlarging nodule in the liver.", "liver", "No liver nodule."),
    ("No lytic, blastic or destructive lesion of the femur.", "left femur", "No lesion of the femur."),
    ("No suspicious nodule or mass in the lungs.", "lungs", "No nodule in the lungs."),
    ("No suspicious nodule or mass in the lungs.", "lungs", "No mass in the lungs."),
    ("No suspicious sclerotic or lytic lesion in the sacrum.", "sacrum", "No lytic lesion in the sacrum."),
    ("No significant mediastinal, hilar or axillary adenopathy.", "lymph nodes", "No axillary adenopathy."),
    ("No suspicious hepatic or splenic lesion.", "spleen", "No splenic lesion."),
    ("No fat attenuating or enhancing renal mass.", "kidneys", "No renal mass."),
    ("No acute rib or sternal fracture.", "sternum", "No sternal fracture."),
    ("No acute bleed or infarction in the brain.", "brain", "No infarction in the brain."),
    ("No nodule or mass larger than 5 mm in the lungs.", "lungs", "No nodule in the lungs."),
    ("No hydronephrosis or obstructing stone in the left kidney.", "left kidney", "No stone in the left kidney."),
    ("No lymph node was seen in the axilla, neck and groin in pathological size.", "lymph nodes", "No axillary node."),
]

FOLLOWS = [
    # the same with its qualifier
    ("No suspicious nodule in the liver.", "liver", "No suspicious liver nodule."),
    ("There is no evidence of obstructing ureteral calculus.", "ureters", "No obstructing ureteral calculus."),
    ("No hepatic lesion larger than 1 cm.", "liver", "No hepatic lesion above 1 cm."),
    ("No new or enlarging nodule in the liver.", "liver", "No new liver nodule."),
    ("No new or enlarging nodule in the liver.", "liver", "No enlarging liver nodule."),
    ("No lytic or blastic lesions in the left femur.", "left femur", "No blastic lesions in the left femur."),
    ("No acute bleed or infarction in the brain.", "brain", "No acute infarction in the brain."),
    ("No suspicious nodule or mass in the lungs.", "lungs", "No suspicious mass in the lungs."),
    ("No nodule or mass larger than 5 mm in the lungs.", "lungs", "No nodule larger than 5 mm in the lungs."),
    ("No lesion suspicious for metastasis in the liver.", "liver", "No liver metastasis."),
    ("No suspicious sclerotic or lytic lesion in the sacrum.", "sacrum", "No suspicious lytic lesion in the sacrum."),
    ("No suspicious hepatic or splenic lesion.", "spleen", "No suspicious splenic lesion."),
    ("No enlarged lymph nodes or pleural effusion.", "pleura", "No pleural effusion."),
    ("No pathology in the spleen. No significant renal stone.", "kidneys", "No substantial renal stone."),
    ("Neither kidney shows hydronephrosis.", "kidneys", "No hydronephrosis."),
    ("No fat attenuating or enhancing renal mass.", "kidneys", "No enhancing renal mass."),
    ("No ileus or evidence of pericolonic inflammation.", "bowel", "No ileus."),
    # more is denied than the caption does
    ("No nodule in the liver.", "liver", "No suspicious nodule in the liver."),
    ("No bone lesion.", "bones", "No aggressive bone lesion."),
    ("No liver mass.", "liver", "No calcified liver mass."),
    ("No liver mass.", "liver", "No arterially enhancing liver mass."),
    ("No nodule in the lungs.", "lungs", "No nodule larger than 5 mm in the lungs."),
    ("No thickening of the stomach.", "stomach", "No wall thickening of the stomach."),
    ("No large nodule in the left lung.", "left lung", "No large suspicious nodule in the left lung."),
    ("The spleen is not enlarged.", "spleen", "The spleen is not significantly enlarged."),
    ("No pericardial effusion.", "pericardium", "No hemorrhagic pericardial effusion."),
    # words that only report narrow nothing
    ("No visible calculus in the left ureter.", "left ureter", "No calculus in the left ureter."),
    ("No CT evidence of pancreatitis.", "pancreas", "No pancreatitis."),
    ("No mass was detected in the liver on this examination.", "liver", "No liver mass."),
    ("No liver mass is currently identified.", "liver", "No liver mass."),
    # qualifiers of one finding do not reach the next of a list
    ("No focal consolidation or pneumothorax.", "pleura", "No pneumothorax."),
    ("No focal consolidation, pleural effusion or pneumothorax.", "pleura", "No pneumothorax."),
    ("No displaced fracture or dislocation of the hip.", "left hip joint", "No dislocation of the hip."),
    ("No hydronephrosis or obstructing stone in the left kidney.", "left kidney", "No hydronephrosis, left kidney."),
    ("No pneumoperitoneum or free fluid in the abdomen.", "peritoneum", "No free fluid in the abdomen."),
    ("No pathological lymphadenopathy in the axilla.", "lymph nodes", "No axillary lymphadenopathy."),
    # a definite place is known to be as it is called
    ("There is no stone within the collapsed bladder.", "urinary bladder", "Collapsed bladder without stone."),
    ("There is no stone within the collapsed bladder.", "urinary bladder", "No bladder stone."),
    ("There is no mass in the enlarged spleen.", "spleen", "No mass in the spleen."),
    ("Filling defect was not detected in the tortuous splenic artery.", "splenic artery", "Tortuous splenic artery."),
    ("No fluid around the thickened appendix.", "appendix", "Thickened appendix."),
]

NOT_DENIED = [
    ("Calcified nodule in the left lung.", "left lung", "No suspicious nodule in the left lung."),
    ("No new nodule in the left lung.", "left lung", "No suspicious nodule in the left lung."),
    ("No liver mass.", "liver", "No liver cyst or mass."),
    ("No liver mass.", "liver", "No splenic mass."),
    ("No bone lesion.", "bones", "No aggressive bone fracture."),
    ("The liver is normal.", "liver", "No suspicious liver lesion."),
    ("There is no mass in the enlarged spleen.", "spleen", "Enlarged spleen with a mass."),
    ("Resolution of the enlarged mediastinal lymph nodes.", "lymph nodes", "Enlarged mediastinal lymph nodes."),
    ("No evidence of the dilated bowel loops.", "bowel", "Dilated bowel loops."),
    ("No thrombus of the dilated left ventricle.", "left ventricle", "The left ventricle is not dilated."),
]


@pytest.mark.parametrize(("report", "organ", "caption"), WIDENED)
def test_what_narrows_a_denial_may_not_be_left_off(report: str, organ: str, caption: str) -> None:
    assert_refused(report, organ, caption, tuple(Reason))


@pytest.mark.parametrize(("report", "organ", "caption"), FOLLOWS)
def test_a_narrower_denial_follows(report: str, organ: str, caption: str) -> None:
    assert_accepted(report, organ, caption)


@pytest.mark.parametrize(("report", "organ", "caption"), NOT_DENIED)
def test_a_qualifier_turns_nothing_into_a_denial(report: str, organ: str, caption: str) -> None:
    assert_refused(report, organ, caption, tuple(Reason))


def test_a_qualifier_before_a_word_for_a_finding_narrows_what_the_opinion_denies() -> None:
    report = "No suspicious finding in favor of pneumonia in the lungs."
    assert not verify(report, "lungs", "No finding in favor of pneumonia in the lungs.").accepted
    assert verify(report, "lungs", "No suspicious finding in favor of pneumonia.").accepted
    assert verify("No lesion suspicious for metastasis in the liver.", "liver", "No hepatic metastasis.").accepted
