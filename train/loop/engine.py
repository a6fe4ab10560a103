"""What a run runs on: device, precision, processes. Lightning Fabric behind what the loop and the stages ask of it.

Gradients are averaged over the processes once in each step, after all parts of a batch, and not by a wrapper around
the model: a contrastive loss with gradient caching runs its encoders twice, and a step in parts must not wait for the
others after each. So every loss is scaled to be its share of the mean over processes.
"""

from __future__ import annotations

import os
import resource
import sys
from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from typing import Any

import torch
import torch.distributed as dist
from lightning_fabric import Fabric
from lightning_fabric.wrappers import _FabricOptimizer
from torch import Tensor
from torch.nn import Parameter
from torch.optim import Optimizer

from models.inference import cpu_has_bfloat16
from train.config import ConfigError, Running

# Gradients that go over the network at once: 64 MiB of float32.
BUCKET = 1 << 24


class Engine:
    """One process of a run, of `world` processes."""

    def __init__(self, running: Running) -> None:
        local = os.environ.get("LOCAL_WORLD_SIZE")
        try:
            self.fabric = Fabric(
                accelerator=running.accelerator,
                devices=int(local) if local else running.devices,
                num_nodes=int(os.environ.get("GROUP_WORLD_SIZE", running.num_nodes)) if local else running.num_nodes,
                precision=_precision(running),
            )
        except (ValueError, RuntimeError) as error:
            raise ConfigError(f"accelerator {running.accelerator!r}, {running.devices} devices: {error}") from error
        self.fabric.launch()

    @property
    def device(self) -> torch.device:
        """Where the model is."""
        return self.fabric.device

    @property
    def rank(self) -> int:
        """Number of this process."""
        return self.fabric.global_rank

    @property
    def world(self) -> int:
        """Number of processes."""
        return self.fabric.world_size

    @property
    def first(self) -> bool:
        """Whether this process writes."""
        return self.rank == 0

    def autocast(self) -> AbstractContextManager[Any]:
        """For a forward pass, in the precision asked for."""
        return self.fabric.autocast()

    def optimizer(self, plain: Optimizer) -> _FabricOptimizer:
        """The same optimizer, with steps as the precision needs them."""
        wrapped = self.fabric.setup_optimizers(plain)
        assert isinstance(wrapped, _FabricOptimizer)
        return wrapped

    def backward(self, loss: Tensor) -> None:
        """Adds to the gradients, scaled where the precision needs it."""
        self.fabric.backward(loss)

    def barrier(self) -> None:
        """Waits for the other processes."""
        self.fabric.barrier()

    def total(self, value: float) -> float:
        """The sum of a number over all processes."""
        if self.world == 1:
            return value
        tensor = torch.tensor(value, dtype=torch.float64, device=self.device)
        dist.all_reduce(tensor)
        return float(tensor)

    def mean(self, values: dict[str, float]) -> dict[str, float]:
        """Each number's mean over all processes, which name the same ones."""
        return {name: self.total(values[name]) / self.world for name in sorted(values)}

    def gathered(self, value: Any) -> list[Any]:
        """What each process has, in their order; any picklable object of ours."""
        if self.world == 1:
            return [value]
        every: list[Any] = [None] * self.world
        dist.all_gather_object(every, value)
        return every

    def same_weights(self, parameters: Iterable[Parameter]) -> None:
        """Those of the first process, on all."""
        if self.world > 1:
            for parameter in parameters:
                dist.broadcast(parameter.data, 0)

    def average_gradients(self, parameters: Iterable[Parameter]) -> None:
        """The mean over processes, in place."""
        if self.world == 1:
            return
        for bucket in _buckets([parameter for parameter in parameters if parameter.requires_grad]):
            gradients = [torch.zeros_like(each) if each.grad is None else each.grad for each in bucket]
            flat = torch.cat([gradient.flatten() for gradient in gradients])
            dist.all_reduce(flat)
            flat /= self.world
            for each, part in zip(bucket, torch.split(flat, [each.numel() for each in bucket]), strict=True):
                each.grad = part.view_as(each).clone()

    def peak_memory(self) -> int:
        """Bytes: the most that this process has held, on its GPU where it has one."""
        if self.device.type == "cuda":
            return torch.cuda.max_memory_allocated(self.device)
        most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return most if sys.platform == "darwin" else most * 1024


def _precision(running: Running) -> Any:
    if running.precision != "auto":
        return running.precision
    if running.accelerator in ("auto", "cuda", "gpu") and torch.cuda.is_available():
        return "bf16-mixed" if torch.cuda.is_bf16_supported(including_emulation=False) else "16-mixed"
    return "bf16-mixed" if cpu_has_bfloat16() else "32-true"


def _buckets(parameters: Sequence[Parameter]) -> list[list[Parameter]]:
    buckets: list[list[Parameter]] = [[]]
    held = 0
    for parameter in parameters:
        if held and held + parameter.numel() > BUCKET:
            buckets.append([])
            held = 0
        buckets[-1].append(parameter)
        held += parameter.numel()
    return [bucket for bucket in buckets if bucket]
