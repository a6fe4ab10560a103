"""Headings and labels that tell which part of what stands below them is meant."""

from __future__ import annotations

import pytest

from tests.curation.verification.caption_cases import assert_accepted, verify

SPINE = """CERVICAL SPINE:
No high-grade canal stenosis.
The endplates are sclerotic.
LUMBAR SPINE:
The spinal canal is narrow.
"""
LEVELS = """C4-C5: Disc bulge. Mild canal stenosis. Right foraminal narrowing.
C6-C7: No canal stenosis. Severe left foraminal narrowing.
"""
LEGS = """RIGHT LEG: SFA is occluded. Popliteal artery is patent.
LEFT LEG: Popliteal artery is occluded.
CHEST: Normal.
"""

SAME = [
    (SPINE, "cervical spine", "No high-grade canal stenosis."),
    (SPINE, "cervical spine", "Sclerotic endplates."),
    (SPINE, "lumbar spine", "Narrow spinal canal."),
    (LEVELS, "cervical spine", "Mild canal stenosis at C4-C5."),
    (LEVELS, "cervical spine", "Right foraminal narrowing at C4-C5."),
    (LEVELS, "cervical spine", "Severe left foraminal narrowing at C6-C7."),
    (LEVELS, "cervical spine", "No canal stenosis at C6-C7."),
    (LEGS, "right leg vessels", "SFA is occluded."),
    (LEGS, "right leg vessels", "Patent popliteal artery."),
    (LEGS, "left leg vessels", "Popliteal artery is occluded."),
    (LEGS, "arteries", "The left popliteal artery is occluded."),
]
"""Report, organ and a caption of the part that the heading tells."""

OTHER = [
    (SPINE, "thoracic spine", "No high-grade canal stenosis."),
    (SPINE, "cervical spine", "Narrow spinal canal."),
    (SPINE, "lumbar spine", "Sclerotic endplates."),
    (LEVELS, "cervical spine", "Mild canal stenosis at C6-C7."),
    (LEVELS, "cervical spine", "Severe left foraminal narrowing at C4-C5."),
    (LEVELS, "cervical spine", "No canal stenosis."),
    (LEVELS, "cervical spine", "No canal stenosis at C4-C5."),
    (LEVELS, "lumbar spine", "Mild canal stenosis."),
    (LEGS, "left leg vessels", "SFA is occluded."),
    (LEGS, "left leg vessels", "Patent popliteal artery."),
    (LEGS, "right leg vessels", "Popliteal artery is occluded."),
    (LEGS, "arteries", "The right popliteal artery is occluded."),
]
"""Report, organ and a caption of another part."""


@pytest.mark.parametrize(("report", "organ", "caption"), SAME)
def test_a_heading_tells_which_part_is_meant(report: str, organ: str, caption: str) -> None:
    assert_accepted(report, organ, caption)


@pytest.mark.parametrize(("report", "organ", "caption"), OTHER)
def test_what_is_under_another_heading_is_refused(report: str, organ: str, caption: str) -> None:
    assert not verify(report, organ, caption).accepted
