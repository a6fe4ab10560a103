"""Findings, measures and qualifiers: what is denied, sized or graded in another way is refused, what is said is not."""

from __future__ import annotations

import pytest

from curation.caption import Reason

from ..caption_cases import (
    SIZED,
    TURNED,
    UNSAID,
    PairTable,
    accepted_of_pairs,
    assert_accepted,
    assert_names_one_case_each,
    assert_refused,
    cases,
    refused_of_pairs,
)

POLARITY = [
    ("No pleural effusion.", "pleura", "No pleural effusion.", "Pleural effusion."),
    (
        "Pleural effusion was not observed.",
        "pleura",
        "Pleural effusion was not observed",
        "Pleural effusion was observed",
    ),
    ("Pleural effusion was not observed.", "pleura", "No pleural effusion.", "Pleural effusion"),
    ("There is a stone in the gallbladder.", "gallbladder", "Gallbladder stone.", "No stone in the gallbladder."),
    ("The spleen is enlarged.", "spleen", "Enlarged spleen.", "The spleen is not enlarged."),
    ("The liver is free of focal lesions.", "liver", "No focal lesion in the liver.", "Focal lesion in the liver."),
    ("Hydronephrosis is absent in both kidneys.", "kidneys", "No hydronephrosis.", "Hydronephrosis in both kidneys."),
    (
        "Pericardial effusion and thickening were not detected.",
        "pericardium",
        "No pericardial thickening.",
        "Pericardial effusion and thickening",
    ),
    (
        "There is no stone in the gallbladder, but there is sludge in the gallbladder.",
        "gallbladder",
        "Gallbladder sludge.",
        "No sludge in the gallbladder.",
    ),
    ("The appendix is not dilated.", "appendix", "Appendix is not dilated", "The appendix is dilated."),
    ("No mass or nodule in the lungs.", "lungs", "No nodule in the lungs.", "Nodule in the lungs."),
    ("The pancreas is normal.", "pancreas", "Normal pancreas.", "Abnormal pancreas."),
]

NUMBER = [
    ("A 5 mm nodule in the left lung.", "left lung", "5 mm nodule in the left lung.", "6 mm nodule in the left lung."),
    (
        "A 5 mm nodule in the left lung.",
        "left lung",
        "0.5 cm nodule in the left lung.",
        "5 cm nodule in the left lung.",
    ),
    ("A 12x9 mm cyst in the liver.", "liver", "12 x 9 mm liver cyst.", "12 x 8 mm liver cyst."),
    ("A 12x9 mm cyst in the liver.", "liver", "1.2 x 0.9 cm liver cyst.", "1.2 x 0.9 mm liver cyst."),
    ("A cyst of 1,5 cm in the liver.", "liver", "1.5 cm cyst in the liver.", "15 cm cyst in the liver."),
    (
        "The left adrenal nodule has -5 HU.",
        "left adrenal gland",
        "Left adrenal nodule, -5 HU.",
        "Left adrenal nodule, 5 HU.",
    ),
    ("About 250 ml of ascites.", "peritoneum", "Ascites of 250 ml.", "Ascites of 250 cm."),
    ("The spleen measures 14.5 cm.", "spleen", "The spleen measures 145 mm.", "The spleen measures 14.5 mm."),
]

COUNT = [
    ("Three nodules in the left lung.", "left lung", "3 nodules in the left lung.", "Two nodules in the left lung."),
    ("Two cysts in the liver.", "liver", "Two cysts in the liver.", "Multiple cysts in the liver."),
    (
        "A nodule is seen in the left lung.",
        "left lung",
        "Nodule in the left lung.",
        "Multiple nodules in the left lung.",
    ),
]

SEVERITY = [
    ("Mild emphysema in both lungs.", "lungs", "Mild emphysema.", "Severe emphysema."),
    ("Mild emphysema in both lungs.", "lungs", "Slight emphysema in both lungs.", "Marked emphysema in both lungs."),
    ("Moderate right hydronephrosis.", "right kidney", "Moderate right hydronephrosis.", "Mild right hydronephrosis."),
    ("Emphysema in both lungs.", "lungs", "Emphysema in both lungs.", "Extensive emphysema in both lungs."),
    (
        "Small left pleural effusion.",
        "left pleura",
        "Small effusion of the left pleura.",
        "Large left pleural effusion.",
    ),
    ("A hypodense lesion in the liver.", "liver", "Hypodense liver lesion.", "Hyperdense liver lesion."),
    (
        "Focal wall thickening of the colon.",
        "colon",
        "Focal colonic wall thickening.",
        "Diffuse colonic wall thickening.",
    ),
    ("A subcentimetric cyst in the liver.", "liver", "Subcentimetric liver cyst.", "Giant liver cyst."),
]

HEDGE = [
    ("Possible cyst in the liver.", "liver", "Possible liver cyst.", "Cyst in the liver."),
    ("The pancreas may be enlarged.", "pancreas", "Pancreas may be enlarged", "The pancreas is enlarged."),
    (
        "A stone in the gallbladder cannot be excluded.",
        "gallbladder",
        "Possible gallbladder stone.",
        "Gallbladder stone.",
    ),
    (
        "Pneumonia in the right lower lobe?",
        "right lower lobe",
        "Possible pneumonia in the right lower lobe.",
        "Pneumonia in the right lower lobe.",
    ),
    ("There is a cyst in the liver.", "liver", "Cyst in the liver.", "Possible cyst in the liver."),
    (
        "There is a nodule in the left lung, probably benign.",
        "left lung",
        "Left lung nodule, probably benign.",
        "Left lung nodule, benign.",
    ),
    ("No metastasis in the liver.", "liver", "No liver metastasis.", "Possible metastasis in the liver."),
]

TIME = [
    ("Nodule in the left lung.", "left lung", "Nodule in the left lung.", "New nodule in the left lung."),
    ("The liver cyst is unchanged.", "liver", "Unchanged liver cyst.", "The liver cyst has increased."),
    (
        "The left pleural effusion has decreased.",
        "pleura",
        "Decreased left pleural effusion.",
        "Increased pleural effusion.",
    ),
    ("Acute infarct in the spleen.", "spleen", "Acute splenic infarct.", "Chronic splenic infarct."),
    (
        "Old fracture of the left clavicle.",
        "left clavicle",
        "Old left clavicle fracture.",
        "Acute left clavicle fracture.",
    ),
    (
        "The nodule previously seen in the left lung is no longer observed.",
        "left lung",
        "The nodule previously seen in the left lung is no longer observed",
        "The nodule previously seen in the left lung is observed",
    ),
    (
        "Previously described right pleural effusion has resolved.",
        "right pleura",
        "The right pleural effusion has resolved.",
        "Right pleural effusion.",
    ),
]

INVENTED = [
    ("Cyst in the liver.", "liver", "Liver cyst.", "Hemorrhagic cyst in the liver."),
    ("Cyst in the liver.", "liver", "Cyst in the liver.", "Cyst in the liver with septation."),
    ("Nodule in the left lung.", "left lung", "Left lung nodule.", "Spiculated nodule in the left lung."),
    (
        "A calcified nodule in the right lung.",
        "right lung",
        "Calcified right lung nodule.",
        "Cavitary right lung nodule.",
    ),
    ("The spleen is enlarged.", "spleen", "Enlarged spleen.", "The spleen is enlarged due to lymphoma."),
    ("The liver is enlarged.", "liver", "Enlarged liver", "The liver is enlarged and there is ascites."),
    (
        "Stone in the left kidney.",
        "left kidney",
        "Left kidney stone.",
        "Stone in the left kidney, with hydronephrosis.",
    ),
    ("The heart is normal.", "heart", "Normal heart.", "The heart is normal and the valves are intact."),
    (
        "Osteophytes in the thoracic spine.",
        "thoracic spine",
        "Thoracic spine osteophytes.",
        "Thoracic spine fractures.",
    ),
]

UNFAITHFUL = [
    # grades and classes
    ("Grade 1 hydronephrosis on the left.", "left kidney", "Grade 3 hydronephrosis on the left.", SIZED),
    ("Type A dissection of the aorta.", "aorta", "Type B dissection of the aorta.", (*SIZED, *UNSAID)),
    ("20 % compression of T8.", "T8 vertebra", "50 % compression of T8.", SIZED),
    ("Cyst of 2-3 cm in the liver.", "liver", "Cyst of 2-8 cm in the liver.", SIZED),
    # opposites by prefix
    ("Noncalcified nodule in the left lung.", "left lung", "Calcified nodule in the left lung.", (*TURNED, *UNSAID)),
    ("Non-obstructing left renal stone.", "left kidney", "Obstructing left renal stone.", (*TURNED, *UNSAID)),
    ("Irregular contour of the liver.", "liver", "Regular contour of the liver.", (*TURNED, *UNSAID)),
    ("Incomplete left clavicle fracture.", "left clavicle", "Complete left clavicle fracture.", (*TURNED, *UNSAID)),
    ("Undisplaced left clavicle fracture.", "left clavicle", "Displaced left clavicle fracture.", (*TURNED, *UNSAID)),
    ("Inhomogeneous liver.", "liver", "Homogeneous liver.", (*TURNED, *UNSAID)),
    # qualities
    ("Solid nodule in the left lung.", "left lung", "Part-solid nodule in the left lung.", UNSAID),
    ("Solid nodule in the left lung.", "left lung", "Cystic nodule in the left lung.", UNSAID),
    ("Simple cyst of the liver.", "liver", "Complex cyst of the liver.", UNSAID),
    ("Benign cyst of the liver.", "liver", "Malignant cyst of the liver.", UNSAID),
    (
        "Partial collapse of the left lower lobe.",
        "left lower lobe",
        "Complete collapse of the left lower lobe.",
        UNSAID,
    ),
    ("Aneurysm of the abdominal aorta.", "aorta", "Ruptured aneurysm of the abdominal aorta.", UNSAID),
]

PAIRS: list[PairTable] = [
    ("polarity", (Reason.NEGATION, Reason.NOT_GROUNDED), POLARITY),
    ("number", (Reason.MEASUREMENT,), NUMBER),
    ("count", SIZED, COUNT),
    ("severity", (Reason.MODIFIER,), SEVERITY),
    ("hedge", TURNED, HEDGE),
    ("time", TURNED, TIME),
    ("invented", (*UNSAID, Reason.WRONG_ORGAN), INVENTED),
]
KNOWN_FAILURES: dict[str, str] = {
    "not severity: Hyperdense liver lesion.": "refused as not_grounded, not as modifier",
}
"""Cases that the code gets wrong, with the reason."""

ACCEPTED = accepted_of_pairs(PAIRS, KNOWN_FAILURES)
REFUSED = refused_of_pairs(PAIRS, KNOWN_FAILURES) + cases("unfaithful", UNFAITHFUL, KNOWN_FAILURES)


@pytest.mark.parametrize(("report", "organ", "caption"), ACCEPTED)
def test_what_the_report_says_is_accepted(report: str, organ: str, caption: str) -> None:
    assert_accepted(report, organ, caption)


@pytest.mark.parametrize(("report", "organ", "caption", "reasons"), REFUSED)
def test_what_it_does_not_say_is_refused(report: str, organ: str, caption: str, reasons: tuple[Reason, ...]) -> None:
    assert_refused(report, organ, caption, reasons)


def test_each_known_failure_names_one_case() -> None:
    assert_names_one_case_each(KNOWN_FAILURES, ACCEPTED + REFUSED)
