"""How a network is laid out and computed while it trains, as its settings say; `bench_step` measures what pays."""

from __future__ import annotations

import torch
from torch import nn

from train.config.speed import Speed


def speed_up(model: nn.Module, speed: Speed, device: torch.device) -> None:
    """Lay out a network's convolutions, and compile it; its weights keep their values, names and types.

    A compiled network is compiled again for other shapes, and for evaluation.
    """
    if speed.channels_last:
        for parameter in model.parameters():
            if parameter.dim() == 5:
                parameter.data = parameter.data.contiguous(memory_format=torch.channels_last_3d)
    if device.type == "cuda":
        torch.backends.cudnn.benchmark = speed.cudnn_benchmark
    if speed.compile:
        model.compile()
