"""Scores of classes: margins say exactly what the argmax says, and shares add up."""

import numpy as np
import pytest
import torch

from train.inference.engines import class_scores
from train.inference.engines.class_scores import ClassScores, class_log_odds, class_margins
from train.scans.grid import Grid

MEMBERS = [(1,), (2, 3), (1, 2, 3, 4), (4,)]


def scores(seed: int = 0) -> torch.Tensor:
    """Scores of 6 classes, whole numbers, so that many are equal."""
    return torch.randint(-3, 4, (6, 500), generator=torch.Generator().manual_seed(seed)).float()


def test_a_margin_is_above_0_where_the_highest_class_is_a_member() -> None:
    values = scores()
    margins, winner = class_margins(values, MEMBERS), values.argmax(dim=0)
    for row, numbers in enumerate(MEMBERS):
        assert torch.equal(margins[row] > 0, torch.isin(winner, torch.tensor(numbers)))
    # No voxel belongs to two unions that share no class.
    assert not ((margins[0] > 0) & (margins[1] > 0)).any()


def test_a_margin_is_the_distance_to_the_best_of_the_others() -> None:
    values = scores() + torch.rand(6, 500, generator=torch.Generator().manual_seed(1))
    own, others = values[[2, 3]].amax(dim=0), values[[0, 1, 4, 5]].amax(dim=0)
    inside = own > others
    margins = class_margins(values, [(2, 3)])[0]
    torch.testing.assert_close(margins[inside], (own - others)[inside])
    torch.testing.assert_close(margins[~inside], (own - others)[~inside])


def test_log_odds_are_those_of_the_summed_softmax() -> None:
    values = scores(2)
    share = values.softmax(dim=0)[[2, 3]].sum(dim=0)
    torch.testing.assert_close(class_log_odds(values, (2, 3)).sigmoid(), share)


@pytest.mark.parametrize("at_once", [60, 1 << 21])
def test_parts_change_nothing(monkeypatch: pytest.MonkeyPatch, at_once: int) -> None:
    monkeypatch.setattr(class_scores, "LOGITS_AT_ONCE", at_once)
    generator = torch.Generator().manual_seed(3)
    features = torch.randn(3, 4, 5, 6, generator=generator).half()
    grid = Grid((4, 5, 6), np.eye(4), (4, 5, 6), np.eye(4))
    weight, bias = torch.randn(6, 3, generator=generator), torch.randn(6, generator=generator)
    volume = ClassScores(features.numpy(), None, grid, weight, bias, tuple(MEMBERS))
    values = features.float().flatten(1)
    expected = weight @ values + bias[:, None]
    torch.testing.assert_close(
        volume.logits(values, torch.tensor([2, 0])), class_margins(expected, [MEMBERS[2], MEMBERS[0]])
    )
    of_prompt = torch.from_numpy(volume.of_prompt(1).stored[0]).float().flatten()
    torch.testing.assert_close(of_prompt, class_log_odds(expected, MEMBERS[1]), atol=5e-3, rtol=5e-3)
