"""The loop on a task that is done in milliseconds."""

import pickle
import re
import time
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.utils.data import Dataset

from curation.runtime.errors import Interrupted, RunError
from curation.runtime.progress import Progress
from models.checkpoint import load_checkpoint
from tests.train.training_worlds import CONFIGS, make_world, settings
from train.config.loading import load_config
from train.config.options import ConfigError, Optimisation, Running
from train.loop.dry_run import DryRun, dry_run
from train.loop.engine import TrainingEngine
from train.loop.loop import _Clock, fit
from train.loop.run_folder import start_again
from train.loop.run_log import read_metrics
from train.loop.task import TrainOutcome
from train.order import random
from train.stages.run import TrainJob, open_task

pytestmark = pytest.mark.usefixtures("one_thread")
RUNNING = Running(
    accelerator="cpu", precision="32-true", save_every=4, evaluate_every=3, evaluation_share=1, log_every=2
)


class Numbers(Dataset[Tensor]):
    """Each sample is four numbers and their sum."""

    def __getitem__(self, number: int) -> Tensor:
        four = torch.from_numpy(random((number,)).standard_normal(4)).float()
        return torch.cat((four, four.sum(0, keepdim=True)))


class Sums:
    """A task that learns to add; `calls` records what the loop called."""

    def __init__(self, dropout: float = 0.0, setting: int = 0) -> None:
        torch.manual_seed(0)
        self.model: nn.Module = nn.Sequential(nn.Dropout(dropout), nn.Linear(4, 1))
        self.lr_multipliers: dict[str, float] = {}
        self.samples = Numbers()
        self.setting, self.calls, self.nan_step, self.broken = setting, list[Any](), -1, "loss"

    def collate(self, samples: list[Any]) -> Tensor:
        return torch.stack(samples)

    def settings(self) -> dict[str, Any]:
        return {"task": "sums", "other": self.setting, "patch": [1, 2]}

    def prepare(self, engine: TrainingEngine, progress: Progress, numbers: Any = None) -> None:
        self.calls.append(("prepare", numbers))

    def begin(self, engine: TrainingEngine, progress: Progress) -> None:
        self.calls.append("begin")

    def end(self, engine: TrainingEngine, progress: Progress) -> None:
        assert not self.model.training
        self.calls.append("end")

    def backward(self, parts: Any, step: int, engine: TrainingEngine) -> dict[str, Tensor]:
        total = torch.zeros(())
        for part in parts:
            loss = (self.model(part[:, :4])[:, 0] - part[:, 4]).square().mean() / len(parts)
            engine.backward(loss)
            total += loss.detach()
        if step == self.nan_step and self.broken == "gradient":
            gradient = dict(self.model.named_parameters())["1.weight"].grad
            assert gradient is not None
            gradient[0, 2] = torch.nan
        return {"loss": total * (torch.nan if step == self.nan_step and self.broken == "loss" else 1)}

    def after_step(self) -> None:
        self.calls.append("after")

    def evaluate(self, engine: TrainingEngine, progress: Progress, folder: Path | None) -> dict[str, float]:
        assert not self.model.training and folder is not None
        self.calls.append(("evaluate", folder.name))
        return {"weight": float(self.weight.mean())}

    def save(self, folder: Path, step: int) -> None:
        self.calls.append(("save", step))
        torch.save(self.weight, folder / "weight.pt")

    def cases(self, part: Any) -> dict[str, bool]:
        return {f"case {float(row[4]):.3f}": bool(row.isfinite().all()) for row in part}

    def describe(self, part: Any) -> list[str]:
        return [f"a part {tuple(part.shape)}"]

    @property
    def weight(self) -> Tensor:
        return dict(self.model.named_parameters())["1.weight"].detach().clone()


class StopAt(Progress):
    """Interrupts after so many steps."""

    def __init__(self, steps: int) -> None:
        self.left = steps

    def advance(self) -> None:
        self.left -= 1

    def raise_if_interrupted(self) -> None:
        if self.left <= 0:
            raise Interrupted


@pytest.fixture(scope="module")
def engine() -> TrainingEngine:
    return TrainingEngine(RUNNING)


def optimisation(**options: Any) -> Optimisation:
    return Optimisation(**{"steps": 10, "batch_size": 4, "warmup_steps": 2, "learning_rate": 0.1, "ema": 0.9} | options)


def run(
    task: Sums, out: Path, engine: TrainingEngine, progress: Progress | None = None, **options: Any
) -> TrainOutcome:
    return fit(task, optimisation(**options), RUNNING, out, engine, progress or Progress())


def test_what_happens_when(engine: TrainingEngine, tmp_path: Path) -> None:
    task = Sums()
    outcome = run(task, tmp_path, engine)
    assert outcome.step == 10 and not outcome.already_done
    assert task.calls[:2] == [("prepare", None), "begin"] and task.calls.count("after") == 10
    calls = [call for call in task.calls[2:] if call != "after"]
    assert [step for kind, step in (call for call in calls if call != "end") if kind == "save"] == [4, 8, 10]
    assert calls[-3:] == ["end", ("evaluate", "step-10"), ("save", 10)]
    lines = read_metrics(tmp_path / "metrics.jsonl")
    assert [line["step"] for line in lines if line["kind"] == "train"] == [2, 4, 6, 8, 10]
    assert [line["step"] for line in lines if line["kind"] == "evaluation"] == [3, 6, 9, 10]
    assert {"loss", "learning_rate", "seconds_per_step"} <= lines[0].keys()
    assert ("evaluate", "step-9") in task.calls and (tmp_path / "curves.png").is_file()
    assert task.model.training and float(lines[-2]["loss"]) < float(lines[0]["loss"])


def test_evaluated_and_saved_is_the_average_over_the_steps(engine: TrainingEngine, tmp_path: Path) -> None:
    task = Sums()
    outcome = run(task, tmp_path, engine)
    saved = torch.load(tmp_path / "weight.pt", weights_only=True)
    # What is learned after the last step is learned with the average, which is the model's from then on.
    assert torch.equal(saved, task.weight)
    assert outcome.evaluation == {"weight": pytest.approx(float(saved.mean()), rel=1e-5)}
    plain = Sums()
    run(plain, tmp_path / "plain", engine, ema=0.0)
    assert torch.equal(torch.load(tmp_path / "plain" / "weight.pt", weights_only=True), plain.weight)
    assert not torch.equal(plain.weight, task.weight)


def test_a_run_that_was_stopped_ends_where_one_that_was_not_does(engine: TrainingEngine, tmp_path: Path) -> None:
    uninterrupted = Sums(dropout=0.5)
    outcome = run(uninterrupted, tmp_path / "whole", engine)
    for stop in (3, 4, 2):
        task = Sums(dropout=0.5)
        with pytest.raises(Interrupted):
            run(task, tmp_path / "parts", engine, StopAt(stop))
        assert ("begin" in task.calls) == (stop == 3)
    last = Sums(dropout=0.5)
    assert run(last, tmp_path / "parts", engine) == outcome
    assert last.calls.count("after") == 1 and torch.equal(last.weight, uninterrupted.weight)
    names = ("loss", "learning_rate", "weight")
    logs = [
        [{name: line.get(name) for name in names} for line in read_metrics(tmp_path / out / "metrics.jsonl")]
        for out in ("whole", "parts")
    ]
    assert logs[0] == logs[1]


def test_curves_that_could_not_be_drawn_at_the_last_step_are_drawn_by_the_next_run(
    engine: TrainingEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched, pytest.raises(OSError, match="No space left"):
        patched.setattr("train.loop.run_log.draw_curves", full)
        run(Sums(), tmp_path, engine)
    assert run(Sums(), tmp_path, engine).step == 10
    assert (tmp_path / "curves.png").exists()


def test_in_parts_it_learns_the_same(engine: TrainingEngine, tmp_path: Path) -> None:
    at_once, in_parts = Sums(), Sums()
    run(at_once, tmp_path / "one", engine)
    run(in_parts, tmp_path / "two", engine, accumulate=2)
    torch.testing.assert_close(at_once.weight, in_parts.weight, rtol=1e-5, atol=1e-6)


def test_a_complete_run_has_nothing_to_do(engine: TrainingEngine, tmp_path: Path) -> None:
    outcome = run(Sums(), tmp_path, engine)
    before = (tmp_path / "metrics.jsonl").read_text()
    task = Sums()
    again = run(task, tmp_path, engine)
    assert again.already_done and again.evaluation == pytest.approx(outcome.evaluation, rel=1e-5)
    assert task.calls == []
    assert (tmp_path / "metrics.jsonl").read_text() == before


def test_other_settings_are_refused_by_name(engine: TrainingEngine, tmp_path: Path) -> None:
    with pytest.raises(Interrupted):
        run(Sums(), tmp_path, engine, StopAt(2))
    with pytest.raises(ConfigError, match=r"other settings \(other was 0, is 7\).*--overwrite"):
        run(Sums(setting=7), tmp_path, engine)
    start_again(tmp_path)
    assert not list(tmp_path.glob("metrics*")) and not (tmp_path / "resume").exists()
    assert run(Sums(setting=7), tmp_path, engine).step == 10


@pytest.mark.parametrize(("broken", "clip_norm"), [("loss", 1.0), ("gradient", 1.0), ("gradient", 0.0)])
def test_what_is_no_number_ends_the_run_before_it_does_harm(
    engine: TrainingEngine, tmp_path: Path, broken: str, clip_norm: float
) -> None:
    """The step is not taken, its cases are named, and the checkpoint of before is one to go on from."""
    task = Sums()
    task.nan_step, task.broken = 5, broken
    said = rf"{broken} of step 6 is no number any more; its cases were case -?\d.*: take a lower learning_rate.*goes on"
    with pytest.raises(RunError, match=said):
        run(task, tmp_path, engine, clip_norm=clip_norm)
    assert torch.isfinite(task.weight).all() and task.calls.count("after") == 5
    left_alone = Sums()
    run(left_alone, tmp_path / "other", engine, clip_norm=clip_norm)
    again = Sums()
    assert run(again, tmp_path, engine, clip_norm=clip_norm).step == 10
    assert "begin" not in again.calls and torch.equal(again.weight, left_alone.weight)


def test_a_case_whose_voxels_are_no_numbers_is_named(engine: TrainingEngine, tmp_path: Path) -> None:
    class OneIsEmpty(Numbers):
        def __getitem__(self, number: int) -> Tensor:
            row = super().__getitem__(number)
            return row if number != 9 else torch.cat((torch.full((4,), torch.nan), row[4:]))

    task = Sums()
    task.samples = OneIsEmpty()
    name = f"case {float(Numbers()[9][4]):.3f}"
    with pytest.raises(RunError, match=rf"loss of step 3 .*; {re.escape(name)} holds voxels that are no numbers: mend"):
        run(task, tmp_path, engine)


def test_a_batch_that_cannot_be_shared(engine: TrainingEngine, tmp_path: Path) -> None:
    with pytest.raises(
        ConfigError, match=r"batch_size 4 cannot be shared among 1 processes of 3 parts: .* multiple of 3"
    ):
        run(Sums(), tmp_path, engine, accumulate=3)


def test_a_dry_run_writes_nothing(engine: TrainingEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    task = Sums()
    trial = dry_run(task, optimisation(accumulate=2), engine)
    assert trial.shapes == ["a part (2, 5)"] and trial.trainable == 5 and (trial.peak_memory or 0) > 1e6
    assert task.calls == [("prepare", [0, 1, 2, 3])] and not list(tmp_path.iterdir())
    lines = DryRun(["x"], 5, 1.5, 2**30, 400).lines()
    assert lines[:3] == ["x", "5 parameters train", "peak memory 1,024 MiB"]
    assert DryRun([], 5, 1.5, None, 400).lines()[1] == "peak memory not known"
    assert lines[3] == (
        "1.50 s a step, 0.00 of them to load its samples; 400 steps take about 10.0 min, evaluations apart"
    )
    assert 0 <= trial.loading <= trial.seconds and trial.preparing >= 0


def test_accelerators_that_are_not_there() -> None:
    for accelerator in ("abacus", "cuda") if not torch.cuda.is_available() else ("abacus",):
        with pytest.raises(ConfigError, match=f"accelerator '{accelerator}', 1 devices"):
            TrainingEngine(Running(accelerator=accelerator))


@pytest.mark.parametrize("stage", CONFIGS)
def test_no_network_goes_to_the_processes_that_load(stage: str, tmp_path: Path) -> None:
    world = make_world(tmp_path)
    config = load_config(CONFIGS[stage], None, settings(stage, world))
    data = world.captions if stage == "align" else world.data
    task = open_task(TrainJob((data,), tmp_path / "out", volumes=world.data), config, tmp_path / "cache")
    sent = pickle.dumps((task.samples, task.collate))
    # The words themselves are sent.
    assert len(sent) < (500_000 if stage == "words" else 100_000) and b"_rebuild_parameter" not in sent
    assert load_checkpoint(world.image).model is not None


def test_seconds_a_step_are_those_of_steps_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    times = iter([0.0, 2.0, 100.0, 103.0, 104.0, 108.0])
    monkeypatch.setattr(time, "monotonic", lambda: next(times))
    clock = _Clock()
    clock.count_step()
    clock.leave_out()
    clock.count_step()
    assert clock.reset() == {"seconds_per_step": 2.5}
    clock.leave_out()
    clock.count_step()
    assert clock.reset() == {"seconds_per_step": 4.0}
