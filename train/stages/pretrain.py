"""Stage 1, `ovct train pretrain`: the image encoder and decoder learn the classes of a data set.

STU-Net from nothing, from published weights, or from a checkpoint; classes are the data set's structures, found in
given weights by their names.
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
from train.config import ConfigError, PretrainConfig
from train.data.crops import Part, collate, middle
from train.data.training_set import TrainingSet, open_training_set
from train.loop.engine import Engine
from train.losses.segmentation import UNKNOWN, class_loss

from .held_out import RunningDice, draw_overlays
from .patch_task import PatchTask
from .run_record import SHOWN, check_patch, evaluated_places, learned_by, starting_point

BACKGROUND = "background"


class Pretrain(PatchTask):
    """The task of the loop; see `train.loop.task.Task`."""

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
            _class_table(source.structures, data.structures, source.dataset.ignored) for source in data.sources
        ]

    def backward(self, parts: Sequence[Any], step: int, engine: Engine) -> dict[str, Tensor]:
        """Every sample weighs the same, so that parts and processes average to the batch."""
        total = torch.zeros((), device=engine.device)
        for part in parts:
            with engine.autocast():
                logits = self.model(part.volume.to(engine.device), deep_supervision=True)
            loss = class_loss(logits, self._classes(part).to(engine.device)) / len(parts)
            engine.backward(loss)
            total += loss.detach()
        return {"loss": total}

    @torch.no_grad()
    def evaluate(self, engine: Engine, progress: Progress, folder: Path | None) -> dict[str, float]:
        """Dice of the classes on patches of held-out cases."""
        measured, shown = RunningDice(len(self.data.structures), engine.device), 0
        for place in evaluated_places(self.data, engine):
            progress.raise_if_interrupted()
            sample = middle(self.data, place, self.config.crops.patch)
            with engine.autocast():
                logits = self.model(sample.volume[None].to(engine.device))
            classes = logits.argmax(dim=1)[0]
            truth = self._classes(collate([sample]))[0].to(engine.device)
            masks = [
                torch.stack([labels == number + 1 for number in range(len(self.data.structures))])
                for labels in (classes, truth)
            ]
            measured.add(*masks)
            if folder and shown < SHOWN:
                name = self.data.case(place, held_out=True).id
                draw_overlays(folder / f"{name}.png", sample.volume[0], truth, classes, self.data.structures)
                shown += 1
        measured.total()
        return {"dice": measured.mean()}

    def save(self, folder: Path, step: int) -> None:
        """The network with its heads."""
        record = learned_by("pretrain", self.config, self.data.describe(), step)
        save_checkpoint(self.model, folder, self.preprocessing, trained_on=[*self.earlier, record])

    def describe(self, part: Any) -> list[str]:
        """Shapes for a person."""
        return [
            f"volumes {tuple(part.volume.shape)}, {len(self.data.structures)} structures",
            f"network {self.config.pretraining.size}: features {self.model.feature_channels}",
        ]

    def _classes(self, part: Part) -> Tensor:
        """Label maps (B, D, H, W) with the number of each class."""
        return torch.stack(
            [self.tables[place.source][labels.long()] for labels, place in zip(part.labels, part.places, strict=True)]
        )


def open_pretraining(paths: Sequence[Path], config: PretrainConfig, cache: Path) -> Pretrain:
    """Data and network as the settings say. Raises ConfigError, DataError, CheckpointError, WeightsFileError."""
    model, preprocessing, earlier = _network(config)
    data = open_training_set(paths, config.data, preprocessing, cache, seed=config.running.seed)
    for source in data.sources:
        if missing := set(data.structures) - set(source.structures):
            raise ConfigError(
                f"{source.dataset.root} does not label {', '.join(sorted(missing)[:5])}, which another data set does: "
                "classes of pretraining exclude each other, so give one data set (`train segment` takes several)"
            )
    check_patch(model, config.crops.patch, "patch")
    return Pretrain(_with_heads(model, data.structures), data, preprocessing, config, earlier)


def _network(config: PretrainConfig) -> tuple[STUNet, Preprocessing, tuple[dict[str, JsonValue], ...]]:
    options = config.pretraining
    wanted = PUBLISHED_PREPROCESSING.model_copy(update={"spacing_mm": options.spacing_mm})
    torch.manual_seed(config.running.seed)
    if options.weights:
        start = starting_point(Path(options.weights), wanted)
        start.image.checkpointing = options.checkpointing
        return start.image, start.preprocessing, start.earlier
    if options.size not in ARCHITECTURES:
        raise ConfigError(f"size: one of {', '.join(ARCHITECTURES)}, not {options.size!r}")
    return STUNet(options.size, checkpointing=options.checkpointing), wanted, ()


def _with_heads(model: STUNet, structures: tuple[str, ...]) -> STUNet:
    """The network with one output for each structure; outputs of known names keep their weights."""
    labels = (BACKGROUND, *structures)
    wanted = STUNet(
        model.architecture, model.in_channels, len(labels), labels=labels, checkpointing=model.checkpointing
    )
    state = {name: value for name, value in model.state_dict().items() if not name.startswith("seg_outputs")}
    wanted.load_state_dict(state, strict=False)
    if model.labels is not None:
        known = {name: index for index, name in enumerate(model.labels)}
        rows = [(new, known[name]) for new, name in enumerate(labels) if name in known]
        for old, new in zip(model.seg_outputs, wanted.seg_outputs, strict=True):
            assert isinstance(old, nn.Conv3d) and isinstance(new, nn.Conv3d)
            with torch.no_grad():
                for row, source in rows:
                    new.weight[row] = old.weight[source]
                    if new.bias is not None and old.bias is not None:
                        new.bias[row] = old.bias[source]
    return wanted


def _class_table(own: Mapping[str, tuple[int, ...]], structures: tuple[str, ...], ignored: tuple[int, ...]) -> Tensor:
    """Label id -> number of the class. An id of several regions is the last of them, as the smallest comes last."""
    most = max([*(number for ids in own.values() for number in ids), *ignored])
    table = torch.zeros(most + 1, dtype=torch.int16)
    for number, name in enumerate(structures, 1):
        table[list(own[name])] = number
    table[list(ignored)] = UNKNOWN
    return table
