"""What the two stages that learn from labelled patches share; see `train.loop.task.Task`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import JsonValue
from torch import nn

from curation.runtime.progress import Progress
from models.preprocessing import Preprocessing
from train.config import PretrainConfig, SegmentConfig
from train.data.crops import Part, Patches, collate
from train.data.training_set import TrainingSet
from train.loop.engine import Engine

from .run_record import settings_of


class PatchTask:
    """Data, and patches of it."""

    model: nn.Module
    slower: Mapping[str, float] = {}

    def __init__(
        self,
        data: TrainingSet,
        preprocessing: Preprocessing,
        config: PretrainConfig | SegmentConfig,
        earlier: tuple[dict[str, JsonValue], ...],
    ) -> None:
        self.data, self.preprocessing, self.config, self.earlier = data, preprocessing, config, earlier

    def __getstate__(self) -> dict[str, object]:
        """For a process that loads samples: the network stays here."""
        return self.__dict__ | {"model": None}

    @property
    def samples(self) -> Patches:
        """Patches of the cases to train on; of those that are left, once they are prepared."""
        return Patches(self.data, self.config.crops, self.config.optimisation.batch_size, self.config.running.seed)

    def collate(self, samples: list[Any]) -> Part:
        """As `train.data.crops.collate`."""
        return collate(samples)

    def settings(self) -> dict[str, Any]:
        """All that decides what is learned."""
        return settings_of(self.config, self.data)

    def prepare(self, engine: Engine, progress: Progress, numbers: Sequence[int] | None = None) -> None:
        """Has the cases prepared; those of a few samples are when they are asked for."""
        if numbers is None:
            self.data.prepare(self.config.running.on_problem, progress)

    def begin(self, engine: Engine, progress: Progress) -> None:
        """Nothing comes before the first step."""

    def end(self, engine: Engine, progress: Progress) -> None:
        """Nothing comes after the last step."""

    def after_step(self) -> None:
        """Nothing to put right."""
