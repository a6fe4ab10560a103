"""Prompts that name several structures side by side -> a prompt for each, with what they share."""

import pytest

from prompts.vocabulary import load_vocabulary
from train.inference.engines.anatomy_names import organs_named
from train.inference.engines.coordination import members_of


@pytest.mark.parametrize(
    ("text", "organs"),
    [
        ("upper and lower lobes", "upper lobes, lower lobes"),
        ("kidneys and ureters", "kidneys, ureters"),
        ("liver, spleen, and the pancreas", "liver, spleen, pancreas"),
        ("liver & spleen", "liver, spleen"),
        ("left upper and lower lobes", "left upper lobe, left lower lobe"),
        ("right upper, middle and lower lobes", "right upper lobe, right middle lobe, right lower lobe"),
        ("upper and lower lobes of the left lung", "left upper lobe, left lower lobe"),
        ("left upper and right lower lobes", "left upper lobe, right lower lobe"),
        ("left and right upper and lower lobes", "upper lobes, lower lobes"),
        ("left lung and right kidney", "left lung, right kidney"),
        # A side holds for what is one of a pair, and for nothing else.
        ("left kidney and ureter", "left kidney, left ureter"),
        ("left kidney and ureters", "left kidney, ureters"),
        ("left lung and liver", "left lung, liver"),
        ("kidney and ureter on the left", "left kidney, left ureter"),
        ("left atrium and ventricle", "left atrium, left ventricle"),
        ("both kidneys and the spleen", "kidneys, spleen"),
        # A word that names a part of many organs is one of the organ that is named.
        ("head and body of the pancreas", "pancreatic head, pancreatic body"),
        ("pancreatic body and head", "pancreatic body, pancreatic head"),
        ("liver and portal vein", "liver, portal vein"),
        ("lung and heart", "lungs, heart"),
        # An adjective is no organ, and vessels of no organ are too many.
        ("hepatic and portal veins", "hepatic veins, portal vein"),
        ("iliac arteries and veins", "iliac arteries, iliac veins"),
        ("ribs 3 and 4", "3rd rib, 4th rib"),
        ("left 3rd and 4th ribs", "left 3rd rib, left 4th rib"),
        # A range is all that lie in it.
        ("L1-L3 vertebrae", "L1 vertebra, L2 vertebra, L3 vertebra"),
        ("T12 to L2", "T12 vertebra, L1 vertebra, L2 vertebra"),
        ("C2–4 vertebrae", "C2 vertebra, C3 vertebra, C4 vertebra"),
        ("left 3rd to 5th ribs", "left 3rd rib, left 4th rib, left 5th rib"),
        ("liver segments 5-8", "liver segment 5, liver segment 6, liver segment 7, liver segment 8"),
        ("ribs 3-5", "3rd rib, 4th rib, 5th rib"),
        ("vertebrae L1, L2 and L3", "L1 vertebra, L2 vertebra, L3 vertebra"),
        ("gluteus maximus and medius", "gluteus maximus muscles, gluteus medius muscles"),
    ],
)
def test_each_member_is_a_name(text: str, organs: str) -> None:
    vocabulary = load_vocabulary()
    named = [organs_named(member, vocabulary).organs for member in members_of(text, vocabulary)]
    assert named == [(organ,) for organ in organs.split(", ")]


@pytest.mark.parametrize(
    "text",
    [
        "liver",
        "left and right kidneys",
        "L4-L5 disc",
        "L3-L1 vertebrae",
        "portal vein and splenic vein",
        "kidneys and bananas",
        "liver or spleen",
        "liver without gallbladder",
        "spleen and",
        "and",
        ", ".join(["liver", "spleen"] * 30),
        "renal and hepatic",
        "nodule in the upper and lower lobes",
        "",
    ],
)
def test_what_is_one_name_or_not_known_throughout_has_no_members(text: str) -> None:
    assert members_of(text, load_vocabulary()) == ()
