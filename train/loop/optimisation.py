"""How weights move: AdamW, its learning rate over the steps, and an average over them."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from torch.nn import Parameter
from torch.optim import AdamW

from models.blocks import ResidualBlock
from train.config import Optimisation

# Where a gradient is rounding errors alone, steps of full size would differ from machine to machine. RoBERTa has the
# same number (Liu et al. 2019).
EPSILON = 1e-6


def adamw(named: Mapping[str, Parameter], config: Optimisation, slower: Mapping[str, float]) -> AdamW:
    """Over the parameters that train. Biases, norms and scalars have no weight decay.

    `slower` gives the learning rate of the parameters whose name begins so, as a share of the highest.
    """
    groups: dict[tuple[float, float], list[Parameter]] = {}
    for name, parameter in named.items():
        share = next((share for prefix, share in slower.items() if name.startswith(prefix)), 1.0)
        groups.setdefault((share, config.weight_decay if parameter.dim() > 1 else 0.0), []).append(parameter)
    return AdamW(
        [
            {"params": parameters, "weight_decay": decay, "share": share, "lr": share * config.learning_rate}
            for (share, decay), parameters in groups.items()
        ],
        eps=EPSILON,
    )


def learning_rate(step: int, config: Optimisation) -> float:
    """Of step 0, 1, ...: a line up over the warm-up, then half a cosine down to `final_learning_rate`."""
    if step < config.warmup_steps:
        return config.learning_rate * (step + 1) / (config.warmup_steps + 1)
    done = (step - config.warmup_steps) / max(config.steps - config.warmup_steps, 1)
    low = config.final_learning_rate
    return config.learning_rate * (low + (1 - low) * 0.5 * (1 + math.cos(math.pi * min(done, 1.0))))


class Average:
    """An exponential moving average over the weights of all steps (EMA)."""

    def __init__(self, parameters: Mapping[str, Parameter], decay: float) -> None:
        self._parameters, self.decay = parameters, decay
        self.weights = {name: parameter.detach().clone() for name, parameter in parameters.items()} if decay else {}

    @torch.no_grad()
    def update(self, step: int) -> None:
        """After step 0, 1, ...; early on it follows fast, so that the first weights do not weigh for ever."""
        decay = min(self.decay, (1 + step) / (10 + step))
        for name, average in self.weights.items():
            average.lerp_(self._parameters[name].detach(), 1 - decay)

    def stay(self) -> None:
        """The averaged weights into the model, for good."""
        _put(self._parameters, self.weights)

    @contextmanager
    def in_place(self) -> Iterator[None]:
        """The averaged weights in the model, for evaluating and saving; nothing changes without an average."""
        kept = {name: self._parameters[name].detach().clone() for name in self.weights}
        _put(self._parameters, self.weights)
        try:
            yield
        finally:
            _put(self._parameters, kept)


def trainable(model: nn.Module) -> dict[str, Parameter]:
    """The parameters that train, by name.

    Biases before an instance norm are put to rest: the norm takes them out again, so that their gradient is rounding
    errors alone, and AdamW would walk them at random.
    """
    for block in model.modules():
        if isinstance(block, ResidualBlock):
            for convolution in (block.conv1, block.conv2):
                if convolution.bias is not None:
                    convolution.bias.requires_grad_(False)
    return {name: parameter for name, parameter in model.named_parameters() if parameter.requires_grad}


@torch.no_grad()
def _put(parameters: Mapping[str, Parameter], values: Mapping[str, Tensor]) -> None:
    for name, value in values.items():
        parameters[name].copy_(value)
