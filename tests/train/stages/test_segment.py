from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from pydantic import JsonValue
from torch import Tensor

from curation.runtime.progress import Progress
from models.checkpoint import load_checkpoint
from models.segmenter import Segmentation, TextSegmenter
from tests.train.training_worlds import PATCH, World, labelled, make_world, settings, trained, weights
from train.config.loading import load_config
from train.config.options import ConfigError, SegmentConfig
from train.config.prompting import Prompting
from train.data.structure_prompts import StructurePrompts
from train.loop.engine import TrainingEngine
from train.loop.run_log import read_metrics
from train.prompting.patch_content import contents_of, joined
from train.stages.open_segmentation import _check_held_out, open_segmentation
from train.stages.prompt_targets import target_masks
from train.stages.segment import SegmentTask, evaluated_prompts

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return make_world(tmp_path_factory.mktemp("segment"))


def config_of(world: World, **options: object) -> SegmentConfig:
    return load_config(SegmentConfig, None, settings("segment", world, **{"hold_out": "all", **options}))


def opened(world: World, cache: Path, *others: Path, **options: object) -> SegmentTask:
    return open_segmentation([world.data, *others], config_of(world, **options), cache)


def engine_of(world: World) -> TrainingEngine:
    return TrainingEngine(config_of(world).running)


def test_it_learns_and_both_encoders_stay(world: World, tmp_path: Path) -> None:
    out = tmp_path / "out"
    outcome = trained(
        "segment", world, out, steps=25, augment=False, evaluate_every=25, save_every=25, prompts_per_step=8
    )
    assert outcome is not None and outcome.evaluation.keys() >= {"dice", "dice_groups", "false_masks"}
    losses = [line["loss"] for line in read_metrics(out / "metrics.jsonl") if line["kind"] == "train"]
    assert sum(losses[-5:]) < 0.9 * sum(losses[:5])
    before, after = weights(world.aligner), weights(out)
    same = {name for name in before.keys() & after.keys() if torch.equal(before[name], after[name])}
    frozen = {name for name in after if name.startswith(("text.", "image.conv_blocks_context."))}
    assert frozen <= same
    decoder = {name for name in after if name.startswith(("image.upsample", "image.conv_blocks_localization"))}
    assert decoder and len(decoder - same) > 0.5 * len(decoder)
    model, record = load_checkpoint(out)
    assert isinstance(model, TextSegmenter) and record.stage == "segment"
    assert record.trained_on[-1]["patch"] == list(PATCH)
    structure_prompts = StructurePrompts.from_json(record.trained_on[-1]["prompts"])  # type: ignore[arg-type]
    assert set(structure_prompts.names) == {"liver", "spleen", "kidney_left", "kidney_right"}
    assert [group.name for group in structure_prompts.groups] == ["kidneys"] and not structure_prompts.held_out_groups


def test_what_is_loaded_gives_the_same_masks(world: World, tmp_path: Path) -> None:
    task = opened(world, tmp_path)
    trained("segment", world, tmp_path / "out", steps=2, evaluate_every=2, save_every=2, hold_out="all")
    first, second = (load_checkpoint(tmp_path / "out").model for _ in range(2))
    volume = task.collate([task.samples[0]]).volume
    task.model.load_state_dict(first.state_dict())
    with torch.no_grad():
        expected = task.model.eval()(volume, ["left kidney", "something else"])
        assert torch.equal(second(volume, ["left kidney", "something else"]), expected)
        # Embedded beforehand and as a text, a prompt asks the same.
        embedding = task.embeddings["left kidney"][None]
        torch.testing.assert_close(second(volume, embedding), expected[:, :1], rtol=1e-4, atol=1e-4)


def test_what_a_data_set_does_not_label_has_no_gradient(world: World, tmp_path: Path) -> None:
    few = labelled(tmp_path / "few", 3, ("liver",), first=20)
    task = opened(world, tmp_path / "cache", few, prompts_per_step=4, merged=0.5)
    case_ref = next(case_ref for case_ref in task.data.case_refs() if case_ref.source == 1)
    sample = next(sample for sample in map(task.samples.__getitem__, range(60)) if sample.case_ref == case_ref)
    part = task.collate([sample])
    prompts = task.prompts.draw(0, joined(contents_of(task.data, part)))
    logits = list[Tensor]()

    def zeros(volume: Tensor, embeddings: Tensor, *, full: bool) -> Segmentation:
        logits.append(torch.zeros(1, len(embeddings), *volume.shape[2:], requires_grad=True))
        presence = torch.zeros(1, len(embeddings), requires_grad=True)
        logits.append(presence)
        return Segmentation((logits[0],), presence)

    task.model.forward = zeros  # type: ignore[method-assign, assignment]
    task.backward([part], 0, engine_of(world))
    for gradient in (logits[0].grad, logits[1].grad):
        assert gradient is not None
        for column, structures in enumerate(prompts.structures):
            known = structures == ("liver",) or prompts.words[column] is not None
            assert bool(gradient[0, column].any()) == known, structures


def test_what_is_not_in_the_labels_of_a_case_teaches_no_absence(world: World, tmp_path: Path) -> None:
    """Neither masks nor presence; a pair is labelled only where both sides are."""
    data = labelled(tmp_path / "part", 3)
    (data / "s0" / "segmentations" / "kidney_left.nii.gz").unlink()
    task = open_segmentation([data], config_of(world, validation=0.0, labelled="present"), tmp_path / "cache")
    task.prepare(engine_of(world), Progress())
    case_ref = next(case_ref for case_ref in task.data.case_refs() if task.data.case(case_ref).id == "s0")
    assert task.data.labelled_structures(case_ref) == {"liver", "spleen", "kidney_right"}
    sample = next(sample for sample in map(task.samples.__getitem__, range(60)) if sample.case_ref == case_ref)
    part = task.collate([sample])
    structures = (("kidney_left",), ("kidney_left", "kidney_right"), ("kidney_right",), ("liver",))
    step = task.prompts.draw(0)._replace(structures=structures, words=(None,) * 4)
    task.prompts = SimpleNamespace(draw=lambda number, content: step)  # type: ignore[assignment]
    logits = torch.zeros(1, 4, *PATCH, requires_grad=True)
    presence = torch.zeros(1, 4, requires_grad=True)
    task.model.forward = lambda *_, **__: Segmentation((logits,), presence)  # type: ignore[method-assign]
    task.backward([part], 0, engine_of(world))
    for gradient in (logits.grad, presence.grad):
        assert gradient is not None
        assert [bool(gradient[0, column].any()) for column in range(4)] == [False, False, True, True]


def test_training_never_asks_for_what_is_held_out(world: World, tmp_path: Path) -> None:
    task = opened(world, tmp_path)
    held_out = [prompt for prompts in task.structure_prompts.held_out.values() for prompt in prompts]
    held_out += [prompt for prompts in task.structure_prompts.group_prompts.values() for prompt in prompts]
    assert held_out and set(held_out) <= task.embeddings.keys()
    for prompt in held_out:
        task.embeddings[prompt].fill_(torch.nan)
    pair = {"kidney_left", "kidney_right"}
    for step in range(40):
        prompts = task.prompts.draw(step)
        assert torch.isfinite(prompts.embeddings).all()
        assert not any(pair <= set(structures) for structures in prompts.structures)


@pytest.mark.parametrize("weight", [0.0, 0.2])
def test_every_labelled_mask_weighs_the_same_in_parts(world: World, tmp_path: Path, weight: float) -> None:
    few = labelled(tmp_path / "few", 3, ("liver",), first=20)
    gradients = []
    for split in (1, 2, 4):
        task = opened(world, tmp_path / "cache", few, augment=False, missed_structure_weight=weight)
        samples = [task.samples[number] for number in range(4)]
        assert len({sample.case_ref.source for sample in samples}) == 2
        parts = [task.collate(samples[start : start + 4 // split]) for start in range(0, 4, 4 // split)]
        metrics = task.backward(parts, 0, engine_of(world))
        learned = [parameter.grad for parameter in task.model.parameters() if parameter.grad is not None]
        gradients.append((metrics, torch.cat([gradient.flatten() for gradient in learned])))
    whole_metrics, whole = gradients[0]
    for metrics, in_parts in gradients[1:]:
        torch.testing.assert_close(metrics["mask_loss"], whole_metrics["mask_loss"], rtol=1e-4, atol=1e-5)
        assert torch.linalg.vector_norm(in_parts - whole) < 5e-3 * torch.linalg.vector_norm(whole)


def test_perfect_answers(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    task = opened(world, tmp_path)
    task.prepare(engine_of(world), Progress())
    truths = list[Tensor]()

    from train.data.crops import middle_patch

    (case_ref,) = task.data.case_refs(held_out=True)
    structures = [prompt.structures for prompt in evaluated_prompts(task.structure_prompts)]
    truths.append(target_masks(task.data, task.collate([middle_patch(task.data, case_ref, PATCH)]), structures)[0])
    monkeypatch.setattr("train.stages.segment.patch_masks", lambda *_: truths[0])
    measures = task.evaluate(engine_of(world), Progress(), None)
    assert {measures["dice"], measures["dice_synonyms"], measures["dice_held_out_groups"]} == {1.0}


def test_a_segmenter_goes_on_with_its_connector(world: World, tmp_path: Path) -> None:
    trained("segment", world, tmp_path / "first", connector="cross_attention", steps=1)
    with pytest.raises(
        ConfigError, match=r"goes on as it is: say --connector cross_attention --queries-per-prompt 1, or start from"
    ):
        opened(world, tmp_path, start=str(tmp_path / "first"))
    with pytest.raises(ConfigError, match="goes on as it is"):
        opened(world, tmp_path, start=str(tmp_path / "first"), connector="cross_attention", queries_per_prompt=2)
    task = opened(world, tmp_path, start=str(tmp_path / "first"), connector="cross_attention")
    assert task.model.connector.needs_image


def test_where_it_starts_from(world: World, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"start: name the checkpoint of `ovct train align`"):
        opened(world, tmp_path, start="")
    with pytest.raises(ConfigError, match=r"image has no text encoder: name one with --text"):
        opened(world, tmp_path, start=str(world.image))
    with pytest.raises(ConfigError, match=r"patch: D, H, W must be multiples of 16×16×32"):
        opened(world, tmp_path, patch=[16, 16, 40])
    task = opened(world, tmp_path, start=str(world.image), text=str(world.encoder))
    assert task.model.text is not None and task.model.text.embedding_dim == 16
    image = weights(world.image)
    ours = {name.removeprefix("image."): value for name, value in task.model.state_dict().items()}
    assert all(torch.equal(ours[name], value) for name, value in image.items())


@pytest.mark.parametrize(
    ("learned", "hold_out", "third", "refused"),
    [
        ({"hold_out": "all"}, "1/3", 1, False),
        ({"hold_out": "all", "held_out_third": 2}, "all", 2, False),
        ({"hold_out": "none"}, "none", 1, False),
        ({"hold_out": "none"}, "all", 1, True),
        ({"hold_out": "all", "held_out_third": 2}, "2/3", 1, True),
        ({"hold_out": "all"}, "all", 3, True),
    ],
)
def test_a_text_encoder_that_knows_what_is_held_out_is_refused(
    learned: dict[str, JsonValue], hold_out: str, third: int, refused: bool
) -> None:
    options = Prompting(hold_out=hold_out, held_out_third=third)
    earlier: list[dict[str, JsonValue]] = [{"stage": "pretrain"}, {"stage": "words", "options": learned}]
    if not refused:
        _check_held_out(options, earlier)
        return
    with pytest.raises(ConfigError, match=rf"learned words .* --hold-out all --held-out-third {third}`"):
        _check_held_out(options, earlier)


def test_the_image_encoder_unlocked(world: World, tmp_path: Path) -> None:
    trained("segment", world, tmp_path / "out", steps=1, unlock_image=True, evaluate_every=1, save_every=1)
    before, after = weights(world.aligner), weights(tmp_path / "out")
    moved = {name for name in before.keys() & after.keys() if not torch.equal(before[name], after[name])}
    assert any(name.startswith("image.conv_blocks_context.") for name in moved)
    assert not any(name.startswith("text.") for name in moved)


def test_a_run_does_not_go_on_where_the_connector_would_know_something_else(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As with a version that finds other like-named structures: the saved state has other sizes."""
    monkeypatch.setattr("train.prompting.known_words.find_like_named", lambda names, trained: [])
    trained("segment", world, tmp_path / "run", steps=1, hold_out="all")
    monkeypatch.undo()
    with pytest.raises(ConfigError, match=r"other settings \(known_words was \[\d+, 0\], is .*--overwrite"):
        trained("segment", world, tmp_path / "run", steps=1, hold_out="all")
