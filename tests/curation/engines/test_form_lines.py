"""The built-in engine on form lines: organs with their status, and captions that stand alone."""

from __future__ import annotations

import pytest

from curation.caption import Status

from .rules_sentences import ABNORMAL, NONE, NORMAL, UNCERTAIN, same_status
from .test_rules import captions, statuses

FORMS: list[tuple[str, dict[str, Status]]] = [
    ("[1] The thyroid is normal.\n[2] The prostate is large.", {"thyroid gland": NORMAL, "prostate": ABNORMAL}),
    ("Cholecystitis: no. Cysts: present.", {"gallbladder": NORMAL}),
    ("Thyroid -\nLarge.\nProstate -\nNormal.", {"thyroid gland": ABNORMAL, "prostate": NORMAL}),
    ("GALLBLADDER, KIDNEYS: stone", {}),
    ("r) The thyroid is normal.\ns) The prostate is large.", {"thyroid gland": NORMAL, "prostate": ABNORMAL}),
    (
        "Cholecystitis: no\nHydrocephalus: yes\nPneumoperitoneum: absent",
        {"gallbladder": NORMAL, "cerebral ventricles": ABNORMAL, "peritoneum": NORMAL},
    ),
    ("Hydronephrosis: right\nDiverticulosis: none", {"right kidney": ABNORMAL, "colon": NORMAL}),
    ("Infarct: left occipital lobe", {"left occipital lobe": ABNORMAL}),
    ("Abscess: 3 cm in the right psoas muscle", {"right psoas muscle": ABNORMAL}),
    ("Metastases: pancreas and left adrenal gland", {"pancreas": ABNORMAL, "left adrenal gland": ABNORMAL}),
    ("Dissection of the thoracic aorta: negative", {"thoracic aorta": NORMAL}),
    ("Pneumonia: possible", {"lungs": UNCERTAIN}),
    ("Thyroid: np\nTrachea: n.a.d.\nProstate: ok", same_status(NORMAL, "thyroid gland", "trachea", "prostate")),
    ("ADRENALS / SPLEEN: unremarkable", same_status(NORMAL, "left adrenal gland", "right adrenal gland", "spleen")),
    (
        "Bladder, prostate and rectum: within normal limits",
        same_status(NORMAL, "urinary bladder", "prostate", "rectum"),
    ),
    ("Cardiomegaly (+), pneumothorax (-).", {"heart": ABNORMAL, "pleura": NORMAL}),
    ("Cardiomegaly: +\nEmphysema: -", {"heart": ABNORMAL, "lungs": NORMAL}),
    ("Emphysema: -", NONE),
    ("+ Cardiomegaly\n- Emphysema\n- Colitis", {"heart": ABNORMAL}),
    ("- Cardiomegaly\n- Emphysema", {"heart": ABNORMAL, "lungs": ABNORMAL}),
    ("- Cardiomegaly\n  + mild\n- Emphysema", {"heart": ABNORMAL, "lungs": ABNORMAL}),
    ("Colitis? N\nCardiomegaly? Y", {"colon": NORMAL, "heart": ABNORMAL}),
    ("[ ] Colitis\n[x] Cirrhosis", {"liver": ABNORMAL}),
    ("Kidneys: ☐ normal ☒ atrophic", same_status(ABNORMAL, "left kidney", "right kidney")),
    ("Pancreas: [x] Normal [ ] Abnormal", {"pancreas": NORMAL}),
    ("Pancreas | normal\nUterus | fibroid 3 cm", {"pancreas": NORMAL, "uterus": ABNORMAL}),
    ("Liver: ____\nGallbladder: [ ]\nSpleen: n/a\nPancreas: not assessed", NONE),
    ("Liver\tnormal\nSpleen\t15 cm, enlarged", {"liver": NORMAL, "spleen": ABNORMAL}),
    ("Colitis\nNo\nCirrhosis\nYes", {"colon": NORMAL, "liver": ABNORMAL}),
]


@pytest.mark.parametrize(("text", "expected"), FORMS)
def test_organs_of_form_lines_and_their_status(text: str, expected: dict[str, Status]) -> None:
    assert statuses(text) == {organ: {status} for organ, status in expected.items()}


def test_captions_of_form_lines_stand_alone() -> None:
    text = "Colitis: no\nHydronephrosis: left\nSpleen: NAD\nCardiomegaly (+)"
    assert [(row.organ, row.caption, row.evidence) for row in captions(text)] == [
        ("colon", "Colon: no colitis", "Colitis: no"),
        ("left kidney", "Left kidney: left hydronephrosis", "Hydronephrosis: left"),
        ("spleen", "Spleen: normal", "Spleen: NAD"),
        ("heart", "Heart: cardiomegaly", "Cardiomegaly (+)"),
    ]
