from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from curation.runtime.progress import Progress
from models.checkpoint import load_checkpoint, save_checkpoint
from models.preprocessing import PUBLISHED_PREPROCESSING
from models.stunet import STUNet
from tests.train.training_worlds import PATCH, World, labelled, make_world, settings, trained
from train.config.loading import load_config
from train.config.options import ConfigError, PretrainConfig
from train.data.cases import DataError
from train.loop.engine import TrainingEngine
from train.loop.run_log import read_metrics
from train.losses.class_loss import UNKNOWN
from train.stages.pretrain import PretrainTask, open_pretraining

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return make_world(tmp_path_factory.mktemp("pretrain"))


def config_of(world: World, **options: object) -> PretrainConfig:
    return load_config(PretrainConfig, None, settings("pretrain", world, **options))


def opened(world: World, cache: Path, *others: Path, **options: object) -> PretrainTask:
    return open_pretraining([world.data, *others], config_of(world, **options), cache)


def test_it_learns_and_leaves_a_checkpoint(world: World, tmp_path: Path) -> None:
    out = tmp_path / "out"
    outcome = trained("pretrain", world, out, steps=25, augment=False, evaluate_every=25, save_every=25)
    assert outcome is not None and 0 <= (outcome.evaluation["dice"] or 0) <= 1
    losses = [line["loss"] for line in read_metrics(out / "metrics.jsonl") if line["kind"] == "train"]
    assert sum(losses[-5:]) < 0.8 * sum(losses[:5])
    model, record = load_checkpoint(out)
    assert isinstance(model, STUNet) and record.stage == "pretrain"
    assert model.labels == ("background", "spleen", "kidney_right", "kidney_left", "liver")
    assert list(record.preprocessing.spacing_mm) == [10, 10, 10] and record.preprocessing.orientation == "SAR"
    learned = record.trained_on[-1]
    assert learned["stage"] == "pretrain" and learned["steps"] == 25
    options = learned["options"]
    assert isinstance(options, dict) and options["patch"] == list(PATCH)
    pictures = list((out / "samples" / "step-25").iterdir())
    assert pictures and all(path.read_bytes().startswith(b"\x89PNG") for path in pictures)


def test_outputs_of_known_names_keep_their_weights(world: World, tmp_path: Path) -> None:
    labels = ("background", "liver", "aorta", "spleen")
    before = STUNet("tiny", 1, 4, labels=labels)
    save_checkpoint(before, tmp_path / "before", PUBLISHED_PREPROCESSING, trained_on=[{"stage": "pretrain"}])
    task = opened(world, tmp_path / "cache", weights=str(tmp_path / "before"))
    now = task.model
    assert now.labels is not None and task.preprocessing.spacing_mm == (1.5, 1.5, 1.5)
    for old, new in zip(before.seg_outputs, now.seg_outputs, strict=True):
        for name, place in (("background", 0), ("liver", 1), ("spleen", 3)):
            row = now.labels.index(name)
            for part in ("weight", "bias"):
                assert torch.equal(new.get_parameter(part)[row], old.get_parameter(part)[place])
    old_state, new_state = before.state_dict(), now.state_dict()
    assert all(torch.equal(new_state[name], old_state[name]) for name in old_state if "seg_outputs" not in name)
    assert task.earlier == ({"stage": "pretrain"},)


def test_every_voxel_gets_the_number_of_its_class(world: World, tmp_path: Path) -> None:
    task = opened(world, tmp_path, augment=False)
    part = task.collate([task.samples[number] for number in range(4)])
    classes = task._classes(part)
    ids = task.data.sources[0].structures
    for number, name in enumerate(task.data.structures, 1):
        assert torch.equal(classes == number, part.labels == ids[name][0])
    assert classes.max() <= 4 and classes.min() >= 0


def test_ids_of_several_regions_and_of_nothing_known() -> None:
    from train.stages.pretrain import _class_table

    table = _class_table({"whole": (1, 2, 3), "core": (2, 3), "tip": (3,)}, ("whole", "core", "tip"), (5,))
    assert table.tolist() == [0, 1, 2, 3, 0, UNKNOWN]


def test_data_sets_that_label_different_things_are_refused(world: World, tmp_path: Path) -> None:
    few = labelled(tmp_path / "few", 2, ("liver",), first=20)
    with pytest.raises(ConfigError, match=r"few does not label kidney_left, .*classes of pretraining exclude"):
        opened(world, tmp_path / "cache", few)
    same = labelled(tmp_path / "same", 2, first=30)
    assert len(opened(world, tmp_path / "cache", same).data.sources) == 2


def test_published_weights_take_the_spacing_that_was_asked_for(world: World, tmp_path: Path) -> None:
    before = STUNet("tiny", 1, 2, labels=("background", "liver"))
    save_file(before.state_dict(), tmp_path / "small.safetensors")
    task = opened(world, tmp_path / "cache", weights=str(tmp_path / "small.safetensors"))
    assert list(task.preprocessing.spacing_mm) == [10, 10, 10]
    assert task.earlier == ({"stage": "published", "file": str(tmp_path / "small.safetensors")},)
    encoder = task.model.encoder.state_dict()
    assert all(torch.equal(encoder[name], value) for name, value in before.encoder.state_dict().items())


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"patch": [30, 16, 32]}, r"patch: D, H, W must be multiples of 16×16×32, not 30×16×32; 32×16×32 is the next"),
        ({"size": "XXL"}, r"size: one of tiny, .*, not 'XXL'"),
    ],
)
def test_what_cannot_be_trained_is_told(world: World, tmp_path: Path, options: dict[str, object], text: str) -> None:
    with pytest.raises(ConfigError, match=text):
        opened(world, tmp_path, **options)


def test_data_that_is_not_there(world: World, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="nowhere is not there"):
        open_pretraining([tmp_path / "nowhere"], config_of(world), tmp_path)


def test_perfect_answers_have_a_dice_of_one(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    task = opened(world, tmp_path)
    task.prepare(TrainingEngine(config_of(world).running), Progress())
    answers: list[Tensor] = []
    monkeypatch.setattr(type(task.model), "forward", lambda self, x, **_: answers[0])
    from train.data.crops import middle_patch

    (case_ref,) = task.data.case_refs(held_out=True)
    truth = task._classes(task.collate([middle_patch(task.data, case_ref, PATCH)]))
    answers = [torch.nn.functional.one_hot(truth.long(), 5).movedim(-1, 1).float()]
    engine = TrainingEngine(replace(config_of(world).running, precision="32-true"))
    assert task.evaluate(engine, Progress(), None) == {"dice": 1.0}
    answers = [torch.zeros_like(answers[0])]
    assert task.evaluate(engine, Progress(), None) == {"dice": 0.0}
