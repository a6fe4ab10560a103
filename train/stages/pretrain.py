"""Stage 1, `ovct train pretrain`: the image encoder and decoder learn the classes of a data set.

STU-Net starts from nothing, from published weights, or from a checkpoint. Its classes are the data set's structures;
those that the starting weights know by name keep their outputs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from pydantic import JsonValue
from torch import Tensor, nn

from curation.runtime.progress import Progress
from models.architecture import ARCHITECTURES
from models.checkpoint import save_checkpoint
from models.preprocessing import PUBLISHED_PREPROCESSING, Preprocessing
from models.stunet import STUNet
from train.config.options import ConfigError, PretrainConfig
from train.data.crops import PatchBatch, collate_patches, middle_patch
from train.data.training_set import CaseRef, TrainingSet, open_training_set
from train.loop.engine import TrainingEngine
from train.losses.class_loss import UNKNOWN, class_loss

from .cost.stage_cost import StepCost, pretraining_cost
from .overlays import draw_overlays, picture_name
from .patch_task import PatchTask
from .run_record import MOST_DRAWN, evaluated_cases, learned_by
from .running_dice import RunningDice
from .starting_point import check_patch, starting_point

BACKGROUND = "background"


class PretrainTask(PatchTask):
    """The task of stage 1; see `train.loop.task.Task`."""

    config: PretrainConfig

    def __init__(
        self,
        model: STUNet,
        data: TrainingSet,
        preprocessing: Preprocessing,
        config: PretrainConfig,
        earlier: tuple[dict[str, JsonValue], ...] = (),
    ) -> None:
        super().__init__(data, preprocessing, config, earlier)
        self.model: STUNet = model.freeze("pretrain")
        self.tables = [
            _class_table(source.structures, data.structures, source.dataset.ignored, source.largest_id)
            for source in data.sources
        ]

    def backward(self, parts: Sequence[Any], step: int, engine: TrainingEngine) -> dict[str, Tensor]:
        """Add the gradients; every sample weighs the same, so that parts and processes average to the batch."""
        total = torch.zeros((), device=engine.device)
        for part in parts:
            with engine.autocast():
                logits = self.model(part.volume.to(engine.device), deep_supervision=True)
            merged = self._merged_classes(part.case_refs)
            weight = self.config.pretraining.missed_structure_weight
            loss = class_loss(logits, self._classes(part, engine.device), merged, missed_weight=weight) / len(parts)
            engine.backward(loss)
            total += loss.detach()
        return {"loss": total}

    @torch.no_grad()
    def evaluate(self, engine: TrainingEngine, progress: Progress, folder: Path | None) -> dict[str, float]:
        """Return the Dice of the classes on patches of held-out cases."""
        dice, pictures = RunningDice(len(self.data.structures), engine.device), 0
        for case_ref in evaluated_cases(self.data, engine):
            progress.raise_if_interrupted()
            sample = middle_patch(self.data, case_ref, self.config.crops.patch)
            with engine.autocast():
                logits = self.model(sample.volume[None].to(engine.device))
            classes = logits.argmax(dim=1)[0]
            truth = self._classes(collate_patches([sample]), engine.device)[0]
            predicted, reference = (
                torch.stack([labels == number + 1 for number in range(len(self.data.structures))])
                for labels in (classes, truth)
            )
            names = self.data.labelled_structures(case_ref, held_out=True)
            labelled = torch.tensor([name in names for name in self.data.structures], device=engine.device)
            dice.add(predicted, reference, labelled)
            if folder and pictures < MOST_DRAWN:
                name = self.data.case(case_ref, held_out=True).id
                draw_overlays(folder / picture_name(name), sample.volume[0], truth, classes, self.data.structures)
                pictures += 1
        dice.sum_over_processes()
        return {"dice": dice.mean()}

    def save(self, folder: Path, step: int) -> None:
        """Write the network with its heads."""
        record = learned_by("pretrain", self.config, self.data.describe(), step)
        save_checkpoint(self.model, folder, self.preprocessing, trained_on=[*self.earlier, record])

    def cost(self, engine: TrainingEngine) -> StepCost:
        """Return what a step of this run will take of each device, counted without computing it."""
        step = {"optimisation": self.config.optimisation, "world": engine.world, "half": engine.is_half}
        return pretraining_cost(self.model, self.config.crops.patch, **step)

    def describe(self, part: Any) -> list[str]:
        """Return the shapes of a part, and of the network's features."""
        return [
            f"volumes {tuple(part.volume.shape)}, {len(self.data.structures)} structures",
            f"network {self.config.pretraining.size}: features {self.model.feature_channels}",
            *self.describe_labels(),
        ]

    def _classes(self, part: PatchBatch, device: torch.device | None = None) -> Tensor:
        """Return label maps (B, D, H, W) with the number of each class, made on `device`."""
        tables = [table.to(device) for table in self.tables]
        return torch.stack(
            [
                tables[case_ref.source][labels.to(device).long()]
                for labels, case_ref in zip(part.labels, part.case_refs, strict=True)
            ]
        )

    def _merged_classes(self, case_refs: Sequence[CaseRef]) -> list[dict[int, int]]:
        """Return, for each sample, the classes that its case does not label, each with the one that it is merged into.

        Voxels of such a structure lie in the background, or in the smallest labelled region that has all its ids.
        """
        merged = []
        for case_ref in case_refs:
            ids, names = self.data.sources[case_ref.source].structures, self.data.labelled_structures(case_ref)
            number_of = {name: number for number, name in enumerate(self.data.structures, 1)}
            into = {}
            for name in self.data.structures:
                around = [other for other in names if set(ids[name]) < set(ids[other])]
                if name not in names:
                    into[number_of[name]] = number_of[min(around, key=lambda n: len(ids[n]))] if around else 0
            merged.append(into)
        return merged


def open_pretraining(paths: Sequence[Path], config: PretrainConfig, cache: Path) -> PretrainTask:
    """Return the task of stage 1. Raises ConfigError, DataError, CheckpointError, WeightsFileError."""
    model, preprocessing, earlier = _network(config)
    labelled, seed = config.labelling.labelled, config.running.seed
    data = open_training_set(paths, config.data, preprocessing, cache, labelled=labelled, seed=seed)
    for source in data.sources:
        if missing := set(data.structures) - set(source.structures):
            raise ConfigError(
                f"{source.dataset.root} does not label {', '.join(sorted(missing)[:5])}, which another data set does: "
                "classes of pretraining exclude each other, so give one data set (`train segment` takes several)"
            )
    check_patch(model, config.crops.patch, "patch")
    return PretrainTask(_with_heads(model, data.structures), data, preprocessing, config, earlier)


def _network(config: PretrainConfig) -> tuple[STUNet, Preprocessing, tuple[dict[str, JsonValue], ...]]:
    """Return the network to start from, how its volumes must lie, and the trainings so far."""
    options = config.pretraining
    preprocessing = PUBLISHED_PREPROCESSING.model_copy(update={"spacing_mm": options.spacing_mm})
    torch.manual_seed(config.running.seed)
    if options.weights:
        start = starting_point(Path(options.weights), preprocessing)
        start.image.checkpointing = options.checkpointing
        return start.image, start.preprocessing, start.earlier
    if options.size not in ARCHITECTURES:
        raise ConfigError(f"size: one of {', '.join(ARCHITECTURES)}, not {options.size!r}")
    return STUNet(options.size, checkpointing=options.checkpointing), preprocessing, ()


def _with_heads(model: STUNet, structures: tuple[str, ...]) -> STUNet:
    """Return the network with one output for each structure; outputs of the same names keep their weights."""
    labels = (BACKGROUND, *structures)
    network = STUNet(
        model.architecture, model.in_channels, len(labels), labels=labels, checkpointing=model.checkpointing
    )
    state = {name: value for name, value in model.state_dict().items() if not name.startswith("seg_outputs")}
    network.load_state_dict(state, strict=False)
    if model.labels is not None:
        old_rows = {name: index for index, name in enumerate(model.labels)}
        rows = [(row, old_rows[name]) for row, name in enumerate(labels) if name in old_rows]
        for old, new in zip(model.seg_outputs, network.seg_outputs, strict=True):
            assert isinstance(old, nn.Conv3d) and isinstance(new, nn.Conv3d)
            with torch.no_grad():
                for row, old_row in rows:
                    new.weight[row] = old.weight[old_row]
                    if new.bias is not None and old.bias is not None:
                        new.bias[row] = old.bias[old_row]
    return network


def _class_table(
    ids: Mapping[str, tuple[int, ...]], structures: tuple[str, ...], ignored: tuple[int, ...], largest_id: int
) -> Tensor:
    """Return a table from label id to number of the class, for a data set's `ids` of each structure.

    An id of several regions is the last of them, as the smallest comes last; an ignored one is `UNKNOWN`.
    """
    table = torch.zeros(largest_id + 1, dtype=torch.int16)
    for number, name in enumerate(structures, 1):
        table[list(ids[name])] = number
    table[list(ignored)] = UNKNOWN
    return table
