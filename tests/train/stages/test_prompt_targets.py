"""What the labels of a part say of each prompt."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from tests.train.training_worlds import PATCH, World, make_world, settings
from train.config.loading import load_config
from train.config.options import SegmentConfig
from train.data.crops import PatchBatch
from train.data.training_set import CaseRef
from train.prompting.absent_words import AbsentWord
from train.stages.open_segmentation import open_segmentation
from train.stages.prompt_targets import (
    PRESENT_VOXELS,
    counted_voxels,
    known_masks,
    presence_is_decided,
    target_masks,
)
from train.stages.segment import SegmentTask

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return make_world(tmp_path_factory.mktemp("targets"))


def opened(world: World, cache: Path, **options: object) -> SegmentTask:
    config = load_config(SegmentConfig, None, settings("segment", world, **options))
    return open_segmentation([world.data], config, cache)


def test_targets_are_unions(world: World, tmp_path: Path) -> None:
    task = opened(world, tmp_path, augment=False)
    part = task.collate([task.samples[number] for number in range(3)])
    ids = {name: numbers[0] for name, numbers in task.data.sources[0].structures.items()}
    target = target_masks(task.data, part, [("liver",), ("liver", "spleen"), ("kidney_left",)])
    assert target.shape == (3, 3, *PATCH) and target.dtype == torch.bool
    assert torch.equal(target[:, 0], part.labels == ids["liver"])
    assert torch.equal(target[:, 1], (part.labels == ids["liver"]) | (part.labels == ids["spleen"]))


def test_voxels_of_which_nothing_is_known(world: World, tmp_path: Path) -> None:
    task = opened(world, tmp_path, augment=False)
    part = task.collate([task.samples[0]])
    assert counted_voxels(task.data, part) is None
    source = task.data.sources[0]
    number = source.structures["liver"][0]
    object.__setattr__(source, "dataset", replace(source.dataset, ignored=(number,)))
    part = PatchBatch(part.volume, part.labels, (CaseRef(0, part.case_refs[0].index),))
    voxels = counted_voxels(task.data, part)
    assert voxels is not None and torch.equal(voxels[0, 0], part.labels[0] != number)


def test_a_mask_is_known_if_all_of_its_structures_are_labelled_or_its_word_is_known_to_be_absent(
    world: World, tmp_path: Path
) -> None:
    task = opened(world, tmp_path, augment=False)
    part = task.collate([task.samples[number] for number in range(2)])
    structures = (("liver",), ("liver", "spleen"), ("liver", "aorta"), (), ())
    words = (None, None, None, AbsentWord("banana"), AbsentWord("uterus", frozenset({"liver"})))
    known = known_masks(task.data, part, task.prompts.draw(0)._replace(structures=structures, words=words))
    part.labels[1] = 0
    without = known_masks(task.data, part, task.prompts.draw(0)._replace(structures=structures, words=words))
    assert known.tolist() == [[True, True, False, True, True]] * 2
    assert without[1].tolist() == [True, True, False, True, False]
    assert not target_masks(task.data, part, structures)[:, 3:].any()


def test_a_few_voxels_decide_nothing_about_presence() -> None:
    voxels = torch.tensor([[0, 1, PRESENT_VOXELS - 1, PRESENT_VOXELS]])
    assert presence_is_decided(voxels).tolist() == [[True, False, False, True]]
