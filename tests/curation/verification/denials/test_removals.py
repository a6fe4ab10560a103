"""Organs and devices that were taken out, and operations that are past by nature."""

from __future__ import annotations

import pytest

from ..caption_cases import assert_accepted, verify

SAME = [
    ("The nasogastric tube has been removed.", "devices", "Interval removal of the nasogastric tube."),
    ("Status post cholecystectomy.", "gallbladder", "Prior cholecystectomy."),
    ("S/p cholecystectomy.", "gallbladder", "Previous cholecystectomy."),
    ("History of cholecystectomy.", "gallbladder", "Prior cholecystectomy."),
    ("Prior cholecystectomy.", "gallbladder", "Status post cholecystectomy."),
    ("Prior cholecystectomy.", "gallbladder", "Cholecystectomy."),
    ("Status post splenectomy.", "spleen", "The spleen is absent."),
    ("Prior splenectomy.", "spleen", "The spleen is surgically absent."),
    ("The uterus was not seen secondary to surgery.", "uterus", "The uterus is surgically absent."),
    ("The gallbladder is not visualised due to prior surgery.", "gallbladder", "The gallbladder is surgically absent."),
    ("Postoperative changes of right hemicolectomy.", "colon", "Status post right hemicolectomy."),
    ("Patient is status post cholecystectomy.", "gallbladder", "The gallbladder is surgically absent."),
    ("Patient is status post cholecystectomy.", "gallbladder", "Cholecystectomy."),
    ("Status post left nephrectomy.", "left kidney", "The left kidney is surgically absent."),
    ("The gallbladder was removed.", "gallbladder", "Status post cholecystectomy."),
    ("The gallbladder has been resected.", "gallbladder", "Prior cholecystectomy."),
    ("Hysterectomy.", "uterus", "Absent uterus following hysterectomy."),
    ("Findings consistent with interval splenectomy.", "spleen", "Splenectomy."),
    ("Stable post-surgical changes of the liver.", "liver", "Unchanged post-surgical changes of the liver."),
]
"""Report, organ and a caption that says the same of what was taken out."""

OTHER = [
    ("Interval removal of the nasogastric tube.", "devices", "Nasogastric tube."),
    ("The nasogastric tube has been removed.", "devices", "Nasogastric tube."),
    ("The pacemaker has been explanted.", "devices", "Pacemaker."),
    ("Status post splenectomy.", "spleen", "The spleen is normal."),
    ("The gallbladder is not seen.", "gallbladder", "The gallbladder is surgically absent."),
    ("Status post removal of the left ureteral stent.", "left ureter", "Left ureteral stent."),
    ("The drain was removed.", "devices", "Drain."),
    ("Endotracheal tube has been removed since the prior radiograph.", "devices", "Endotracheal tube."),
    ("Status post partial nephrectomy on the left.", "left kidney", "The left kidney is absent."),
    ("Status post left nephrectomy.", "right kidney", "The right kidney is surgically absent."),
    ("The gallbladder is absent.", "gallbladder", "Prior cholecystectomy."),
    ("Possible prior splenectomy.", "spleen", "The spleen is absent."),
    ("Congenital absence of the gallbladder.", "gallbladder", "Prior cholecystectomy."),
    ("The spleen is not seen.", "spleen", "Prior splenectomy."),
    ("Lobectomy of the right upper lobe.", "lungs", "The lungs are absent."),
    ("Likely prior splenectomy.", "spleen", "Prior splenectomy."),
    ("Left partial nephrectomy.", "left kidney", "Left nephrectomy."),
    ("Distal pancreatectomy.", "pancreas", "Pancreatectomy."),
    ("Sleeve gastrectomy.", "stomach", "Gastrectomy."),
]
"""Report, organ and a caption that says more of it, or leaves the removal off."""


@pytest.mark.parametrize(("report", "organ", "caption"), SAME)
def test_a_removal_in_other_words_is_accepted(report: str, organ: str, caption: str) -> None:
    assert_accepted(report, organ, caption)


@pytest.mark.parametrize(("report", "organ", "caption"), OTHER)
def test_a_removal_that_is_left_off_or_invented_is_refused(report: str, organ: str, caption: str) -> None:
    assert not verify(report, organ, caption).accepted
