"""Counts what a training step takes, on tensors of torch's device `meta`, which have shapes and no numbers.

Bytes are those of every storage that lives at the same time, weights apart, so what a loss makes in passing counts as
well as what autograd keeps. An allocator's own rounding, and the workspace of cuDNN, are not counted.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import FlopCounterMode

META = torch.device("meta")


class StepCount(NamedTuple):
    """What one part of a step takes: floating-point operations, and the most bytes at once beside the weights.

    `flops` count a multiplication and an addition as two, forward and backward. `bytes` hold activations, gradients of
    them, the loss, and the gradients of the weights.
    """

    flops: int
    bytes: int


def count_step(loss: Callable[[], Tensor], parameters: Iterable[Tensor]) -> StepCount:
    """Count a forward pass with its loss and the backward pass; the parameters' gradients are dropped afterwards."""
    weights = list(parameters)
    live = LiveBytes(weights)
    with FlopCounterMode(display=False) as flops, live:
        torch.autograd.backward(loss())
    for weight in weights:
        weight.grad = None
    return StepCount(int(flops.get_total_flops()), live.peak)


class LiveBytes(TorchDispatchMode):  # type: ignore[no-untyped-call]  # torch gives the base no types
    """Adds up the bytes of all storages that are made within it, from when they are made until they are freed."""

    def __init__(self, existing: Iterable[Tensor]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.now = self.peak = 0
        self._known = {tensor.untyped_storage()._cdata for tensor in existing}

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Run an operation and count the storages of its results that are new."""
        result = func(*args, **(kwargs or {}))
        for leaf in tree_leaves(result):
            if isinstance(leaf, Tensor):
                self._add(leaf.untyped_storage())
        return result

    def _add(self, storage: torch.UntypedStorage) -> None:
        key, size = storage._cdata, storage.nbytes()
        if key in self._known:
            return
        self._known.add(key)
        self.now += size
        self.peak = max(self.peak, self.now)
        weakref.finalize(storage, self._remove, key, size)

    def _remove(self, key: int, size: int) -> None:
        self._known.discard(key)
        self.now -= size
