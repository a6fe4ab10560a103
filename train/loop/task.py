"""What the loop needs to know of a stage: the task protocol and the outcome of a run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from torch import Tensor, nn
from torch.utils.data import Dataset

from curation.runtime.progress import Progress

from .engine import Engine


class Task(Protocol):
    """What a stage is to the loop. A part is what `samples` gives for some numbers, collated."""

    @property
    def model(self) -> nn.Module:
        """What is trained, frozen parts and all."""

    @property
    def slower(self) -> Mapping[str, float]:
        """Learning rates by the beginning of a parameter's name, as shares of the highest."""

    @property
    def samples(self) -> Dataset[Any]:
        """Sample n of the run."""

    def collate(self, samples: list[Any]) -> Any:
        """Samples to one part."""

    def settings(self) -> dict[str, Any]:
        """All that decides what is learned; a run goes on only with the same."""

    def prepare(self, engine: Engine, progress: Progress, numbers: Sequence[int] | None = None) -> None:
        """Whatever is made once before the first step; with `numbers` only what these samples need."""

    def begin(self, engine: Engine, progress: Progress) -> None:
        """What the model learns before the first step of a run, and not when one is resumed."""

    def end(self, engine: Engine, progress: Progress) -> None:
        """What the model learns after the last step."""

    def backward(self, parts: Sequence[Any], step: int, engine: Engine) -> dict[str, Tensor]:
        """Adds the gradients of this process's parts, whose mean over processes is that of the batch. Gives metrics."""

    def after_step(self) -> None:
        """Puts the model right after the optimizer's step."""

    def evaluate(self, engine: Engine, progress: Progress, folder: Path | None) -> dict[str, float]:
        """Metrics on held-out cases; pictures into `folder`. On every process, with the same result."""

    def save(self, folder: Path, step: int) -> None:
        """The model as a checkpoint. On the first process."""

    def describe(self, part: Any) -> list[str]:
        """Shapes of a part, for a dry run."""


@dataclass(frozen=True)
class Outcome:
    """How a run ended: its last metrics, and whether there was anything left to do."""

    step: int
    evaluation: Mapping[str, float | None]
    already_done: bool = False
