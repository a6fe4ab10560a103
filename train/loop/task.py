"""What the loop needs to know of a stage: the task protocol and the outcome of a run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from torch import Tensor, nn
from torch.utils.data import Dataset

from curation.runtime.progress import Progress

from .engine import TrainingEngine


class Task(Protocol):
    """A stage as the loop sees it. A part is some samples of a step, collated; see `accumulate` in train/config."""

    @property
    def model(self) -> nn.Module:
        """Return the model that is trained, with its frozen parts."""

    @property
    def lr_multipliers(self) -> Mapping[str, float]:
        """Return prefix of a parameter's name -> factor on the learning rate, which is 1 without such a prefix."""

    @property
    def samples(self) -> Dataset[Any]:
        """Return the samples of the run, which are taken by their number."""

    def collate(self, samples: list[Any]) -> Any:
        """Join samples to one part."""

    def settings(self) -> dict[str, Any]:
        """Return all that decides what is learned, as JSON; a run goes on only with the same settings."""

    def prepare(self, engine: TrainingEngine, progress: Progress, numbers: Sequence[int] | None = None) -> None:
        """Make whatever is made once, before the first step; with `numbers`, only what these samples need."""

    def begin(self, engine: TrainingEngine, progress: Progress) -> None:
        """Train what is trained before the first step of a run; not called when a run is resumed."""

    def end(self, engine: TrainingEngine, progress: Progress) -> None:
        """Train what is trained after the last step."""

    def backward(self, parts: Sequence[Any], step: int, engine: TrainingEngine) -> dict[str, Tensor]:
        """Add the gradients of this process's parts and return metrics, of which `loss` is one.

        The mean of the gradients over all processes must be the gradient of the whole batch.
        """

    def after_step(self) -> None:
        """Correct the model right after the optimizer's step, such as a parameter that left its range."""

    def evaluate(self, engine: TrainingEngine, progress: Progress, folder: Path | None) -> dict[str, float]:
        """Return metrics on held-out cases; draw pictures into `folder`. All processes call it and get the same."""

    def save(self, folder: Path, step: int) -> None:
        """Write the model as a checkpoint. Only the first process calls it."""

    def cases(self, part: Any) -> dict[str, bool]:
        """Return the names of the cases that a part was made of, and whether all of their voxels are numbers."""

    def describe(self, part: Any) -> list[str]:
        """Return lines on the shapes of a part, for a dry run."""


@dataclass(frozen=True)
class TrainOutcome:
    """How a run ended: its last step and metrics, and whether there was nothing left to do from the start."""

    step: int
    evaluation: Mapping[str, float | None]
    already_done: bool = False
