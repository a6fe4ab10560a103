"""Captions whose claims do not depend on each other are verified claim by claim; others are not."""

from __future__ import annotations

from typing import Any

import pytest

from curation.readers.sections import split_sections
from curation.verification.answers import Verification
from curation.verification.verifier import Verifier

from ..caption_cases import read, verifier

ABDOMEN = (
    "FINDINGS: Liver, spleen, adrenals: Normal. Small accessory spleen. Gallbladder: Mild wall thickening. Severe "
    "stranding around the gallbladder. A cyst in the left kidney. A stone is also seen in the left kidney. The right "
    "kidney is small. No hydronephrosis. No renal mass. Possible hemangioma in segment 4 of the liver. Duodenal "
    "diverticulum. The jejunum is of normal caliber. The pelvis contains phleboliths. Surgical clips are seen in the "
    "pelvis."
)
AORTA = (
    "FINDINGS: The anteroposterior diameter of the ascending aorta is 45 mm. The descending aorta measures 28 mm. The "
    "pulmonary trunk is dilated. The right common iliac artery previously measured 19 mm. The left common iliac artery "
    "measures 21 mm.\nIMPRESSION: Fusiform dilatation of the ascending aorta. Ectasia of the common iliac arteries."
)
LESIONS = (
    "FINDINGS: 5 cm mass in the right lobe of the liver. 2 cm mass in the left hepatic lobe without calcification. "
    "A 4 cm cyst in the right kidney with thin septa. A 2 cm cyst in the left kidney. Nodule in the left upper lobe. "
    "Calcification in the left lower lobe. Pancreatic tail tumor with invasion of the spleen. A mass in the left "
    "kidney. Suspected thrombus in the left renal vein. New nodules in the right lower lobe. Old granulomas in the "
    "right lower lobe. Enlarged lymph nodes at the left hilum, unchanged."
)

ACCEPTED = [
    (ABDOMEN, "spleen", "Normal spleen with a small accessory spleen."),
    (ABDOMEN, "left kidney", "Left renal cyst and stone."),
    (ABDOMEN, "left kidney", "Left renal cyst without hydronephrosis."),
    (ABDOMEN, "kidneys", "No hydronephrosis or renal mass."),
    (ABDOMEN, "bowel", "Duodenal diverticulum; the jejunum is of normal caliber."),
    (ABDOMEN, "pelvis", "Pelvic phleboliths and surgical clips."),
    (AORTA, "aorta", "Fusiform dilatation of the ascending aorta, 45 mm."),
    (AORTA, "aorta", "Fusiform dilatation of the ascending aorta measuring 45 mm."),
]

REFUSED = [
    # not there, denied or only possible
    (ABDOMEN, "spleen", "Normal spleen with a large accessory spleen."),
    (ABDOMEN, "spleen", "Enlarged spleen with an accessory spleen."),
    (ABDOMEN, "liver", "Normal liver and hemangioma in segment 4."),
    (ABDOMEN, "liver", "Hemangioma in segment 4 of the liver; normal spleen."),
    (ABDOMEN, "left kidney", "Left renal cyst with hydronephrosis."),
    (ABDOMEN, "left kidney", "Left renal cyst and mass."),
    (ABDOMEN, "left kidney", "Left renal cyst; hydronephrosis."),
    # the grade of the other
    (ABDOMEN, "gallbladder", "Mild gallbladder wall thickening and stranding."),
    (ABDOMEN, "gallbladder", "Severe gallbladder wall thickening and stranding."),
    (ABDOMEN, "gallbladder", "Severe stranding and wall thickening of the gallbladder."),
    # the other side
    (ABDOMEN, "right kidney", "Right renal cyst and stone."),
    (ABDOMEN, "right kidney", "Small right kidney with a stone."),
    (ABDOMEN, "right kidney", "The right kidney is small; stone."),
    (ABDOMEN, "kidneys", "Renal cysts and stones in both kidneys."),
    (ABDOMEN, "left kidney", "The left kidney is small without hydronephrosis."),
    (ABDOMEN, "kidneys", "No hydronephrosis or stone."),
    (ABDOMEN, "kidneys", "No renal mass or cyst."),
    (ABDOMEN, "kidneys", "No renal cyst and no hydronephrosis."),
    # another organ
    (ABDOMEN, "bowel", "Duodenal diverticulum; the ileum is of normal caliber."),
    (ABDOMEN, "bowel", "Jejunal diverticulum; the jejunum is of normal caliber."),
    (ABDOMEN, "gallbladder", "Gallbladder wall thickening and surgical clips."),
    (ABDOMEN, "pelvis", "Pelvic phleboliths and a stent."),
    # the size of another vessel, side or time
    (AORTA, "aorta", "Fusiform dilatation of the ascending aorta, 28 mm."),
    (AORTA, "aorta", "Dilatation of the descending aorta, 28 mm."),
    (AORTA, "aorta", "Dilatation of the descending aorta, 45 mm."),
    (AORTA, "pulmonary trunk", "Dilated pulmonary trunk, 45 mm."),
    (AORTA, "right common iliac artery", "Ectasia of the right common iliac artery, 19 mm."),
    (AORTA, "right common iliac artery", "Ectasia of the right common iliac artery, 21 mm."),
    (AORTA, "aorta", "Fusiform dilatation of the ascending aorta, 45 cm."),
    (AORTA, "aorta", "Thrombus in the dilated ascending aorta, 45 mm."),
    # of another lesion
    (LESIONS, "liver", "5 cm mass in the right lobe of the liver without calcification."),
    (LESIONS, "left kidney", "2 cm left renal cyst with thin septa."),
    (LESIONS, "left kidney", "Left renal mass with thin septa."),
    (LESIONS, "lungs", "Nodule in the left upper lobe with calcification."),
    (LESIONS, "lungs", "Nodule in the left upper lobe and calcification."),
    (LESIONS, "left kidney", "Left renal mass with invasion of the spleen."),
    (LESIONS, "left kidney", "Left renal mass and invasion of the spleen."),
    (LESIONS, "left kidney", "Left renal mass with thrombus in the left renal vein."),
    (LESIONS, "left kidney", "Left renal mass; thrombus in the left renal vein."),
    # the time of the other
    (LESIONS, "right lung", "New nodules and granulomas in the right lower lobe."),
    (LESIONS, "right lung", "Old nodules and granulomas in the right lower lobe."),
    (LESIONS, "right lung", "Nodules and granulomas in the right lower lobe, new."),
    (LESIONS, "right lung", "Nodules and granulomas in the right lower lobe, unchanged."),
]


def _is_accepted(report: str, organ: str, caption: str) -> bool:
    return verifier().verify(read(report, *split_sections(report)), organ, caption).accepted


@pytest.mark.parametrize(("report", "organ", "caption"), ACCEPTED)
def test_each_of_two_independent_claims_may_stand_in_its_own_statement(report: str, organ: str, caption: str) -> None:
    assert _is_accepted(report, organ, caption)


@pytest.mark.parametrize(("report", "organ", "caption"), REFUSED)
def test_a_claim_takes_nothing_from_another(report: str, organ: str, caption: str) -> None:
    assert not _is_accepted(report, organ, caption)


class CountingVerifier(Verifier):
    """A verifier that counts how often it looks at a caption or a claim of one."""

    count = 0

    def _verify(self, *arguments: Any) -> Verification:
        self.count += 1
        return super()._verify(*arguments)


@pytest.mark.parametrize("claims", [4, 6, 40])
def test_work_does_not_double_with_each_claim(claims: int) -> None:
    findings = ("cyst", "mass", "stone", "abscess", "nodule", "hematoma", "gas", "polyp")
    report = "The liver is normal. " + " ".join(f"No {what}." for what in findings) + " Calcification in the spleen."
    listed = "".join(f" without {findings[number % 8]} and" for number in range(claims))
    counting = CountingVerifier()
    assert not counting.verify(counting.read(report), "liver", f"Normal liver{listed} without calcification.").accepted
    assert counting.count <= 4 * claims**2
