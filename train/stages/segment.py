"""Stage 3, `ovct train segment`: the decoder and the connector learn to turn a prompt into a mask.

Image and text encoder stay as they are, so every prompt is embedded once, before the first step. Prompts come from the
names and synonyms of the structures; what is held out (train/data/structure_prompts.py) is only evaluated.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from pydantic import JsonValue
from torch import Tensor

from curation.runtime.progress import Progress
from models.aligner import Aligner
from models.checkpoint import save_checkpoint
from models.checkpoint_record import ConnectorRecord
from models.embedding_bank import EmbeddingBank
from models.preprocessing import Preprocessing
from models.segmenter import MaskStatistics, Segmentation, TextSegmenter, masks
from models.text import TextEncoder
from train.config import ConfigError, SegmentConfig
from train.data.crops import Part, collate, middle
from train.data.structure_prompts import PromptBook, prompt_book
from train.data.training_set import Place, TrainingSet, open_training_set
from train.loop.engine import Engine
from train.losses.segmentation import deep_supervision_loss, presence_loss, rescue_loss

from .connector_warmup import pretrained, warm_up
from .held_out import RunningDice, draw_overlays
from .patch_task import PatchTask
from .presence_fit import Judged, fit_presence
from .run_record import SHOWN, check_patch, evaluated_places, learned_by, starting_point
from .step_prompts import StepPrompts

# A structure of which a patch shows fewer voxels than this is neither there nor absent.
SHOWN_BY = 64


class TextGuided(PatchTask):
    """The task of the loop; see `train.loop.task.Task`."""

    config: SegmentConfig

    def __init__(
        self,
        model: TextSegmenter,
        data: TrainingSet,
        preprocessing: Preprocessing,
        config: SegmentConfig,
        bank: Path,
        *,
        store_text: bool = True,
        earlier: tuple[dict[str, JsonValue], ...] = (),
    ) -> None:
        super().__init__(data, preprocessing, config, earlier)
        self.model: TextSegmenter = model.freeze(
            "segment", unlock=["image_encoder"] if config.segmenting.unlock_image else []
        )
        self.store_text = store_text
        self.slower = {"image.": config.segmenting.decoder_learning_rate}
        self.book = prompt_book(data.structures)
        self.embeddings = _embedded(model.text, self.book, bank)
        self.prompts = StepPrompts(
            self.book,
            self.embeddings,
            config.segmenting.prompts_per_step,
            config.segmenting.merged,
            config.running.seed,
        )

    def begin(self, engine: Engine, progress: Progress) -> None:
        """The connector alone, where the decoder comes pretrained."""
        steps = self.config.segmenting.connector_steps
        if steps and pretrained(self.model):
            rate = self.config.optimisation.learning_rate
            # Other prompts than those of the steps to come.
            asked = replace(self.prompts, seed=self.prompts.seed + 1)
            warm_up(self.model, self.samples, asked.of, engine, rate, self.config.segmenting, progress)

    @torch.no_grad()
    def end(self, engine: Engine, progress: Progress) -> None:
        """Presence once more, from the final masks; every process does the same."""
        count = self.config.segmenting.presence_patches
        if not count:
            return
        progress.message(f"presence, from the masks of {count:,} patches")
        asked = replace(self.prompts, seed=self.prompts.seed + 2)
        samples, judged = self.samples, None
        for number in range(count):
            progress.raise_if_interrupted()
            part, prompts = collate([samples[number]]), asked.of(number)
            embeddings = prompts.embeddings.to(engine.device)
            with engine.autocast():
                features = self.model.image_features(part.volume.to(engine.device))
            finest = features.levels[0].float()
            first = self.model.queries(embeddings, features.bottleneck.float())[0]
            shown = self.targets(part, prompts.structures).flatten(2).sum(2).to(engine.device)
            decided = self._labelled(part.places, prompts.structures).to(engine.device) & _decided(shown)
            evidence = MaskStatistics.of(first.logits(finest), finest).evidence()[0]
            one = Judged(embeddings, evidence, shown[0] > 0, decided[0])
            judged = judged or one.room(count)
            for whole, each in zip(judged, one, strict=True):
                whole[number] = each
        assert judged is not None
        with torch.enable_grad():
            fit_presence(self.model, judged, self.config.running.seed, progress)

    def backward(self, parts: Sequence[Any], step: int, engine: Engine) -> dict[str, Tensor]:
        """Every labelled mask weighs the same, over all parts and processes."""
        asked = self.prompts.of(step)
        known = [self._labelled(part.places, asked.structures) for part in parts]
        every = engine.total(sum(int(each.sum()) for each in known)) / engine.world
        metrics = {
            name: torch.zeros((), device=engine.device)
            for name in ("loss", "mask_loss", "presence_loss", "rescue_loss")
        }
        for part, labelled in zip(parts, known, strict=True):
            with engine.autocast():
                predicted = self.model(part.volume.to(engine.device), asked.embeddings.to(engine.device), full=True)
            target = self.targets(part, asked.structures).to(engine.device)
            share = int(labelled.sum()) / max(every, 1)
            losses = self._losses(predicted, target, labelled.to(engine.device), self._voxels(part, engine))
            engine.backward(losses["loss"] * share)
            for name, value in losses.items():
                metrics[name] += value.detach() * share
        return metrics

    def targets(self, part: Part, structures: Sequence[tuple[str, ...]]) -> Tensor:
        """Masks (B, P, D, H, W), bool: the union of each prompt's structures."""
        tables = [self.data.members(number, structures) for number in range(len(self.data.sources))]
        maps = [
            tables[place.source][labels.long()].permute(3, 0, 1, 2)
            for labels, place in zip(part.labels, part.places, strict=True)
        ]
        return torch.stack(maps)

    def _losses(
        self, predicted: Segmentation, target: Tensor, labelled: Tensor, voxels: Tensor | None
    ) -> dict[str, Tensor]:
        mask = deep_supervision_loss(predicted.logits, target, labelled, voxels=voxels)
        shown = target.flatten(2).sum(2)
        presence = presence_loss(predicted.presence, shown > 0, labelled & _decided(shown))
        options = self.config.segmenting
        rescue = (
            rescue_loss(predicted.logits[0], target, labelled, voxels=voxels) if options.rescue_weight else 0 * mask
        )
        return {
            "loss": mask + options.presence_weight * presence + options.rescue_weight * rescue,
            "mask_loss": mask,
            "presence_loss": presence,
            "rescue_loss": rescue,
        }

    def _labelled(self, places: Sequence[Place], structures: Sequence[tuple[str, ...]]) -> Tensor:
        """(B, P) bool: whether every structure of a prompt was looked for in a case."""
        known = [self.data.labelled(place) for place in places]
        return torch.tensor([[set(each) <= labelled for each in structures] for labelled in known])

    def _voxels(self, part: Part, engine: Engine) -> Tensor | None:
        """Where a data set says that nothing is known of a voxel, (B, 1, D, H, W)."""
        ignored = [self.data.sources[place.source].dataset.ignored for place in part.places]
        if not any(ignored):
            return None
        known = [
            ~torch.isin(labels, torch.tensor(ids, dtype=labels.dtype))
            for labels, ids in zip(part.labels, ignored, strict=True)
        ]
        return torch.stack(known)[:, None].to(engine.device)

    @torch.no_grad()
    def evaluate(self, engine: Engine, progress: Progress, folder: Path | None) -> dict[str, float]:
        """Dice on patches of held-out cases: by name, by held-out synonym, by merged group; and false masks."""
        questions = _questions(self.book)
        embeddings = torch.stack([self.embeddings[prompt] for prompt, _, _ in questions]).to(engine.device)
        structures = [members for _, members, _ in questions]
        measured, shown = RunningDice(len(questions), engine.device), 0
        for place in evaluated_places(self.data, engine):
            progress.raise_if_interrupted()
            sample = middle(self.data, place, self.config.crops.patch)
            with engine.autocast():
                full = self.model(sample.volume[None].to(engine.device), embeddings, full=True)
            found = masks(full.logits[0].float(), full.presence)[0]
            target = self.targets(collate([sample]), structures)[0].to(engine.device)
            known = self.data.labelled(place, held_out=True)
            measured.add(found, target, torch.tensor([set(each) <= known for each in structures], device=engine.device))
            if folder and shown < SHOWN:
                shown += 1
                name, count = self.data.case(place, held_out=True).id, len(self.book.names)
                truth, drawn = _painted(target[:count]), _painted(found[:count])
                draw_overlays(folder / f"{name}.png", sample.volume[0], truth, drawn, list(self.book.names))
        measured.total()
        kinds = {kind: [place for place, (_, _, own) in enumerate(questions) if own == kind] for kind in KINDS}
        found_by = {kind: measured.mean(places) for kind, places in kinds.items() if places}
        return found_by | {"false_masks": measured.false_masks()}

    def save(self, folder: Path, step: int) -> None:
        """The segmenter, with the prompts that it was shown and those that it was not."""
        record = learned_by("segment", self.config, self.data.describe(), step)
        record |= {"prompts": self.book.to_json(), "patch": list(self.config.crops.patch)}
        trained_on = [*self.earlier, record]
        save_checkpoint(self.model, folder, self.preprocessing, trained_on=trained_on, store_text=self.store_text)

    def describe(self, part: Any) -> list[str]:
        """Shapes for a person."""
        asked = self.prompts.of(0)
        return [
            f"volumes {tuple(part.volume.shape)}, {len(asked.structures)} prompts of {tuple(asked.embeddings.shape)}",
            f"{len(self.data.structures)} structures, {sum(map(len, self.book.trained.values()))} prompts to train on, "
            f"{sum(map(len, self.book.held_out.values()))} synonyms and {len(self.book.groups)} groups held out",
        ]


def _decided(shown: Tensor) -> Tensor:
    """Whether so many voxels (B, P) are enough to call a structure there, or none to call it absent."""
    return (shown == 0) | (shown >= SHOWN_BY)


KINDS = ("dice", "dice_synonyms", "dice_groups")


def _questions(book: PromptBook) -> list[tuple[str, tuple[str, ...], str]]:
    """Prompt, structures, kind: each name, each held-out synonym, each group by its name."""
    names = [(prompt, (name,), "dice") for name, prompt in book.names.items()]
    synonyms = [(prompt, (name,), "dice_synonyms") for name, prompts in book.held_out.items() for prompt in prompts]
    groups = [(group.name, group.members, "dice_groups") for group in book.groups]
    return [*names, *synonyms, *groups]


def _painted(found: Tensor) -> Tensor:
    """Masks (P, D, H, W) as one label map, later over earlier."""
    numbers = torch.arange(1, len(found) + 1, device=found.device)
    return (found * numbers[:, None, None, None]).amax(dim=0)


def _embedded(text: TextEncoder | None, book: PromptBook, bank: Path) -> dict[str, Tensor]:
    assert text is not None
    kinds = (book.trained, book.held_out, book.group_prompts)
    prompts = list(dict.fromkeys(prompt for kind in kinds for prompts in kind.values() for prompt in prompts))
    return dict(zip(prompts, EmbeddingBank(bank).embeddings(text, prompts), strict=True))


def open_text_guided(paths: Sequence[Path], config: SegmentConfig, cache: Path) -> TextGuided:
    """Data and model as the settings say. Raises ConfigError, DataError, CheckpointError."""
    torch.manual_seed(config.running.seed)
    model, preprocessing, earlier, store_text = _model(config)
    data = open_training_set(paths, config.data, preprocessing, cache, seed=config.running.seed)
    check_patch(model.image, config.crops.patch, "patch")
    bank = cache / "prompts.sqlite"
    return TextGuided(model, data, preprocessing, config, bank, store_text=store_text, earlier=earlier)


def _model(config: SegmentConfig) -> tuple[TextSegmenter, Preprocessing, tuple[dict[str, JsonValue], ...], bool]:
    options = config.segmenting
    if not options.start:
        raise ConfigError("start: name the checkpoint of `ovct train align`, or of `ovct train pretrain` with --text")
    start = starting_point(Path(options.start))
    model, preprocessing, earlier, stored = start
    if isinstance(model, TextSegmenter) and model.text is not None:
        kind = ConnectorRecord.of(model).kind
        if kind != options.connector:
            raise ConfigError(
                f"connector: that of {options.start} goes on as it is: say --connector {kind}, or start from the "
                "checkpoint of `ovct train align`"
            )
        return model, preprocessing, earlier, stored
    text = model.text if isinstance(model, Aligner) else None
    if text is None:
        if not options.text:
            raise ConfigError(
                f"{options.start} has no text encoder: name one with --text, or start from `ovct train align`"
            )
        # By its name on the hub it can be loaded again, and its licence may not let it be passed on.
        text, stored = TextEncoder.from_pretrained(options.text), Path(options.text).is_dir()
    segmenter = TextSegmenter(start.image, text, options.connector, hidden=options.hidden, levels=options.levels)
    return segmenter, preprocessing, earlier, stored
