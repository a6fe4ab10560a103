"""The connector of stage 3 alone, on features of the demo's phantoms that are computed once and kept.

So many variants and seeds cost minutes each and not a run of all stages: the network stays as `ovct train pretrain` has
left it. Trained is as in the connector's first steps (train/stages/connector_warmup.py) and presence as after the last
one (train/stages/presence_fit.py), from `TRAINED` patches; asked is what `ovct evaluate` asks, of the middle patches of
`ASKED` validation phantoms, each of which shows a whole phantom. Dice is that of all voxels of a prompt together.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.optim import AdamW

from benchmarks.training.demo_world import DemoWorld
from curation.runtime.progress import Progress
from models.segmenter import MaskStatistics, presence_logits
from prompts.vocabulary import load_vocabulary
from train.config.loading import load_config
from train.config.options import SegmentConfig
from train.data.crops import middle_patch
from train.evaluation.questions import EvaluationQuestion, build_questions
from train.inference.engines.asked_texts import AskedTexts
from train.loop.engine import TrainingEngine
from train.order import random
from train.prompting.near_structures import measure_distances, near_structures
from train.prompting.patch_content import joined
from train.stages.connector_warmup import (
    CLIP_NORM,
    PATCHES_IN_STEP,
    SampledVolume,
    sample_volume,
    volume_loss,
    warm_up_rate,
)
from train.stages.open_segmentation import open_segmentation
from train.stages.presence_fit import PresenceSamples, fit_presence, patch_samples
from train.stages.segment import SegmentTask

TRAINED, ASKED = 60, 12


class Patch(NamedTuple):
    """The finest features (1, C, D, H, W), half precision, and the labels (D, H, W) of a patch."""

    features: Tensor
    labels: Tensor


class StoredFeatures(NamedTuple):
    """Sampled voxels and whole patches to train on, and patches to ask about."""

    volumes: list[SampledVolume]
    trained: list[Patch]
    asked: list[Patch]


class Scores(NamedTuple):
    """For each question the Dice, and in how many phantoms it is present, absent, made up and missed."""

    questions: tuple[EvaluationQuestion, ...]
    dice: list[float]
    present: list[int]
    absent: list[int]
    made_up: list[int]
    missed: list[int]


@dataclass(frozen=True)
class ConnectorWorld:
    """The demo's pretrained network, and settings of stage 3 on it."""

    world: DemoWorld

    def score(self, text: str, steps: int, options: Mapping[str, Any]) -> Scores:
        """Train a connector for so many steps with a text encoder and some options; return how it answers."""
        task = self._task(text, steps, options)
        engine = TrainingEngine(task.config.running)
        near = near_structures(task.structure_prompts.names, self._distances(), load_vocabulary())
        task.prompts = replace(task.prompts, near=near)
        stored = self._features()
        _train(task, stored, engine)
        return _ask(task, stored.asked)

    def _task(self, text: str, steps: int, options: Mapping[str, Any]) -> SegmentTask:
        given = {"start": str(self.world.folder / "pretrain"), "text": text, "connector_steps": steps, **options}
        config = load_config(SegmentConfig, self.world.config("segment"), given)
        return open_segmentation([self.world.dataset], config, self.world.folder / "pretrain" / "cache")

    @cache  # noqa: B019 - one world lives as long as the process
    def _distances(self) -> Any:
        return measure_distances(self._any_task.data)

    @property
    def _any_task(self) -> SegmentTask:
        from tests.models.encoders import minilm_directory

        return self._task(str(minilm_directory()), 1, {"seed": 0})

    @cache  # noqa: B019
    def _features(self) -> StoredFeatures:
        task = self._any_task
        engine = TrainingEngine(task.config.running)
        volumes, trained, asked = [], [], []
        for number in range(TRAINED):
            sample = task.samples[number]
            volumes.append(sample_volume(task.model, task.samples, number, engine))
            trained.append(_patch(task, sample.volume, sample.labels, engine))
        for case_ref in task.data.case_refs(held_out=True)[:ASKED]:
            sample = middle_patch(task.data, case_ref, task.config.crops.patch)
            asked.append(_patch(task, sample.volume, sample.labels, engine))
        return StoredFeatures(volumes, trained, asked)


@torch.no_grad()
def _patch(task: SegmentTask, volume: Tensor, labels: Tensor, engine: TrainingEngine) -> Patch:
    with engine.autocast():
        return Patch(task.model.image_features(volume[None], levels=1).levels[0].half(), labels)


def _train(task: SegmentTask, stored: StoredFeatures, engine: TrainingEngine) -> None:
    """Train the connector, then its presence head, on stored features."""
    config, model = task.config, task.model
    steps, rate, seed = config.segmenting.connector_steps, config.optimisation.learning_rate, config.running.seed
    sampler = replace(task.prompts, seed=seed + 1)
    optimizer = AdamW(model.connector.parameters(), lr=rate)
    for step in range(steps):
        for group in optimizer.param_groups:
            group["lr"] = warm_up_rate(step, steps, rate)
        chosen = [stored.volumes[at] for at in random((seed, 6, step)).permutation(TRAINED)[:PATCHES_IN_STEP]]
        prompts = sampler.draw(step, joined([volume.content for volume in chosen]))
        losses = [volume_loss(model, task.data, volume, prompts, engine.device, config.segmenting) for volume in chosen]
        torch.autograd.backward(torch.stack(losses).mean())
        torch.nn.utils.clip_grad_norm_(model.connector.parameters(), CLIP_NORM)
        optimizer.step()
        optimizer.zero_grad()
    fit_presence(model, _presence_samples(task, stored), seed, Progress())


@torch.no_grad()
def _presence_samples(task: SegmentTask, stored: StoredFeatures) -> PresenceSamples:
    sampler = replace(task.prompts, seed=task.prompts.seed + 2)
    samples: list[PresenceSamples] = []
    for number, (volume, patch) in enumerate(zip(stored.volumes, stored.trained, strict=True)):
        prompts, finest = sampler.draw(number, volume.content, presence=True), patch.features.float()
        query = task.model.queries(prompts.embeddings, volume.bottleneck)[0]
        table = task.data.label_membership(volume.case_ref.source, prompts.structures)
        targets = table[patch.labels.long()].movedim(-1, 0)[None]
        known = torch.tensor(prompts.known_in(volume.content))
        samples += patch_samples(prompts.embeddings, query.logits(finest), finest, targets, known)
    count = min(len(sample.present) for sample in samples)
    return PresenceSamples(*(torch.stack([tensor[:count] for tensor in part]) for part in zip(*samples, strict=True)))


@torch.no_grad()
def _ask(task: SegmentTask, patches: list[Patch]) -> Scores:
    model, questions = task.model, build_questions(tuple(task.data.structures), task.structure_prompts).questions
    assert model.text is not None
    model.eval()
    asked = AskedTexts.of(model, [question.prompt for question in questions], task.structure_prompts, vocabulary=False)
    table = task.data.label_membership(0, [question.members for question in questions])
    queries, *_, presence = model.queries(asked.embeddings)
    overlap, size, present, absent, made_up, missed = torch.zeros(6, len(questions))
    for patch in patches:
        finest = patch.features.float()
        logits = queries.logits(finest)
        shown = presence_logits(presence, MaskStatistics.of(logits, finest))[0] > 0
        predicted = asked.unions((logits[0].flatten(1) > 0) & shown[:, None])
        truth = table[patch.labels.long().flatten()].T
        there, found = truth.any(1), predicted.any(1)
        overlap += 2 * (predicted & truth).sum(1)
        size += predicted.sum(1) + truth.sum(1)
        present, absent = present + there, absent + ~there
        made_up, missed = made_up + (found & ~there), missed + (there & ~found)
    counts = [[int(value) for value in counted.tolist()] for counted in (present, absent, made_up, missed)]
    return Scores(questions, (overlap / size.clamp(min=1)).tolist(), *counts)


def column_values(scores: Scores) -> dict[str, float | None]:
    """Return the figures of `benchmarks.training.ablate_segmenting` for one trained connector."""

    def dice(wanted: Callable[[EvaluationQuestion], bool]) -> float | None:
        asked = zip(scores.questions, scores.dice, scores.present, strict=True)
        values = [value for question, value, present in asked if present and wanted(question)]
        return sum(values) / len(values) if values else None

    def share(kind: str, hits: list[int], trials: list[int]) -> float:
        places = [place for place, question in enumerate(scores.questions) if question.kind == kind]
        return sum(hits[place] for place in places) / max(sum(trials[place] for place in places), 1)

    with_synonym = {question.members for question in scores.questions if question.kind == "synonym"}
    return {
        "names": dice(lambda question: question.kind == "name"),
        "names of syn.": dice(lambda question: question.kind == "name" and question.members in with_synonym),
        "synonyms": dice(lambda question: question.kind == "synonym"),
        "groups trained": dice(lambda question: question.kind == "group" and question.trained is True),
        "false masks": share("name", scores.made_up, scores.absent),
        "… by synonym": share("synonym", scores.made_up, scores.absent),
        "nonsense": share("nonsense", scores.made_up, scores.absent),
        "missed": share("name", scores.missed, scores.present),
    }


def held_out_groups(scores: Scores) -> list[float | None]:
    """Return the Dice of each group of which no name was trained, the mean over its names."""
    by_group: dict[str, list[tuple[float, bool | None]]] = {}
    for question, dice, present in zip(scores.questions, scores.dice, scores.present, strict=True):
        if question.kind == "group" and present:
            by_group.setdefault(question.subject, []).append((dice, question.trained))
    return [
        sum(dice for dice, _ in asked) / len(asked)
        for asked in by_group.values()
        if not any(trained for _, trained in asked)
    ]
