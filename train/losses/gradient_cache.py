"""Contrastive batches larger than memory: the gradient of the whole batch from encoders that see a chunk at a time.

Gradient caching (GradCache, Gao et al. 2021, arXiv 2101.06983): encode all chunks without a graph, take the loss of all
embeddings and its gradient for them, then encode each chunk again and pass its part of that gradient on. Exact where
the encoder treats samples one by one; batch normalisation does not, and would update its statistics twice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from functools import reduce
from typing import Any, NamedTuple

import torch
from torch import Tensor


class Tower(NamedTuple):
    """An encoder and its inputs: ``encode`` takes one of ``chunks`` (whatever it is) and returns embeddings (n, …)."""

    encode: Callable[[Any], Tensor]
    chunks: Sequence[Any]


def cached_backward(
    towers: Sequence[Tower],
    loss: Callable[..., Tensor],
    *,
    sync: Callable[[bool], AbstractContextManager[Any]] = lambda last: nullcontext(),
    backward: Callable[[Tensor], None] = torch.Tensor.backward,
) -> Tensor:
    """Add to ``.grad`` what ``loss(*embeddings).backward()`` on the whole batch would, and return the loss, detached.

    ``loss`` takes the embeddings of each tower, its chunks concatenated (N, …), at least float32. Parameters that it
    uses by itself, such as ``log_scale``, get their gradient too. A tower that is frozen is encoded once only. Dropout
    repeats: torch's random state, of the CPU and of the accelerator's current device, is put back for the second pass.

    ``sync(last)`` is entered around each chunk's forward and backward, with True around the very last backward alone,
    which holds the last chunk of every tower and the loss's own parameters: that is all that a wrapper over any of
    them waits for. ``lambda last: fabric.no_backward_sync(module, enabled=not last)``, or with DDP
    ``lambda last: nullcontext() if last else module.no_sync()``; not with ``find_unused_parameters=True``, which takes
    parameters that are used outside of the last forward for unused.

    ``backward`` is called on scalars whose gradients for the parameters are the true ones, so it may scale them, as
    ``fabric.backward`` does in float16.

    Raises ValueError for a tower without chunks and for a loss that nothing trainable enters.
    """
    with sync(False):
        encoded = [_encode(tower) for tower in towers]
    value = loss(*(tower.embeddings for tower in encoded))
    leaves = _leaves(value)
    if not leaves:
        raise ValueError("the loss depends on nothing that is trained: every tower is frozen, or it uses none of them")
    gradients = dict(zip(leaves, torch.autograd.grad(value, leaves), strict=True))
    # What the loss does not use is left alone, as in an ordinary backward.
    trained = [(tower, gradients.pop(tower.embeddings)) for tower in encoded if tower.embeddings in gradients]
    for tower, gradient in trained:
        for number in range(len(tower.sizes) - 1):
            with sync(False):
                backward(tower.surrogate(number, gradient))
    with sync(True):
        last_chunks = [tower.surrogate(len(tower.sizes) - 1, gradient) for tower, gradient in trained]
        parameters = [(parameter * gradient).sum() for parameter, gradient in gradients.items()]
        backward(reduce(torch.add, [*last_chunks, *parameters]))
    return value.detach()


@dataclass(frozen=True, eq=False)
class _EncodedTower:
    """A tower's embeddings after the first pass, and what is needed to make a chunk's again."""

    tower: Tower
    embeddings: Tensor
    sizes: list[int]
    states: list[_RandomState]

    def surrogate(self, number: int, gradient: Tensor) -> Tensor:
        """Encode a chunk again; return a scalar whose gradient for it is the chunk's part of ``gradient`` (N, …)."""
        with _replayed(self.states[number]):
            embeddings = self.tower.encode(self.tower.chunks[number])
        start = sum(self.sizes[:number])
        return (embeddings.to(gradient.dtype) * gradient[start : start + self.sizes[number]]).sum()


def _encode(tower: Tower) -> _EncodedTower:
    """Encode all chunks without keeping a graph. Raises ValueError if there are none."""
    if not len(tower.chunks):
        raise ValueError("a tower has no chunks")
    parts, states = [], []
    trained = False
    for number, chunk in enumerate(tower.chunks):
        states.append(_RandomState.now())
        # The first chunk alone has a graph, which is dropped at once: it tells a frozen tower from a trained one, and
        # the weights that autocast keeps for later are not cut off.
        with torch.set_grad_enabled(number == 0):
            part = tower.encode(chunk)
        trained = trained or part.requires_grad
        parts.append(part.detach())
        del part
    embeddings = torch.cat(parts)
    # A gradient in half precision could underflow before `backward` scales it.
    embeddings = embeddings.to(torch.promote_types(embeddings.dtype, torch.float32)).requires_grad_(trained)
    return _EncodedTower(tower, embeddings, [len(part) for part in parts], states)


def _leaves(value: Tensor) -> list[Tensor]:
    """Return the tensors with a gradient that a value was computed from."""
    leaves, seen, nodes = [], set(), [value.grad_fn]
    while nodes:
        node = nodes.pop()
        if node is None or node in seen:
            continue
        seen.add(node)
        if hasattr(node, "variable"):
            leaves.append(node.variable)
        nodes.extend(following for following, _ in node.next_functions)
    return leaves


class _RandomState(NamedTuple):
    """The random state of torch, on the CPU and, where there is one, on the accelerator's current device."""

    cpu: Tensor
    accelerator: Tensor | None

    @classmethod
    def now(cls) -> _RandomState:
        accelerator = _accelerator()
        return cls(torch.get_rng_state(), accelerator.get_rng_state() if accelerator else None)

    def restore(self) -> None:
        torch.set_rng_state(self.cpu)
        accelerator = _accelerator()
        if accelerator and self.accelerator is not None:
            accelerator.set_rng_state(self.accelerator)


def _accelerator() -> Any:
    """Return the module ``torch.cuda`` or its like, None without an accelerator."""
    return (
        torch.get_device_module(torch.accelerator.current_accelerator()) if torch.accelerator.is_available() else None
    )


@contextmanager
def _replayed(state: _RandomState) -> Iterator[None]:
    """Put a random state back while the context lasts."""
    now = _RandomState.now()
    state.restore()
    try:
        yield
    finally:
        now.restore()
