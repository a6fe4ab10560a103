"""The score of an encoder, on encoders of which the answers are known."""

import dataclasses
import math

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from train.data.structure_prompts import StructureGroup, StructurePrompts
from train.words.word_score import word_score

pytestmark = pytest.mark.usefixtures("one_thread")
PROMPTS = StructurePrompts(
    names={"kidney_left": "left kidney", "kidney_right": "right kidney", "spleen": "spleen"},
    trained={
        "kidney_left": ("left kidney", "LK"), "kidney_right": ("right kidney", "RK"), "spleen": ("spleen",),
    },
    held_out={"kidney_left": ("left ren",), "kidney_right": ("right ren",), "spleen": ("splenic organ",)},
    groups=(StructureGroup("kidneys", ("kidney_left", "kidney_right")),),
    group_prompts={"kidneys": ("kidneys", "renal organs")},
    held_out_of_groups={"kidneys": ("kidneys", "renal organs")},
)  # fmt: skip
LATIN = {"spleen": "lien", "liver": "hepar"}
LEFT, RIGHT, SPLEEN = [1.0, 0, 0], [0, 1.0, 0], [0, 0, 1.0]
WHERE = {
    "left kidney": LEFT, "right kidney": RIGHT, "spleen": SPLEEN, "LK": LEFT, "RK": [0, 0.8, 0.6],
    "left ren": [0.9, 0.1, 0], "right ren": [0, 0.8, 0.4], "splenic organ": [0.9, 0, 0.2],
    "kidneys": [0.5, 0.6, 0], "renal organs": LEFT, "lien": [0, 0.1, 0.9],
}  # fmt: skip


def encode(texts: list[str]) -> Tensor:
    return functional.normalize(torch.tensor([WHERE[text] for text in texts]), dim=-1)


def test_each_measure() -> None:
    score = word_score(encode, PROMPTS, LATIN)
    assert score["synonyms_nearest_name"] == score["synonyms_nearest_prompt"] == pytest.approx(2 / 3)
    assert score["groups_at_their_mean"] == 1 and score["group_synonyms_at_their_mean"] == 0
    assert score["left_right_cosine"] == 0 and score["latin_nearest_name"] == 1
    cosines = [0.9 / math.hypot(0.9, 0.1), 0.8 / math.hypot(0.8, 0.4), 0.2 / math.hypot(0.9, 0.2)]
    assert score["synonym_cosine"] == pytest.approx(sum(cosines) / 3)


def test_the_nearest_prompt_may_be_of_another_structure_than_the_nearest_name() -> None:
    changed = {**PROMPTS.trained, "spleen": ("spleen", "RK"), "kidney_right": ("right kidney",)}
    prompts = dataclasses.replace(PROMPTS, trained=changed)
    score = word_score(encode, prompts, LATIN)
    assert score["synonyms_nearest_name"] == pytest.approx(2 / 3)
    assert score["synonyms_nearest_prompt"] == pytest.approx(1 / 3)


def test_without_groups_and_sides_there_is_nothing_to_measure() -> None:
    names = {"spleen": "spleen"}
    prompts = StructurePrompts(names, {"spleen": ("spleen",)}, {"spleen": ("splenic organ",)}, (), {}, {})
    score = word_score(encode, prompts, {})
    assert [name for name, value in score.items() if math.isnan(value)] == [
        "groups_at_their_mean", "group_synonyms_at_their_mean", "left_right_cosine", "latin_nearest_name",
    ]  # fmt: skip
