"""Normal, abnormal or uncertain."""

from __future__ import annotations

from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from curation.caption import Status
from curation.language.parser import StatementParser
from curation.verification.status import status_of


@cache
def parser() -> StatementParser:
    return StatementParser()


def status(*sentences: str, organ: str | None = None) -> Status:
    return status_of(parser(), [parser().parse(sentence) for sentence in sentences], organ)


CASES: dict[Status, list[str]] = {
    "normal": [
        "The liver is normal.",
        "The spleen is unremarkable.",
        "Pancreas is natural.",
        "Both kidneys are within normal limits.",
        "The liver contours are smooth.",
        "The trachea is open.",
        "The aorta is of normal caliber.",
        "No pleural effusion.",
        "Pleural effusion was not observed.",
        "The spleen is not enlarged.",
        "Hydronephrosis is absent.",
        "No significant change in the normal liver.",
        "The liver is normal without focal lesion.",
        "The previously seen nodule is no longer observed.",
        "The pleural effusion has resolved.",
        "The lungs are clear.",
        "Liver parenchyma is homogeneous.",
        "The bile ducts are not dilated.",
        "Symmetric kidneys of normal size.",
        "No complete bowel obstruction is suspected.",
        "The liver is noncirrhotic.",
        "No infarct in the spleen (3:41).",
        "No fracture, lytic lesion or dislocation.",
        "No additional lesion in the spleen.",
        "The slices passing through the liver are normal, and no lesion is seen.",
        "The liver, starting below the diaphragm, is normal.",
        "Endotracheal tube in satisfactory position.",
        "Tracheostomy tube appropriately sited.",
        "Iliac stent patent.",
        "Surgical hardware intact without loosening.",
        "The suture line is smooth and stable.",
        "The bladder and the prostate are respected.",
        "The left maxillary sinus is not opacified.",
        "Conventional three-vessel arch.",
    ],
    "abnormal": [
        "Cyst in the liver.",
        "The spleen is enlarged.",
        "Mild emphysema in both lungs.",
        "A 5 mm nodule in the left lung.",
        "The liver cyst is unchanged.",
        "No change in the nodule in the right lung.",
        "The diameter of the aorta is increased.",
        "Gallbladder is surgically absent.",
        "Status post splenectomy.",
        "The pancreas is not normal.",
        "Abnormal pancreas.",
        "The liver is normal except for a cyst.",
        "Normal liver size with a 5 mm cyst.",
        "Atelectasis but no consolidation in the left lung.",
        "Findings consistent with emphysema.",
        "Nodule in the left lung, possibly benign.",
        "The effusion has decreased.",
        "Asymmetric kidneys.",
        "Pacemaker in place.",
        "Bilateral small kidneys.",
        "Infarct in the spleen (3:41), unchanged.",
        "A 7 mm cyst (series 3: image 44) in the liver is stable.",
        "The CT of 2018 showed a cyst in the liver.",
        "Endotracheal tube noted.",
        "The chest tube is kinked.",
        "Port catheter in good position with thrombus at its tip.",
        "Port catheter, stable.",
        "Thin-walled cysts in both lungs.",
        "Symmetric opacities in the lower lobes.",
        "Midline cyst of the neck.",
        "The right femoral artery is not opacified.",
        "Liver: several cysts, none suspicious.",
    ],
    "uncertain": [
        "Possible cyst in the liver.",
        "Pneumonia cannot be excluded.",
        "The pancreas may be enlarged.",
        "Suspicious for metastasis.",
        "Metastasis?",
        "Questionable thickening of the gallbladder wall.",
        "Likely hemangioma.",
        "Infarct is possible.",
        "The spleen is probably enlarged.",
        "Pneumonia could not be ruled out.",
        "Suspected fracture of the left 7th rib.",
        "Splenic abscess is unlikely.",
        "Correlate for cystitis.",
        "Pneumonia versus atelectasis in the left lung.",
        "The left ureter is not opacified.",
    ],
}


@pytest.mark.parametrize(
    ("sentence", "expected"),
    [
        pytest.param(
            sentence,
            expected,
            id=sentence,
        )
        for expected, sentences in CASES.items()
        for sentence in sentences
    ],
)
def test_status(sentence: str, expected: Status) -> None:
    assert status(sentence) == expected


@pytest.mark.parametrize(
    ("sentences", "expected"),
    [
        (("The liver is normal.", "No mass in the liver."), "normal"),
        (("The liver is of normal size.", "There is a 2 cm cyst."), "abnormal"),
        (("Possible cyst in the liver.", "The liver is of normal size."), "uncertain"),
        (("Possible cyst in the liver.", "The liver is enlarged."), "abnormal"),
    ],
)
def test_several_sentences_have_one_status(sentences: tuple[str, ...], expected: Status) -> None:
    assert status(*sentences) == expected
    assert status(*reversed(sentences)) == expected


OF_ITS_ORGAN: list[tuple[str, str, Status]] = [
    # caption, organ, status; "with" and "without" part what is said of two organs, or of one in two ways
    ("The liver is normal with splenomegaly.", "liver", "normal"),
    ("The liver is normal with splenomegaly.", "spleen", "abnormal"),
    ("Gallstones with no ascites.", "gallbladder", "abnormal"),
    # a tube in an organ is no finding of it
    ("Bladder intact with a catheter.", "urinary bladder", "normal"),
    ("Bladder intact with a catheter.", "catheter", "abnormal"),
    ("Bladder catheterized.", "urinary bladder", "uncertain"),
    ("Foley catheter in the thickened bladder.", "urinary bladder", "abnormal"),
    ("Stent in the left ureter.", "left ureter", "abnormal"),
    ("Gallstones with no ascites.", "peritoneum", "normal"),
    ("Cirrhosis with no splenomegaly.", "spleen", "normal"),
    ("Cirrhosis with no splenomegaly.", "liver", "abnormal"),
    ("Emphysema without pleural effusion.", "pleura", "normal"),
    ("Emphysema without pleural effusion.", "lungs", "abnormal"),
    ("Right hydronephrosis without a ureteral stone.", "right kidney", "abnormal"),
    ("Right hydronephrosis without a ureteral stone.", "right ureter", "normal"),
    ("The heart is of normal size with a small pericardial effusion.", "heart", "normal"),
    ("The heart is of normal size with a small pericardial effusion.", "pericardium", "abnormal"),
    ("The heart is enlarged without pericardial effusion.", "pericardium", "normal"),
    ("The heart is enlarged without pericardial effusion.", "heart", "abnormal"),
    ("Normal calibre of the aorta with mild mural calcification.", "aorta", "abnormal"),
    ("The left kidney is unremarkable with a cyst in the right kidney.", "left kidney", "normal"),
    ("The left kidney is unremarkable with a cyst in the right kidney.", "right kidney", "abnormal"),
    ("The pancreas is normal apart from a stone in the gallbladder.", "pancreas", "normal"),
    ("The pancreas is normal apart from a stone in the gallbladder.", "gallbladder", "abnormal"),
    ("The lungs are clear except for a nodule in the right lung.", "right lung", "abnormal"),
    ("The lungs are clear except for a nodule in the right lung.", "left lung", "normal"),
    ("Normal uterine size with a thickened endometrium.", "uterus", "abnormal"),
    ("Mild thickening of the bladder wall without a mass.", "urinary bladder", "abnormal"),
    ("Slight fullness of the pancreatic duct with no obstructing mass.", "pancreatic duct", "abnormal"),
    ("Left adrenal gland: 9 mm nodule.", "left adrenal gland", "abnormal"),
    ("Fracture: left 4th rib.", "left 4th rib", "abnormal"),
    ("Stone: 4 mm in the right kidney.", "right kidney", "abnormal"),
    ("Aneurysm: 5 cm, infrarenal aorta.", "aorta", "abnormal"),
    ("Pleural effusion: none.", "pleura", "normal"),
    ("Aneurysm: none seen in the abdominal aorta.", "abdominal aorta", "normal"),
    ("Liver: given normal amylase, no further imaging is needed.", "liver", "uncertain"),
    ("Pleural effusion: small.", "pleura", "abnormal"),
    ("Cyst: right lobe of the liver.", "right lobe of the liver", "abnormal"),
    ("Liver: enlarged. Spleen: normal.", "spleen", "normal"),
    ("The spleen is normal and the liver is enlarged.", "spleen", "normal"),
    ("The spleen is normal and the liver is enlarged.", "liver", "abnormal"),
    ("Liver and spleen are enlarged, kidneys normal.", "liver", "abnormal"),
    ("Liver and spleen are enlarged, kidneys normal.", "left kidney", "normal"),
    ("The thyroid is normal in size with multiple nodules.", "thyroid gland", "abnormal"),
    ("Hiatal hernia with an otherwise normal stomach.", "stomach", "abnormal"),
    ("Diverticulosis of the descending colon without inflammation of the sigmoid colon.", "sigmoid colon", "normal"),
    ("Heart size is normal, aortic aneurysm is present.", "heart", "normal"),
]


@pytest.mark.parametrize(("caption", "organ", "expected"), OF_ITS_ORGAN)
def test_a_status_is_that_of_the_organ(caption: str, organ: str, expected: Status) -> None:
    name = parser().vocabulary.resolve(organ)
    assert name is not None
    assert status(caption, organ=name) == expected


@pytest.mark.parametrize(
    ("caption", "expected"),
    [
        ("Mild fullness of the renal pelvis without a stone.", "abnormal"),
        ("The gallbladder wall is slightly thick, no stones.", "abnormal"),
        ("The tumor has become smaller: 21 x 17 mm.", "abnormal"),
        ("Mesenteric nodes are numerous but not enlarged.", "normal"),
        ("The largest node is not enlarged.", "normal"),
        ("The large and small bowel are normal.", "normal"),
        ("The liver is not homogeneous.", "abnormal"),
        ("Numerous mesenteric nodes.", "uncertain"),
        ("Mesenteric nodes up to 8 mm.", "normal"),
        ("A mesenteric node of 24 x 13 mm.", "abnormal"),
        ("The largest is 7 mm.", "abnormal"),
        ("The spleen measures 11 cm.", "uncertain"),
        ("The spleen is unchanged.", "uncertain"),
        ("Compared with the prior CT there is no significant difference.", "uncertain"),
        ("The spleen is lopsided.", "uncertain"),
        ("Fracture: urgent MRI, left fifth rib.", "abnormal"),
        ("Fracture: wobbly.", "uncertain"),
    ],
)
def test_a_quality_counts_where_it_says_how_something_is(caption: str, expected: Status) -> None:
    assert status(caption) == expected


FINDINGS = st.sampled_from(["mass", "cyst", "stone", "fracture", "effusion", "calcification", "aneurysm", "hematoma"])


@given(
    FINDINGS, st.sampled_from(["", "large ", "5 mm ", "calcified "]), st.sampled_from(["liver", "spleen", "left lung"])
)
def test_a_finding_is_abnormal_its_denial_normal_and_its_suspicion_uncertain(what: str, kind: str, organ: str) -> None:
    assert status(f"There is a {kind}{what} in the {organ}.") == "abnormal"
    assert status(f"No {kind}{what} in the {organ}.") == "normal"
    assert status(f"{kind}{what} was not seen in the {organ}.") == "normal"
    assert status(f"Possible {kind}{what} in the {organ}.") == "uncertain"
