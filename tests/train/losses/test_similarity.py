from __future__ import annotations

import pytest
import torch

from train.losses.pairs import pair_up
from train.losses.similarity import LEFT_OUT, log_sum_exps

SCALE = torch.tensor(3.0, dtype=torch.float64)


@pytest.mark.parametrize("chunk", [1, 2, 9])
def test_sums_over_rows_and_columns(chunk: int) -> None:
    torch.manual_seed(0)
    captions, images = torch.randn(8, 3, dtype=torch.float64), torch.randn(4, 3, dtype=torch.float64)
    logits = SCALE * captions @ images.T
    pairs = pair_up(torch.ones(4, 2).bool(), None, None)
    row, column, positive = log_sum_exps(captions, images[:, None], SCALE, pairs, chunk)
    torch.testing.assert_close(row, logits.logsumexp(1))
    torch.testing.assert_close(column, torch.stack([logits[slot::2].logsumexp(0) for slot in range(2)]))
    torch.testing.assert_close(positive, logits[range(8), [0, 0, 1, 1, 2, 2, 3, 3]])


def test_what_is_not_there_is_0_or_left_out() -> None:
    captions, images = torch.full((4, 3), torch.nan), torch.ones(4, 3)
    captions[1] = 1.0
    pairs = pair_up(torch.tensor([[False], [True], [False], [False]]), None, None)
    row, column, positive = log_sum_exps(captions, images[:, None], SCALE.float(), pairs, 2)
    assert row.tolist() == positive.tolist() == [0, 9, 0, 0]
    assert column.tolist() == [pytest.approx([LEFT_OUT, 9, LEFT_OUT, LEFT_OUT])]


def test_a_gradient_of_the_gradient_is_refused() -> None:
    captions = torch.randn(4, 3, dtype=torch.float64, requires_grad=True)
    pairs = pair_up(torch.ones(4, 1).bool(), None, None)
    total = log_sum_exps(captions, captions.detach()[:, None], SCALE, pairs, 2)[0].sum()
    (gradient,) = torch.autograd.grad(total, captions, create_graph=True)
    with pytest.raises(RuntimeError, match="does not require grad"):
        torch.autograd.backward(gradient.sum())
