"""An operation or a device that is planned is not there; what is looked after, or said to be done, is."""

from __future__ import annotations

import pytest

from curation.verification.verifier import Verifier

VERIFIER = Verifier()
PLANS = [
    ("Cholecystectomy is planned.", "gallbladder", "Status post cholecystectomy."),
    ("Cholecystectomy (planned).", "gallbladder", "Cholecystectomy."),
    ("Splenectomy, scheduled for June.", "spleen", "Splenectomy."),
    ("The patient is scheduled for splenectomy.", "spleen", "Splenectomy."),
    ("Gallstones, cholecystectomy is advised.", "gallbladder", "Cholecystectomy."),
    ("Awaiting liver transplantation.", "liver", "Liver transplantation."),
    ("The patient will undergo gastrectomy.", "stomach", "Gastrectomy."),
    ("Appendectomy was declined.", "appendix", "Appendectomy."),
    ("For prostatectomy.", "prostate", "Prostatectomy."),
    ("Evaluation prior to planned splenectomy.", "spleen", "Splenectomy."),
    ("Indication for splenectomy.", "spleen", "Splenectomy."),
    ("Assessment before kidney transplantation.", "kidneys", "Kidney transplantation."),
    ("A stent is to be placed in the left ureter.", "left ureter", "Left ureteral stent."),
    ("A pacemaker will be implanted.", "heart", "Pacemaker."),
    ("Consider a ureteral stent on the right.", "right ureter", "Right ureteral stent."),
    ("An aortic stent graft is intended.", "aorta", "Aortic stent graft."),
]
FACTS = [
    ("Status post cholecystectomy. Ultrasound is recommended.", "gallbladder", "Status post cholecystectomy."),
    ("Control after cholecystectomy is recommended.", "gallbladder", "Cholecystectomy."),
    ("Cholecystectomy was performed as planned.", "gallbladder", "Cholecystectomy."),
    ("Prior splenectomy; vaccination is recommended.", "spleen", "Prior splenectomy."),
    ("The left ureteral stent should be exchanged.", "left ureter", "Left ureteral stent."),
    ("A stent was placed in the left ureter.", "left ureter", "Left ureteral stent."),
    ("A pacemaker is present and will not interfere.", "heart", "A pacemaker is present."),
    ("A 6 mm nodule of the spleen should be followed up.", "spleen", "6 mm nodule of the spleen."),
    ("Cholecystectomy is planned.", "gallbladder", "Cholecystectomy is planned."),
]


@pytest.mark.parametrize(("report", "organ", "caption"), PLANS)
def test_plans(report: str, organ: str, caption: str) -> None:
    """A caption may not tell as done or present what is planned."""
    assert not VERIFIER.verify(VERIFIER.read(report), organ, caption).accepted


@pytest.mark.parametrize(("report", "organ", "caption"), FACTS)
def test_facts(report: str, organ: str, caption: str) -> None:
    """A plan for something else leaves a fact a fact."""
    assert VERIFIER.verify(VERIFIER.read(report), organ, caption).accepted
