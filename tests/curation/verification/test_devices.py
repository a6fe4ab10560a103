"""The organ under which a device is filed: itself, the organ that it lies in, by name or by its kind."""

from __future__ import annotations

import pytest

from .caption_cases import assert_accepted, verify

SAME = [
    ("IVC filter.", "inferior vena cava", "IVC filter."),
    ("IVC filter.", "vessels", "IVC filter."),
    ("IVC filter.", "devices", "IVC filter."),
    ("Left iliac stent is patent.", "iliac arteries", "Patent left iliac stent."),
    ("Left iliac stent is patent.", "left iliac artery", "Patent stent."),
    ("Left iliac stent is patent.", "vessels", "Patent stent in the left iliac artery."),
    ("Left external iliac stent is patent.", "vessels", "Patent stent in the left external iliac artery."),
    ("Aortobiiliac stent graft.", "aorta", "Aortobiiliac stent graft."),
    ("Mesh repair of a ventral hernia.", "abdominal wall", "Mesh repair of a ventral hernia."),
    ("Right chest tube.", "pleura", "Right chest tube."),
    ("Right chest tube.", "right pleura", "Right chest tube."),
    ("Left hip prosthesis.", "left hip", "Hip prosthesis."),
    ("Foley catheter in place.", "urinary bladder", "Foley catheter."),
    ("Pacemaker in the left chest wall.", "heart", "Pacemaker."),
    ("Right IJ line with tip at the cavoatrial junction.", "vessels", "Right IJ line, tip at the cavoatrial junction."),
    ("Right IJ line with tip at the cavoatrial junction.", "heart", "Right IJ line, tip at the cavoatrial junction."),
]
"""Report, organ that the device lies in, and the caption."""

OTHER = [
    ("IVC filter.", "superior vena cava", "IVC filter."),
    ("IVC filter.", "aorta", "IVC filter."),
    ("Left iliac stent is patent.", "right iliac artery", "Patent stent."),
    ("Left iliac stent is patent.", "carotid arteries", "Patent left iliac stent."),
    ("Left iliac stent is patent.", "vessels", "Patent stent in the left internal iliac artery."),
    ("Left iliac stent is patent.", "left iliac artery", "The left iliac artery is patent."),
    ("Right chest tube.", "left pleura", "Chest tube."),
    ("Left hip prosthesis.", "right hip", "Hip prosthesis."),
    ("Left hip prosthesis.", "left knee", "Hip prosthesis."),
    ("Foley catheter in place.", "stomach", "Foley catheter."),
    ("Foley catheter in place.", "urinary bladder", "The bladder is normal."),
    ("Nasogastric tube tip in the stomach.", "esophagus", "Nasogastric tube tip in the esophagus."),
    ("No stent graft.", "aorta", "No stent."),
]
"""Report, organ and a caption of another place."""


@pytest.mark.parametrize(("report", "organ", "caption"), SAME)
def test_a_device_is_filed_where_its_kind_lies(report: str, organ: str, caption: str) -> None:
    assert_accepted(report, organ, caption)


@pytest.mark.parametrize(("report", "organ", "caption"), OTHER)
def test_a_device_is_refused_under_another_organ(report: str, organ: str, caption: str) -> None:
    assert not verify(report, organ, caption).accepted
