"""Levels of the spine, branches of vessels and joined organs: names that stand inside other names."""

from __future__ import annotations

import pytest

from .caption_cases import assert_accepted, verify

SAME = [
    # two vertebrae of which one slips on the other meet at their disc
    ("Grade 1 retrolisthesis of L3 on L4.", "lumbar spine", "Grade 1 retrolisthesis at L3-L4."),
    ("2 mm anterolisthesis of C4 on C5.", "cervical spine", "C4-C5 anterolisthesis of 2 mm."),
    ("Grade 2 anterolisthesis at L5-S1.", "lumbar spine", "Grade 2 anterolisthesis of L5 on S1."),
    # a nerve root and an artery are no vertebra
    ("The right L5 nerve root is compressed.", "lumbar spine", "Compression of the right L5 nerve root."),
    ("Patent L3 lumbar artery.", "arteries", "Patent lumbar artery."),
    ("Moderate canal stenosis at L3-L4.", "lumbar spine", "Moderate spinal canal stenosis at L3-L4."),
    # branches of the coronary arteries
    ("OM1 is occluded.", "coronary arteries", "First obtuse marginal occlusion."),
    ("LAD: Calcified plaque.", "coronary arteries", "Calcified plaque in the left anterior descending artery."),
    ("LCx: Mixed plaque.", "coronary arteries", "Mixed plaque in the left circumflex artery."),
    ("RCA: Dominant.", "coronary arteries", "The right coronary artery is dominant."),
    ("First diagonal: noncalcified plaque.", "coronary arteries", "Noncalcified plaque in the first diagonal branch."),
    # an anastomosis belongs to both that it joins
    ("Patent ileocolic anastomosis.", "bowel", "Patent ileocolic anastomosis."),
    ("Patent ileocolic anastomosis.", "ileum", "Ileocolic anastomosis is patent."),
    ("The hepaticojejunostomy is patent.", "bile ducts", "Patent hepaticojejunostomy."),
    # vessels of the legs, spaces of the neck, the aneurysm that a stent graft excludes
    ("Right SFA occlusion over 12 cm.", "right leg vessels", "SFA occlusion over 12 cm."),
    ("Occlusion of the left popliteal artery.", "left lower extremity arteries", "Left popliteal artery occlusion."),
    ("Normal carotid spaces.", "vessels", "Normal carotid spaces."),
    ("Type II endoleak from an L4 lumbar artery.", "aorta", "Type II endoleak."),
    ("No type III endoleak.", "aorta", "No evidence of type III endoleak."),
    # one of several bones that are one organ
    ("Fracture of the scaphoid, sclerosis of the lunate.", "lunate", "Sclerosis of the lunate."),
    ("Fractures of the talus and calcaneus.", "calcaneus", "Calcaneus fracture."),
    ("Calcaneus: fracture. Nondisplaced.", "calcaneus", "Nondisplaced calcaneus fracture."),
    ("The carpal bones are normal.", "scaphoid", "The scaphoid is normal."),
    ("No carpal fracture.", "scaphoid", "No scaphoid fracture."),
    ("Scaphoid fracture.", "carpal bones", "Carpal bone fracture."),
]
"""Report, organ and a caption that names the same."""

OTHER = [
    ("Grade 1 retrolisthesis of L3 on L4.", "lumbar spine", "Grade 1 retrolisthesis at L4-L5."),
    ("Grade 1 retrolisthesis at L4-L5.", "lumbar spine", "Grade 1 retrolisthesis of L3 on L4."),
    ("The right L5 nerve root is compressed.", "L5 vertebra", "Compressed right nerve root."),
    ("The right L5 nerve root is compressed.", "nerve roots", "Compressed right L4 nerve root."),
    ("The right C6 nerve root is compressed.", "lumbar spine", "Compressed right nerve root."),
    ("Type II endoleak from an L4 lumbar artery.", "L4 vertebra", "Type II endoleak."),
    ("Type II endoleak from an L4 lumbar artery.", "lumbar spine", "Type II endoleak."),
    ("Type II endoleak from an L4 lumbar artery.", "aorta", "Type II endoleak from an L3 lumbar artery."),
    ("OM1 is occluded.", "coronary arteries", "Second obtuse marginal occlusion."),
    ("RCA: Dominant.", "coronary arteries", "The left circumflex artery is dominant."),
    ("The portal vein is occluded.", "portal vein", "The right portal vein is occluded."),
    ("D1 fracture.", "coronary arteries", "D1 fracture."),
    ("Patent ileocolic anastomosis.", "stomach", "Patent ileocolic anastomosis."),
    ("Right SFA occlusion over 12 cm.", "left leg vessels", "SFA occlusion over 12 cm."),
    ("Right SFA occlusion over 12 cm.", "veins", "SFA occlusion over 12 cm."),
    ("No type III endoleak.", "aorta", "No endoleak."),
    ("Triquetrum fracture; capitate intact.", "capitate", "Fracture of the capitate."),
    ("Cuboid fracture, talus unremarkable.", "talus", "Talus fracture."),
    ("Fracture of the scaphoid, sclerosis of the lunate.", "lunate", "Fracture of the lunate."),
    ("Carpal bone fracture.", "scaphoid", "Scaphoid fracture."),
    ("Lunate normal.", "carpal bones", "The carpal bones are normal."),
    ("No fracture of the talus.", "tarsal bones", "No tarsal fracture."),
]
"""Report, organ and a caption of another level, branch or organ."""


@pytest.mark.parametrize(("report", "organ", "caption"), SAME)
def test_the_same_part_by_another_name_is_accepted(report: str, organ: str, caption: str) -> None:
    assert_accepted(report, organ, caption)


@pytest.mark.parametrize(("report", "organ", "caption"), OTHER)
def test_another_part_is_refused(report: str, organ: str, caption: str) -> None:
    assert not verify(report, organ, caption).accepted
