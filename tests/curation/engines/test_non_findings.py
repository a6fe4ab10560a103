"""Statements that are not findings of this examination get no caption."""

from functools import cache

import pytest

from curation.engines.rules import RulesEngine
from curation.verification.verifier import Verifier
from tests.curation.engines.test_caption_wording import captions


@cache
def engine() -> RulesEngine:
    return RulesEngine(Verifier())


NON_FINDINGS = [
    "Examination was performed without contrast material.",
    "Images were obtained with 1 mm slices.",
    "Axial images of the abdomen were obtained after contrast.",
    "The examination is limited by motion artifact.",
    "The liver could not be evaluated because of motion artifact.",
    "Evaluation of the pancreas is limited without contrast.",
    "Mediastinal structures cannot be evaluated optimally since the examination is without contrast.",
    "Mediastinal vessels could not be evaluated optimally because no contrast was given.",
    "Bowel loops cannot be evaluated optimally due to lack of oral contrast.",
    "Beam hardening artifact over the temporal lobes.",
    "Movement artifact in the lung bases.",
    "Follow-up CT of the chest in 6 months is recommended.",
    "Colonoscopy is recommended for the colonic wall thickening.",
    "Return to annual lung cancer screening.",
    "Continue annual screening in 6 months.",
    "Clinical correlation is recommended.",
    "No comparison is available.",
    "Compared to the previous study, there is no significant change.",
    "",
    " \n \x00 ",
]


@pytest.mark.parametrize("text", NON_FINDINGS)
def test_what_is_no_finding_gets_no_caption(text: str) -> None:
    assert engine().drafts(engine().verifier.read(text)) == []


@pytest.mark.parametrize(
    "text",
    [
        # not shown
        "For lack of contrast, small lesions of the spleen could not be evaluated.",
        "Owing to motion, small renal stones might be missed.",
        "Given the streak artifact, wall thickening of the bladder is difficult to assess.",
        "The conus and cord cannot be assessed.",
        "No injury of the femoral artery can be assessed without contrast.",
        "No abnormality of the bowel wall could be adequately evaluated.",
        "No reliable assessment of the pancreas is possible.",
        "No comment can be made on the portal vein.",
        "Emboli in the pulmonary arteries are not assessable.",
        # how much is shown
        "The kidneys are only partially included in the sections.",
        # titles
        "ABDOMINAL TRAUMA CT.",
        "TRAUMA CT KNEE (LEFT)",
        "UNENHANCED CT KIDNEYS URETERS BLADDER",
        "CT brain, no contrast.",
        # advised
        "Alternatively, repeat CT of the pancreas in spring could be obtained to see whether it grows.",
        "MRI of the liver would help to characterise the lesion.",
        "An ultrasound of the thyroid may be useful.",
        "Comparison with older scans of the lungs would be of use.",
    ],
)
def test_what_tells_of_the_examination_is_no_caption(text: str) -> None:
    assert captions(text) == []


@pytest.mark.parametrize(
    ("text", "caption"),
    [
        ("Cyst in the liver, and MRI could be repeated.", ("liver", "Cyst in the liver")),
        # in capitals as well, what is judged or seen is no title
        ("CT OF THE CHEST SHOWS A CYST IN THE LIVER.", ("liver", "CT OF THE CHEST SHOWS A CYST IN THE LIVER")),
        ("LIVER CT EXAMINATION NORMAL.", ("liver", "LIVER CT EXAMINATION NORMAL")),
        ("SPLEEN CT EXAMINATION WITHIN NORMAL LIMITS.", ("spleen", "SPLEEN CT EXAMINATION WITHIN NORMAL LIMITS")),
        ("LARGE SPLENIC MASS ON CT.", ("spleen", "LARGE SPLENIC MASS ON CT")),
        (
            "A nodule in the spleen is seen, which cannot be characterized.",
            ("spleen", "A nodule in the spleen is seen"),
        ),
        ("No splenic lesion, assessment of the liver is limited.", ("spleen", "No splenic lesion")),
        ("No lesion in the assessed liver segments.", ("liver", "No lesion in the assessed liver segments")),
        (
            "No stone in the bladder can be identified.",
            ("urinary bladder", "No stone in the bladder can be identified"),
        ),
        ("CT shows a mass in the liver.", ("liver", "CT shows a mass in the liver")),
        ("The pancreas may be enlarged.", ("pancreas", "The pancreas may be enlarged")),
        ("The liver was examined and is not enlarged.", ("liver", "The liver was examined and is not enlarged")),
        ("The partially imaged spleen is enlarged.", ("spleen", "The partially imaged spleen is enlarged")),
    ],
)
def test_a_finding_beside_it_is_kept(text: str, caption: tuple[str, str]) -> None:
    assert caption in captions(text)
