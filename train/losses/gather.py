"""Gathers one batch from all ranks, concatenated along the first dimension, with its gradient or for ids."""

from __future__ import annotations

from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor
from torch.autograd.function import once_differentiable

MOST_DIMENSIONS = 8


def rank_and_size(group: dist.ProcessGroup | None = None) -> tuple[int, int]:
    """Return this process's rank in ``group`` (None: the default one) and the group's size; 0 and 1 without any."""
    if not (dist.is_available() and dist.is_initialized()):
        return 0, 1
    return dist.get_rank(group), dist.get_world_size(group)


def gather(tensor: Tensor, group: dist.ProcessGroup | None = None) -> Tensor:
    """Concatenate (b, …) of W ranks to (W·b, …), in the order of the ranks; the gradient comes back to each rank.

    With one process the tensor itself is returned. Backward sums over the ranks what each of them derived for the
    gathered tensor, so what reaches a rank is the gradient of the *sum* of the ranks' losses; averaging the parameters'
    gradients, as DDP does, then makes it the gradient of the losses' mean.

    All ranks must call it in the same order, and ``backward`` too. Raises ValueError, on every rank, where the shapes
    differ.
    """
    if rank_and_size(group)[1] == 1:
        return tensor
    _require_same_shapes(tensor, group)
    gathered: Tensor = _Gather.apply(tensor, group)  # type: ignore[no-untyped-call]
    return gathered


def gather_ids(ids: Tensor, group: dist.ProcessGroup | None = None) -> Tensor:
    """Concatenate whole numbers or masks (b, …) of W ranks to (W·b, …), as `gather` does but without a gradient."""
    if rank_and_size(group)[1] == 1:
        return ids
    _require_same_shapes(ids, group)
    return _concatenated(ids, group)


class _Gather(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, tensor: Tensor, group: dist.ProcessGroup | None) -> Tensor:
        ctx.group, ctx.rows = group, len(tensor)
        return _concatenated(tensor, group)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        # A copy, for autograd may hold the same tensor elsewhere.
        total = gradient.clone(memory_format=torch.contiguous_format)
        dist.all_reduce(total, group=ctx.group)
        start = dist.get_rank(ctx.group) * ctx.rows
        return total[start : start + ctx.rows], None


def _concatenated(tensor: Tensor, group: dist.ProcessGroup | None) -> Tensor:
    gathered = tensor.new_empty(dist.get_world_size(group) * len(tensor), *tensor.shape[1:])
    dist.all_gather_into_tensor(gathered, tensor.contiguous(), group=group)
    return gathered


def _require_same_shapes(tensor: Tensor, group: dist.ProcessGroup | None) -> None:
    """Raise ValueError if the ranks' shapes differ: a collective of unequal tensors hangs, or mixes them up."""
    if not 1 <= tensor.dim() <= MOST_DIMENSIONS:
        raise ValueError(f"a tensor to gather has 1 to {MOST_DIMENSIONS} dimensions, this one has {tensor.dim()}")
    own_shape = [*tensor.shape, *[-1] * (MOST_DIMENSIONS - tensor.dim())]
    shapes = _concatenated(torch.tensor([own_shape], device=tensor.device), group).tolist()
    if any(shape != own_shape for shape in shapes):
        listed = ", ".join(
            f"rank {rank} has {tuple(size for size in shape if size >= 0)}" for rank, shape in enumerate(shapes)
        )
        raise ValueError(
            f"all ranks must have equal shapes: {listed}; leave out the last, shorter batch (drop_last=True) "
            "or fill it up and mark what was added in `valid`"
        )
