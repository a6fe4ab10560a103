"""A place or side behind a list of denied findings holds for each of them, and may be left off of none."""

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
    # the finding lies elsewhere
    ("No gallstones or dilatation of the common bile duct.", "gallbladder", "No gallstones."),
    ("No liver lesion or renal stone on the left.", "liver", "No liver lesion."),
    # a denial of its own
    ("No pleural effusion and no nodule in the left lung.", "pleura", "No pleural effusion."),
]


@pytest.mark.parametrize(("report", "organ", "caption"), DROPPED)
def test_a_place_behind_a_denied_list_may_not_be_left_off(report: str, organ: str, caption: str) -> None:
    assert_refused(report, organ, caption, tuple(Reason))


@pytest.mark.parametrize(("report", "organ", "caption"), KEPT)
def test_a_member_of_a_denied_list_follows_with_its_place(report: str, organ: str, caption: str) -> None:
    assert_accepted(report, organ, caption)
