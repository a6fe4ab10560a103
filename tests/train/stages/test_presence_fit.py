"""Presence, learned last from what the masks hold."""

from dataclasses import replace

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from curation.runtime.progress import Progress
from models.segmenter import MaskStatistics, TextSegmenter
from tests.models.tiny import embeddings, segmenter
from tests.train.training_worlds import make_world, settings
from train.config.loading import load_config
from train.config.options import SegmentConfig
from train.loop.engine import TrainingEngine
from train.prompting.patch_content import content_of
from train.stages.open_segmentation import open_segmentation
from train.stages.presence_fit import PresenceSamples, _with_rim, collect_presence, fit_presence, patch_samples

PROMPTS = embeddings(3)


def patches(count: int, seed: int) -> PresenceSamples:
    """Prompt 0 is there where its mask is large; 1 where its features say so; 2 is never decided."""
    generator = torch.Generator().manual_seed(seed)
    samples = None
    for number in range(count):
        there = torch.tensor([bool(number & 1), bool(number & 2), False])
        mass = torch.rand(1, 3, generator=generator) * 20 + torch.where(there[0], 400.0, 0.0)
        mean = torch.randn(1, 3, 4, generator=generator) * 0.3
        mean[0, 1] += torch.tensor([3.0, -1, 0, 0]) if there[1] else torch.tensor([-3.0, 1, 0, 0])
        evidence = MaskStatistics(mass, mass * 0.8, mean * mass.unsqueeze(-1)).evidence()[0]
        sample = PresenceSamples(PROMPTS, evidence, there, torch.tensor([True, True, False]))
        samples = samples or sample.empty(count, len(there))
        for target, tensor in zip(samples, sample, strict=True):
            target[number] = tensor
    assert samples is not None
    return samples


def predicted_presence(model: TextSegmenter, samples: PresenceSamples) -> Tensor:
    queries = model.presence_queries(PROMPTS)
    return queries.scale * (queries.vectors * samples.evidence).sum(dim=-1) + queries.bias > 0


def test_it_learns_from_size_and_features_and_only_its_own_head_moves() -> None:
    model = segmenter()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    fit_presence(model, patches(64, 0), 0, Progress())
    moved = {name for name, value in model.state_dict().items() if not torch.equal(value, before[name])}
    last = f"connector.heads.{len(model.connector.heads) - 1}."
    assert moved and all(name.startswith(last) for name in moved)
    assert all(parameter.grad is None for parameter in model.parameters())
    others = patches(16, 1)
    assert torch.equal(predicted_presence(model, others)[:, :2], others.present[:, :2])


def test_the_same_seed_learns_the_same_and_nothing_decided_teaches_nothing() -> None:
    states = []
    for seed in (1, 1, 2):
        model = segmenter()
        fit_presence(model, patches(8, 0), seed, Progress())
        states.append(model.connector.state_dict())
    assert all(torch.equal(value, states[1][name]) for name, value in states[0].items())
    assert not all(torch.equal(value, states[2][name]) for name, value in states[0].items())
    model = segmenter()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    unknown = patches(2, 0)
    fit_presence(model, unknown._replace(decided=torch.zeros_like(unknown.decided)), 0, Progress())
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())


def test_what_a_mask_holds_outside_of_its_structure_is_what_absence_looks_like() -> None:
    """Prompt 0 also finds a scrap elsewhere, 1 finds nothing else, 2 is not there, 3 was not looked for."""
    targets, logits = torch.zeros(1, 4, 8, 8, 16, dtype=torch.bool), torch.full((1, 4, 8, 8, 16), -1e4)
    targets[0, [0, 1, 3], 1:7, 1:7, 1:7] = True
    logits[targets] = 9.0
    logits[0, 0, 1:7, 1:7, 7] = 9.0  # in the rim
    logits[0, 0, 3, 3, 12:14] = 9.0
    logits[0, 2, 3, 3, 12:14] = 9.0
    features = torch.randn(1, 5, 8, 8, 16, generator=torch.Generator().manual_seed(0))
    whole, left = patch_samples(embeddings(4), logits, features, targets, torch.tensor([True, True, True, False]))
    assert whole.present.tolist() == [True, True, False, True] and not left.present.any()
    assert whole.decided.tolist() == [True, True, True, False] and left.decided.tolist() == [True, True, False, False]
    torch.testing.assert_close(left.evidence[0], whole.evidence[2])
    assert float(left.evidence[1, 5:].abs().sum()) == 0 < float(whole.evidence[1, 5])


def test_a_mask_with_its_rim() -> None:
    masks = torch.rand(2, 3, 5, 6, 7, generator=torch.Generator().manual_seed(0)) > 0.95
    pooled = functional.max_pool3d(masks.float(), 3, stride=1, padding=1) > 0
    assert torch.equal(_with_rim(masks), pooled) and int(masks.sum()) < int(pooled.sum()) < pooled.numel()


def test_patches_of_cases_in_which_less_was_looked_for_have_fewer_prompts(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    world = make_world(tmp_path_factory.mktemp("presence"), cases=3)
    values = settings("segment", world, prompts_per_step=12, hold_out="all")
    task = open_segmentation([world.data], load_config(SegmentConfig, None, values), tmp_path_factory.mktemp("cache"))
    cases = task.data.cases(0).cases
    cases[0] = replace(cases[0], labelled=("spleen",))
    engine = TrainingEngine(task.config.running)
    samples = collect_presence(task.model, task.samples, task.prompts, 6, engine, Progress())
    assert samples.decided.shape == (12, 12)  # two rows for each patch
    content = [content_of(task.data, task.samples[number].labels, task.samples[number].case_ref) for number in range(6)]
    counts = [len(task.prompts.draw(number, content[number], presence=True).structures) for number in range(6)]
    assert min(counts) < max(counts) <= 12
    assert not any(samples.decided[2 * number : 2 * number + 2, count:].any() for number, count in enumerate(counts))
    assert samples.present[::2].any() and not samples.present[1::2].any()
    assert torch.equal(samples.decided[1::2], samples.decided[::2] & samples.present[::2])
    fit_presence(task.model, samples, 0, Progress())
