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
from train.config import Running, SegmentConfig, load_config
from train.data.crops import Patches
from train.loop.engine import Engine
from train.stages.connector_warmup import VOLUMES, Sampled, _level, _loss, _sampled
from train.stages.segment import TextGuided, open_text_guided

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    made = make_world(tmp_path_factory.mktemp("world"), cases=4)
    torch.manual_seed(0)
    image = STUNet("tiny", num_classes=1 + len(BOXES), labels=("background", *BOXES))
    save_checkpoint(Aligner(image, TextEncoder.from_pretrained(made.encoder)), made.aligner, PREPROCESSING)
    return made


def task(world: World, folder: Path, **other: object) -> tuple[TextGuided, Engine]:
    config = load_config(SegmentConfig, None, settings("segment", world, **other))
    return open_text_guided([world.data], config, folder), Engine(Running(accelerator="cpu", precision="32-true"))


def test_the_connector_learns_and_nothing_else_moves(world: World, tmp_path: Path) -> None:
    made, engine = task(world, tmp_path, connector_steps=80, learning_rate=0.01)
    parts = [made.collate([made.samples[number] for number in range(4)])]
    with torch.no_grad():
        before = {name: value.clone() for name, value in made.model.state_dict().items()}
    first = float(made.backward(parts, 0, engine)["loss"])
    made.model.zero_grad()
    made.begin(engine, Progress())
    after = made.model.state_dict()
    moved = {name.split(".")[0] for name, value in before.items() if not torch.equal(value, after[name])}
    assert moved == {"connector"}
    assert all(parameter.grad is None for parameter in made.model.image.parameters())
    assert float(made.backward(parts, 0, engine)["loss"]) < 0.9 * first


def test_the_same_seed_gives_the_same_connector_and_none_is_trained_where_nothing_was_pretrained(
    world: World, tmp_path: Path
) -> None:
    states = []
    for _ in range(2):
        made, engine = task(world, tmp_path, connector_steps=3)
        made.begin(engine, Progress())
        states.append(made.model.connector.state_dict())
    assert all(torch.equal(value, states[1][name]) for name, value in states[0].items())

    model, _ = load_checkpoint(world.aligner)
    assert isinstance(model, Aligner)
    made, engine = task(world, tmp_path, connector_steps=3)
    headless = TextSegmenter(STUNet("tiny"), model.text, hidden=16, levels=2).freeze("segment")
    made.model = headless
    kept = {name: value.clone() for name, value in headless.state_dict().items()}
    made.begin(engine, Progress())
    assert all(torch.equal(value, kept[name]) for name, value in headless.state_dict().items())


def test_of_few_volumes_many_patches_are_stored(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A structure that no stored patch shows would be learned to be nowhere, and hardly come back."""
    made, engine = task(world, tmp_path, connector_steps=1, limit=1)
    assert len(made.samples.places) == 1
    numbers = list[int]()

    def counted(model: TextSegmenter, patches: Patches, number: int, engine: Engine) -> Sampled:
        numbers.append(number)
        return _sampled(model, patches, number, engine)

    monkeypatch.setattr(train.stages.connector_warmup, "_sampled", counted)
    made.begin(engine, Progress())
    assert numbers == list(range(VOLUMES)) and VOLUMES > 40


def test_sampled_voxels_stand_for_all_of_their_structure() -> None:
    generator = torch.Generator().manual_seed(0)
    labels = torch.zeros(40, 40, 40, dtype=torch.int16)
    labels[:3, :3, :3], labels[10:30, 10:30, 10:30] = 1, 2
    features = torch.stack((labels.float(), torch.arange(64000.0).view(40, 40, 40)))
    level = _level(features, labels, (), generator)
    for label, size in zip(*torch.unique(labels, return_counts=True), strict=True):
        own = level.labels == int(label)
        assert float(level.weight[own].sum()) == pytest.approx(int(size))
        assert torch.equal(level.features[0, own], torch.full((int(own.sum()),), float(label)))
    assert (level.labels == 1).sum() == 27
    assert len(torch.unique(level.features[1])) == level.features.shape[1] < 6000


def test_ignored_voxels_are_not_drawn() -> None:
    labels = torch.zeros(8, 8, 8, dtype=torch.int16)
    labels[:4] = 9
    level = _level(torch.zeros(2, 8, 8, 8), labels, (9,), torch.Generator().manual_seed(0))
    assert set(level.labels.tolist()) == {0} and float(level.weight.sum()) == pytest.approx(256)


def test_what_was_not_looked_for_in_a_case_teaches_nothing(world: World, tmp_path: Path) -> None:
    made, engine = task(world, tmp_path)
    made.data.prepare("refuse", Progress())
    sampled = _sampled(made.model, made.samples, 0, engine)
    asked = made.prompts.of(0)._replace(structures=(("liver",),) * len(made.prompts.of(0).structures))
    assert float(_loss(made.model, made.samples, sampled, asked, engine.device, made.config.segmenting).detach()) > 0
    cases = made.data.cases(0).cases
    for place, case in enumerate(cases):
        cases[place] = replace(case, labelled=("spleen",))
    assert float(_loss(made.model, made.samples, sampled, asked, engine.device, made.config.segmenting)) == 0
