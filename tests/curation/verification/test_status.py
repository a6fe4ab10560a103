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


def status(*sentences: str) -> Status:
    return status_of(*(parser().parse(sentence) for sentence in sentences))


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


FINDINGS = st.sampled_from(["mass", "cyst", "stone", "fracture", "effusion", "calcification", "aneurysm", "hematoma"])


@given(
    FINDINGS, st.sampled_from(["", "large ", "5 mm ", "calcified "]), st.sampled_from(["liver", "spleen", "left lung"])
)
def test_a_finding_is_abnormal_its_denial_normal_and_its_suspicion_uncertain(what: str, kind: str, organ: str) -> None:
    assert status(f"There is a {kind}{what} in the {organ}.") == "abnormal"
    assert status(f"No {kind}{what} in the {organ}.") == "normal"
    assert status(f"{kind}{what} was not seen in the {organ}.") == "normal"
    assert status(f"Possible {kind}{what} in the {organ}.") == "uncertain"
