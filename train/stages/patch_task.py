"""What stages 1 and 3, which learn from labelled patches, have in common; see `train.loop.task.Task`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import JsonValue
from torch import nn

from curation.runtime.progress import Progress
from models.preprocessing import Preprocessing
from train.config.options import PretrainConfig, SegmentConfig
from train.data.crops import PatchBatch, Patches, collate_patches
from train.data.training_set import TrainingSet
from train.loop.engine import TrainingEngine

from .cost.stage_cost import StepCost
from .run_record import settings_of


class PatchTask:
    """Base of their tasks: labelled data, and patches of it as samples."""

    model: nn.Module
    lr_multipliers: Mapping[str, float] = {}

    def __init__(
        self,
        data: TrainingSet,
        preprocessing: Preprocessing,
        config: PretrainConfig | SegmentConfig,
        earlier: tuple[dict[str, JsonValue], ...],
    ) -> None:
        self.data, self.preprocessing, self.config, self.earlier = data, preprocessing, config, earlier

    @property
    def samples(self) -> Patches:
        """Return patches of the cases to train on; once they are prepared, of those that can be used."""
        return Patches(self.data, self.config.crops, self.config.optimisation.batch_size, self.config.running.seed)

    @staticmethod
    def collate(samples: list[Any]) -> PatchBatch:
        """Join samples as `train.data.crops.collate_patches` does; processes that load get no task with it."""
        return collate_patches(samples)

    def settings(self) -> dict[str, Any]:
        """Return all that decides what is learned."""
        return settings_of(self.config, self.data)

    def prepare(self, engine: TrainingEngine, progress: Progress, numbers: Sequence[int] | None = None) -> None:
        """Prepare all cases; with `numbers`, none: each is prepared when its sample is taken."""
        if numbers is None:
            running, jobs = self.config.running, self.config.data.prepare_workers
            self.data.prepare(running.on_problem, progress, jobs=jobs, ranks=engine)

    def cost(self, engine: TrainingEngine) -> StepCost:
        """Return what a step of this run will take of each device, counted without computing it."""
        raise NotImplementedError

    def describe_labels(self) -> list[str]:
        """Return in how many cases each structure is labelled and present, from label files read for it alone."""
        counts = [source.count_files() for source in self.data.sources]
        return [line for count in counts for line in [*count.lines(), *count.warnings()]]

    def cases(self, part: Any) -> dict[str, bool]:
        """Return the names of a part's cases, and whether all voxels of their patches are numbers."""
        volumes = zip(part.case_refs, part.volume, strict=True)
        return {self.data.case(case_ref).id: bool(volume.isfinite().all()) for case_ref, volume in volumes}

    def begin(self, engine: TrainingEngine, progress: Progress) -> None:
        """Do nothing: no training comes before the first step."""

    def end(self, engine: TrainingEngine, progress: Progress) -> None:
        """Do nothing: no training comes after the last step."""

    def after_step(self) -> None:
        """Do nothing: the model needs no correction."""
