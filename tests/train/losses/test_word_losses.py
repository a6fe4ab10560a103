"""The losses of the words against loops over rows."""

import math

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from train.losses.word_losses import group_loss, term_loss

pytestmark = pytest.mark.usefixtures("one_thread")


def unit(*shape: int, seed: int = 0) -> Tensor:
    drawn = torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float32)
    return functional.normalize(drawn, dim=-1)


def naive_terms(embeddings: Tensor, owners: list[int], related: Tensor, temperature: float) -> float:
    rows = [row for row, owner in enumerate(owners) if owner >= 0]
    losses = []
    for row in rows:
        same = [other for other in rows if other != row and owners[other] == owners[row]]
        against = [
            other for other in rows if other != row and (owners[other] == owners[row] or not related[row, other])
        ]
        if same:
            scores = {other: float(embeddings[row] @ embeddings[other]) / temperature for other in against}
            total = math.log(sum(math.exp(score) for score in scores.values()))
            losses.append(-sum(scores[other] - total for other in same) / len(same))
    return sum(losses) / len(losses)


def test_terms_against_a_loop() -> None:
    embeddings = unit(9, 5).requires_grad_()
    owners = [0, 0, 1, 2, 2, 2, -1, 3, 3]
    related = torch.zeros(9, 9, dtype=torch.bool)
    related[2, 3:6] = related[3:6, 2] = True
    related[torch.tensor(owners)[:, None] == torch.tensor(owners)] = True
    loss = term_loss(embeddings, torch.tensor(owners), related, 0.2)
    loss.backward()  # type: ignore[no-untyped-call]
    expected = naive_terms(embeddings.detach(), owners, related, 0.2)
    assert float(loss.detach()) == pytest.approx(expected, rel=1e-5)
    assert embeddings.grad is not None and embeddings.grad.isfinite().all() and not embeddings.grad[6].any()


def test_terms_without_a_second_one_are_a_zero_with_gradients() -> None:
    embeddings = unit(2, 4).requires_grad_()
    loss = term_loss(embeddings, torch.tensor([0, 1]), torch.eye(2, dtype=torch.bool), 0.1)
    loss.backward()  # type: ignore[no-untyped-call]
    assert float(loss.detach()) == 0 and embeddings.grad is not None and not embeddings.grad.any()


@pytest.mark.filterwarnings("ignore:Anomaly Detection")
def test_a_term_without_any_other_to_hold_it_against_makes_no_nan() -> None:
    """The only term of its organ, in a batch of its own parts alone: neither positives nor negatives."""
    embeddings, owners = unit(3, 4).requires_grad_(), torch.tensor([0, 1, 1])
    related = torch.ones(3, 3, dtype=torch.bool)
    # No step of backward may give NaN, not even one that a later step covers up.
    with torch.autograd.detect_anomaly(check_nan=True):
        loss = term_loss(embeddings, owners, related, 0.1)
        loss.backward()  # type: ignore[no-untyped-call]
    assert float(loss.detach()) == pytest.approx(0, abs=1e-6)
    assert embeddings.grad is not None and embeddings.grad.isfinite().all()


def test_groups_against_a_loop() -> None:
    groups, members = unit(3, 6).requires_grad_(), unit(3, 4, 6, seed=1).requires_grad_()
    valid = torch.tensor([[True] * 4, [True, True, False, False], [False] * 4])
    related = torch.eye(3, dtype=torch.bool)
    fixed, theirs = groups.detach(), members.detach()
    means = [functional.normalize(theirs[row][valid[row]].mean(dim=0), dim=0) for row in (0, 1)]
    candidates = torch.stack([*means, *theirs[0], *theirs[1][:2]])
    expected = 0.0
    for row in (0, 1):
        nearest = functional.cross_entropy(fixed[row] @ candidates.T / 0.1, torch.tensor(row))
        expected += float(nearest + 1 - fixed[row] @ means[row]) / 2
    loss = group_loss(groups, members, valid, related, 0.1)
    loss.backward()  # type: ignore[no-untyped-call]
    assert float(loss.detach()) == pytest.approx(expected, rel=1e-5)
    assert groups.grad is not None and groups.grad.isfinite().all() and not groups.grad[2].any()
    assert members.grad is not None and not members.grad[~valid].any()


def test_groups_that_share_members_are_no_negatives_of_each_other() -> None:
    groups, members, valid = unit(2, 6), unit(2, 2, 6, seed=1), torch.ones(2, 2, dtype=torch.bool)
    both = group_loss(groups, members, valid, torch.ones(2, 2, dtype=torch.bool), 0.1)
    alone = [
        group_loss(groups[[row]], members[[row]], valid[[row]], torch.ones(1, 1, dtype=torch.bool), 0.1)
        for row in (0, 1)
    ]
    assert float(both) == pytest.approx(float(sum(alone)) / 2, rel=1e-5)


def test_no_groups_at_all() -> None:
    groups = unit(2, 3).requires_grad_()
    loss = group_loss(groups, unit(2, 2, 3), torch.zeros(2, 2, dtype=torch.bool), torch.eye(2, dtype=torch.bool), 0.1)
    assert float(loss.detach()) == 0
