"""The connector's first steps, on stored features."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

import train.stages.connector_warmup
from curation.runtime.progress import Progress
from models.aligner import Aligner
from models.checkpoint import load_checkpoint, save_checkpoint
from models.segmenter import TextSegmenter
from models.stunet import STUNet
from models.text import TextEncoder
from tests.train.training_worlds import BOXES, PREPROCESSING, World, make_world, settings
from train.config.loading import load_config
from train.config.options import Running, SegmentConfig
from train.data.crops import Patches
from train.loop.engine import TrainingEngine
from train.stages.connector_warmup import (
    PATCHES,
    SampledVolume,
    _sample_level,
    sample_volume,
    volume_loss,
    warm_up_rate,
)
from train.stages.open_segmentation import open_segmentation
from train.stages.segment import SegmentTask

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    made_world = make_world(tmp_path_factory.mktemp("world"), cases=4)
    torch.manual_seed(0)
    image = STUNet("tiny", num_classes=1 + len(BOXES), labels=("background", *BOXES))
    save_checkpoint(Aligner(image, TextEncoder.from_pretrained(made_world.encoder)), made_world.aligner, PREPROCESSING)
    return made_world


def opened(world: World, folder: Path, **options: object) -> tuple[SegmentTask, TrainingEngine]:
    config = load_config(SegmentConfig, None, settings("segment", world, **options))
    engine = TrainingEngine(Running(accelerator="cpu", precision="32-true"))
    return open_segmentation([world.data], config, folder), engine


def test_the_connector_learns_and_nothing_else_moves(world: World, tmp_path: Path) -> None:
    task, engine = opened(world, tmp_path, connector_steps=80, learning_rate=0.01)
    parts = [task.collate([task.samples[number] for number in range(4)])]
    with torch.no_grad():
        before = {name: value.clone() for name, value in task.model.state_dict().items()}
    first = float(task.backward(parts, 0, engine)["loss"])
    task.model.zero_grad()
    task.begin(engine, Progress())
    after = task.model.state_dict()
    moved = {name.split(".")[0] for name, value in before.items() if not torch.equal(value, after[name])}
    assert moved == {"connector"}
    assert all(parameter.grad is None for parameter in task.model.image.parameters())
    assert float(task.backward(parts, 0, engine)["loss"]) < 0.9 * first


def test_the_same_seed_gives_the_same_connector_and_none_is_trained_where_nothing_was_pretrained(
    world: World, tmp_path: Path
) -> None:
    states = []
    for _ in range(2):
        task, engine = opened(world, tmp_path, connector_steps=3)
        task.begin(engine, Progress())
        states.append(task.model.connector.state_dict())
    assert all(torch.equal(value, states[1][name]) for name, value in states[0].items())

    model, _ = load_checkpoint(world.aligner)
    assert isinstance(model, Aligner)
    task, engine = opened(world, tmp_path, connector_steps=3)
    headless = TextSegmenter(STUNet("tiny"), model.text, hidden=16, levels=2).freeze("segment")
    task.model = headless
    before = {name: value.clone() for name, value in headless.state_dict().items()}
    task.begin(engine, Progress())
    assert all(torch.equal(value, before[name]) for name, value in headless.state_dict().items())


def test_of_few_volumes_many_patches_are_stored(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A structure that no stored patch shows would be learned to be nowhere, and hardly come back."""
    task, engine = opened(world, tmp_path, connector_steps=1, limit=1)
    assert len(task.samples.case_refs) == 1
    numbers = list[int]()

    def counted(model: TextSegmenter, patches: Patches, number: int, engine: TrainingEngine) -> SampledVolume:
        numbers.append(number)
        return sample_volume(model, patches, number, engine)

    monkeypatch.setattr(train.stages.connector_warmup, "sample_volume", counted)
    task.begin(engine, Progress())
    assert numbers == list(range(PATCHES)) and PATCHES > 40


def test_sampled_voxels_stand_for_all_of_their_structure() -> None:
    generator = torch.Generator().manual_seed(0)
    labels = torch.zeros(40, 40, 40, dtype=torch.int16)
    labels[:3, :3, :3], labels[10:30, 10:30, 10:30] = 1, 2
    features = torch.stack((labels.float(), torch.arange(64000.0).view(40, 40, 40)))
    level = _sample_level(features, labels, (), generator)
    for label, size in zip(*torch.unique(labels, return_counts=True), strict=True):
        of_label = level.labels == int(label)
        assert float(level.weight[of_label].sum()) == pytest.approx(int(size))
        assert torch.equal(level.features[0, of_label], torch.full((int(of_label.sum()),), float(label)))
    assert (level.labels == 1).sum() == 27
    assert len(torch.unique(level.features[1])) == level.features.shape[1] < 6000


def test_ignored_voxels_are_not_drawn() -> None:
    labels = torch.zeros(8, 8, 8, dtype=torch.int16)
    labels[:4] = 9
    level = _sample_level(torch.zeros(2, 8, 8, 8), labels, (9,), torch.Generator().manual_seed(0))
    assert set(level.labels.tolist()) == {0} and float(level.weight.sum()) == pytest.approx(256)


def test_what_was_not_looked_for_in_a_case_teaches_nothing(world: World, tmp_path: Path) -> None:
    task, engine = opened(world, tmp_path)
    task.data.prepare("refuse", Progress())
    volume = sample_volume(task.model, task.samples, 0, engine)
    prompts = task.prompts.draw(0)
    count = len(prompts.structures)
    prompts = prompts._replace(structures=(("liver",),) * count, words=(None,) * count)
    assert (
        float(volume_loss(task.model, task.data, volume, prompts, engine.device, task.config.segmenting).detach()) > 0
    )
    cases = task.data.cases(0).cases
    for place, case in enumerate(cases):
        cases[place] = replace(case, labelled=("spleen",))
    volume = sample_volume(task.model, task.samples, 0, engine)
    assert float(volume_loss(task.model, task.data, volume, prompts, engine.device, task.config.segmenting)) == 0


def test_the_rate_rises_then_falls_in_a_line() -> None:
    rates = [warm_up_rate(step, 1000, 0.5) for step in range(1000)]
    assert rates[0] == pytest.approx(0.5 / 50) and rates[49] == pytest.approx(0.5 * (1 - 0.9 * 49 / 1000))
    assert rates[500] == pytest.approx(0.5 * 0.55) and rates[-1] == pytest.approx(0.5 * (1 - 0.9 * 0.999))
