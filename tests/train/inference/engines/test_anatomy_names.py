"""Prompts -> organs: whole ones, parts that the vocabulary files under an organ, and several at once."""

import pytest

from prompts.vocabulary import load_vocabulary
from train.inference.engines.anatomy_names import NamedOrgans, organs_named


@pytest.mark.parametrize(
    ("text", "organs"),
    [
        ("left kidney", ("left kidney",)),
        ("kidney_left", ("left kidney",)),
        ("lung_upper_lobe_left", ("left upper lobe",)),
        ("renal organs", ("kidneys",)),
        ("Left  Renal organ", ("left kidney",)),
        ("left lung inferior lobe", ("left lower lobe",)),
        ("lung tissue", ("lungs",)),
        ("thoracolumbar spine", ("thoracic spine", "lumbar spine")),
        ("both kidneys", ("kidneys",)),
        ("lungs, bilateral", ("lungs",)),
        ("Left and Right clavicle", ("clavicles",)),
        ("right femur and left femur", ("femora",)),
        ("left femur + right femur", ("femora",)),
        ("femur on the left side", ("left femur",)),
        ("adrenal glands on both sides", ("adrenal glands",)),
        ("L/R 4th rib", ("4th rib",)),
        ("vertebra T7", ("T7 vertebra",)),
        ("rib number 3 right", ("right 3rd rib",)),
        ("lobe of the lung, lower right", ("right lower lobe",)),
        ("masks/kidney_left.nii.gz", ("left kidney",)),
        ("left and right pancreas", ()),
        ("both left kidneys", ()),
        ("left left kidney", ()),
        ("left lung and right kidney", ()),
        ("no kidney", ()),
        ("banana", ()),
        ("renal organ failure", ()),
        ("intrarenal organ", ()),
    ],
)
def test_whole_organs(text: str, organs: tuple[str, ...]) -> None:
    assert organs_named(text, load_vocabulary()) == NamedOrgans(organs)


@pytest.mark.parametrize("text", ["fundus of the gallbladder", "left proximal femur", "L1 vertebral body"])
def test_a_part_without_an_entry_is_told_from_its_organ(text: str) -> None:
    named = organs_named(text, load_vocabulary())
    assert named.is_part and len(named.organs) == 1
