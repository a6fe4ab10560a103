"""Normal as such, or in one aspect: what a report calls normal, and what follows from that."""

from __future__ import annotations

import pytest

from ..caption_cases import verifier

CARRIED = [
    # one aspect, in other words or from a list
    ("The spleen is normal in size.", "spleen", "Splenic size is normal."),
    ("The spleen is normal in size.", "spleen", "Normal-sized spleen."),
    ("Spleen dimensions are within normal limits.", "spleen", "The spleen is normal in size."),
    ("The uterus has normal size and configuration.", "uterus", "The uterus is of normal size."),
    ("Heart size and contours are normal.", "heart", "The heart is normal in size."),
    ("Heart dimensions and compartments are natural.", "heart", "Heart size is normal."),
    ("The liver is normal in size, contour and density.", "liver", "Normal liver contour."),
    ("The liver is normal in size, contour and density.", "liver", "Liver attenuation is normal."),
    ("Liver size, contour and parenchymal density are natural.", "liver", "The liver is normal in size and contour."),
    ("The widths of the iliac arteries are normal.", "vessels", "The iliac arteries are normal in caliber."),
    ("The appendix is normal in diameter.", "appendix", "The appendix is of normal caliber."),
    ("Both kidneys are normal in position and size.", "kidneys", "Normal position of the kidneys."),
    ("The spleen is unremarkable.", "spleen", "The spleen is normal."),
    # what departs from an aspect is absent where it is normal
    ("Heart size is normal.", "heart", "No cardiomegaly."),
    ("The spleen is normal in size.", "spleen", "No splenomegaly."),
    ("The prostate is normal in size.", "prostate", "The prostate is not enlarged."),
    ("The common bile duct is of normal caliber.", "biliary tree", "The common bile duct is not dilated."),
    ("Gallbladder wall thickness is normal.", "gallbladder", "No gallbladder wall thickening."),
    # a size that is called pathological is enlarged, wherever it stands
    ("No lymph node in pathological size was seen in the axilla.", "lymph nodes", "No enlarged axillary lymph nodes."),
    (
        "The inguinal lymph nodes do not reach pathological dimensions.",
        "lymph nodes",
        "The inguinal lymph nodes are not pathologically enlarged.",
    ),
    (
        "A few inguinal lymph nodes that do not reach pathological dimensions.",
        "lymph nodes",
        "A few inguinal lymph nodes, not pathologically enlarged.",
    ),
    ("Lymph nodes of pathological size in the mediastinum.", "lymph nodes", "Mediastinal lymphadenopathy."),
    # words that deny by themselves
    ("The left renal pelvis is not dilated.", "kidneys", "Non-dilated left renal pelvis."),
    ("The aorta is nondilated.", "aorta", "No dilatation of the aorta."),
    ("Non-enlarged axillary lymph nodes.", "lymph nodes", "The axillary lymph nodes are not enlarged."),
    # what is normal has no abnormality, and the other way round
    ("The liver, spleen and pancreas are unremarkable.", "pancreas", "No pancreatic abnormality."),
    ("The adrenal glands and kidneys are within normal limits.", "adrenal glands", "No adrenal abnormality."),
    (
        "The liver, gallbladder, pancreas, spleen, adrenal glands, and kidneys are within normal limits.",
        "adrenal glands",
        "No adrenal abnormality.",
    ),
    # a noun that "normal" is said of is an aspect too; what stands on the way to an organ is none
    ("Stomach: normal folds.", "stomach", "The gastric folds are normal."),
    ("Colon: normal haustration.", "colon", "Normal colonic haustration."),
    ("Kidneys: normal cortical thickness.", "kidneys", "Normal cortical thickness of the kidneys."),
    ("Spleen: normal throughout.", "spleen", "The spleen is normal."),
    ("The spleen in the field of view is normal.", "spleen", "The spleen is normal."),
    ("Evaluation of the liver is normal.", "liver", "The liver is normal."),
    ("The gallbladder and its wall are normal.", "gallbladder", "The gallbladder is normal."),
    ("The spleen is normal today.", "spleen", "The spleen is normal."),
    ("The pancreas is normal, its duct measures 2 mm.", "pancreas", "The pancreas is normal."),
    ("Prostatectomy bed is normal.", "prostate", "Normal prostatectomy bed."),
    ("Gallbladder fundus normal.", "gallbladder", "The gallbladder fundus is normal."),
    # of a list of subjects only the last may have aspects
    ("Mediastinal vessels, cardiac size and contour are normal.", "mediastinum", "Normal mediastinal vessels."),
    ("Both kidneys, spleen size are normal.", "spleen", "The spleen is normal in size."),
    ("No abnormality of the orbits is seen.", "orbits", "The orbits appear normal."),
    ("Gallbladder: No abnormality.", "gallbladder", "Normal gallbladder."),
]

# What is not larger is of normal size.
OPPOSITES = [
    ("The common bile duct is not dilated.", "biliary tree", "The common bile duct is of normal caliber."),
    ("No splenomegaly.", "spleen", "The spleen is normal in size."),
    ("The bladder wall is not thickened.", "urinary bladder", "Normal bladder wall thickness."),
]
REFUSED = [
    # an abnormality of one kind, of a part or of another day
    ("No acute abnormality of the spleen.", "spleen", "The spleen is normal."),
    ("No focal abnormality of the liver.", "liver", "The liver is normal."),
    ("No significant abnormality of the bladder.", "urinary bladder", "The bladder is normal."),
    ("No abnormality of the left kidney.", "kidneys", "The kidneys are normal."),
    ("There is an abnormality of the spleen.", "spleen", "The spleen is normal."),
    ("The spleen is normal in size.", "spleen", "No splenic abnormality."),
    ("The pancreatic head is normal.", "pancreas", "No pancreatic abnormality."),
    (
        "The liver, gallbladder, pancreas, spleen, right adrenal gland, and kidneys are within normal limits.",
        "adrenal glands",
        "No adrenal abnormality.",
    ),
    ("Previously normal pancreas.", "pancreas", "No pancreatic abnormality."),
    ("The liver is not normal.", "liver", "No hepatic abnormality."),
    ("The liver is likely normal.", "liver", "No hepatic abnormality."),
    ("The kidneys are otherwise unremarkable.", "kidneys", "No renal abnormality."),
    ("The gallbladder is unremarkable except for a polyp.", "gallbladder", "No gallbladder abnormality."),
    # an aspect is not the organ, nor the organ each aspect
    ("The spleen is normal in size.", "spleen", "The spleen is normal."),
    ("Heart size and contours are normal.", "heart", "The heart is normal."),
    ("The aorta is of normal caliber.", "aorta", "Normal aorta."),
    ("The wall of the bladder is normal.", "urinary bladder", "The bladder is normal."),
    ("The pancreas enhances with normal enhancement.", "pancreas", "The pancreas is normal."),
    ("The spleen is normal.", "spleen", "The spleen is normal in size."),
    ("The liver is normal in size and contour.", "liver", "Normal liver density."),
    ("The gallbladder wall thickness is normal.", "gallbladder", "The gallbladder wall is normal."),
    # nor is a part, or what is done normally
    ("Heart: normal chamber size.", "heart", "The heart is normal."),
    ("Heart: normal chamber size.", "heart", "The heart is normal in size."),
    ("Heart: normal chamber size.", "heart", "No cardiomegaly."),
    ("The pancreas has a normal duct.", "pancreas", "The pancreas is normal."),
    ("Pancreas: duct normal.", "pancreas", "Normal pancreas."),
    ("The gastric folds are normal.", "stomach", "The stomach is normal."),
    ("Normal lobulation of the liver.", "liver", "The liver is normal."),
    ("Liver: normal smooth contour.", "liver", "The liver is normal."),
    ("The lordosis of the lumbar spine is normal.", "lumbar spine", "The lumbar spine is normal."),
    ("Uterus with a normal endometrium.", "uterus", "The uterus is normal."),
    ("Thyroid: normal isthmus.", "thyroid gland", "The thyroid is normal."),
    ("Celiac trunk: normal origin.", "celiac trunk", "The celiac trunk is normal."),
    ("The lungs are normally aerated.", "lungs", "The lungs are normal."),
    ("The portal vein opacifies normally.", "portal vein", "The portal vein is normal."),
    ("Spleen, liver size are normal.", "liver", "The liver is normal."),
    ("Mediastinal vessels, cardiac size and contour are normal.", "heart", "The heart is normal."),
    ("Spleen, liver size are normal.", "spleen", "The spleen is normal."),
    # nor is its bed, or what is left of it
    ("Thyroidectomy bed unremarkable.", "thyroid gland", "The thyroid is unremarkable."),
    ("Prostatic bed normal.", "prostate", "The prostate is normal."),
    ("The appendiceal stump is unremarkable.", "appendix", "The appendix is unremarkable."),
    ("Splenic capsule normal.", "spleen", "The spleen is normal."),
    ("The fundus of the gallbladder is normal.", "gallbladder", "The gallbladder is normal."),
    ("The uterine cavity is normal.", "uterus", "The uterus is normal."),
    # what is absent is not thereby normal
    ("The spleen is normal.", "spleen", "No splenic cyst."),
    ("The spleen is normal in size.", "spleen", "No splenic lesion."),
    ("No lymph node in pathological size was seen in the axilla.", "lymph nodes", "No axillary lymph nodes."),
    ("Several mediastinal lymph nodes, none pathologically enlarged.", "lymph nodes", "Mediastinal lymphadenopathy."),
    # nor the other way round
    ("Heart size is normal.", "heart", "Cardiomegaly."),
    ("The spleen is not normal in size.", "spleen", "The spleen is normal in size."),
    ("The size of the spleen is larger than normal.", "spleen", "The spleen is normal in size."),
    ("The spleen is larger than normal.", "spleen", "The spleen is normal."),
    ("The aorta is nondilated.", "aorta", "Dilated aorta."),
    ("Dilated aorta.", "aorta", "Non-dilated aorta."),
    ("The left kidney is normal in size.", "liver", "No hepatomegaly."),
]


@pytest.mark.parametrize(("statement", "organ", "caption"), [*CARRIED, *OPPOSITES])
def test_an_aspect_carries_itself_and_denies_what_departs_from_it(statement: str, organ: str, caption: str) -> None:
    verification = verifier().verify(verifier().read(statement), organ, caption)
    assert verification.accepted, verification.detail


@pytest.mark.parametrize(("statement", "organ", "caption"), REFUSED)
def test_silence_about_an_aspect_is_not_normal(statement: str, organ: str, caption: str) -> None:
    assert not verifier().verify(verifier().read(statement), organ, caption).accepted
