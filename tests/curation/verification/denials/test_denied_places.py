"""A place narrows a denial, and behind a list of denied findings it holds for each of them: it may not be left off."""

from __future__ import annotations

import pytest

from curation.caption import Reason

from ..caption_cases import assert_accepted, assert_refused

DROPPED = [
    # the side
    ("No pleural thickening or effusion on the left.", "pleura", "No pleural thickening."),
    ("No renal or ureteric stones on the left.", "kidneys", "No renal stones."),
    ("No enlarged hilar or mediastinal nodes on the left.", "lymph nodes", "No hilar lymphadenopathy."),
    ("No ovarian mass, cyst or abscess on the right.", "ovaries", "No ovarian mass."),
    # a part, of the organ that the finding or the filing names
    ("No pulmonary masses or nodules in the left lung.", "lungs", "No pulmonary masses."),
    ("No lytic lesion or fracture of the sternum.", "bones", "No lytic lesion."),
    ("No ground-glass opacity or consolidation in the upper lobes.", "lungs", "No ground-glass opacity."),
    ("No abscess or solid mass in segment 7 of the liver.", "liver", "No hepatic abscess."),
    ("No cavity, nodule or mass in the right upper lobe.", "right lung", "No cavity in the right lung."),
    ("No stenosis or thrombus of the main portal vein.", "portal vein", "No portal vein stenosis."),
    # a place of one finding
    ("No free pelvic fluid.", "peritoneum", "No free fluid."),
    ("No free fluid in the pelvis.", "peritoneum", "No free fluid."),
    ("No perihepatic ascites.", "peritoneum", "No ascites."),
    ("No extraperitoneal bladder leak.", "urinary bladder", "No bladder leak."),
    ("No intraperitoneal bladder rupture.", "urinary bladder", "No bladder rupture."),
    ("No main pulmonary artery embolus.", "pulmonary arteries", "No pulmonary embolism."),
    # an adjective of a part of the organ, or of a cavity beyond it
    ("No endobronchial lesion.", "bronchi", "No bronchial lesion."),
    ("No infratentorial mass.", "brain", "No brain mass."),
    ("No intra-axial bleed.", "brain", "No intracranial bleed."),
    ("No cerebral hemorrhage.", "brain", "No intracranial hemorrhage."),
    # what is said of all places of a list
    (
        "No lymph node was seen in the mediastinum and in both axillae in pathological size.",
        "mediastinum",
        "No lymph node was seen in the mediastinum.",
    ),
]

KEPT = [
    ("No pleural thickening or effusion on the left.", "left pleura", "No left pleural thickening."),
    ("No renal or ureteric stones on the left.", "left kidney", "No left renal stones."),
    ("No pulmonary masses or nodules in the left lung.", "left lung", "No pulmonary masses in the left lung."),
    ("No pulmonary masses or nodules in the left lung.", "left lung", "No pulmonary masses."),
    ("No lytic lesion or fracture of the sternum.", "sternum", "No lytic lesion of the sternum."),
    ("No abscess or solid mass in segment 7 of the liver.", "liver", "No abscess in segment 7."),
    ("No stenosis or thrombus of the main portal vein.", "portal vein", "No stenosis of the main portal vein."),
    # the place is all of the organ
    ("No abscess or solid mass in the liver.", "liver", "No hepatic abscess."),
    ("No mass or infiltrate was seen in both lungs.", "lungs", "No lung mass."),
    ("No nodule or mass in either lung.", "left lung", "No nodule in the left lung."),
    ("No free fluid in the pelvis.", "pelvis", "No free fluid."),
    ("No abdominal ascites.", "peritoneum", "No ascites."),
    ("No free fluid in the abdomen or pelvis.", "peritoneum", "No free fluid."),
    ("No intraperitoneal free air.", "peritoneum", "No pneumoperitoneum."),
    ("No mass in the left or right lung.", "lungs", "No lung mass."),
    ("No pulmonary arterial filling defect.", "pulmonary arteries", "No pulmonary embolism."),
    ("No intrarenal stone.", "kidneys", "No renal stone."),
    ("No intracranial bleed.", "brain", "No intra-axial bleed."),
    # one of several places
    ("No enlarged nodes in the subcarinal or hilar-axillary regions.", "lymph nodes", "No enlarged axillary nodes."),
    # the finding lies elsewhere
    ("No gallstones or dilatation of the common bile duct.", "gallbladder", "No gallstones."),
    ("No liver lesion or renal stone on the left.", "liver", "No liver lesion."),
    # a denial of its own
    ("No pleural effusion and no nodule in the left lung.", "pleura", "No pleural effusion."),
]


@pytest.mark.parametrize(("report", "organ", "caption"), DROPPED)
def test_a_place_of_what_is_denied_may_not_be_left_off(report: str, organ: str, caption: str) -> None:
    assert_refused(report, organ, caption, tuple(Reason))


@pytest.mark.parametrize(("report", "organ", "caption"), KEPT)
def test_a_denial_follows_with_its_place(report: str, organ: str, caption: str) -> None:
    assert_accepted(report, organ, caption)
