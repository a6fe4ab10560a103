import json
from pathlib import Path
from typing import Any

import pytest
import torch

from curation.runtime.progress import Progress
from models.aligner import Aligner
from models.checkpoint import load_checkpoint
from tests.train.training_worlds import PATCH, World, make_world, settings, trained, weights
from train.alignment.organ_views import WHOLE
from train.config.loading import load_config
from train.config.options import AlignConfig, ConfigError
from train.data.cases import DataError
from train.loop.engine import TrainingEngine
from train.loop.run_log import read_metrics
from train.stages.align import AlignTask
from train.stages.alignment_embedding import contrastive_terms, views_of
from train.stages.open_alignment import open_alignment

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return make_world(tmp_path_factory.mktemp("align"), cases=8)


def config_of(world: World, **options: object) -> AlignConfig:
    return load_config(AlignConfig, None, settings("align", world, **options))


def opened(world: World, cache: Path, **options: object) -> AlignTask:
    return open_alignment(world.captions, world.data, config_of(world, **options), cache)


def engine_of(world: World) -> TrainingEngine:
    return TrainingEngine(config_of(world).running)


class RecordedProgress(Progress):
    def __init__(self) -> None:
        self.messages = list[str]()

    def message(self, text: str) -> None:
        self.messages.append(text)


def test_it_learns_and_the_image_encoder_stays(world: World, tmp_path: Path) -> None:
    outcome = trained("align", world, tmp_path / "out", steps=30, learning_rate=0.02, text_learning_rate=0.3)
    assert outcome is not None
    losses = [line["loss"] for line in read_metrics(tmp_path / "out" / "metrics.jsonl") if line["kind"] == "train"]
    assert sum(losses[-5:]) < 0.8 * sum(losses[:5])
    before, after = weights(world.image), weights(tmp_path / "out")
    frozen = {name.removeprefix("image."): tensor for name, tensor in after.items() if name.startswith("image.")}
    assert frozen.keys() == before.keys() and all(torch.equal(before[name], frozen[name]) for name in frozen)
    untrained, first = weights(world.aligner), opened(world, tmp_path / "none").model.state_dict()
    text = [name for name in untrained if name.startswith("text.")]
    assert text and any(not torch.equal(untrained[name], after[name]) for name in text)
    moved = {name.split(".")[0] for name in first.keys() - text if not torch.equal(first[name], after[name])}
    assert moved == {"projection", "organ_projection", "log_scale", "standardised"}
    model, record = load_checkpoint(tmp_path / "out")
    assert isinstance(model, Aligner) and record.stage == "align" and record.trained_on[-1]["stage"] == "align"
    assert record.trained_on[-1]["data"][0]["pairs"] == 7  # type: ignore[index, call-overload]


def test_a_caption_is_held_against_its_own_organ(world: World, tmp_path: Path) -> None:
    """What the network outlines of other organs makes no difference, and does where captions meet the whole."""
    losses = dict[str, list[float]]()
    for mgcl in ("organ", "volume"):
        task = opened(world, tmp_path, mgcl=mgcl, report_weight=0)
        task.prepare(engine_of(world), Progress())
        part = task.collate([task.samples[number] for number in range(4)])
        assert isinstance(part.volumes, torch.Tensor)
        # Of the liver and the spleen there are captions, of the kidneys there are none.
        for name in ("none", "kidney_left", "liver"):
            moved = part.volumes.clone().view(4, 5, -1)
            if name != "none":
                labels = task.model.image.labels
                assert labels is not None
                moved[:, labels.index(name)] = torch.randn(moved.shape[2], generator=torch.Generator().manual_seed(0))
            part_moved = part._replace(
                volumes=moved.flatten(1), captions=part.captions.masked_fill(part.views == WHOLE, -1)
            )
            loss = task.backward([part_moved if mgcl == "organ" else part._replace(volumes=moved.flatten(1))], 0,
                                 engine_of(world))["caption_loss"]  # fmt: skip
            losses.setdefault(mgcl, []).append(float(loss))
    assert losses["organ"][1] == pytest.approx(losses["organ"][0], rel=1e-6) != losses["organ"][2]
    assert losses["volume"][1] != pytest.approx(losses["volume"][0], rel=1e-6)


@pytest.mark.parametrize("variant", ["mean", "joint"])
def test_parts_of_a_batch_make_the_gradient_of_the_whole(world: World, tmp_path: Path, variant: str) -> None:
    gradients = []
    for size in (4, 2):
        task = opened(world, tmp_path, mgcl="organ", mgcl_variant=variant)
        task.prepare(engine_of(world), Progress())
        numbers = [range(start, start + size) for start in range(0, 4, size)]
        task.backward(
            [task.collate([task.samples[number] for number in part]) for part in numbers], 0, engine_of(world)
        )
        named = {name: weight.grad for name, weight in task.model.named_parameters() if weight.grad is not None}
        assert named["organ_projection.weight"].any()
        gradients.append(named)
    for name, gradient in gradients[0].items():
        torch.testing.assert_close(gradients[1][name], gradient, rtol=1e-3, atol=1e-6)


def test_the_checkpoint_says_what_captions_were_held_against(world: World, tmp_path: Path) -> None:
    trained("align", world, tmp_path / "out", steps=1, mgcl="volume")
    model, record = load_checkpoint(tmp_path / "out")
    assert isinstance(model, Aligner) and model.organ_projection is None and record.mgcl == "volume"


def test_a_text_encoder_that_does_not_train_is_run_once(world: World, tmp_path: Path) -> None:
    losses = []
    for rate in (0.1, 0.0):
        task = opened(world, tmp_path, text_learning_rate=rate)
        task.prepare(engine_of(world), Progress())
        task.model.train()
        part = task.collate([task.samples[number] for number in range(4)])
        losses.append(float(task.backward([part], 0, engine_of(world))["loss"]))
    assert losses[0] == pytest.approx(losses[1], rel=1e-4)  # the tiny encoder has no dropout
    assert all(parameter.grad is None for parameter in task.model.text.parameters())
    assert not any(module.training for module in task.model.text.modules())
    trained("align", world, tmp_path / "out", text_learning_rate=0, anchor_weight=1.0, steps=6)
    before, after = weights(world.aligner), weights(tmp_path / "out")
    assert all(torch.equal(before[name], after[name]) for name in before if name.startswith("text."))


def test_volumes_made_into_vectors_leave_the_text_encoder_in_training(world: World, tmp_path: Path) -> None:
    task = opened(world, tmp_path)
    task.model.train()
    task.prepare(engine_of(world), Progress())
    # Its dropout would be off up to the first evaluation, and a resumed run would learn something else.
    assert all(module.training for module in task.model.text.modules())
    assert not any(module.training for module in task.model.image.conv_blocks_context.modules())


def test_unlocked_the_image_encoder_learns_too_and_its_decoder_does_not(world: World, tmp_path: Path) -> None:
    trained("align", world, tmp_path / "out", steps=1, unlock_image=True, evaluate_every=1, save_every=1)
    before = {f"image.{name}": tensor for name, tensor in weights(world.image).items()}
    after = weights(tmp_path / "out")
    moved = {name for name in after if name.startswith("image.") and not torch.equal(before[name], after[name])}
    assert moved and all(name.startswith("image.conv_blocks_context.") for name in moved)
    assert not list((tmp_path / "out" / "cache").rglob("*.npy"))


def test_locked_and_unlocked_begin_with_the_same_loss(world: World, tmp_path: Path) -> None:
    losses = []
    for unlock in (False, True):
        task = opened(world, tmp_path, unlock_image=unlock)
        task.prepare(engine_of(world), Progress())
        part = task.collate([task.samples[number] for number in range(4)])
        losses.append(float(task.backward([part], 0, engine_of(world))["loss"]))
    assert losses[0] == pytest.approx(losses[1], rel=1e-3)


def test_a_missing_report_or_caption_has_no_part(world: World, tmp_path: Path) -> None:
    """The gradient for texts that stand in for missing ones is none: what they say does not matter."""
    task = opened(world, tmp_path)
    task.prepare(engine_of(world), Progress())
    part = task.collate([task.samples[number] for number in range(4)])
    assert (part.captions == -1).any()
    before = float(task.backward([part], 0, engine_of(world))["loss"])
    texts, size = task._embed_texts(part, engine_of(world)).detach(), 4
    missing = torch.cat((part.reports, part.captions.flatten(), part.opposites.flatten())) < 0
    texts[missing] = torch.nan
    assert task.views is not None
    views = views_of([part], task.views, torch.device("cpu"))
    volumes = task._embed_volumes(part, engine_of(world), views).detach()
    again = contrastive_terms(volumes, texts, task.model.log_scale, [part], task.config.alignment, views)
    assert again.total.item() == pytest.approx(before, rel=1e-5) and len(texts) == size * 7


def test_weights_of_the_two_losses(world: World, tmp_path: Path) -> None:
    losses = []
    for report, caption in ((1, 1), (1, 0), (0, 1), (2, 3)):
        task = opened(world, tmp_path, report_weight=report, caption_weight=caption)
        task.prepare(engine_of(world), Progress())
        part = task.collate([task.samples[number] for number in range(4)])
        losses.append(float(task.backward([part], 0, engine_of(world))["loss"]))
    assert losses[0] == pytest.approx(losses[1] + losses[2], rel=1e-5)
    assert losses[3] == pytest.approx(2 * losses[1] + 3 * losses[2], rel=1e-5)


def test_names_that_have_moved_pull_on_the_text_encoder(world: World, tmp_path: Path) -> None:
    gradients, losses = [], []
    for anchor_weight in (0.0, 2.0):
        task = opened(world, tmp_path, anchor_weight=anchor_weight)
        torch.manual_seed(0)
        with torch.no_grad():
            for parameter in task.model.text.parameters():
                parameter.add_(0.2 * torch.randn_like(parameter))
        engine = engine_of(world)
        task.prepare(engine, Progress())
        metrics = task.backward([task.collate([task.samples[number] for number in range(4)])], 0, engine)
        gradients.append(
            torch.cat([weight.grad.flatten() for weight in task.model.text.parameters() if weight.grad is not None])
        )
        losses.append(metrics)
    assert float(losses[0]["words_loss"]) == 0 and float(losses[1]["words_loss"]) > 0
    assert losses[1]["report_loss"] == losses[0]["report_loss"]
    assert float(torch.linalg.vector_norm(gradients[1] - gradients[0])) > 0.01 * float(
        torch.linalg.vector_norm(gradients[0])
    )


def test_retrieval_on_held_out_reports(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    task = opened(world, tmp_path, validation=0.5, batch_size=2)
    task.prepare(engine_of(world), Progress())
    assert not {pair.case.id for pair in task.held_out} & {pair.case.id for pair in task.train}
    assert len(task.held_out) + len(task.train) == 8 and len(task.held_out) >= 2
    measures = task.evaluate(engine_of(world), Progress(), None)
    assert measures["chance_r@1"] == pytest.approx(1 / len(task.held_out))
    # The same, with the embeddings of each pair computed by itself.
    volumes = torch.stack([task.model.embed_pooled(task.pooled[pair.case][None])[0] for pair in task.held_out])
    reports = torch.cat([task.model.text.encode([pair.text]) for pair in task.held_out])
    similar = (volumes @ reports.T).detach()
    right = (similar.argmax(dim=1) == torch.arange(len(similar))).float().mean()
    assert measures["volume_to_report_r@1"] == pytest.approx(float(right))


def test_more_processes_than_held_out_reports(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    task = opened(world, tmp_path, validation=0.3, batch_size=2)
    task.prepare(engine_of(world), Progress())
    expected = task.evaluate(engine_of(world), Progress(), None)
    shares: list[Any] = []
    monkeypatch.setattr(TrainingEngine, "gather_objects", lambda self, value: _appended(shares, value))
    monkeypatch.setattr(TrainingEngine, "world", 5)
    for rank in range(5):
        monkeypatch.setattr(TrainingEngine, "rank", rank)
        measures = task.evaluate(engine_of(world), Progress(), None) if rank == 4 else _ignored(task, world)
    assert measures == pytest.approx(expected)


def _ignored(task: AlignTask, world: World) -> dict[str, float]:
    try:
        return task.evaluate(engine_of(world), Progress(), None)
    except (RuntimeError, ValueError):  # the first shares alone are not all
        return {}


def test_a_broken_volume_is_left_out_by_name_or_ends_the_run(tmp_path: Path) -> None:
    world = make_world(tmp_path / "world")
    broken = world.data / "s2" / "ct.nii.gz"
    broken.write_bytes(broken.read_bytes()[:3000])
    progress = RecordedProgress()
    task = opened(world, tmp_path / "cache", batch_size=2)
    task.prepare(engine_of(world), progress)
    assert "s2" not in {pair.case.id for pair in [*task.train, *task.held_out]}
    assert len(task.train) + len(task.held_out) == 5
    assert any("left out: s2" in line and "ct.nii.gz" in line for line in progress.messages)
    task = opened(world, tmp_path / "cache", batch_size=2, on_problem="refuse")
    with pytest.raises(DataError, match=r"(?s)1 of 6 cases cannot be used.*s2"):
        task.prepare(engine_of(world), Progress())
    broken.unlink()
    broken.write_bytes(b"")
    task = opened(world, tmp_path / "cache", batch_size=2, unlock_image=True)
    task.prepare(engine_of(world), Progress())
    assert "s2" not in {pair.case.id for pair in [*task.train, *task.held_out]}


def test_what_is_missing_is_told(world: World, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"image: name the image encoder, .*--image PATH"):
        opened(world, tmp_path, image="")
    with pytest.raises(ConfigError, match=r"batch_size 50: there are 7 scans .* at most 7"):
        opened(world, tmp_path, batch_size=50)
    with pytest.raises(
        ConfigError, match=r"mgcl: 'organ' takes --pooling structures_hu or structures; for 'mean', --mgcl volume"
    ):
        opened(world, tmp_path, pooling="mean")
    with pytest.raises(ConfigError, match=r"window: D, H, W must be multiples of 16×16×32"):
        opened(world, tmp_path, window=[10, 16, 32])
    with pytest.raises(DataError, match=r"none is not there: `ovct curate REPORTS --out .*none` makes"):
        open_alignment(tmp_path / "none", world.data, config_of(world), tmp_path)
    with pytest.raises(DataError, match=r"--volumes DIR"):
        open_alignment(world.captions, None, config_of(world), tmp_path)


def test_patients_with_equal_reports_are_no_negatives(world: World, tmp_path: Path) -> None:
    """All reports alike: with nothing to tell apart the loss is none."""
    captions = {f"s{number}": {"liver": "The liver is normal."} for number in range(8)}
    (tmp_path / "same.json").write_text(json.dumps(captions))
    task = open_alignment(tmp_path / "same.json", world.data, config_of(world), tmp_path)
    task.prepare(engine_of(world), Progress())
    part = task.collate([task.samples[number] for number in range(4)])
    assert float(task.backward([part], 0, engine_of(world))["loss"]) == pytest.approx(0, abs=1e-5)
    assert part.captions.shape == (4, 3) and task.config.alignment.window == PATCH


def _appended(shares: list[Any], value: Any) -> list[Any]:
    shares.append(value)
    return list(shares)
