from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor

from curation.runtime.progress import Progress
from models.checkpoint import load_checkpoint
from models.segmenter import Segmentation, TextSegmenter
from tests.train.training_worlds import PATCH, World, labelled, make_world, settings, trained, weights
from train.config import ConfigError, SegmentConfig, load_config
from train.data.crops import Part
from train.data.structure_prompts import PromptBook
from train.data.training_set import Place
from train.loop.engine import Engine
from train.loop.run_log import read_metrics
from train.stages.segment import TextGuided, open_text_guided

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return make_world(tmp_path_factory.mktemp("segment"))


def config_of(world: World, **other: object) -> SegmentConfig:
    return load_config(SegmentConfig, None, settings("segment", world, **other))


def opened(world: World, cache: Path, *others: Path, **other: object) -> TextGuided:
    return open_text_guided([world.data, *others], config_of(world, **other), cache)


def engine_of(world: World) -> Engine:
    return Engine(config_of(world).running)


def test_it_learns_and_both_encoders_stay(world: World, tmp_path: Path) -> None:
    out = tmp_path / "out"
    outcome = trained(
        "segment", world, out, steps=25, augment=False, evaluate_every=25, save_every=25, prompts_per_step=8
    )
    assert outcome is not None and outcome.evaluation.keys() >= {"dice", "dice_synonyms", "dice_groups", "false_masks"}
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
    book = PromptBook.from_json(record.trained_on[-1]["prompts"])  # type: ignore[arg-type]
    assert set(book.names) == {"liver", "spleen", "kidney_left", "kidney_right"}
    assert [group.name for group in book.groups] == ["kidneys"]


def test_what_is_loaded_gives_the_same_masks(world: World, tmp_path: Path) -> None:
    task = opened(world, tmp_path)
    trained("segment", world, tmp_path / "out", steps=2, evaluate_every=2, save_every=2)
    first, second = (load_checkpoint(tmp_path / "out").model for _ in range(2))
    volume = task.collate([task.samples[0]]).volume
    task.model.load_state_dict(first.state_dict())
    with torch.no_grad():
        expected = task.model.eval()(volume, ["left kidney", "something else"])
        assert torch.equal(second(volume, ["left kidney", "something else"]), expected)
        # Embedded beforehand and as a text, a prompt asks the same.
        known = task.embeddings["left kidney"][None]
        torch.testing.assert_close(second(volume, known), expected[:, :1], rtol=1e-4, atol=1e-4)


def test_what_a_data_set_does_not_label_has_no_gradient(world: World, tmp_path: Path) -> None:
    few = labelled(tmp_path / "few", 3, ("liver",), first=20)
    task = opened(world, tmp_path / "cache", few, prompts_per_step=4, merged=0.5)
    place = next(place for place in task.data.places() if place.source == 1)
    sample = next(each for each in (task.samples[number] for number in range(60)) if each.place == place)
    part = task.collate([sample])
    asked = task.prompts.of(0)
    logits = list[Tensor]()

    def kept(volume: Tensor, embeddings: Tensor, *, full: bool) -> Segmentation:
        logits.append(torch.zeros(1, len(embeddings), *volume.shape[2:], requires_grad=True))
        presence = torch.zeros(1, len(embeddings), requires_grad=True)
        logits.append(presence)
        return Segmentation((logits[0],), presence)

    task.model.forward = kept  # type: ignore[method-assign, assignment]
    task.backward([part], 0, engine_of(world))
    for gradient in (logits[0].grad, logits[1].grad):
        assert gradient is not None
        for column, structures in enumerate(asked.structures):
            assert bool(gradient[0, column].any()) == (structures == ("liver",)), structures


def test_training_never_asks_for_what_is_held_out(world: World, tmp_path: Path) -> None:
    task = opened(world, tmp_path)
    held_out = [prompt for prompts in task.book.held_out.values() for prompt in prompts]
    held_out += [prompt for prompts in task.book.group_prompts.values() for prompt in prompts]
    assert held_out and set(held_out) <= task.embeddings.keys()
    for prompt in held_out:
        task.embeddings[prompt].fill_(torch.nan)
    pair = {"kidney_left", "kidney_right"}
    for step in range(40):
        asked = task.prompts.of(step)
        assert torch.isfinite(asked.embeddings).all()
        assert not any(pair <= set(each) for each in asked.structures)


def test_targets_are_unions(world: World, tmp_path: Path) -> None:
    task = opened(world, tmp_path, augment=False)
    part = task.collate([task.samples[number] for number in range(3)])
    ids = {name: numbers[0] for name, numbers in task.data.sources[0].structures.items()}
    target = task.targets(part, [("liver",), ("liver", "spleen"), ("kidney_left",)])
    assert target.shape == (3, 3, *PATCH) and target.dtype == torch.bool
    assert torch.equal(target[:, 0], part.labels == ids["liver"])
    assert torch.equal(target[:, 1], (part.labels == ids["liver"]) | (part.labels == ids["spleen"]))


@pytest.mark.parametrize(("rescue", "rounding"), [(0.0, 1e-4), (0.2, 5e-4)])
def test_every_labelled_mask_weighs_the_same_in_parts(
    world: World, tmp_path: Path, rescue: float, rounding: float
) -> None:
    few = labelled(tmp_path / "few", 3, ("liver",), first=20)
    gradients = []
    for split in (1, 2, 4):
        task = opened(world, tmp_path / "cache", few, augment=False, rescue_weight=rescue)
        samples = [task.samples[number] for number in range(4)]
        assert len({each.place.source for each in samples}) == 2
        parts = [task.collate(samples[start : start + 4 // split]) for start in range(0, 4, 4 // split)]
        found = task.backward(parts, 0, engine_of(world))
        gradients.append((found, [each.grad for each in task.model.parameters() if each.requires_grad]))
    for found, other in gradients[1:]:
        torch.testing.assert_close(found["mask_loss"], gradients[0][0]["mask_loss"], rtol=1e-4, atol=1e-5)
        for one, two in zip(gradients[0][1], other, strict=True):
            if one is not None and two is not None:
                torch.testing.assert_close(one, two, rtol=1e-3, atol=rounding)


def test_perfect_answers(world: World, tmp_path: Path) -> None:
    task = opened(world, tmp_path)
    task.prepare(engine_of(world), Progress())
    truths = list[Tensor]()

    def answer(volume: Tensor, embeddings: Tensor, *, full: bool) -> Segmentation:
        logits = 20.0 * truths[0].float() - 10
        return Segmentation((logits[None],), logits.flatten(1).amax(1)[None])

    from train.data.crops import middle
    from train.stages.segment import _questions

    (place,) = task.data.places(held_out=True)
    structures = [members for _, members, _ in _questions(task.book)]
    truths.append(task.targets(task.collate([middle(task.data, place, PATCH)]), structures)[0])
    task.model.forward = answer  # type: ignore[method-assign, assignment]
    found = task.evaluate(engine_of(world), Progress(), None)
    assert {found["dice"], found["dice_synonyms"], found["dice_groups"]} == {1.0}


def test_voxels_of_which_nothing_is_known(world: World, tmp_path: Path) -> None:
    task = opened(world, tmp_path, augment=False)
    part = task.collate([task.samples[0]])
    assert task._voxels(part, engine_of(world)) is None
    source = task.data.sources[0]
    number = source.structures["liver"][0]
    object.__setattr__(source, "dataset", replace(source.dataset, ignored=(number,)))
    part = Part(part.volume, part.labels, (Place(0, part.places[0].index),))
    voxels = task._voxels(part, engine_of(world))
    assert voxels is not None and torch.equal(voxels[0, 0], part.labels[0] != number)


def test_a_segmenter_goes_on_with_its_connector(world: World, tmp_path: Path) -> None:
    trained("segment", world, tmp_path / "first", connector="cross_attention", steps=1)
    with pytest.raises(ConfigError, match=r"goes on as it is: say --connector cross_attention, or start from"):
        opened(world, tmp_path, start=str(tmp_path / "first"))
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
    own = {name.removeprefix("image."): value for name, value in task.model.state_dict().items()}
    assert all(torch.equal(own[name], value) for name, value in image.items())


def test_the_image_encoder_unlocked(world: World, tmp_path: Path) -> None:
    trained("segment", world, tmp_path / "out", steps=1, unlock_image=True, evaluate_every=1, save_every=1)
    before, after = weights(world.aligner), weights(tmp_path / "out")
    moved = {name for name in before.keys() & after.keys() if not torch.equal(before[name], after[name])}
    assert any(name.startswith("image.conv_blocks_context.") for name in moved)
    assert not any(name.startswith("text.") for name in moved)
