import math

import pytest
import torch

from train.stages.running_dice import RunningDice


def masks(seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return torch.rand(3, 4, 4, 4, generator=generator) < 0.4, torch.rand(3, 4, 4, 4, generator=generator) < 0.5


def test_one_value_from_all_voxels_of_all_cases() -> None:
    dice = RunningDice(3, torch.device("cpu"))
    cases = [masks(seed) for seed in range(4)]
    for predicted, reference in cases:
        dice.add(predicted, reference)
    dice.sum_over_processes()
    for prompt in range(3):
        both, sizes = 0, 0
        for predicted, reference in cases:
            both += int((predicted[prompt] & reference[prompt]).sum())
            sizes += int(predicted[prompt].sum() + reference[prompt].sum())
        assert float(dice.dice()[prompt]) == pytest.approx(2 * both / sizes)
    assert dice.mean() == pytest.approx(float(dice.dice().mean()))
    assert dice.mean([1]) == pytest.approx(float(dice.dice()[1]))
    assert math.isnan(dice.false_masks())


def test_what_is_absent_or_unknown_does_not_count_as_dice() -> None:
    dice = RunningDice(3, torch.device("cpu"))
    predicted, reference = masks(0)
    reference[1] = False
    dice.add(predicted, reference, torch.tensor([True, True, False]))
    assert math.isnan(float(dice.dice()[1])) and math.isnan(float(dice.dice()[2]))
    assert dice.mean() == pytest.approx(float(dice.dice()[0]))
    assert dice.false_masks() == 1
    dice.add(torch.zeros_like(predicted), reference, torch.tensor([True, True, True]))
    assert dice.false_masks() == 0.5
    assert float(dice.dice()[2]) == 0


def test_nothing_shown_is_no_number() -> None:
    dice = RunningDice(2, torch.device("cpu"))
    assert math.isnan(dice.mean()) and math.isnan(dice.false_masks())
