"""Form lines in reports and captions: which captions they carry, and what the lines below them go on about."""

from __future__ import annotations

from functools import cache

import pytest

from curation.verification.verifier import Verifier


@cache
def verifier() -> Verifier:
    return Verifier()


@pytest.mark.parametrize(
    ("report", "organ", "caption"),
    [
        ("Colitis: no\nHydrocephalus: yes", "colon", "no colitis"),
        ("Colitis: no\nHydrocephalus: yes", "cerebral ventricles", "hydrocephalus"),
        ("Colitis: no", "colon", "Colitis: no"),
        ("Abscess: 3 cm in the right psoas muscle", "right psoas muscle", "3 cm abscess in the right psoas muscle"),
        ("Hydronephrosis? R", "right kidney", "right hydronephrosis"),
        ("Thyroid: np", "thyroid gland", "the thyroid is normal"),
        ("Thyroid: np", "thyroid gland", "Thyroid: np"),
        ("Bladder/prostate: NAD", "prostate", "normal prostate"),
        ("Kidneys: ☐ normal ☒ atrophic", "left kidney", "atrophic left kidney"),
        ("Cardiomegaly (+), emphysema (-)", "lungs", "no emphysema"),
        ("Cardiomegaly (+), emphysema (-)", "heart", "Cardiomegaly (+)"),
        ("Cardiomegaly: +\nEmphysema: -", "lungs", "no emphysema"),
        ("Metastases: both adrenals and spleen", "spleen", "splenic metastases"),
        ("Kidney | left | atrophic", "left kidney", "left kidney is atrophic"),
    ],
)
def test_a_caption_that_says_what_a_form_line_says_is_accepted(report: str, organ: str, caption: str) -> None:
    verdict = verifier().verify(verifier().read(report), organ, caption)
    assert verdict.accepted, verdict


@pytest.mark.parametrize(
    ("report", "organ", "caption"),
    [
        ("Colitis: no\nHydrocephalus: yes", "colon", "colitis"),
        ("Colitis: no\nHydrocephalus: yes", "cerebral ventricles", "no hydrocephalus"),
        ("Colitis: no", "colon", "Colitis: yes"),
        ("[ ] Splenic infarct\n[x] Gallstones", "spleen", "splenic infarct"),
        ("[ ] Splenic infarct\n[x] Gallstones", "spleen", "no splenic infarct"),
        ("Kidneys: ☐ normal ☒ atrophic", "left kidney", "normal left kidney"),
        ("Emphysema: -", "lungs", "emphysema"),
        ("Emphysema: -", "lungs", "no emphysema"),
        ("Hydronephrosis: left", "right kidney", "right hydronephrosis"),
        ("Thyroid: n/a", "thyroid gland", "normal thyroid"),
        ("Thyroid: n/a", "thyroid gland", "Thyroid: n/a"),
        ("Masses: The pancreas is atrophic.", "pancreas", "pancreatic mass"),
        ("Emphysema (+), mainly apical", "lungs", "Emphysema (+), mainly apical due to smoking"),
        ("Spleen: normal / enlarged", "spleen", "enlarged spleen"),
        ("Pleural effusion / ascites: yes", "peritoneum", "ascites"),
        ("Thyroid: NAD\nCysts: yes", "thyroid gland", "thyroid cysts"),
        ("Kidneys: stones\nPancreas: ___\nNo mass.", "left kidney", "no mass in the left kidney"),
    ],
)
def test_a_caption_that_says_something_else_is_refused(report: str, organ: str, caption: str) -> None:
    verdict = verifier().verify(verifier().read(report), organ, caption)
    assert not verdict.accepted, verdict


def test_the_evidence_is_the_form_line_in_the_text_as_given() -> None:
    text = "FINDINGS:\r\n  Colitis:   no\r\n  Hernia? Y"
    read = verifier().read(text)
    verdict = verifier().verify(read, "colon", "no colitis")
    assert text[verdict.start : verdict.end] == "Colitis:   no"


def test_lines_below_a_heading_go_on_about_its_organ_and_fields_about_none_before_them() -> None:
    contexts = [statement.context for statement in verifier().read("Liver:\nCysts: none\nMasses: none").statements]
    assert contexts == [(), ("liver",), ("liver",)]
    contexts = [statement.context for statement in verifier().read("Liver: NAD\nCysts: none\nMasses: yes").statements]
    assert contexts == [(), (), ()]
