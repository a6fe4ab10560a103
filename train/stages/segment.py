"""Stage 3, `ovct train segment`: the decoder and the connector learn to turn a prompt into a mask.

Image and text encoder stay as they are, so every prompt is embedded once, before the first step. Prompts come from the
names and synonyms of the structures and of their groups (train/prompting/prompt_sampler.py); what is held out
(train/data/structure_prompts.py) is only evaluated.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import torch
from pydantic import JsonValue
from torch import Tensor

from curation.runtime.progress import Progress
from models.checkpoint import save_checkpoint
from models.embedding_bank import EmbeddingBank
from models.preprocessing import Preprocessing
from models.segmenter import Segmentation, TextSegmenter
from prompts.vocabulary import load_vocabulary
from train.config.options import ConfigError, SegmentConfig
from train.config.prompting import HoldOut
from train.data.crops import collate_patches, middle_patch
from train.data.structure_prompts import StructurePrompts, build_structure_prompts
from train.data.training_set import TrainingSet
from train.inference.engines.asked_texts import AskedTexts
from train.loop.engine import TrainingEngine
from train.losses.mask_losses import deep_supervision_loss, missed_structure_loss, presence_loss
from train.prompting.absent_words import AbsentWord, find_absent_words, other_organs
from train.prompting.known_words import know_words
from train.prompting.near_structures import measure_distances, near_structures
from train.prompting.nonsense_words import TRAINED_NONSENSE
from train.prompting.patch_content import contents_of, joined
from train.prompting.prompt_sampler import PromptSampler

from .connector_warmup import decoder_is_pretrained, warm_up
from .cost.stage_cost import StepCost, segmenting_cost
from .overlays import draw_overlays, picture_name
from .patch_masks import patch_masks
from .patch_task import PatchTask
from .presence_fit import collect_presence, fit_presence
from .prompt_targets import counted_voxels, known_masks, presence_is_decided, target_masks
from .run_record import MOST_DRAWN, evaluated_cases, learned_by
from .running_dice import RunningDice


class SegmentTask(PatchTask):
    """The task of stage 3; see `train.loop.task.Task`."""

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
        # The connector learns at the whole learning rate.
        self.lr_multipliers = {"image.": config.segmenting.decoder_learning_rate}
        options = config.prompting
        hold_out = HoldOut.parse(options.hold_out, options.held_out_third)
        self.structure_prompts = build_structure_prompts(data.structures, hold_out=hold_out)
        words = self._absent_words()
        others = other_organs(self.structure_prompts.names.values(), load_vocabulary())
        texts = _all_prompts(self.structure_prompts, [*(word.text for word in words), *others])
        assert model.text is not None
        self.embeddings = dict(zip(texts, EmbeddingBank(bank).embeddings(model.text, texts), strict=True))
        self.prompts = PromptSampler(
            self.structure_prompts, self.embeddings, options, config.running.seed, absent_words=words
        )
        know_words(model.connector, self.structure_prompts, self.embeddings, others)

    def settings(self) -> dict[str, Any]:
        """Return all that decides what is learned, and how much the connector knows: a saved state has its sizes."""
        known = self.model.connector.known
        assert known is not None
        return super().settings() | {"known_words": [len(known.vectors), len(known.unions)]}

    def _absent_words(self) -> tuple[AbsentWord, ...]:
        """Return what may be asked as absent. Raises ConfigError for a setting `not_shown` that cannot be used."""
        try:
            return find_absent_words(self.structure_prompts.names, self.config.prompting.not_shown, load_vocabulary())
        except ValueError as error:
            raise ConfigError(str(error)) from error

    def prepare(self, engine: TrainingEngine, progress: Progress, numbers: Sequence[int] | None = None) -> None:
        """Prepare all cases, then find which structures lie next to each; with `numbers`, neither."""
        super().prepare(engine, progress, numbers)
        if numbers is None:
            near = near_structures(self.structure_prompts.names, measure_distances(self.data), load_vocabulary())
            self.prompts = replace(self.prompts, near=near)

    def begin(self, engine: TrainingEngine, progress: Progress) -> None:
        """Train the connector alone, where the decoder comes pretrained."""
        if self.config.segmenting.connector_steps and decoder_is_pretrained(self.model):
            rate = self.config.optimisation.learning_rate
            # Other prompts than those of the steps to come.
            sampler = replace(self.prompts, seed=self.prompts.seed + 1)
            warm_up(self.model, self.samples, sampler, engine, rate, self.config.segmenting, progress)

    def end(self, engine: TrainingEngine, progress: Progress) -> None:
        """Train the presence head once more, from the final masks; every process does the same."""
        count = self.config.segmenting.presence_patches
        if not count:
            return
        progress.message(f"presence, from the masks of {count:,} patches")
        sampler = replace(self.prompts, seed=self.prompts.seed + 2)
        samples = collect_presence(self.model, self.samples, sampler, count, engine, progress)
        fit_presence(self.model, samples, self.config.running.seed, progress)

    def backward(self, parts: Sequence[Any], step: int, engine: TrainingEngine) -> dict[str, Tensor]:
        """Add the gradients; every labelled mask weighs the same, over all parts and processes."""
        content = joined([content for part in parts for content in contents_of(self.data, part)])
        # The same prompts on all processes: what all of them show.
        prompts = self.prompts.draw(step, joined(engine.gather_objects(content)))
        labelled_of_parts = [known_masks(self.data, part, prompts) for part in parts]
        # Labelled masks of the whole batch, for each process.
        count = engine.total(sum(int(labelled.sum()) for labelled in labelled_of_parts)) / engine.world
        metrics = {
            name: torch.zeros((), device=engine.device)
            for name in ("loss", "mask_loss", "presence_loss", "rescue_loss")
        }
        for part, labelled in zip(parts, labelled_of_parts, strict=True):
            with engine.autocast():
                predicted = self.model(part.volume.to(engine.device), prompts.embeddings.to(engine.device), full=True)
            target = target_masks(self.data, part, prompts.structures, engine.device)
            voxels = counted_voxels(self.data, part, engine.device)
            share = int(labelled.sum()) / max(count, 1)
            losses = self._losses(predicted, target, labelled.to(engine.device), voxels)
            engine.backward(losses["loss"] * share)
            for name, value in losses.items():
                metrics[name] += value.detach() * share
        return metrics

    def _losses(
        self, predicted: Segmentation, target: Tensor, labelled: Tensor, voxels: Tensor | None
    ) -> dict[str, Tensor]:
        """Return the weighted sum as `loss`, and its terms, for masks (B, P, D, H, W) and `labelled` (B, P)."""
        options = self.config.segmenting
        mask = deep_supervision_loss(predicted.logits, target, labelled, voxels=voxels)
        sizes = target.flatten(2).sum(2)
        presence = presence_loss(predicted.presence, sizes > 0, labelled & presence_is_decided(sizes))
        missed = 0 * mask
        if options.missed_structure_weight:
            missed = missed_structure_loss(predicted.logits[0], target, labelled, voxels=voxels)
        return {
            "loss": mask + options.presence_weight * presence + options.missed_structure_weight * missed,
            "mask_loss": mask,
            "presence_loss": presence,
            "rescue_loss": missed,
        }

    @torch.no_grad()
    def evaluate(self, engine: TrainingEngine, progress: Progress, folder: Path | None) -> dict[str, float]:
        """Return the Dice on patches of held-out cases, by kind of prompt, and the share of false masks."""
        prompts = evaluated_prompts(self.structure_prompts)
        texts = [prompt.text for prompt in prompts]
        asked = AskedTexts.of(self.model, texts, self.structure_prompts, vocabulary=False, embedded=self.embeddings)
        embeddings = asked.embeddings.to(engine.device)
        structures = [prompt.structures for prompt in prompts]
        dice, pictures = RunningDice(len(prompts), engine.device), 0
        for case_ref in evaluated_cases(self.data, engine):
            progress.raise_if_interrupted()
            sample = middle_patch(self.data, case_ref, self.config.crops.patch)
            predicted = asked.unions(patch_masks(self.model, sample.volume.to(engine.device), embeddings, engine))
            target = target_masks(self.data, collate_patches([sample]), structures, engine.device)[0]
            names = self.data.labelled_structures(case_ref, held_out=True)
            labelled = torch.tensor([set(members) <= names for members in structures], device=engine.device)
            dice.add(predicted, target, labelled)
            if folder and pictures < MOST_DRAWN:
                pictures += 1
                count, case = len(self.structure_prompts.names), self.data.case(case_ref, held_out=True).id
                truth, drawn = _label_map(target[:count]), _label_map(predicted[:count])
                draw_overlays(
                    folder / picture_name(case), sample.volume[0], truth, drawn, list(self.structure_prompts.names)
                )
        dice.sum_over_processes()
        indices = {kind: [index for index, prompt in enumerate(prompts) if prompt.kind == kind] for kind in KINDS}
        means = {kind: dice.mean(of_kind) for kind, of_kind in indices.items() if of_kind}
        return means | {"false_masks": dice.false_masks()}

    def save(self, folder: Path, step: int) -> None:
        """Write the segmenter, with the prompts that it was trained on and those that were held out."""
        record = learned_by("segment", self.config, self.data.describe(), step)
        record |= {"prompts": self.structure_prompts.to_json(), "patch": list(self.config.crops.patch)}
        trained_on = [*self.earlier, record]
        save_checkpoint(self.model, folder, self.preprocessing, trained_on=trained_on, store_text=self.store_text)

    def cost(self, engine: TrainingEngine) -> StepCost:
        """Return what a step of this run will take of each device, counted without computing it."""
        prompts, unlocked = self.config.prompting.prompts_per_step, self.config.segmenting.unlock_image
        step = {"optimisation": self.config.optimisation, "world": engine.world, "half": engine.is_half}
        return segmenting_cost(self.model, self.config.crops.patch, prompts, unlock_image=unlocked, **step)

    def describe(self, part: Any) -> list[str]:
        """Return the shapes of a part, and how many structures and prompts there are."""
        step, prompts = self.prompts.draw(0), self.structure_prompts
        return [
            f"volumes {tuple(part.volume.shape)}, {len(step.structures)} prompts of {tuple(step.embeddings.shape)}",
            f"{len(self.data.structures)} structures and {len(prompts.trained_of_groups)} groups, "
            f"{len(prompts.trained_prompts)} prompts to train on; held out: "
            f"{sum(map(len, prompts.held_out.values()))} synonyms and {len(prompts.held_out_groups)} groups",
            *self.describe_labels(),
        ]


# The measures of an evaluation while training: Dice by name, by held-out synonym, by group and by held-out group.
KINDS = ("dice", "dice_synonyms", "dice_groups", "dice_held_out_groups")


class EvaluatedPrompt(NamedTuple):
    """A prompt of an evaluation while training, the structures that it means, and the measure that it counts for."""

    text: str
    structures: tuple[str, ...]
    kind: str


def evaluated_prompts(structure_prompts: StructurePrompts) -> list[EvaluatedPrompt]:
    """Return each structure by its name, by each held-out synonym, and each group by its name."""
    held_out = {group.name for group in structure_prompts.held_out_groups}
    return [
        *(EvaluatedPrompt(prompt, (name,), "dice") for name, prompt in structure_prompts.names.items()),
        *(
            EvaluatedPrompt(prompt, (name,), "dice_synonyms")
            for name, prompts in structure_prompts.held_out.items()
            for prompt in prompts
        ),
        *(
            EvaluatedPrompt(
                group.name, group.members, "dice_held_out_groups" if group.name in held_out else "dice_groups"
            )
            for group in structure_prompts.groups
        ),
    ]


def _label_map(predicted: Tensor) -> Tensor:
    """Return masks (P, D, H, W) as one label map (D, H, W), later masks over earlier ones."""
    numbers = torch.arange(1, len(predicted) + 1, device=predicted.device)
    return (predicted * numbers[:, None, None, None]).amax(dim=0)


def _all_prompts(structure_prompts: StructurePrompts, words: Sequence[str]) -> list[str]:
    """Return every prompt, trained or held out, and the words for what is absent."""
    kinds = (structure_prompts.trained, structure_prompts.held_out, structure_prompts.group_prompts)
    prompts = [prompt for kind in kinds for prompts in kind.values() for prompt in prompts]
    return list(dict.fromkeys([*prompts, *words, *TRAINED_NONSENSE]))
