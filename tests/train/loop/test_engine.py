"""What processes share: the mean of their gradients, exactly. `tests/train/test_torchrun.py` has real processes.

AdamW takes steps of the same size whatever a gradient is multiplied by, so weights of runs do not show a wrong factor.
"""

import pytest
import torch
from torch import Tensor
from torch.nn import Parameter

from train.config.options import Running
from train.loop.engine import TrainingEngine


@pytest.mark.parametrize("bucket", [1, 7, 1 << 24])
def test_each_gradient_becomes_the_mean_of_all_processes(bucket: int, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = TrainingEngine(Running(accelerator="cpu", precision="32-true"))
    generator = torch.Generator().manual_seed(0)
    shapes = [(2, 3), (5,), (1,), (4, 2)]
    parameters = [Parameter(torch.zeros(shape, dtype=torch.float64)) for shape in shapes]
    # Whole numbers: their sums are exact.
    of_three = [[torch.randint(-99, 99, shape, generator=generator).double() for shape in shapes] for _ in range(3)]
    for parameter, gradient in zip(parameters, of_three[0], strict=True):
        parameter.grad = gradient.clone()
    parameters[2].grad = None  # no sample of this process has touched it
    of_three[0][2].zero_()
    frozen = Parameter(torch.zeros(3), requires_grad=False)
    waiting = torch.cat([(first + second).flatten() for first, second in zip(*of_three[1:], strict=True)])

    def all_reduce(flat: Tensor) -> None:
        nonlocal waiting
        flat += waiting[: len(flat)]
        waiting = waiting[len(flat) :]

    monkeypatch.setattr(TrainingEngine, "world", 3)
    monkeypatch.setattr("train.loop.engine.BUCKET", bucket)
    monkeypatch.setattr("train.loop.engine.dist.all_reduce", all_reduce)
    engine.average_gradients([*parameters, frozen])
    for parameter, *gradients in zip(parameters, *of_three, strict=True):
        assert parameter.grad is not None and torch.equal(parameter.grad, torch.stack(gradients).sum(0) / 3)
    assert frozen.grad is None and len(waiting) == 0
