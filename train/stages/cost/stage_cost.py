"""What a step of stage 1 or 3 will take, counted from its settings alone: nothing is computed, no weight is loaded."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from models.segmenter import ConnectorRecord, Segmentation, TextSegmenter
from models.stunet import STUNet
from train.config.options import Optimisation
from train.loop.optimisation import trainable
from train.losses.class_loss import class_loss
from train.losses.mask_losses import deep_supervision_loss

from .counting import META, StepCount, count_step

FLOAT, HALF = 4, 2


@dataclass(frozen=True)
class StepCost:
    """What a step takes of each device: `part` is one part of its share of the batch, of which there are `parts`.

    `weights` and `trained` are numbers of parameters; `averaged` says whether an average over the steps is kept. With
    `half` precision the part was counted with everything in two bytes a number, gradients of the weights too: autocast
    keeps a copy of the weights in half precision, and gradients in four bytes.
    """

    part: StepCount
    parts: int
    weights: int
    trained: int
    averaged: bool
    half: bool
    samples: int
    world: int

    @property
    def flops(self) -> int:
        """Floating-point operations of a step, on one device."""
        return self.part.flops * self.parts

    @property
    def weight_bytes(self) -> int:
        """Bytes of the weights, and of their average."""
        return FLOAT * (self.weights + (self.trained if self.averaged else 0))

    @property
    def adam_bytes(self) -> int:
        """Bytes of AdamW's two moments of each parameter that trains."""
        return 2 * FLOAT * self.trained

    @property
    def part_bytes(self) -> int:
        """The most bytes of a part at once: activations, loss and gradients, and the weights' copies."""
        copies = HALF * self.weights + (FLOAT - HALF) * self.trained if self.half else 0
        return self.part.bytes + copies

    @property
    def bytes(self) -> int:
        """The most bytes at once; the gradients of the weights stay from part to part."""
        kept = FLOAT * self.trained if self.parts > 1 else 0
        return self.weight_bytes + self.adam_bytes + self.part_bytes + kept


def step_cost(
    model: nn.Module, loss: Callable[[int], Callable[[], Tensor]], optimisation: Optimisation, world: int, half: bool
) -> StepCost:
    """Return the cost of a step of a `model` on `meta`; `loss` returns what computes the loss of so many samples."""
    samples = max(optimisation.batch_size // (world * optimisation.accumulate), 1)
    weights = sum(parameter.numel() for parameter in model.parameters())
    trained = sum(parameter.numel() for parameter in trainable(model).values())
    if half:
        model.bfloat16()
    count = count_step(loss(samples), model.parameters())
    return StepCost(count, optimisation.accumulate, weights, trained, optimisation.ema > 0, half, samples, world)


def pretraining_cost(model: STUNet, patch: tuple[int, ...], **step: Any) -> StepCost:
    """Return the cost of a step of stage 1 with a network like `model`; `step` as in `step_cost`."""
    with META:
        twin = STUNet(
            model.architecture, model.in_channels, model.num_classes, checkpointing=model.checkpointing
        ).freeze("pretrain")
        twin.train()

    def loss(samples: int) -> Callable[[], Tensor]:
        volume = torch.empty(samples, model.in_channels, *patch, dtype=_dtype(twin), device=META)
        labels = torch.empty(samples, *patch, dtype=torch.int16, device=META)
        return lambda: class_loss(twin(volume, deep_supervision=True), labels)

    return step_cost(twin, loss, **step)


def segmenting_cost(
    model: TextSegmenter, patch: tuple[int, ...], prompts: int, *, unlock_image: bool, **step: Any
) -> StepCost:
    """Return the cost of a step of stage 3 with a segmenter like `model`, without its text encoder, which is idle."""
    image, connector = model.image, ConnectorRecord.of(model)
    with META:
        network = STUNet(image.architecture, image.in_channels, image.num_classes, checkpointing=image.checkpointing)
        twin = connector.build(network, None).freeze("segment", unlock=["image_encoder"] if unlock_image else [])
        twin.train()

    def loss(samples: int) -> Callable[[], Tensor]:
        volume = torch.empty(samples, image.in_channels, *patch, dtype=_dtype(twin), device=META)
        embeddings = torch.empty(prompts, connector.embedding_dim, dtype=_dtype(twin), device=META)
        target = torch.empty(samples, prompts, *patch, dtype=torch.bool, device=META)
        labelled = torch.ones(samples, prompts, dtype=torch.bool)

        def value() -> Tensor:
            result = twin(volume, embeddings, full=True)
            assert isinstance(result, Segmentation)
            return deep_supervision_loss(result.logits, target, labelled) + _of_absent(result.logits[0], target)

        return value

    return step_cost(twin, loss, **step)


def _dtype(model: nn.Module) -> torch.dtype:
    return next(model.parameters()).dtype


def _of_absent(logits: Tensor, target: Tensor) -> Tensor:
    """Return what `missed_structure_loss` makes of prompts that are absent, as if all were: a copy in float32, sorted.

    Which voxels it takes depends on their values, which nothing here has.
    """
    rows = logits.flatten(0, 1).flatten(1).float()
    there = target.flatten(0, 1).flatten(1)
    return rows.masked_fill(there, 0).topk(min(64, rows.shape[1]), dim=1, sorted=False).values.mean()
