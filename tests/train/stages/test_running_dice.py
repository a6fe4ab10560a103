import math

import pytest
import torch

from train.stages.held_out import RunningDice


def masks(seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return torch.rand(3, 4, 4, 4, generator=generator) < 0.4, torch.rand(3, 4, 4, 4, generator=generator) < 0.5


def test_one_value_from_all_voxels_of_all_cases() -> None:
    measured = RunningDice(3, torch.device("cpu"))
    cases = [masks(seed) for seed in range(4)]
    for predicted, reference in cases:
        measured.add(predicted, reference)
    measured.total()
    for prompt in range(3):
        both, sizes = 0, 0
        for predicted, reference in cases:
            both += int((predicted[prompt] & reference[prompt]).sum())
            sizes += int(predicted[prompt].sum() + reference[prompt].sum())
        assert float(measured.dice()[prompt]) == pytest.approx(2 * both / sizes)
    assert measured.mean() == pytest.approx(float(measured.dice().mean()))
    assert measured.mean([1]) == pytest.approx(float(measured.dice()[1]))
    assert math.isnan(measured.false_masks())


def test_what_is_absent_or_unknown_does_not_count_as_dice() -> None:
    measured = RunningDice(3, torch.device("cpu"))
    predicted, reference = masks(0)
    reference[1] = False
    measured.add(predicted, reference, torch.tensor([True, True, False]))
    assert math.isnan(float(measured.dice()[1])) and math.isnan(float(measured.dice()[2]))
    assert measured.mean() == pytest.approx(float(measured.dice()[0]))
    assert measured.false_masks() == 1
    measured.add(torch.zeros_like(predicted), reference, torch.tensor([True, True, True]))
    assert measured.false_masks() == 0.5
    assert float(measured.dice()[2]) == 0


def test_nothing_shown_is_no_number() -> None:
    measured = RunningDice(2, torch.device("cpu"))
    assert math.isnan(measured.mean()) and math.isnan(measured.false_masks())
