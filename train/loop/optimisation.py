"""How weights move: AdamW, its learning rate over the steps, and an average over them."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from torch.nn import Parameter
from torch.optim import AdamW, Optimizer

from models.blocks import ResidualBlock
from train.config.options import Optimisation

# Where a gradient is rounding errors alone, steps of full size would differ from machine to machine. RoBERTa has the
# same number (Liu et al. 2019).
EPSILON = 1e-6


def adamw(parameters: Mapping[str, Parameter], config: Optimisation, lr_multipliers: Mapping[str, float]) -> AdamW:
    """Return AdamW over the parameters that train. Biases, norms and scalars have no weight decay.

    `lr_multipliers` gives, for a prefix of a parameter's name, the factor on the learning rate; the first prefix that
    fits counts, and without one the factor is 1. Each group of the optimizer keeps its factor as `lr_multiplier`.
    """
    groups: dict[tuple[float, float], list[Parameter]] = {}
    for name, parameter in parameters.items():
        multiplier = next((factor for prefix, factor in lr_multipliers.items() if name.startswith(prefix)), 1.0)
        groups.setdefault((multiplier, config.weight_decay if parameter.dim() > 1 else 0.0), []).append(parameter)
    return AdamW(
        [
            {
                "params": members,
                "weight_decay": decay,
                "lr_multiplier": multiplier,
                "lr": multiplier * config.learning_rate,
            }
            for (multiplier, decay), members in groups.items()
        ],
        eps=EPSILON,
    )


def learning_rate(step: int, config: Optimisation) -> float:
    """Return the rate of step 0, 1, ...: a line up over the warm-up, then half a cosine down to the final rate."""
    if step < config.warmup_steps:
        return config.learning_rate * (step + 1) / (config.warmup_steps + 1)
    progress = (step - config.warmup_steps) / max(config.steps - config.warmup_steps, 1)
    lowest = config.final_learning_rate
    return config.learning_rate * (lowest + (1 - lowest) * 0.5 * (1 + math.cos(math.pi * min(progress, 1.0))))


def set_learning_rate(optimizer: Optimizer, rate: float) -> None:
    """Give each group of an optimizer of `adamw` the rate times the group's own multiplier."""
    for group in optimizer.param_groups:
        group["lr"] = rate * group["lr_multiplier"]


class Average:
    """An exponential moving average over the weights of all steps (EMA); empty where `decay` is 0."""

    def __init__(self, parameters: Mapping[str, Parameter], decay: float) -> None:
        self._parameters, self.decay = parameters, decay
        self.weights = {name: parameter.detach().clone() for name, parameter in parameters.items()} if decay else {}

    @torch.no_grad()
    def update(self, step: int) -> None:
        """Take in the weights after step 0, 1, ...

        Early on the average follows fast, so that the first weights do not weigh for ever.
        """
        decay = min(self.decay, (1 + step) / (10 + step))
        for name, average in self.weights.items():
            average.lerp_(self._parameters[name].detach(), 1 - decay)

    def copy_to_model(self) -> None:
        """Put the averaged weights into the model for good."""
        _copy(self._parameters, self.weights)

    @contextmanager
    def in_place(self) -> Iterator[None]:
        """Put the averaged weights into the model while the context lasts, for evaluating and saving."""
        weights = {name: self._parameters[name].detach().clone() for name in self.weights}
        _copy(self._parameters, self.weights)
        try:
            yield
        finally:
            _copy(self._parameters, weights)


def trainable(model: nn.Module) -> dict[str, Parameter]:
    """Return the parameters that train, by name, and freeze those whose gradient is rounding errors alone.

    These are biases before an instance norm: the norm takes them out again, and AdamW would walk them at random.
    """
    for block in model.modules():
        if isinstance(block, ResidualBlock):
            for convolution in (block.conv1, block.conv2):
                if convolution.bias is not None:
                    convolution.bias.requires_grad_(False)
    return {name: parameter for name, parameter in model.named_parameters() if parameter.requires_grad}


@torch.no_grad()
def _copy(parameters: Mapping[str, Parameter], values: Mapping[str, Tensor]) -> None:
    for name, value in values.items():
        parameters[name].copy_(value)
