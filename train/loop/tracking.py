"""The numbers of a run at Weights & Biases or MLflow, by Lightning's loggers; those for TensorBoard are in `run_log`.

lightning-fabric alone has loggers for TensorBoard and CSV. These two come with pytorch-lightning, which adds
torchmetrics and nothing else to what the extra `train` has; it knows both clients through their versions, and that a
run which goes on from its last checkpoint repeats steps. Of it nothing but the loggers is used.

    OUT/logger.json    the run at each of them, so that a training that goes on is one run there
    OUT/wandb          what W&B keeps on this machine
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal, Protocol

from curation.runtime.errors import extra_hint
from curation.runtime.files import write_text
from train.config.options import ConfigError

RUNS, WANDB_FOLDER = "logger.json", "wandb"
# Of the project at W&B, and the experiment at MLflow, where the environment names none.
PROJECT = "ovct"
TrackerName = Literal["wandb", "mlflow"]
# What to do about a run that cannot begin.
WAYS_OUT = {
    "wandb": "log in (wandb login), or set WANDB_MODE=offline, which keeps it on this machine",
    "mlflow": "set MLFLOW_TRACKING_URI to a server (http://...), or to a folder (file:/path/mlruns) with "
    "MLFLOW_ALLOW_FILE_STORE=true",
}


class Board(Protocol):
    """Where the numbers of a run are shown, beside its own log."""

    def write(self, step: int, values: Mapping[str, float]) -> None:
        """Add numbers by their names."""

    def close(self) -> None:
        """Write what has not been written yet; a second time does nothing."""


class TrackedRun:
    """A run at W&B or MLflow, as a board.

    The run is begun, or gone on with, at once: what cannot begin raises ConfigError, and nothing was trained. Whatever
    fails later does not end the training: numbers wait for the next time, and `warn` is told once.
    """

    def __init__(
        self, name: TrackerName, folder: Path, settings: Mapping[str, Any], warn: Callable[[str], None]
    ) -> None:
        self.name, self.folder, self._warn = name, folder, warn
        self._waiting: list[tuple[int, dict[str, float]]] = []
        self._is_told = self._is_closed = False
        runs = read_runs(folder)
        try:
            self._logger = _open_logger(name, folder, runs.get(name))
            self.id = _begin(name, self._logger)
            self._logger.log_hyperparams(dict(settings))
        except ConfigError:
            raise
        except Exception as error:  # of whatever kind: clients and servers have many
            raise ConfigError(
                f"logger {name}: no run could be begun there ({_in_a_line(error)}): {WAYS_OUT[name]}"
            ) from error
        write_text(folder / RUNS, json.dumps({**runs, name: self.id}, indent=1) + "\n")

    def write(self, step: int, values: Mapping[str, float]) -> None:
        """Add numbers by their names; what is no number is not."""
        finite = {name: float(value) for name, value in values.items() if math.isfinite(value)}
        if finite:
            self._waiting.append((step, finite))
        self._send()

    def close(self) -> None:
        """Send what waits, and end the run; what cannot be sent then is told, and stands in the log of the run."""
        if self._is_closed:
            return
        self._is_closed = True
        self._send()
        try:
            self._logger.finalize("success")
            if self.name == "wandb":
                import wandb

                wandb.finish()
        except Exception as error:
            self._tell(error)
        if self._waiting:
            self._warn(f"logger {self.name}: {len(self._waiting):,} lines of metrics.jsonl did not get there")

    def _send(self) -> None:
        try:
            while self._waiting:
                step, values = self._waiting[0]
                self._logger.log_metrics(values, step)
                del self._waiting[0]
        except Exception as error:
            self._tell(error)

    def _tell(self, error: Exception) -> None:
        if not self._is_told:
            self._is_told = True
            self._warn(
                f"logger {self.name}: {_in_a_line(error)}; the training goes on, its numbers are in metrics.jsonl"
            )


def read_runs(folder: Path) -> dict[str, str]:
    """Return the run's id at each logger that it had. Raises ConfigError for a file that is none of ours."""
    path = folder / RUNS
    try:
        runs = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(runs, dict) or not all(isinstance(value, str) for value in runs.values()):
            raise ValueError("expected an object of names and ids")
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise ConfigError(f"{path} cannot be read ({error}): remove it, and the run gets a new id") from error
    return runs


def _open_logger(name: TrackerName, folder: Path, run_id: str | None) -> Any:
    """Return Lightning's logger. Raises ConfigError where a package is missing."""
    try:
        if name == "wandb":
            import wandb  # noqa: F401
            from pytorch_lightning.loggers import WandbLogger

            # W&B takes project, mode and key from the environment too; what is given here would go before it.
            project = os.environ.get("WANDB_PROJECT", PROJECT)
            return WandbLogger(name=folder.name, save_dir=folder, project=project, id=run_id, resume="allow")
        import mlflow  # noqa: F401
        from pytorch_lightning.loggers import MLFlowLogger
    except ModuleNotFoundError as error:
        raise ConfigError(f"logger {name}: {error.name} is not installed: {extra_hint(name)}") from error
    return MLFlowLogger(
        experiment_name=os.environ.get("MLFLOW_EXPERIMENT_NAME", PROJECT),
        run_name=folder.name,
        tracking_uri=_tracking_uri(),
        run_id=run_id,
    )


def _tracking_uri() -> str:
    """Return where MLflow keeps runs: as its own variable says, else as its client would."""
    import mlflow

    uri: str = os.environ.get("MLFLOW_TRACKING_URI") or mlflow.get_tracking_uri()
    return uri


def _begin(name: TrackerName, logger: Any) -> str:
    """Begin the run, which Lightning's loggers do when they are first used, and return its id."""
    experiment = logger.experiment
    return str(experiment.id if name == "wandb" else logger.run_id)


def _in_a_line(error: Exception) -> str:
    return " ".join(str(error).split())[:300] or type(error).__name__
