"""Words of the lexicon that may stand for each other, and neighbours that may not."""

from __future__ import annotations

import pytest

from ..caption_cases import verifier

CARRIED = [
    ("Small volume of ascites.", "peritoneum", "Small ascites."),
    ("Tiny air droplet in the bladder.", "urinary bladder", "Tiny focus of gas in the bladder."),
    ("The distal left ureter is opacified.", "left ureter", "Opacification of the distal left ureter."),
    ("Low-attenuation focus in the spleen.", "spleen", "Hypodense area in the spleen."),
    ("Suspected patent foramen ovale.", "heart", "Suspected PFO."),
    ("Star-shaped scar in the spleen.", "spleen", "Stellate scar in the spleen."),
    ("Fungus ball in the left upper lobe.", "left lung", "Mycetoma in the left upper lobe."),
    ("Fatigue fracture of the left tibia.", "left tibia", "Stress fracture of the left tibia."),
    ("Splenic implants after trauma: splenosis.", "spleen", "Splenosis."),
    ("Pressure ulcer over the sacrum.", "sacrum", "Decubitus ulcer over the sacrum."),
    ("Desiccated disc at L4-L5.", "lumbar spine", "Disc dehydration at L4-L5."),
    ("Torus fracture of the right radius.", "right radius", "Buckle fracture of the right radius."),
    ("No step-like cortical breach of the left tibia.", "left tibia", "No step-like cortical break of the left tibia."),
    ("Necrotizing lesion of the left lung.", "left lung", "Left lung lesion with necrosis."),
]

REFUSED = [
    ("Bowel loops are well opacified.", "bowel", "Bowel opacities."),
    ("Small volume of ascites.", "peritoneum", "Large-volume ascites."),
    ("No large amount of ascites.", "peritoneum", "No ascites."),
    ("No severe degree of stenosis of the aorta.", "aorta", "No stenosis of the aorta."),
    ("No large area of infarction in the spleen.", "spleen", "No infarction in the spleen."),
    ("Wall-adherent thrombus in the aorta.", "aorta", "Occlusive thrombus in the aorta."),
    ("No displaced fracture of the left tibia.", "left tibia", "No fracture of the left tibia."),
    ("No cortical break of the left tibia.", "left tibia", "No abnormality of the left tibia."),
    ("High-attenuation focus in the spleen.", "spleen", "Low-attenuation focus in the spleen."),
    ("Nonocclusive thrombus in the portal vein.", "portal vein", "Occlusive thrombus in the portal vein."),
    ("Poor inspiration.", "lungs", "Hyperinflated lungs."),
    ("Stress fracture of the left tibia.", "left tibia", "Comminuted fracture of the left tibia."),
]


@pytest.mark.parametrize(("statement", "organ", "caption"), CARRIED)
def test_words_that_mean_the_same(statement: str, organ: str, caption: str) -> None:
    verification = verifier().verify(verifier().read(statement), organ, caption)
    assert verification.accepted, verification.detail


@pytest.mark.parametrize(("statement", "organ", "caption"), REFUSED)
def test_words_that_do_not(statement: str, organ: str, caption: str) -> None:
    assert not verifier().verify(verifier().read(statement), organ, caption).accepted
