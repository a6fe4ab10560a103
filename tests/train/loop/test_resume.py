"""What a run goes on from; and real runs that are killed at any moment, or asked to stop."""

import json
import os
import signal
import time
from pathlib import Path
from random import Random
from typing import Any

import pytest
import torch
from torch import nn

import train.loop.resume
from tests.train.training_worlds import command, flags_of, make_world, server, settings, trained, weights
from train.config.options import ConfigError, Optimisation
from train.loop.optimisation import Average, adamw, trainable
from train.loop.resume import load_state, save_state, saved_step
from train.loop.run_log import read_metrics

pytestmark = pytest.mark.usefixtures("one_thread")
SETTINGS: dict[str, Any] = {"steps": 3, "learning_rate": 0.1, "patch": [1, 2]}


class Trained:
    """A small network after some steps, with its optimizer and average."""

    def __init__(self, steps: int = 0) -> None:
        torch.manual_seed(0)
        self.model = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Tanh(), nn.Linear(4, 1))
        self.buffers = dict(self.model.named_buffers())
        self.parameters = trainable(self.model)
        self.optimizer = adamw(self.parameters, Optimisation(learning_rate=0.1), {})
        self.average = Average(self.parameters, 0.9)
        for step in range(steps):
            self.step(step)

    def step(self, step: int) -> None:
        self.model(torch.arange(6.0).view(2, 3) * (0.1 * step + 0.5)).square().mean().backward()
        self.optimizer.step()
        self.optimizer.zero_grad()
        self.average.update(step)

    def save(self, folder: Path, step: int) -> None:
        save_state(folder, step, SETTINGS, self.parameters, self.buffers, self.optimizer, self.average)

    def load(self, folder: Path) -> None:
        load_state(folder, self.parameters, self.buffers, self.optimizer, self.average)

    def tensors(self) -> list[torch.Tensor]:
        tensors = [*self.parameters.values(), *self.buffers.values(), *self.average.weights.values()]
        return [tensor.detach() for tensor in tensors]


def test_what_is_loaded_goes_on_bit_for_bit(tmp_path: Path) -> None:
    uninterrupted, first = Trained(5), Trained(3)
    first.save(tmp_path, 3)
    assert saved_step(tmp_path, SETTINGS) == 3
    second = Trained()
    second.load(tmp_path)
    for step in (3, 4):
        second.step(step)
    assert all(torch.equal(a, b) for a, b in zip(uninterrupted.tensors(), second.tensors(), strict=True))


def test_only_the_newest_state_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    strange, cut_off = tmp_path / ".state-9.safetensors.tmp", tmp_path / ".state-2.safetensors.tmp.saving"
    strange.write_bytes(b"of nobody knows whom")

    def killed(tensors: Any, path: Path, metadata: Any) -> None:
        path.with_name(".tmpAbCdEf").write_bytes(b"as safetensors calls what it is writing")
        os._exit(9)

    Trained(1).save(tmp_path, 1)
    monkeypatch.setattr("safetensors.torch.save_file", killed)
    child = os.fork()
    if not child:
        Trained(2).save(tmp_path, 2)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9 and cut_off.exists()
    monkeypatch.undo()
    Trained(3).save(tmp_path, 3)
    assert sorted(path.name for path in tmp_path.iterdir()) == [strange.name, "resume.json", "state-3.safetensors"]


@pytest.mark.parametrize("fails", ["write_tensors", "write_text"])
def test_a_save_cut_off_leaves_the_state_before(tmp_path: Path, fails: str, monkeypatch: pytest.MonkeyPatch) -> None:
    before = Trained(1)
    before.save(tmp_path, 1)

    # In the second case the weights are in place and the record that names them is not.
    def killed(*_arguments: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(train.loop.resume, fails, killed)
    with pytest.raises(KeyboardInterrupt):
        Trained(2).save(tmp_path, 2)
    monkeypatch.undo()
    assert saved_step(tmp_path, SETTINGS) == 1
    after = Trained()
    after.load(tmp_path)
    assert all(torch.equal(a, b) for a, b in zip(before.tensors(), after.tensors(), strict=True))


def test_nothing_there_and_other_settings(tmp_path: Path) -> None:
    assert saved_step(tmp_path / "none", SETTINGS) is None
    Trained(1).save(tmp_path / "run" / "resume", 1)
    assert saved_step(tmp_path / "run" / "resume", {**SETTINGS, "patch": [1, 2]}) == 1
    with pytest.raises(ConfigError) as error:
        saved_step(tmp_path / "run" / "resume", {**SETTINGS, "learning_rate": 0.2, "new": None, "patch": [1, 3]})
    text = str(error.value)
    assert f"{tmp_path / 'run'} holds a run with other settings" in text and "--overwrite" in text
    assert "learning_rate was 0.1, is 0.2" in text and "patch was [1, 2], is [1, 3]" in text


def test_settings_under_the_names_of_earlier_versions_are_the_same_settings(tmp_path: Path) -> None:
    Trained(1).save(tmp_path / "run" / "resume", 1)
    record = tmp_path / "run" / "resume" / "resume.json"
    content = json.loads(record.read_text())
    content["settings"] |= {"words_weight": 0.5, "reading": "joint", "rescue_weight": 0.2}
    record.write_text(json.dumps(content))
    settings = {**SETTINGS, "anchor_weight": 0.5, "mgcl_variant": "joint", "missed_structure_weight": 0.2}
    assert saved_step(record.parent, settings) == 1
    with pytest.raises(ConfigError, match=r"other settings \(anchor_weight was 0\.5, is 1\.0\)"):
        saved_step(record.parent, {**settings, "anchor_weight": 1.0})


def test_what_was_damaged_is_named(tmp_path: Path) -> None:
    Trained(1).save(tmp_path, 1)
    state = tmp_path / "state-1.safetensors"
    content = state.read_bytes()
    state.write_bytes(content[:-10])
    with pytest.raises(ConfigError, match=r"state-1\.safetensors was changed .*--overwrite"):
        Trained().load(tmp_path)
    state.unlink()
    with pytest.raises(ConfigError, match=r"state-1\.safetensors cannot be read"):
        Trained().load(tmp_path)
    state.write_bytes(content)
    renamed = Trained()
    renamed.parameters = {f"x.{name}": parameter for name, parameter in renamed.parameters.items()}
    with pytest.raises(ConfigError, match="other parameters"):
        renamed.load(tmp_path)
    (tmp_path / "resume.json").write_text("{")
    with pytest.raises(ConfigError, match=r"resume\.json cannot be read"):
        saved_step(tmp_path, SETTINGS)


def wait_for(path: Path, lines: int, process: Any) -> None:
    """Until the log has so many lines, or the process has ended."""
    until = time.monotonic() + 300
    while process.is_alive() and len(read_metrics(path)) < lines:
        assert time.monotonic() < until, f"{path} has {len(read_metrics(path))} lines, not {lines}"
        time.sleep(0.005)


def measured(out: Path) -> list[dict[str, Any]]:
    """The log without the seconds of a step."""
    return [
        {name: value for name, value in line.items() if name != "seconds_per_step"}
        for line in read_metrics(out / "metrics.jsonl")
    ]


def test_killed_stopped_and_gone_on_with_is_as_if_nothing_had_happened(tmp_path: Path) -> None:
    world = make_world(tmp_path / "world", cases=4)
    options: dict[str, object] = {"steps": 10, "batch_size": 2, "save_every": 2, "evaluate_every": 4, "ema": 0.9}
    trained("pretrain", world, tmp_path / "whole", **options)
    out = tmp_path / "killed"
    values = settings("pretrain", world, **options)
    words = ["train", "pretrain", str(world.data), "--out", str(out), *flags_of(values, tmp_path)]
    random, log = Random(0), out / "metrics.jsonl"
    for lines in (2, 6):
        process = server().Process(target=command, args=(words,))
        process.start()
        wait_for(log, lines, process)
        time.sleep(random.uniform(0, 0.3))
        os.killpg(process.pid or 0, signal.SIGKILL)
        process.join(60)
        assert process.exitcode == -signal.SIGKILL
    # Ctrl-C reaches the whole group of processes, the one that loads too.
    process = server().Process(target=command, args=([*words, "--workers", "1"],))
    process.start()
    wait_for(log, len(read_metrics(log)) + 1, process)
    before = json.loads((out / "resume" / "resume.json").read_text())["step"]
    os.killpg(process.pid or 0, signal.SIGINT)
    process.join(120)
    assert process.exitcode == 130
    assert json.loads((out / "resume" / "resume.json").read_text())["step"] >= before
    trained("pretrain", world, out, **options)
    expected, killed = weights(tmp_path / "whole"), weights(out)
    assert expected.keys() == killed.keys()
    assert all(torch.equal(expected[name], killed[name]) for name in expected)
    assert measured(tmp_path / "whole") == measured(out)
