import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch

from curation.runtime.errors import Interrupted
from curation.runtime.progress import Progress
from models.checkpoint import CheckpointError, load_checkpoint, open_text, read_record
from models.checkpoint_record import read_any_record
from models.text import TextEncoder
from prompts.entries import VocabularyError
from tests.models.encoders import linked_copy
from tests.train.training_worlds import World, make_world, settings, trained, weights
from train.config.loading import load_config
from train.config.options import ConfigError, WordsConfig
from train.loop.engine import TrainingEngine
from train.loop.run_log import read_metrics
from train.stages.run import TrainJob, train, try_out
from train.stages.words import WordsTask, open_words

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return make_world(tmp_path_factory.mktemp("words"))


def config_of(world: World, **options: object) -> WordsConfig:
    return load_config(WordsConfig, None, settings("words", world, **options))


def opened(world: World, **options: object) -> WordsTask:
    return open_words(config_of(world, **options))


@pytest.fixture(scope="module")
def run(world: World) -> Path:
    out = world.root / "run"
    assert trained("words", world, out, steps=40, learning_rate=0.003) is not None
    return out


def test_it_learns_and_leaves_an_encoder_with_a_record(run: Path, world: World) -> None:
    losses = [line["loss"] for line in read_metrics(run / "metrics.jsonl") if line["kind"] == "train"]
    assert sum(losses[-5:]) < 0.9 * sum(losses[:5])
    opened_text = open_text(str(run))
    record = opened_text.trained_on[-1]
    assert record["stage"] == "words" and record["steps"] == 40
    data, score = record["data"], record["held_out_score"]
    assert isinstance(data, list) and isinstance(data[0], dict) and isinstance(score, dict)
    assert data[0]["vocabulary"] == "ovct" and int(str(data[0]["terms_held_out"])) > 1_000
    assert {"synonyms_nearest_name", "groups_at_their_mean", "left_right_cosine", "latin_nearest_name"} <= score.keys()
    assert all(0 <= float(str(value)) <= 1 for name, value in score.items() if not name.endswith("cosine"))
    before = TextEncoder.from_pretrained(world.encoder)
    assert opened_text.encoder.fingerprint() != before.fingerprint()
    # The folder in it is an encoder by itself, for whoever reads Hugging Face's layout.
    text = read_any_record(run).text
    assert text is not None and text.directory is not None
    alone = TextEncoder.from_pretrained(run / text.directory)
    assert torch.equal(alone.encode(["liver"]), opened_text.encoder.encode(["liver"]))


def test_one_batch_can_be_learned_by_heart(world: World) -> None:
    """So the gradients are those of the losses: terms together, kin apart, groups at their means."""
    task = opened(world, batch_size=4)
    part = task.collate([task.samples[number] for number in range(4)])
    engine = TrainingEngine(config_of(world).running)
    optimizer = torch.optim.AdamW(task.model.parameters(), lr=0.01)
    losses = []
    for step in range(60):
        metrics = task.backward([part], step, engine)
        losses.append([float(metrics[name]) for name in ("term_loss", "group_loss")])
        optimizer.step()
        optimizer.zero_grad()
    assert losses[-1][0] < 0.6 * losses[0][0] and losses[-1][1] < 0.6 * losses[0][1], (losses[0], losses[-1])


def test_the_next_stages_take_it_and_remember_it(run: Path, world: World, tmp_path: Path) -> None:
    trained("align", world, tmp_path / "align", text=str(run), steps=1, text_learning_rate=0.0)
    aligner, record = load_checkpoint(tmp_path / "align")
    assert [each["stage"] for each in record.trained_on] == ["words", "align"]
    state = aligner.state_dict()
    taken = {name.removeprefix("text."): state[name] for name in state if name.startswith("text.")}
    words = weights(run)
    assert taken.keys() == words.keys() and all(torch.equal(taken[name], words[name]) for name in taken)
    trained("segment", world, tmp_path / "segment", start=str(world.image), text=str(run), steps=1, connector_steps=1)
    stages = [each["stage"] for each in read_record(tmp_path / "segment").trained_on]
    assert stages == ["words", "segment"]


def test_it_is_no_checkpoint_of_a_model(run: Path) -> None:
    with pytest.raises(CheckpointError, match=r"holds a text encoder alone .*give it as --text"):
        load_checkpoint(run)


def test_a_changed_encoder_is_noticed(run: Path, tmp_path: Path) -> None:
    copied = shutil.copytree(run, tmp_path / "copied")
    text = read_any_record(copied).text
    assert text is not None and text.directory is not None
    config = copied / text.directory / "config.json"
    config.write_text(config.read_text() + " ")
    with pytest.raises(CheckpointError, match=r"config\.json is missing, or was changed"):
        open_text(str(copied))


def test_a_checkpoint_without_text_has_none_to_give(world: World) -> None:
    with pytest.raises(CheckpointError, match="holds no text encoder"):
        open_text(str(world.image))
    assert open_text(str(world.aligner)).trained_on == ()


class Stopping(Progress):
    def __init__(self, after: int) -> None:
        self.left = after

    def raise_if_interrupted(self) -> None:
        self.left -= 1
        if self.left < 0:
            raise Interrupted


def test_a_run_that_was_stopped_ends_as_one_that_was_not(world: World, tmp_path: Path) -> None:
    values: dict[str, Any] = {"steps": 4, "save_every": 2, "evaluate_every": 4}
    trained("words", world, tmp_path / "whole", **values)
    job = TrainJob((), tmp_path / "parts")
    with pytest.raises(Interrupted):
        train(job, config_of(world, **values), Stopping(1))
    train(job, config_of(world, **values), Progress())
    whole, parts = weights(tmp_path / "whole"), weights(tmp_path / "parts")
    assert all(torch.equal(whole[name], parts[name]) for name in whole)
    with pytest.raises(ConfigError, match=r"seed was 0, is 5"):
        train(job, config_of(world, **values, seed=5), Progress())
    again = train(TrainJob((), tmp_path / "parts", overwrite=True), config_of(world, **values, seed=5), Progress())
    assert again is not None and not again.already_done
    assert len(list((tmp_path / "parts").glob("text-*"))) == 1


def test_a_trial_tells_what_there_is(world: World) -> None:
    told = " ".join(try_out(TrainJob((), Path("nowhere")), config_of(world)))
    assert "texts of" in told and "terms held out" in told and "parameters train" in told


def test_parts_are_the_same_as_the_whole(world: World) -> None:
    task = opened(world)
    engine = TrainingEngine(config_of(world).running)
    gradients = []
    for numbers in ([range(8)], [range(4), range(4, 8)]):
        task.model.zero_grad()
        parts = [task.collate([task.samples[number] for number in part]) for part in numbers]
        metrics = task.backward(parts, 0, engine)
        gradients.append(
            [parameter.grad.clone() for parameter in task.model.parameters() if parameter.grad is not None]
        )
        assert metrics["loss"].isfinite()
    for whole, in_parts in zip(*gradients, strict=True):
        torch.testing.assert_close(whole, in_parts, rtol=1e-3, atol=1e-5)


def test_a_site_adds_its_words(world: World, tmp_path: Path) -> None:
    file = tmp_path / "organs.yaml"
    file.write_text("liver: {terms: [house liver]}\nfabellae: {parents: [skeleton], terms: [fabella]}\n")
    task = opened(world, organs=str(file), hold_out="none")
    assert "house liver" in task.words.terms["liver"] and "fabella" in task.words.terms["fabellae"]
    assert task.described["organs_file"] == str(file) and len(str(task.described["sha256"])) == 64
    assert task.settings()["data"] != opened(world, hold_out="none").settings()["data"]
    file.write_text("liver: {terms: [spleen]}\n")
    with pytest.raises(VocabularyError, match=r"organs\.yaml, line 1: liver: 'spleen' is a name of 'spleen' already"):
        opened(world, organs=str(file))
    with pytest.raises(ConfigError, match=r"organs: .*none\.yaml cannot be read"):
        opened(world, organs=str(tmp_path / "none.yaml"))


def test_settings_that_cannot_be() -> None:
    for values, message in (({"temperature": 0.0}, "temperature"), ({"group_weight": -1.0}, "group_weight")):
        with pytest.raises(ConfigError, match=message):
            load_config(WordsConfig, None, values)


def test_the_score_is_in_the_log_too(run: Path) -> None:
    lines = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    assert [line["kind"] for line in lines][-1] == "evaluation" and 0 <= lines[-1]["groups_at_their_mean"] <= 1


def test_an_encoder_by_its_folder_is_taken_as_before(world: World, tmp_path: Path) -> None:
    copied = linked_copy(world.encoder, tmp_path / "encoder", {})
    assert open_text(str(copied)).trained_on == ()
