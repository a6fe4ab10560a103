"""Runs at W&B and MLflow: with stand-ins for Lightning's loggers, and with the real ones where they are installed."""

import json
import math
import sys
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any, ClassVar

import pytest

from curation.runtime.errors import Interrupted
from curation.runtime.progress import Progress
from tests.train.loop.test_loop import RUNNING, StopAt, Sums, optimisation
from train.config.options import ConfigError, Running
from train.loop.engine import TrainingEngine
from train.loop.loop import fit
from train.loop.run_folder import begun_folder
from train.loop.run_log import read_metrics
from train.loop.tracking import RUNS, TrackedRun, read_runs

pytestmark = pytest.mark.usefixtures("one_thread")

CLIENTS = pytest.mark.skipif(
    not all(map(find_spec, ("pytorch_lightning", "wandb", "mlflow"))),
    reason="pytorch-lightning, wandb and mlflow-skinny bring 22 packages, and are not in the extra dev",
)


class FakeLogger:
    """Stands in for one of Lightning's loggers; `made` are all of them, each with what it was told."""

    made: ClassVar[list["FakeLogger"]] = []
    unreachable = broken = False

    def __init__(self, **settings: Any) -> None:
        self.settings = settings
        self.metrics: list[tuple[int, dict[str, float]]] = []
        self.params: dict[str, Any] = {}
        self.status = ""
        self.run_id = settings.get("run_id") or settings.get("id") or f"run{len(self.made)}"
        self.made.append(self)

    @property
    def experiment(self) -> SimpleNamespace:
        if self.unreachable:
            raise ConnectionError("no such\nhost")
        return SimpleNamespace(id=self.run_id)

    def log_hyperparams(self, params: dict[str, Any]) -> None:
        self.params = params

    def log_metrics(self, metrics: dict[str, float], step: int) -> None:
        if self.broken:
            raise ConnectionError("gone")
        self.metrics.append((step, metrics))

    def finalize(self, status: str) -> None:
        self.status = status


class Told(Progress):
    """Keeps warnings."""

    def __init__(self) -> None:
        self.warnings: list[str] = []

    def warning(self, text: str) -> None:
        self.warnings.append(text)


@pytest.fixture
def fakes(monkeypatch: pytest.MonkeyPatch) -> type[FakeLogger]:
    loggers = ModuleType("pytorch_lightning.loggers")
    loggers.WandbLogger = loggers.MLFlowLogger = FakeLogger  # type: ignore[attr-defined]
    lightning = ModuleType("pytorch_lightning")
    lightning.loggers = loggers  # type: ignore[attr-defined]
    clients = {name: ModuleType(name) for name in ("wandb", "mlflow")}
    clients["wandb"].finish = lambda: None  # type: ignore[attr-defined]
    clients["mlflow"].get_tracking_uri = lambda: "here"  # type: ignore[attr-defined]
    for name, module in {**clients, "pytorch_lightning": lightning, "pytorch_lightning.loggers": loggers}.items():
        monkeypatch.setitem(sys.modules, name, module)
    monkeypatch.delenv("WANDB_PROJECT", raising=False)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.setattr(FakeLogger, "made", [])
    return FakeLogger


@pytest.fixture(scope="module")
def engine() -> TrainingEngine:
    return TrainingEngine(RUNNING)


def running(logger: str) -> Running:
    return Running(**{**vars(RUNNING), "logger": logger})


def train(out: Path, engine: TrainingEngine, logger: str, progress: Progress | None = None) -> None:
    fit(Sums(), optimisation(), running(logger), out, engine, progress or Progress())


@pytest.mark.parametrize("logger", ["wandb", "mlflow"])
def test_a_run_that_goes_on_is_one_run_there(
    logger: str, fakes: type[FakeLogger], engine: TrainingEngine, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    with pytest.raises(Interrupted):
        train(out, engine, logger, StopAt(4))
    train(out, engine, logger)
    first, second = fakes.made
    assert first.run_id == second.run_id == read_runs(out)[logger] == "run0"
    assert first.params["task"] == "sums" and first.status == second.status == "success"
    told = {(step, name) for run in (first, second) for step, values in run.metrics for name in values}
    lines = read_metrics(out / "metrics.jsonl")
    assert {(line["step"], f"{line['kind']}/loss") for line in lines if "loss" in line} <= told
    assert not (out / "tensorboard").exists() and (out / "curves.png").exists()
    train(out, engine, logger)  # complete: nothing is told, and no server asked
    assert len(fakes.made) == 2
    with begun_folder(out, overwrite=True):
        pass
    train(out, engine, logger)
    assert fakes.made[-1].run_id == "run2"


def test_a_logger_that_cannot_begin_ends_the_run_before_it_trains(
    fakes: type[FakeLogger], engine: TrainingEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fakes, "unreachable", True)
    task = Sums()
    with pytest.raises(ConfigError, match=r"no run could be begun there \(no such host\): log in .*WANDB_MODE=offline"):
        fit(task, optimisation(), running("wandb"), tmp_path / "out", engine, Progress())
    assert task.calls == [] and not (tmp_path / "out" / RUNS).exists()


@pytest.mark.parametrize(
    ("logger", "package"), [("wandb", "wandb"), ("mlflow", "mlflow"), ("mlflow", "pytorch_lightning")]
)
def test_a_missing_package_is_told_with_its_extra(
    logger: str, package: str, fakes: type[FakeLogger], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    if package == "pytorch_lightning":
        monkeypatch.setitem(sys.modules, "pytorch_lightning.loggers", None)
    with pytest.raises(ConfigError, match=rf"is not installed: .*pip install '\.\[{logger}\]'"):
        TrackedRun(logger, tmp_path, {}, print)  # type: ignore[arg-type]


def test_what_fails_under_way_is_told_once_and_sent_later(
    fakes: type[FakeLogger], engine: TrainingEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []
    run = TrackedRun("wandb", tmp_path, {}, told.append)
    monkeypatch.setattr(fakes, "broken", True)
    run.write(1, {"train/loss": 1.0})
    run.write(2, {"train/loss": 0.5, "train/dice": math.nan})
    assert len(told) == 1 and "gone; the training goes on" in told[0]
    monkeypatch.setattr(fakes, "broken", False)
    run.write(3, {"train/loss": 0.25})
    assert fakes.made[0].metrics == [(1, {"train/loss": 1.0}), (2, {"train/loss": 0.5}), (3, {"train/loss": 0.25})]
    monkeypatch.setattr(fakes, "broken", True)
    run.write(4, {"train/loss": 0.2})
    run.close()
    run.close()
    assert told[1:] == ["logger wandb: 1 lines of metrics.jsonl did not get there"]
    progress = Told()
    train(tmp_path / "out", engine, "mlflow", progress)
    assert len(read_metrics(tmp_path / "out" / "metrics.jsonl")) and "goes on" in progress.warnings[0]


def test_ids_that_cannot_be_read_are_told(tmp_path: Path) -> None:
    (tmp_path / RUNS).write_text("[1]")
    with pytest.raises(ConfigError, match=r"logger\.json cannot be read"):
        read_runs(tmp_path)


@CLIENTS
@pytest.mark.filterwarnings("default")
def test_the_real_mlflow_has_settings_and_one_run_of_both_parts(
    engine: TrainingEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from mlflow import MlflowClient

    uri = (tmp_path / "mlruns").as_uri()
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    out = tmp_path / "out"
    with pytest.raises(Interrupted):
        train(out, engine, "mlflow", StopAt(4))
    train(out, engine, "mlflow")
    client = MlflowClient(uri)
    run = client.get_run(json.loads((out / RUNS).read_text())["mlflow"])
    assert run.data.params["task"] == "sums" and run.info.run_name == "out" and run.info.status == "FINISHED"
    losses = {point.step: point.value for point in client.get_metric_history(run.info.run_id, "train/loss")}
    expected = {line["step"]: line["loss"] for line in read_metrics(out / "metrics.jsonl") if line["kind"] == "train"}
    assert losses.keys() == expected.keys()
    assert all(losses[step] == pytest.approx(expected[step], rel=1e-4) for step in expected)


@CLIENTS
@pytest.mark.filterwarnings("default")
def test_the_real_wandb_writes_offline_runs_of_one_id(
    engine: TrainingEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WANDB_MODE", "offline")
    monkeypatch.setenv("WANDB_SILENT", "true")
    monkeypatch.setenv("WANDB_ERROR_REPORTING", "false")
    out = tmp_path / "out"
    with pytest.raises(Interrupted):
        train(out, engine, "wandb", StopAt(4))
    train(out, engine, "wandb")
    run_id = json.loads((out / RUNS).read_text())["wandb"]
    files = list((out / "wandb").glob(f"offline-run-*-{run_id}/run-{run_id}.wandb"))
    assert files and b"train/loss" in b"".join(path.read_bytes() for path in files)
