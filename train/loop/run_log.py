"""The log of a run: its numbers as JSON lines, for TensorBoard, and as curves in a picture."""

from __future__ import annotations

import json
import logging
import math
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from curation.runtime.files import whole_file, write_text

METRICS = "metrics.jsonl"
CURVES = "curves.png"


class RunLog:
    """Writes `OUT/metrics.jsonl`, one line for each `step` and `kind`, and the same numbers for TensorBoard.

    A run that goes on from step s drops the lines of later steps: they are written again.
    """

    def __init__(self, folder: Path, step: int) -> None:
        self.folder, self.path = folder, folder / METRICS
        folder.mkdir(parents=True, exist_ok=True)
        self.lines = [line for line in read_metrics(self.path) if line["step"] <= step] if step else []
        write_text(self.path, "".join(json.dumps(line) + "\n" for line in self.lines))
        self._board = _writer(folder, step)

    def write(self, step: int, kind: str, values: Mapping[str, float]) -> None:
        """Add a line; `kind` is `train` or `evaluation`."""
        line = {"step": step, "kind": kind, **{name: _short(value) for name, value in values.items()}}
        self.lines.append(line)
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")
        for name, value in values.items():
            self._board.add_scalar(f"{kind}/{name}", value, step)

    def last(self, kind: str) -> dict[str, float]:
        """Return the newest numbers of a kind; empty where there are none yet."""
        lines = [line for line in self.lines if line["kind"] == kind]
        values = lines[-1].items() if lines else ()
        return {name: math.nan if value is None else value for name, value in values if name not in ("step", "kind")}

    def draw(self) -> None:
        """Draw every number over the steps into `OUT/curves.png`, one panel for each."""
        draw_curves(self.lines, self.folder / CURVES)

    def close(self) -> None:
        """Write what TensorBoard has not written yet."""
        self._board.close()


def read_metrics(path: Path) -> list[dict[str, Any]]:
    """Return the lines of a run's log; one cut off by a kill is left out. Empty where there is no log."""
    try:
        texts = path.read_text("utf-8").splitlines()
    except FileNotFoundError:
        return []
    lines = []
    for text in texts:
        try:
            lines.append(json.loads(text))
        except ValueError:
            continue
    return lines


def draw_curves(lines: list[dict[str, Any]], path: Path) -> None:
    """Draw one panel for each number, training and evaluation of the same name together; nothing without numbers."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    panels: dict[str, dict[str, list[tuple[int, float]]]] = defaultdict(lambda: defaultdict(list))
    for line in lines:
        for name, value in line.items():
            if name not in ("step", "kind") and isinstance(value, (int, float)):
                panels[name][line["kind"]].append((line["step"], value))
    if not panels:
        return
    columns = min(len(panels), 3)
    rows = -(-len(panels) // columns)
    figure = Figure(figsize=(4.2 * columns, 2.8 * rows), layout="constrained")
    FigureCanvasAgg(figure)
    for place, (name, kinds) in enumerate(sorted(panels.items()), 1):
        axes = figure.add_subplot(rows, columns, place)
        for kind, points in sorted(kinds.items()):
            axes.plot(*zip(*points, strict=True), label=kind, marker="o" if len(points) < 30 else None, markersize=3)
        axes.set_title(name.replace("_", " "), fontsize=9)
        axes.set_xlabel("step", fontsize=8)
        axes.tick_params(labelsize=7)
        if len(kinds) > 1:
            axes.legend(fontsize=7)
    with whole_file(path) as temporary:
        figure.savefig(temporary, format="png", dpi=110)


def _writer(folder: Path, step: int) -> Any:
    from tensorboardX import SummaryWriter

    logging.getLogger("tensorboardX").setLevel(logging.ERROR)
    return SummaryWriter(str(folder / "tensorboard"), purge_step=step + 1 if step else None)


def _short(value: float) -> float | None:
    """Round to six digits; None where there was nothing to measure, since JSON has no NaN."""
    return float(f"{value:.6g}") if math.isfinite(value) else None
