"""What refers to another statement is named in the caption where one thing is meant, and else left out."""

from __future__ import annotations

import re

import pytest

from tests.curation.engines.test_caption_wording import captions, of

_PRONOUN = re.compile(r"(?:^|: )(?:it|its|they|their|this|these|those)\b", re.IGNORECASE)


@pytest.mark.parametrize(
    ("text", "organ", "caption"),
    [
        (
            "A 3 cm mass in the left kidney. It is hypervascular.",
            "left kidney",
            "Left kidney: the mass is hypervascular",
        ),
        ("Left pleural effusion. This has decreased.", "left pleura", "The left pleural effusion has decreased"),
        ("Gallbladder: stones. The largest is 9 mm.", "gallbladder", "Gallbladder: the largest stone is 9 mm"),
        ("The spleen is normal. Its contours are smooth.", "spleen", "Spleen: contours are smooth"),
        ("No mass in the pancreas. It is normal in size.", "pancreas", "The pancreas is normal in size"),
        (
            "Fracture of the right 8th rib. It is displaced.",
            "right 8th rib",
            "Right 8th rib: the fracture is displaced",
        ),
        (
            "Fat stranding. These findings are consistent with appendicitis.",
            "appendix",
            "Appendix: findings are consistent with appendicitis",
        ),
        ("Nodules in both lungs. The largest measures 7 mm.", "lungs", "The largest nodule measures 7 mm"),
        (
            "Nodules in both lungs. The largest of these nodules is in the left lower lobe.",
            "left lower lobe",
            "The largest of the nodules is in the left lower lobe",
        ),
        ("This examination shows a normal spleen.", "spleen", "This examination shows a normal spleen"),
        (
            "The diameter of the aorta is 44 mm and it is wider than normal.",
            "aorta",
            "The diameter of the aorta is 44 mm and it is wider than normal",
        ),
        ("Those cysts in the liver are stable.", "liver", "Cysts in the liver are stable"),
        # labels of a level of the spine
        ("L2-3: Bulge. Mild canal stenosis.", "spinal canal", "L2-3: mild canal stenosis"),
        ("At C4-5, moderate canal narrowing.", "spinal canal", "C4-5: moderate canal narrowing"),
        ("C6-7: Bulge. The foramina are narrow.", "neural foramina", "C6-7: the foramina are narrow"),
    ],
)
def test_what_is_meant_is_named(text: str, organ: str, caption: str) -> None:
    assert caption in of(organ, text)


@pytest.mark.parametrize(
    "text",
    [
        "A cyst in the liver and a cyst in the spleen. It measures 5 mm.",
        "Plaques in the aorta. It has an ectatic appearance.",
        "This may represent pneumonia.",
        "It indents the bladder.",
        "Two lesions in the liver. One measures 2 cm. The other measures 4 cm.",
        "Stones in both kidneys. The larger is in the left kidney.",
        "There is a hernia in the abdominal wall. Its neck is 2 cm wide.",
        "Both kidneys show cysts. That on the left measures 4 cm.",
        "No nodules in the left lung. Those in the right lung measure 5 mm.",
        "Left adrenal mass 2 cm; right adrenal clear. This measures 9 mm less.",
        "Prominent paratracheal and subcarinal nodes. The largest measures 2 cm.",
        "Pneumonia in the right lower lobe. A small effusion is associated with it.",
    ],
)
def test_no_caption_begins_with_a_pronoun(text: str) -> None:
    assert not [caption for _, caption in captions(text) if _PRONOUN.search(caption) or "measures" in caption]


def test_a_label_of_another_line_is_no_level() -> None:
    assert "L2-3: mild canal stenosis" not in of("spinal canal", "L2-3: Bulge.\n\nMild canal stenosis.")
