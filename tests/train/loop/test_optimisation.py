import math
from itertools import pairwise

import pytest
import torch
from torch import Tensor, nn

from train.config.options import Optimisation
from train.loop.optimisation import Average, adamw, learning_rate, trainable


def first_weight(model: nn.Sequential) -> Tensor:
    first = model[0]
    assert isinstance(first, nn.Linear)
    return first.weight


def network() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(3, 4), nn.LayerNorm(4), nn.Linear(4, 1))


def test_the_schedule_rises_then_falls_as_half_a_cosine() -> None:
    config = Optimisation(steps=100, warmup_steps=10, learning_rate=0.5, final_learning_rate=0.1)
    rates = [learning_rate(step, config) for step in range(101)]
    assert rates[:10] == pytest.approx([0.5 * number / 11 for number in range(1, 11)])
    assert rates[10] == pytest.approx(0.5)
    assert rates[55] == pytest.approx(0.5 * (0.1 + 0.9 * 0.5))
    assert rates[32] == pytest.approx(0.5 * (0.1 + 0.9 * (1 + math.cos(math.pi * 22 / 90)) / 2))
    assert rates[100] == pytest.approx(0.05)
    assert all(a > b for a, b in pairwise(rates[10:]))


def test_a_run_without_warmup_or_shorter_than_it() -> None:
    assert learning_rate(0, Optimisation(warmup_steps=0, learning_rate=1)) == 1
    assert 0 < learning_rate(2, Optimisation(steps=3, warmup_steps=50, learning_rate=1)) < 0.1
    assert learning_rate(50, Optimisation(steps=50, warmup_steps=50, learning_rate=1)) == 1


def test_weights_decay_and_biases_and_norms_do_not() -> None:
    model = network()
    config = Optimisation(weight_decay=0.3, learning_rate=0.2)
    optimizer = adamw(trainable(model), config, {"2.": 0.1})
    names = {id(parameter): name for name, parameter in model.named_parameters()}
    groups = {
        names[id(parameter)]: (group["weight_decay"], group["lr_multiplier"], round(group["lr"], 6))
        for group in optimizer.param_groups
        for parameter in group["params"]
    }
    assert groups == {
        "0.weight": (0.3, 1.0, 0.2),
        "0.bias": (0.0, 1.0, 0.2),
        "1.weight": (0.0, 1.0, 0.2),
        "1.bias": (0.0, 1.0, 0.2),
        "2.weight": (0.3, 0.1, 0.02),
        "2.bias": (0.0, 0.1, 0.02),
    }


def test_what_is_frozen_is_not_among_what_trains() -> None:
    model = network()
    model[0].requires_grad_(False)
    assert list(trainable(model)) == ["1.weight", "1.bias", "2.weight", "2.bias"]


def test_the_average_follows_the_weights_and_is_put_in_and_taken_out() -> None:
    model = network()
    parameters = trainable(model)
    average = Average(parameters, 0.9)
    expected = {name: parameter.detach().clone() for name, parameter in parameters.items()}
    for step in range(30):
        with torch.no_grad():
            for parameter in parameters.values():
                parameter.add_(0.1)
        average.update(step)
        decay = min(0.9, (1 + step) / (10 + step))
        expected = {name: decay * old + (1 - decay) * parameters[name].detach() for name, old in expected.items()}
    before = {name: parameter.detach().clone() for name, parameter in parameters.items()}
    with average.in_place():
        for name, parameter in parameters.items():
            torch.testing.assert_close(parameter.detach(), expected[name])
            assert not torch.equal(parameter, before[name])
    assert all(torch.equal(parameter, before[name]) for name, parameter in parameters.items())


def test_the_weights_come_back_after_an_error() -> None:
    model = network()
    average = Average(trainable(model), 0.5)
    with torch.no_grad():
        first_weight(model).add_(1)
    before = first_weight(model).detach().clone()
    with pytest.raises(KeyError), average.in_place():
        assert not torch.equal(first_weight(model), before)
        raise KeyError
    assert torch.equal(first_weight(model), before)


def test_without_an_average_nothing_is_kept() -> None:
    model = network()
    average = Average(trainable(model), 0.0)
    before = first_weight(model).detach().clone()
    average.update(0)
    with average.in_place():
        assert torch.equal(first_weight(model), before)
    assert not average.weights
