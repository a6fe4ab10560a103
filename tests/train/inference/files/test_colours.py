"""Colours of structures: the same in every result, never one for two, and far apart for TotalSegmentator's."""

import numpy as np

from train.data.layout_totalsegmentator import V2_STRUCTURES
from train.inference.files.colours import palette, structure_colours, to_lab


def test_no_two_structures_have_one_colour() -> None:
    assert len(set(palette())) == len(palette())
    colours = structure_colours([(label, label) for label in V2_STRUCTURES])
    lab = to_lab(np.array(list(colours.values())))
    apart = np.linalg.norm(lab[:, None] - lab[None], axis=-1)[np.triu_indices(len(lab), 1)]
    assert apart.min() > 15, "colours that one confuses are less than 10 apart"


def test_a_structure_has_its_colour_whatever_else_there_is() -> None:
    alone = structure_colours([("liver", "liver")])["liver"]
    named = [("odd", "odd thing"), ("Leber", "liver"), ("kidney_left", "left kidney"), ("x", "left kidney")]
    colours = structure_colours(named)
    assert colours["Leber"] == alone and len(set(colours.values())) == 4
    assert colours["kidney_left"] == structure_colours([("left kidney", "left kidney")])["left kidney"]
    assert structure_colours([("odd", "odd thing")])["odd"] == colours["odd"]


def test_more_prompts_than_colours_have_one_each() -> None:
    colours = structure_colours([(f"thing {number}", f"thing {number}") for number in range(2500)])
    assert len(colours) == 2500 and len(set(colours.values())) > 1500


def test_grey_is_no_colour() -> None:
    black, white, red = to_lab(np.array([[0, 0, 0], [255, 255, 255], [255, 0, 0]]))
    assert np.allclose(black, 0) and np.allclose(white, (100, 0, 0), atol=0.02)
    assert np.allclose(red, (53.24, 80.09, 67.2), atol=0.1)
    lab = to_lab(np.array(palette()))
    assert np.hypot(lab[:, 1], lab[:, 2]).min() > 15 and lab[:, 0].min() > 25
