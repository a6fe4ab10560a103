"""Patches of volumes, and their augmentation."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from tests.train.training_worlds import BOXES, PATCH, PREPROCESSING, SHAPE, labelled
from train.config.options import Crops, Data
from train.data.crops import Patches, augment, collate_patches, middle_patch
from train.data.training_set import CaseRef, TrainingSet, open_training_set
from train.order import random

pytestmark = pytest.mark.usefixtures("one_thread")
CROPS = Crops(patch=(8, 8, 8), augment=False)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> TrainingSet:
    folder = tmp_path_factory.mktemp("crops")
    return open_training_set([labelled(folder / "data", 5)], Data(), PREPROCESSING, folder / "cache")


def test_a_sample_is_known_by_its_number(data: TrainingSet) -> None:
    first, second = (Patches(data, replace(CROPS, augment=True), 2, seed=4) for _ in range(2))
    second[50]
    for number in (0, 3, 11):
        assert torch.equal(first[number].volume, second[number].volume)
        assert (
            torch.equal(first[number].labels, second[number].labels)
            and first[number].case_ref == second[number].case_ref
        )
    assert not torch.equal(first[0].volume, first[4].volume)
    other_seed = Patches(data, replace(CROPS, augment=True), 2, seed=5)
    assert any(not torch.equal(first[number].volume, other_seed[number].volume) for number in range(3))


def test_a_patch_is_part_of_its_case(data: TrainingSet) -> None:
    patches = Patches(data, CROPS, 1, seed=0)
    for number in range(10):
        sample = patches[number]
        assert sample.volume.shape == (1, 8, 8, 8) and sample.volume.dtype == torch.float32
        assert sample.labels.shape == (8, 8, 8) and sample.labels.dtype == torch.int16
        case = data.cases(0)[sample.case_ref.index]
        assert case.labels is not None
        windows = case.volume[0].unfold(0, 8, 1).unfold(1, 8, 1).unfold(2, 8, 1)
        matches = (windows == sample.volume[0]).flatten(3).all(3).nonzero()
        assert len(matches) == 1
        window = tuple(slice(start, start + 8) for start in matches[0].tolist())
        assert torch.equal(case.labels[window], sample.labels)


def test_with_foreground_one_a_patch_contains_a_structure_and_all_get_their_turn(data: TrainingSet) -> None:
    patches = Patches(data, replace(CROPS, foreground=1.0), 1, seed=0)
    labels_shown = [set(torch.unique(patches[number].labels).tolist()) - {0} for number in range(60)]
    assert all(labels_shown)
    assert len(set().union(*labels_shown)) == len(BOXES)
    # By chance alone a patch of 8 voxels in a volume of 32 x 16 x 32 shows a structure less often.
    anywhere = Patches(data, replace(CROPS, foreground=0.0), 1, seed=0)
    assert sum(bool(anywhere[number].labels.any()) for number in range(60)) < 55


def test_a_volume_smaller_than_the_patch_is_all_there(data: TrainingSet) -> None:
    patches = Patches(data, replace(CROPS, patch=(40, 16, 48), foreground=1.0), 1, seed=0)
    places = set()
    for number in range(6):
        sample = patches[number]
        case = data.cases(0)[sample.case_ref.index]
        assert case.labels is not None and sample.volume.shape == (1, 40, 16, 48)
        counts = [torch.bincount(labels.flatten().long())[1:] for labels in (sample.labels, case.labels)]
        assert torch.equal(*counts)
        outside = sample.volume == case.volume.min()
        assert int(outside.sum()) >= 40 * 16 * 48 - case.volume.numel()
        places.add(tuple(sample.labels.nonzero().amin(0).tolist()))
    assert len(places) > 2


def test_the_middle_of_a_held_out_case(data: TrainingSet) -> None:
    sample = middle_patch(data, CaseRef(0, 0), (8, 8, 8))
    case = data.cases(0, held_out=True)[0]
    depth, height, width = ((size - 8) // 2 for size in (SHAPE[2], SHAPE[1], SHAPE[0]))
    assert torch.equal(sample.volume, case.volume[:, depth : depth + 8, height : height + 8, width : width + 8])
    assert middle_patch(data, CaseRef(0, 0), (40, 16, 32)).labels.shape == (40, 16, 32)


def test_patches_are_stacked(data: TrainingSet) -> None:
    patches = Patches(data, CROPS, 2, seed=0)
    batch = collate_patches([patches[0], patches[1]])
    assert batch.volume.shape == (2, 1, 8, 8, 8) and batch.labels.shape == (2, 8, 8, 8) and len(batch.case_refs) == 2


def blob() -> Tensor:
    """A ball off the middle, soft enough for interpolation: (24, 20, 28)."""
    places = torch.stack(torch.meshgrid(*(torch.arange(float(n)) for n in (24, 20, 28)), indexing="ij"), dim=-1)
    distance = torch.linalg.vector_norm(places - torch.tensor([9.0, 11, 17]), dim=-1)
    return torch.sub(6, distance).clamp(-1, 1)


def test_labels_move_with_the_volume_and_never_to_the_other_side() -> None:
    soft = blob()
    transformed, brightened = 0, 0
    for number in range(40):
        volume, labels = augment(soft[None], (soft > 0).to(torch.int16), random((number,)))
        assert volume.shape == (1, 24, 20, 28) and labels.dtype == torch.int16
        transformed += not torch.equal(labels, (soft > 0).to(torch.int16))
        brightened += not torch.equal(volume[0].sign(), soft.sign())
        assert float(((volume[0] > 0.0) != (labels > 0)).float().mean()) < 0.03
        centre = labels.nonzero().float().mean(0)
        # At most turned by 0.15 rad, scaled by a fifth and moved a little: the ball stays on its side of the middle.
        assert centre[0] < 12 and centre[2] > 14, centre
        assert 0.4 < int(labels.sum()) / int((soft > 0).sum()) < 2.2
    assert 10 < transformed < 35 and brightened > 5


def test_turning_is_of_voxels_not_of_a_stretched_cube() -> None:
    """A ball in a long patch stays a ball."""
    for number in range(12):
        _, labels = augment(blob()[None], (blob() > 0).to(torch.int16), random((number,)))
        extent = labels.nonzero().numpy()
        spread = np.linalg.eigvalsh(np.cov(extent.T)) ** 0.5
        assert spread.max() / spread.min() < 1.2


def test_outside_is_the_lowest_value_and_no_label() -> None:
    volume, labels = torch.full((1, 12, 12, 12), 5.0), torch.ones(12, 12, 12, dtype=torch.int16)
    volume[0, 0, 0, 0] = -3
    augmented = [augment(volume, labels, random((number,))) for number in range(30)]
    assert any((labels == 0).any() for _, labels in augmented)
    assert all(float(volume.min()) > -3 * 1.1 - 0.6 for volume, _ in augmented)


def test_a_case_is_left_as_it_was(tmp_path: Path, data: TrainingSet) -> None:
    before = data.cases(0)[0].volume.clone()
    patches = Patches(data, replace(CROPS, augment=True, patch=PATCH), 1, seed=0)
    for number in range(8):
        patches[number]
    assert torch.equal(data.cases(0)[0].volume, before)
