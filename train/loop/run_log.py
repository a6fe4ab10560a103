"""The log of a run: its numbers as JSON lines, for TensorBoard or another board, and as curves in a picture."""

from __future__ import annotations

import json
import math
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from curation.runtime.files import whole_file, write_text

from .tracking import Board

METRICS = "metrics.jsonl"
CURVES = "curves.png"
BOARD_SECONDS = 60.0  # at the latest, TensorBoard shows what was written


class RunLog:
    """Writes `OUT/metrics.jsonl`, one line for each `step` and `kind`, and the same numbers for a board.

    A run that goes on from step s drops the lines of later steps: they are written again. Without a `board` the numbers
    go to TensorBoard.
    """

    def __init__(self, folder: Path, step: int, board: Board | None = None) -> None:
        self.folder, self.path = folder, folder / METRICS
        folder.mkdir(parents=True, exist_ok=True)
        self.lines = [line for line in read_metrics(self.path) if line["step"] <= step] if step else []
        write_text(self.path, "".join(json.dumps(line) + "\n" for line in self.lines))
        self._board: Board = board or TensorBoard(folder / "tensorboard", step)

    def write(self, step: int, kind: str, values: Mapping[str, float]) -> None:
        """Add a line; `kind` is `train` or `evaluation`."""
        line = {"step": step, "kind": kind, **{name: _short(value) for name, value in values.items()}}
        self.lines.append(line)
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")
        self._board.write(step, {f"{kind}/{name}": value for name, value in values.items()})

    def last(self, kind: str) -> dict[str, float]:
        """Return the newest numbers of a kind; empty where there are none yet."""
        lines = [line for line in self.lines if line["kind"] == kind]
        values = lines[-1].items() if lines else ()
        return {name: math.nan if value is None else value for name, value in values if name not in ("step", "kind")}

    def draw(self) -> None:
        """Draw every number over the steps into `OUT/curves.png`, one panel for each."""
        draw_curves(self.lines, self.folder / CURVES)

    def close(self) -> None:
        """Write what the board has not written yet."""
        self._board.close()


class TensorBoard:
    """Writes numbers for TensorBoard, in the thread of its caller.

    tensorboardX's own `SummaryWriter` hands them to another thread. Where the disk fails, that one ends, and who writes
    waits for it for ever once its queue is full: a training on a full disk stood still. Here the error is raised, an
    `OSError` that names the file. A run that goes on from step s has TensorBoard leave out later steps of before.
    """

    def __init__(self, folder: Path, step: int) -> None:
        from tensorboardX.event_file_writer import EventsWriter
        from tensorboardX.proto.event_pb2 import Event, SessionLog
        from tensorboardX.summary import scalar

        self.folder, self._event, self._scalar, self._is_closed = folder, Event, scalar, False
        folder.mkdir(parents=True, exist_ok=True)
        with self._named_errors():
            self._events = EventsWriter(str(folder / "events"))
            self._flushed = -math.inf
            if step:
                self._add(step + 1, file_version="brain.Event:2")
                self._add(step + 1, session_log=SessionLog(status=SessionLog.START))

    def write(self, step: int, values: Mapping[str, float]) -> None:
        """Add numbers by their names; what was added is on disk after `BOARD_SECONDS`. What is no number is not."""
        with self._named_errors():
            for name, value in values.items():
                if math.isfinite(value):  # tensorboardX would print that one is not, and not which
                    self._add(step, summary=self._scalar(name, value))
            if time.monotonic() - self._flushed > BOARD_SECONDS:
                self._events.flush()
                self._flushed = time.monotonic()

    def close(self) -> None:
        """Write what is not on disk yet, and close the file; a second time does nothing."""
        if not self._is_closed:
            self._is_closed = True
            with self._named_errors():
                self._events.close()

    def _add(self, step: int, **content: Any) -> None:
        self._events.write_event(self._event(wall_time=time.time(), step=step, **content))

    @contextmanager
    def _named_errors(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            if error.errno is not None and error.filename is None:
                error.filename = str(self.folder)
            raise


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


def _short(value: float) -> float | None:
    """Round to six digits; None where there was nothing to measure, since JSON has no NaN."""
    return float(f"{value:.6g}") if math.isfinite(value) else None
