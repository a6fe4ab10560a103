"""Sentences of reports, with the organs that captions must name and the status of each."""

import pytest
from _pytest.mark import ParameterSet

from curation.caption import Status

NONE: dict[str, Status] = {}

NORMAL: Status = "normal"
ABNORMAL: Status = "abnormal"
UNCERTAIN: Status = "uncertain"


def expected_failure(text: str, expected: dict[str, Status], reason: str) -> ParameterSet:
    """Return a sentence that the engine does not get right yet."""
    return pytest.param(text, expected, marks=pytest.mark.xfail(strict=True, reason=reason))


def same_status(status: Status, *organs: str) -> dict[str, Status]:
    """Return the expectation of one status for several organs."""
    return dict.fromkeys(organs, status)


SEVERAL = [
    (
        "It is seen that the liver, gallbladder and spleen are normal.",
        same_status(NORMAL, "liver", "gallbladder", "spleen"),
    ),
    ("The uterus, not the bladder, is enlarged.", {"uterus": ABNORMAL}),
    ("Large stone in the left kidney but not in the right.", {"left kidney": ABNORMAL}),
    ("Left pleural effusion is large, none on the right.", {"left pleura": ABNORMAL}),
    ("The uterus isn't enlarged.", {"uterus": NORMAL}),
    ("The liver, spleen and pancreas are normal.", same_status(NORMAL, "liver", "spleen", "pancreas")),
    ("Liver and spleen are unremarkable.", same_status(NORMAL, "liver", "spleen")),
    ("The right and left upper lobes are clear.", same_status(NORMAL, "right upper lobe", "left upper lobe")),
    (
        "Nodules in the lower lobes of the right and left lungs.",
        same_status(ABNORMAL, "right lower lobe", "left lower lobe"),
    ),
    (
        "Patent celiac axis, SMA, IMA.",
        same_status(NORMAL, "celiac artery", "superior mesenteric artery", "inferior mesenteric artery"),
    ),
    ("Both kidneys are normal in size.", same_status(NORMAL, "left kidney", "right kidney")),
    ("Kidneys are unremarkable.", same_status(NORMAL, "left kidney", "right kidney")),
    ("Bilateral renal cysts.", same_status(ABNORMAL, "left kidney", "right kidney")),
    ("Bilateral pleural effusions.", same_status(ABNORMAL, "left pleura", "right pleura")),
    ("Both lungs are clear.", same_status(NORMAL, "left lung", "right lung")),
    ("Atelectasis in both lower lobes.", same_status(ABNORMAL, "left lower lobe", "right lower lobe")),
    ("The uterus and ovaries are normal.", same_status(NORMAL, "uterus", "left ovary", "right ovary")),
    (
        "The spleen, pancreas, and both adrenal glands appear normal.",
        same_status(NORMAL, "spleen", "pancreas", "left adrenal gland", "right adrenal gland"),
    ),
    (
        "Trachea and both main bronchi are open.",
        same_status(NORMAL, "trachea", "left main bronchus", "right main bronchus"),
    ),
    ("Stone in the right kidney and cyst in the left kidney.", same_status(ABNORMAL, "right kidney", "left kidney")),
    ("Calcified plaques in the aorta and coronary arteries.", same_status(ABNORMAL, "aorta", "coronary arteries")),
    ("No lesion in the liver or spleen.", same_status(NORMAL, "liver", "spleen")),
    ("Neither the liver nor the spleen is enlarged.", same_status(NORMAL, "liver", "spleen")),
    ("Pericardial and pleural effusion was not observed.", same_status(NORMAL, "pericardium", "pleura")),
    ("The spleen is normal and the pancreas is atrophic.", {"spleen": NORMAL, "pancreas": ABNORMAL}),
    ("The spleen is normal, the pancreas is atrophic.", {"spleen": NORMAL, "pancreas": ABNORMAL}),
    ("The spleen is normal; the pancreas is atrophic.", {"spleen": NORMAL, "pancreas": ABNORMAL}),
    ("The liver is enlarged while the spleen is normal.", {"liver": ABNORMAL, "spleen": NORMAL}),
    ("Right kidney normal, left kidney atrophic.", {"right kidney": NORMAL, "left kidney": ABNORMAL}),
    ("Right kidney: no stone. Left kidney: 5 mm stone.", {"right kidney": NORMAL, "left kidney": ABNORMAL}),
    ("Normal right adrenal; left adrenal nodule.", {"right adrenal gland": NORMAL, "left adrenal gland": ABNORMAL}),
    (
        "No stone in the right kidney but a 5 mm stone in the left kidney.",
        {"right kidney": NORMAL, "left kidney": ABNORMAL},
    ),
    ("Small left pleural effusion, no effusion on the right.", {"left pleura": ABNORMAL, "right pleura": NORMAL}),
    (
        "There is no hydronephrosis, but the right ureter is dilated.",
        {"kidneys": NORMAL, "right ureter": ABNORMAL},
    ),
    ("Cysts in the liver (2 cm) and the spleen (3 cm).", same_status(ABNORMAL, "liver", "spleen")),
]

CONTEXT = [
    ("The liver is of normal size. No space-occupying lesion was detected.", same_status(NORMAL, "liver")),
    ("The left kidney is in its usual place. No stone.", same_status(NORMAL, "left kidney")),
    (
        "Liver: normal. Spleen: normal. Kidneys: a stone on the left.",
        {"liver": NORMAL, "spleen": NORMAL, "left kidney": ABNORMAL},
    ),
    ("Pancreas is normal. The duct is not dilated.", same_status(NORMAL, "pancreas")),
    ("The spleen is normal. Its contours are smooth.", same_status(NORMAL, "spleen")),
    ("No space-occupying lesion was detected.", NONE),
]

PLACES = [
    ("Enlarged para-aortic lymph nodes.", same_status(ABNORMAL, "para-aortic lymph nodes")),
    ("Disc herniation at the L4 level.", same_status(ABNORMAL, "intervertebral discs")),
    ("The L4 vertebra is fractured.", same_status(ABNORMAL, "L4 vertebra")),
    ("There is a 15 mm lymph node near the pancreas.", same_status(ABNORMAL, "lymph nodes")),
    ("A cyst at the level of the kidneys in the mesentery.", same_status(ABNORMAL, "mesentery")),
    ("A subpleural nodule in the right lower lobe.", same_status(ABNORMAL, "right lower lobe")),
    ("Small accessory spleen adjacent to the splenic hilum.", same_status(ABNORMAL, "accessory spleen")),
    ("Lymph nodes in the mediastinum are not enlarged.", same_status(NORMAL, "mediastinal lymph nodes")),
    (
        "No enlarged lymph nodes in the mediastinum and both hila.",
        same_status(NORMAL, "mediastinal lymph nodes", "left hilar lymph nodes", "right hilar lymph nodes"),
    ),
    ("A mass in the retroperitoneum displaces the left kidney.", same_status(ABNORMAL, "retroperitoneum")),
    ("There is a mass in the upper lobe of the right lung.", same_status(ABNORMAL, "right upper lobe")),
    ("RUL nodule.", same_status(ABNORMAL, "right upper lobe")),
    ("Cyst in segment 4 of the liver.", same_status(ABNORMAL, "liver")),
    ("Fracture of the left 7th rib.", same_status(ABNORMAL, "left 7th rib")),
    ("Mediastinal lymphadenopathy.", same_status(ABNORMAL, "mediastinal lymph nodes")),
]

IMPLIED = [
    ("Cardiomegaly.", same_status(ABNORMAL, "heart")),
    ("Cardiac dimensions and compartments are normal.", same_status(NORMAL, "heart")),
    ("Hepatosteatosis.", same_status(ABNORMAL, "liver")),
    ("Cholelithiasis.", same_status(ABNORMAL, "gallbladder")),
    ("Pneumothorax on the right.", same_status(ABNORMAL, "right pleura")),
    ("Right hydronephrosis.", same_status(ABNORMAL, "right kidney")),
    ("Ascites.", same_status(ABNORMAL, "peritoneum")),
    ("There is no evidence of appendicitis.", same_status(NORMAL, "appendix")),
    expected_failure("The liver is fatty.", same_status(ABNORMAL, "liver"), "no caption"),
    ("A pacemaker is seen.", same_status(ABNORMAL, "pacemaker")),
    ("Nasogastric tube in the stomach.", same_status(ABNORMAL, "nasogastric tube")),
    ("The trachea is midline.", same_status(NORMAL, "trachea")),
]

NEGATED = [
    ("There is no pleural or pericardial effusion.", same_status(NORMAL, "pleura", "pericardium")),
    ("There is no hepatic, splenic or renal lesion.", same_status(NORMAL, "liver", "spleen", "kidneys")),
    ("No orbital or intracranial complication.", same_status(NORMAL, "orbits", "brain")),
    (
        "Lymph nodes: no retroperitoneal or pelvic adenopathy.",
        same_status(NORMAL, "retroperitoneal lymph nodes", "pelvic lymph nodes"),
    ),
    ("On today's examination, no pleural or renal lesion was detected.", same_status(NORMAL, "pleura", "kidneys")),
    (
        "No change in the liver. On today's examination, no significant change was detected.",
        same_status(UNCERTAIN, "liver"),
    ),
    ("As before, the liver is enlarged.", same_status(ABNORMAL, "liver")),
    ("No evidence of PE.", same_status(NORMAL, "pulmonary arteries")),
    ("No pleural effusion.", same_status(NORMAL, "pleura")),
    ("Pericardial effusion-thickening was not observed.", same_status(NORMAL, "pericardium")),
    ("Pleural effusion was not detected.", same_status(NORMAL, "pleura")),
    ("Hydronephrosis is absent in the left kidney.", same_status(NORMAL, "left kidney")),
    ("The liver is free of focal lesions.", same_status(NORMAL, "liver")),
    ("The appendix is not inflamed.", same_status(NORMAL, "appendix")),
    ("No change in the nodule in the right lung.", same_status(ABNORMAL, "right lung")),
    ("No significant change in the size of the liver cyst.", same_status(ABNORMAL, "liver")),
    ("The nodule in the right lung was not observed in the previous examination.", same_status(ABNORMAL, "right lung")),
    ("The spleen is normal without focal lesion.", same_status(NORMAL, "spleen")),
    ("There is a hepatic cyst but no solid mass.", same_status(ABNORMAL, "liver")),
    ("Atelectasis but no consolidation in the left lung.", same_status(ABNORMAL, "left lung")),
    ("The pancreas is not normal.", same_status(ABNORMAL, "pancreas")),
    (
        "No nodule was seen in the lungs except for a 4 mm nodule in the left lower lobe.",
        {"left lower lobe": ABNORMAL, "left lung": ABNORMAL, "right lung": NORMAL},
    ),
]

HEDGED = [
    ("Possible cyst in the liver.", same_status(UNCERTAIN, "liver")),
    ("Gallstones cannot be excluded.", same_status(UNCERTAIN, "gallbladder")),
    ("The pancreas may be enlarged.", same_status(UNCERTAIN, "pancreas")),
    ("Questionable thickening of the gallbladder wall.", same_status(UNCERTAIN, "gallbladder")),
    ("Pneumonia in the right lower lobe?", same_status(UNCERTAIN, "right lower lobe")),
    ("Likely hemangioma in the liver.", same_status(UNCERTAIN, "liver")),
    ("Renal infarct cannot be ruled out on the left.", same_status(UNCERTAIN, "left kidney")),
    ("A nodule in the right lung, suspicious for metastasis.", same_status(ABNORMAL, "right lung")),
    ("Findings consistent with hepatic steatosis.", same_status(ABNORMAL, "liver")),
    ("The spleen is probably enlarged.", same_status(UNCERTAIN, "spleen")),
    ("It is not possible to exclude metastasis in the liver.", same_status(UNCERTAIN, "liver")),
]

OVER_TIME = [
    (
        "The nodule previously seen in the right lower lobe is no longer observed.",
        same_status(NORMAL, "right lower lobe"),
    ),
    ("Previously described right pleural effusion has resolved.", same_status(NORMAL, "right pleura")),
    ("The liver cyst is unchanged.", same_status(ABNORMAL, "liver")),
    ("New consolidation in the left lower lobe.", same_status(ABNORMAL, "left lower lobe")),
    ("The pleural effusion has decreased.", same_status(ABNORMAL, "pleura")),
    ("Compared with the prior examination, the spleen is larger.", same_status(ABNORMAL, "spleen")),
]

REMOVED = [
    ("The gallbladder is surgically absent.", same_status(ABNORMAL, "gallbladder")),
    ("Gallbladder was not observed (operated).", same_status(ABNORMAL, "gallbladder")),
    ("Status post cholecystectomy.", same_status(ABNORMAL, "gallbladder")),
    ("The spleen has been removed.", same_status(ABNORMAL, "spleen")),
    ("The patient underwent hysterectomy.", same_status(ABNORMAL, "uterus")),
    ("Left kidney is absent.", same_status(ABNORMAL, "left kidney")),
    ("Status post right nephrectomy.", same_status(ABNORMAL, "right kidney")),
]

SENTENCES = [*SEVERAL, *CONTEXT, *PLACES, *IMPLIED, *NEGATED, *HEDGED, *OVER_TIME, *REMOVED]
