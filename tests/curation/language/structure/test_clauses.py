"""What the parts of a sentence share: the predicate of a list, the place of a finding, the side of a pair, and no more.

Each case is a sentence and what it says of one organ; the verifier must find that in it, and not the other claim.
"""

from __future__ import annotations

from functools import cache

import pytest

from curation.verification.verifier import Verifier


@cache
def verifier() -> Verifier:
    return Verifier()


def accepted(sentence: str, organ: str, claim: str) -> bool:
    return verifier().verify(verifier().read(sentence), organ, claim).accepted


KNOWN_FAILURES = {
    "Mild emphysema in the left lung. from Mild emphysema, severe in the left lung.": "the part has its own grade",
}
"""Claims that the code gets wrong, with the reason."""

SHARED = [
    # the predicate behind a list
    ("The liver, spleen and pancreas are normal.", "liver", "Normal liver."),
    ("The liver, spleen and pancreas are normal.", "spleen", "Normal spleen."),
    ("The liver, spleen and pancreas are not enlarged.", "liver", "The liver is not enlarged."),
    ("Liver, spleen: normal.", "liver", "Normal liver."),
    ("Neither the liver nor the spleen is enlarged.", "liver", "The liver is not enlarged."),
    # the finding before a list of places
    ("Nodules in the liver and the spleen.", "spleen", "Nodules in the spleen."),
    ("No mass in the liver, spleen or pancreas.", "pancreas", "No mass in the pancreas."),
    ("Calcified plaques in the aorta and coronary arteries.", "coronary arteries", "Calcified coronary plaques."),
    # the noun of a list of adjectives
    ("Pericardial and pleural effusion was not observed.", "pericardium", "No pericardial effusion."),
    ("Left renal and hepatic cysts.", "liver", "Hepatic cysts."),
    ("Left renal and hepatic cysts.", "left kidney", "Left renal cysts."),
    # the place of a list of findings
    ("Cyst and calcification in the liver.", "liver", "Calcification in the liver."),
    ("Cyst and calcification in the liver.", "liver", "Cyst in the liver."),
    ("No mass, cyst or stone in the left kidney.", "left kidney", "No cyst in the left kidney."),
    ("In the left kidney, there is a cyst and a stone.", "left kidney", "Stone in the left kidney."),
    ("Left kidney: cyst, stone.", "left kidney", "Left renal stone."),
    # a size or grade behind its finding
    ("There is a nodule in the left lung, 5 mm in size.", "left lung", "5 mm nodule in the left lung."),
    ("There is a nodule (5 mm) in the left lung.", "left lung", "5 mm nodule in the left lung."),
    ("Emphysema in both lungs, mild.", "lungs", "Mild emphysema in both lungs."),
    # the side of a pair
    ("Kidneys: stone on the left.", "left kidney", "Left renal stone."),
    ("Both kidneys are normal.", "right kidney", "The right kidney is normal."),
    ("There are cysts in both kidneys, and a stone on the left.", "left kidney", "Stone in the left kidney."),
    # clauses of their own
    ("The liver is enlarged while the spleen is normal.", "spleen", "Normal spleen."),
    ("The spleen is normal, the pancreas is atrophic.", "pancreas", "Atrophic pancreas."),
    # what a second clause says of the subject of the first
    (
        "The portal vein has a diameter of 16 mm and it shows thrombosis.",
        "portal vein",
        "Thrombosed portal vein with a diameter of 16 mm.",
    ),
    ("The spleen measures 15 cm and is enlarged.", "spleen", "Enlarged spleen measuring 15 cm."),
    (
        "In the left lung there is a chronic cavity, measuring 22 mm, unchanged.",
        "left lung",
        "Chronic 22 mm cavity in the left lung, unchanged.",
    ),
    (
        "There are cysts in both kidneys, the largest 4 cm in the left kidney.",
        "left kidney",
        "The largest cyst measures 4 cm in the left kidney.",
    ),
    # what is measured in several places
    ("Splenic cysts measure 8 mm and hepatic cysts 12 mm.", "liver", "12 mm hepatic cysts."),
    ("Liver cysts measure 5 mm in segment 2 and 9 mm in segment 7.", "liver", "9 mm cyst in segment 7."),
    ("Adrenal nodules of 30 mm on the right and 10 mm on the left.", "adrenal glands", "10 mm left adrenal nodule."),
    ("The right kidney is small and the left is enlarged.", "left kidney", "The left kidney is enlarged."),
    ("No stone in the right kidney but a cyst in the left kidney.", "left kidney", "Cyst in the left kidney."),
]
NOT_SHARED = [
    ("The liver is enlarged, the spleen and pancreas are normal.", "spleen", "Enlarged spleen."),
    ("The liver is enlarged, the spleen and pancreas are normal.", "liver", "Normal liver."),
    ("Cyst in the liver and stone in the gallbladder.", "liver", "Stone in the liver."),
    ("Cyst in the liver and stone in the gallbladder.", "gallbladder", "Cyst in the gallbladder."),
    ("Left renal and hepatic cysts.", "right kidney", "Right renal cysts."),
    ("5 mm cyst and calcification in the liver.", "liver", "5 mm calcification in the liver."),
    ("Mild emphysema and bronchiectasis in the left lung.", "left lung", "Severe bronchiectasis in the left lung."),
    ("Kidneys: stone on the left.", "right kidney", "Right renal stone."),
    ("There are cysts in both kidneys, and a stone on the left.", "right kidney", "Stone in the right kidney."),
    ("There are cysts in both kidneys, and a stone on the left.", "left kidney", "Stones in both kidneys."),
    ("The liver is enlarged while the spleen is normal.", "spleen", "Enlarged spleen."),
    ("The spleen is normal, the pancreas is atrophic.", "spleen", "Atrophic spleen."),
    ("No stone in the right kidney but a cyst in the left kidney.", "right kidney", "Cyst in the right kidney."),
    ("No stone in the right kidney but a cyst in the left kidney.", "left kidney", "No cyst in the left kidney."),
    ("Small nodule in the left lung, large mass in the right lung.", "left lung", "Large nodule in the left lung."),
    ("Small nodule in the left lung, large mass in the right lung.", "right lung", "Small mass in the right lung."),
    ("New nodule in the left lung and unchanged cyst in the liver.", "liver", "New cyst in the liver."),
    ("Possible cyst in the liver and stone in the gallbladder.", "liver", "Cyst in the liver."),
    ("A mass in the liver that displaces the stomach.", "stomach", "Mass in the stomach."),
    ("Cyst in the liver, calcified plaques in the aorta.", "liver", "Calcified cyst in the liver."),
    ("Three nodules in the left lung and a cyst in the liver.", "liver", "Three cysts in the liver."),
    ("Mild emphysema, severe in the left lung.", "left lung", "Mild emphysema in the left lung."),
    ("Pleural effusion on the left, atelectasis on the right.", "pleura", "Right pleural effusion."),
    ("The spleen measures 15 cm and there is a cyst.", "spleen", "15 cm splenic cyst."),
    ("The aorta has a diameter of 45 mm and contains a thrombus.", "aorta", "45 mm aortic thrombus."),
    (
        "There are cysts in both kidneys, the largest 4 cm in the left kidney.",
        "right kidney",
        "4 cm cyst in the right kidney.",
    ),
    # sizes, grades, times and sides of conjuncts
    ("Severe left and mild right hydronephrosis.", "right kidney", "Severe right hydronephrosis."),
    ("Severe left and mild right hydronephrosis.", "left kidney", "Mild left hydronephrosis."),
    ("Healed right and acute left clavicle fractures.", "bones", "Acute right clavicle fracture."),
    ("Healed right and acute left clavicle fractures.", "bones", "Healed left clavicle fracture."),
    ("New right, stable left pulmonary nodules.", "lungs", "New left pulmonary nodule."),
    ("Pleural and moderate pericardial effusion.", "pleura", "Moderate pleural effusion."),
    ("Severe coronary and mild aortic calcification.", "coronary arteries", "Mild coronary calcification."),
    ("A 4 mm right and a 7 mm left renal stone.", "right kidney", "7 mm right renal stone."),
    ("Liver cysts measure 5 mm in segment 2 and 9 mm in segment 7.", "liver", "9 mm cyst in segment 2."),
    ("Adrenal nodules of 30 mm on the right and 10 mm on the left.", "adrenal glands", "10 mm right adrenal nodule."),
    ("The left effusion has decreased and the right has increased.", "pleura", "Left pleural effusion has increased."),
    (
        "In the left kidney a 5 mm stone in the upper pole and a 9 mm stone in the lower pole.",
        "left kidney",
        "9 mm stone in the upper pole of the left kidney.",
    ),
    (
        "In the right upper lobe a 9 mm nodule is seen, and in the left lower lobe, a 4 mm calcified nodule.",
        "left lung",
        "9 mm nodule in the left lower lobe.",
    ),
    ("The mass in the right lung has increased and the effusion has decreased.", "right lung", "Decreased mass."),
    ("Small left adrenal gland and large bowel loops.", "bowel", "Small bowel loops."),
]


def cases(rows: list[tuple[str, str, str]]) -> list[object]:
    parameters: list[object] = []
    for sentence, organ, claim in rows:
        key = f"{claim} from {sentence}"
        marks = [pytest.mark.xfail(strict=True, reason=KNOWN_FAILURES[key])] if key in KNOWN_FAILURES else []
        parameters.append(pytest.param(sentence, organ, claim, id=key, marks=marks))
    return parameters


@pytest.mark.parametrize(("sentence", "organ", "claim"), cases(SHARED))
def test_what_parts_of_a_sentence_share(sentence: str, organ: str, claim: str) -> None:
    assert accepted(sentence, organ, claim)


@pytest.mark.parametrize(("sentence", "organ", "claim"), cases(NOT_SHARED))
def test_what_they_do_not_share(sentence: str, organ: str, claim: str) -> None:
    assert not accepted(sentence, organ, claim)
