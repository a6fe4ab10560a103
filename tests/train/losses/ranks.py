"""A function run in several processes that talk to each other through gloo, as ranks of one training run."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist
from torch.multiprocessing.spawn import spawn


def on_ranks(work: Callable[..., Any], ranks: int, folder: Path, *arguments: Any) -> list[Any]:
    """What ``work(*arguments)`` returns on each rank, in order; ``work`` is a function of a module."""
    spawn(_rank, (work, ranks, folder, arguments), nprocs=ranks)  # type: ignore[no-untyped-call]
    return [torch.load(folder / f"{rank}.pt", weights_only=True) for rank in range(ranks)]


def _rank(rank: int, work: Callable[..., Any], ranks: int, folder: Path, arguments: tuple[Any, ...]) -> None:
    torch.set_num_threads(1)
    # A file, so that no port has to be free; a rank that hangs fails instead.
    meeting = f"file://{folder / 'meeting'}"
    dist.init_process_group("gloo", meeting, timedelta(seconds=60), world_size=ranks, rank=rank)
    torch.save(work(*arguments), folder / f"{rank}.pt")
    dist.destroy_process_group()
