"""What a run runs on: device, precision and processes, by Lightning Fabric.

Gradients are averaged over the processes once in each step, after all parts of a batch, and not by a wrapper around
the model: a contrastive loss with gradient caching runs its encoders twice, and a step in parts must not wait for the
others after each. So every loss is scaled to be its share of the mean over processes.
"""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from typing import Any

import torch
import torch.distributed as dist
from lightning_fabric import Fabric
from torch import Tensor, nn
from torch.nn import Parameter
from torch.optim import Optimizer

from curation.runtime.processes import available_cores
from train.config.options import ConfigError, Running

from .precision import cpu_has_bfloat16

# Processes that read data for one GPU, where the user leaves it to us.
MOST_WORKERS = 8
# Numbers that go over the network at once: 64 MiB of float32.
BUCKET = 1 << 24


class TrainingEngine:
    """One process of a run, of `world` processes."""

    def __init__(self, running: Running) -> None:
        # It tells the precision on stderr, which `--quiet` is to keep clean; the run's log has it.
        logging.getLogger("lightning_fabric").setLevel(logging.WARNING)
        local = os.environ.get("LOCAL_WORLD_SIZE")
        self._precision = _precision(running)
        self._local_world = int(local) if local else running.devices
        try:
            self._fabric = Fabric(
                accelerator=running.accelerator,
                devices=int(local) if local else running.devices,
                num_nodes=int(os.environ.get("GROUP_WORLD_SIZE", running.num_nodes)) if local else running.num_nodes,
                precision=self._precision,
            )
        except (ValueError, RuntimeError) as error:
            raise ConfigError(f"accelerator {running.accelerator!r}, {running.devices} devices: {error}") from error
        self._fabric.launch()

    @property
    def device(self) -> torch.device:
        """Return the device that the model is on."""
        return self._fabric.device

    @property
    def rank(self) -> int:
        """Return the number of this process, from 0."""
        return self._fabric.global_rank

    @property
    def world(self) -> int:
        """Return the number of processes."""
        return self._fabric.world_size

    @property
    def local_world(self) -> int:
        """Return the number of processes on this machine."""
        return self._local_world

    def loading_workers(self, asked: int) -> int:
        """Return how many processes read data beside this one; −1 asks for as many as pay.

        On a CPU the training itself takes every core, on a GPU none.
        """
        if asked >= 0:
            return asked
        return 0 if self.device.type == "cpu" else max(min(available_cores() // self.local_world - 1, MOST_WORKERS), 1)

    @property
    def first(self) -> bool:
        """Return whether this is the first process, which alone writes files."""
        return self.rank == 0

    @property
    def scales_gradients(self) -> bool:
        """Return whether losses are scaled, as float16 needs it; then gradients may overflow for a step."""
        return bool(self._precision == "16-mixed")

    @property
    def is_half(self) -> bool:
        """Return whether convolutions are computed in half precision."""
        return str(self._precision) in ("bf16-mixed", "16-mixed")

    def autocast(self) -> AbstractContextManager[Any]:
        """Return a context for a forward pass in the precision of the run."""
        return self._fabric.autocast()

    def optimizer(self, optimizer: Optimizer) -> Optimizer:
        """Return the same optimizer, wrapped so that its steps are as the precision needs them."""
        wrapped: Any = self._fabric.setup_optimizers(optimizer)
        assert isinstance(wrapped, Optimizer)
        return wrapped

    def backward(self, loss: Tensor) -> None:
        """Add to the gradients, scaled where the precision needs it."""
        self._fabric.backward(loss)

    def clip_gradients(self, model: nn.Module, optimizer: Optimizer, max_norm: float) -> None:
        """Scale the gradients down to this norm, all together; `optimizer` is one that `optimizer()` returned."""
        self._fabric.clip_gradients(model, optimizer, max_norm=max_norm, error_if_nonfinite=False)

    def barrier(self) -> None:
        """Wait until all processes are here."""
        self._fabric.barrier()

    def total(self, value: float) -> float:
        """Return the sum of a number over all processes."""
        if self.world == 1:
            return value
        tensor = torch.tensor(value, dtype=torch.float64, device=self.device)
        dist.all_reduce(tensor)
        return float(tensor)

    def mean(self, values: dict[str, float]) -> dict[str, float]:
        """Return each number's mean over all processes, which must give the same names."""
        return {name: self.total(values[name]) / self.world for name in sorted(values)}

    def gather_objects(self, value: Any) -> list[Any]:
        """Return the value of each process, in their order; any picklable object of ours."""
        if self.world == 1:
            return [value]
        values: list[Any] = [None] * self.world
        dist.all_gather_object(values, value)
        return values

    def broadcast_weights(self, parameters: Iterable[Parameter]) -> None:
        """Give all processes the first one's weights, in place."""
        if self.world > 1:
            for parameter in parameters:
                dist.broadcast(parameter.data, 0)

    def average_gradients(self, parameters: Iterable[Parameter]) -> None:
        """Replace each gradient by its mean over all processes, in place."""
        if self.world == 1:
            return
        for bucket in _buckets([parameter for parameter in parameters if parameter.requires_grad]):
            gradients = [torch.zeros_like(weight) if weight.grad is None else weight.grad for weight in bucket]
            flat = torch.cat([gradient.flatten() for gradient in gradients])
            dist.all_reduce(flat)
            flat /= self.world
            for weight, part in zip(bucket, torch.split(flat, [weight.numel() for weight in bucket]), strict=True):
                weight.grad = part.view_as(weight).clone()

    def peak_memory(self) -> int | None:
        """Return the most memory in bytes that this process has held, on its GPU if it has one; None on Windows."""
        if self.device.type == "cuda":
            return torch.cuda.max_memory_allocated(self.device)
        try:
            import resource
        except ImportError:
            return None
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak if sys.platform == "darwin" else peak * 1024


def _precision(running: Running) -> Any:
    if running.precision != "auto":
        return running.precision
    if running.accelerator in ("auto", "cuda", "gpu") and torch.cuda.is_available():
        return "bf16-mixed" if torch.cuda.is_bf16_supported(including_emulation=False) else "16-mixed"
    return "bf16-mixed" if cpu_has_bfloat16() else "32-true"


def _buckets(parameters: Sequence[Parameter]) -> list[list[Parameter]]:
    """Group parameters, in order, so that no group but one of a single parameter has more than `BUCKET` numbers."""
    buckets: list[list[Parameter]] = [[]]
    size = 0
    for parameter in parameters:
        if size and size + parameter.numel() > BUCKET:
            buckets.append([])
            size = 0
        buckets[-1].append(parameter)
        size += parameter.numel()
    return [bucket for bucket in buckets if bucket]
