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
