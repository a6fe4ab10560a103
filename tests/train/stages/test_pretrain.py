import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor
from torch.nn import functional

from curation.runtime.progress import Progress
from models.checkpoint import load_checkpoint, save_checkpoint
from models.preprocessing import PUBLISHED_PREPROCESSING
from models.stunet import STUNet
from tests.train.data.data_files import save, with_json
from tests.train.training_worlds import AFFINE, BOXES, PATCH, SHAPE, World, labelled, make_world, settings, trained
from train.config.loading import load_config
from train.config.options import ConfigError, PretrainConfig
from train.data.cases import DataError
from train.data.crops import collate_patches, middle_patch
from train.data.training_set import CaseRef
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


def test_the_setting_weighs_what_is_missed_whole(world: World, tmp_path: Path) -> None:
    losses = []
    for weight in (0.0, 0.2, 0.4):
        task = opened(world, tmp_path, augment=False, missed_structure_weight=weight)
        part = task.collate([task.samples[number] for number in range(2)])
        losses.append(float(task.backward([part], 0, TrainingEngine(task.config.running))["loss"]))
    assert losses[1] - losses[0] > 0.05 and losses[2] - losses[1] == pytest.approx(losses[1] - losses[0], rel=1e-3)


def test_ids_of_several_regions_and_of_nothing_known() -> None:
    from train.stages.pretrain import _class_table

    table = _class_table({"whole": (1, 2, 3), "core": (2, 3), "tip": (3,)}, ("whole", "core", "tip"), (5,), 6)
    assert table.tolist() == [0, 1, 2, 3, 0, UNKNOWN, 0]


def test_what_a_case_does_not_label_is_learned_as_no_background(world: World, tmp_path: Path) -> None:
    data = labelled(tmp_path / "part", 4)
    (data / "labelled.json").write_text(json.dumps({"s0": ["liver", "spleen"], "*": list(BOXES)}))
    config = config_of(world, validation=0.25, augment=False)
    task = open_pretraining([data], config, tmp_path / "cache")
    right, left, liver = 2, 3, 4
    case_ref = next(each for each in task.data.case_refs() if task.data.case(each).id == "s0")
    assert task._merged_classes((case_ref,)) == [{right: 0, left: 0}]
    sample = next(sample for sample in map(task.samples.__getitem__, range(40)) if sample.case_ref == case_ref)
    part = task.collate([sample])
    gradients = {}
    for number in (right, left, liver):
        # The network is sure that all is this class.
        logits = torch.zeros(1, 5, *PATCH)
        logits[0, number] = 5.0
        logits.requires_grad_()
        task.model.forward = lambda volume, logits=logits, **_: [logits]  # type: ignore[method-assign, assignment]
        task.backward([part], 0, TrainingEngine(config.running))
        assert logits.grad is not None
        gradients[number] = logits.grad[0]
    classes = task._classes(part)[0]
    background = (classes == 0) | (classes == right) | (classes == left)
    assert gradients[liver][liver][background].min() > 0 and gradients[liver][0][background].max() < 0
    for number in (right, left):
        # It might be so: only what is labelled otherwise, liver and spleen, pushes the class away.
        at_background = gradients[number][:, background]
        assert at_background[number].max() < 0 and at_background[liver].min() > 0
        assert gradients[number][number][classes == liver].min() > 0


def test_what_is_unknown_within_a_region_is_merged_into_it(world: World, tmp_path: Path) -> None:
    root = with_json(
        tmp_path / "set", labels={"background": 0, "whole": [1, 2, 3], "core": [2, 3], "tip": [3], "liver": 4}
    )
    for number, case in enumerate("ab"):
        save(root / "imagesTr" / f"{case}_0000.nii.gz", np.full(SHAPE, number, np.int16), AFFINE)
        save(
            root / "labelsTr" / f"{case}.nii.gz", np.arange(np.prod(SHAPE)).reshape(SHAPE).astype(np.int16) % 5, AFFINE
        )
    for names, merged in (
        (["whole", "core", "liver"], {3: 2}),
        (["whole", "liver"], {2: 1, 3: 1}),
        (["liver"], {1: 0, 2: 0, 3: 0}),
    ):
        (root / "labelled.json").write_text(json.dumps({"a": names, "b": ["whole", "core", "tip", "liver"]}))
        task = open_pretraining([root], config_of(world, limit=2, validation=0.0), tmp_path / "cache")
        assert task._merged_classes([CaseRef(0, 0), CaseRef(0, 1)]) == [merged, {}]


def test_evaluation_does_not_count_what_a_case_does_not_label(world: World, tmp_path: Path) -> None:
    data = labelled(tmp_path / "part", 4)
    config = config_of(world, validation=0.25)
    held_out = open_pretraining([data], config, tmp_path / "c").data.case(CaseRef(0, 0), held_out=True).id
    (data / "labelled.json").write_text(json.dumps({held_out: ["liver"], "*": list(BOXES)}))
    task = open_pretraining([data], config, tmp_path / "c")
    task.prepare(TrainingEngine(config.running), Progress())
    sample = middle_patch(task.data, CaseRef(0, 0), config.crops.patch)
    truth = task._classes(collate_patches([sample]))
    # Right of the liver alone, and all others missed.
    answer = functional.one_hot(torch.where(truth == 4, 4, 0).long(), 5).movedim(-1, 1).float()
    task.model.forward = lambda volume, **_: answer  # type: ignore[method-assign, assignment]
    assert task.evaluate(TrainingEngine(config.running), Progress(), None) == {"dice": 1.0}


def test_a_run_does_not_go_on_where_other_structures_were_looked_for(world: World, tmp_path: Path) -> None:
    data = labelled(tmp_path / "part", 4)
    (data / "labelled.json").write_text(json.dumps(list(BOXES)))
    before = open_pretraining([data], config_of(world), tmp_path / "c").settings()
    assert open_pretraining([data], config_of(world), tmp_path / "c").settings() == before
    (data / "labelled.json").write_text(json.dumps({"s0": ["liver"], "*": list(BOXES)}))
    after = open_pretraining([data], config_of(world), tmp_path / "c").settings()
    assert {name for name in after if after[name] != before[name]} == {"data"}


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
