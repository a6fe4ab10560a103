"""What is said of a step whose loss or gradients are no numbers any more: which step, and of which cases."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import Parameter

from curation.runtime.errors import RunError

# Cases of a batch that a message names, at most.
MOST_NAMED = 8


def has_broken_gradient(parameters: Iterable[Parameter]) -> bool:
    """Return whether a gradient holds anything but numbers: a step with it would spoil the weights for good."""
    norms = [torch.linalg.vector_norm(weight.grad) for weight in parameters if weight.grad is not None]
    return bool(norms) and not bool(torch.isfinite(torch.stack(norms)).all())


def broken_step(step: int, loss: Tensor, cases: Mapping[str, bool], out: Path) -> RunError:
    """Return the error that ends a run before its ``step`` (from 0) is done.

    ``cases`` are those of the step's batch, and whether all of their voxels are numbers.
    """
    what = "the loss" if not torch.isfinite(loss) else "a gradient"
    empty = [name for name, is_finite in cases.items() if not is_finite]
    if empty:
        remedy = f"{_listed(empty)} holds voxels that are no numbers: mend it or take it out of the data"
    else:
        remedy = f"its cases were {_listed(list(cases))}: take a lower learning_rate, or precision 32-true"
    return RunError(
        f"{what} of step {step + 1} is no number any more; {remedy}. The step was not taken: the last checkpoint is in "
        f"{out}, and the same command goes on from it"
    )


def _listed(names: list[str]) -> str:
    rest = len(names) - MOST_NAMED
    return ", ".join(names[:MOST_NAMED]) + (f" and {rest:,} more" if rest > 0 else "")
