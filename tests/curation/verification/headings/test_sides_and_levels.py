"""Headings that say the side or level of what stands below them, and captions that leave it to their organ."""

from __future__ import annotations

import pytest

from tests.curation.verification.caption_cases import assert_accepted, verify

LEGS = """RIGHT LEG
CFA: Patent
SFA: Occluded from its origin
Popliteal arteries: no aneurysm

LEFT LEG
CFA: Calcified plaque
Popliteal artery: 22 mm aneurysm

ABDOMEN
The kidneys are normal.
"""
EARS = """Right side:
- External auditory canal is narrow.
- The mastoid air cells are opacified.
Left side:
- The mastoid air cells are clear.
Both sides: the inner ears are normal.
"""
LABELS = """Left chest: the ribs are intact. The pleura is thick.
Right chest: the 4th and 5th ribs are fractured. Right: no effusion. The kidneys are normal.
The adrenal glands are small.
"""
LEVELS = """L2-L3: Disc bulge. Canal: narrow. Foramina: patent.
L4-L5: Canal patent. The left foramen is narrow.
The canal is not assessed elsewhere.
"""
NESTED = """Kidneys: normal in size. Left: two stones. Ureters: the right is wide, the left normal.
Right kidney: 12 mm mass. Bosniak I cyst. No stone.
"""
PLAIN = "Right ureter is wide. Left ureter is of normal calibre. Left popliteal artery is patent."

CARRIED = [
    (LEGS, "right femoral artery", "CFA is patent."),
    (LEGS, "right femoral artery", "Right SFA is occluded from its origin."),
    (LEGS, "left femoral artery", "Calcified plaque in the left CFA."),
    (LEGS, "left popliteal artery", "22 mm aneurysm of the left popliteal artery."),
    (LEGS, "right popliteal artery", "No aneurysm of the right popliteal artery."),
    (LEGS, "left kidney", "The left kidney is normal."),
    (EARS, "right mastoid air cells", "The right mastoid air cells are opacified."),
    (EARS, "left mastoid air cells", "Clear left mastoid air cells."),
    (EARS, "right external auditory canal", "Narrow right external auditory canal."),
    (EARS, "right inner ear", "The right inner ear is normal."),
    (LABELS, "left ribs", "The left ribs are intact."),
    (LABELS, "right 5th rib", "Fracture of the right 5th rib."),
    (LABELS, "left adrenal gland", "Small left adrenal gland."),
    (LEVELS, "spinal canal", "Narrow spinal canal at L2-L3."),
    (LEVELS, "spinal canal", "Patent spinal canal at L4-L5."),
    (LEVELS, "neural foramina", "Patent foramina at L2-L3."),
    (LEVELS, "left neural foramen", "Narrow left foramen at L4-L5."),
    (NESTED, "left kidney", "Two left renal stones."),
    (NESTED, "right ureter", "The right ureter is wide."),
    (NESTED, "right kidney", "No stone in the right kidney."),
    (PLAIN, "left ureter", "Ureter of normal calibre."),
    (PLAIN, "right ureter", "The ureter is wide."),
    (PLAIN, "left lower extremity", "The popliteal artery is patent."),
]
"""Report, organ and a caption on the side that the heading, the label or the organ of the caption says."""

NOT_CARRIED = [
    (LEGS, "left femoral artery", "CFA is patent."),
    (LEGS, "left femoral artery", "Left SFA is occluded from its origin."),
    (LEGS, "right femoral artery", "Calcified plaque in the right CFA."),
    (LEGS, "right popliteal artery", "22 mm aneurysm of the right popliteal artery."),
    (LEGS, "popliteal arteries", "No aneurysm of the popliteal arteries."),
    (EARS, "left mastoid air cells", "The left mastoid air cells are opacified."),
    (EARS, "right mastoid air cells", "Clear right mastoid air cells."),
    (EARS, "left external auditory canal", "Narrow left external auditory canal."),
    (LABELS, "right ribs", "The right ribs are intact."),
    (LABELS, "left 5th rib", "Fracture of the left 5th rib."),
    (LEVELS, "spinal canal", "Narrow spinal canal at L4-L5."),
    (LEVELS, "left neural foramen", "Narrow left foramen at L2-L3."),
    (LEVELS, "right neural foramen", "Narrow right foramen at L4-L5."),
    (NESTED, "right kidney", "Two right renal stones."),
    (NESTED, "left ureter", "The left ureter is wide."),
    (NESTED, "left kidney", "No stone in the left kidney."),
    (PLAIN, "right ureter", "Ureter of normal calibre."),
    (PLAIN, "left ureter", "The ureter is wide."),
    (PLAIN, "right lower extremity", "The popliteal artery is patent."),
    (PLAIN, "left popliteal artery", "The popliteal arteries are patent."),
]
"""Report, organ and a caption on the other side, or on both."""


@pytest.mark.parametrize(("report", "organ", "caption"), CARRIED)
def test_a_heading_says_the_side_of_what_stands_below_it(report: str, organ: str, caption: str) -> None:
    assert_accepted(report, organ, caption)


@pytest.mark.parametrize(("report", "organ", "caption"), NOT_CARRIED)
def test_what_stands_below_the_heading_of_one_side_is_not_of_the_other(report: str, organ: str, caption: str) -> None:
    assert not verify(report, organ, caption).accepted


@pytest.mark.parametrize(
    ("report", "organ", "caption"),
    [
        ("The facet joints are normal. Canal: narrow.", "facet joints", "Narrow facet joints."),
        ("The spleen is normal. Quadriceps: torn.", "spleen", "Torn spleen."),
        ("Femoral artery: patent. Profunda: occluded.", "femoral arteries", "The femoral artery is occluded."),
    ],
)
def test_what_stands_behind_an_unknown_label_is_not_about_the_organ_before_it(
    report: str, organ: str, caption: str
) -> None:
    assert not verify(report, organ, caption).accepted


def test_the_evidence_reaches_from_the_heading_to_the_statement() -> None:
    verdict = verify(EARS, "right mastoid air cells", "The right mastoid air cells are opacified.")
    assert EARS[verdict.start : verdict.end].startswith("Right side:")
    assert EARS[verdict.start : verdict.end].endswith("opacified.")
