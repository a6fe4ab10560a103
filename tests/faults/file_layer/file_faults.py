"""Lets one file operation of a command fail, and says what became of it: a program of its own, under ``file_faults.c``.

    LD_PRELOAD=file_faults.so python -m tests.faults.file_layer.file_faults FOLDER TRIALS COMMAND...

Prints one JSON line for each command: the trials, and what was wrong in which of them. Each call of a command is a
process of its own, forked from this one, in which all is imported. Without that library, ``python_layer.py`` stands in
for it, which sees what Python writes alone.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import faulthandler
import gc
import importlib
import json
import os
import random
import re
import shutil
import signal
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

from tests.faults.commands import CURATION, TRAINING, Command, close_servers, server

from .python_layer import FROM_NOW_ON, KILLED, ONCE, SHORT, PythonLayer
from .row_counts import RowCounts, compared
from .snapshots import NAMED_BY_CONTENT, hidden, snapshot

# What the failing call says; or how else it fails.
ERRORS = {"EIO": errno.EIO, "ENOSPC": errno.ENOSPC, "EDQUOT": errno.EDQUOT, "EACCES": errno.EACCES}
FAULTS = {
    **{name: (number, ONCE) for name, number in ERRORS.items()},
    "disk full": (errno.ENOSPC, FROM_NOW_ON),
    "short write": (0, SHORT),
    "SIGKILL": (0, KILLED),
}
# Seconds of one call: of the processor, so that a busy machine is no error, and in which it does not use it at all.
LONGEST, LONGEST_WAIT, LONGEST_IN_ALL = 60.0, 60.0, 900.0
WAY_OUT = re.compile(r"call it again|same command|--overwrite|name another|another place|say this again")
# What trainings need that takes long to import; no thread of torch is started by it.
OF_TRAININGS = (
    *(f"train.stages.{stage}" for stage in ("pretrain", "align", "segment")), "train.inference.run_jobs",
    "train.evaluation.summary", "tensorboardX.summary", "tests.train.training_worlds",
)  # fmt: skip


@dataclass
class Ended:
    """How a call ended: its exit code (negative: a signal), what it printed, the operations and the one that failed."""

    code: int
    text: str
    operations: int = 0
    kind: str = ""
    path: str = ""


class Layer(Protocol):
    """What lets a file operation below one folder fail."""

    def watch(self, folder: bytes) -> None:
        """Begin to count below this folder; none ends it."""

    def arm(self, number: int, error: int, mode: int) -> None:
        """Let the operation of this number fail, counted from now on; 0 is none."""

    def count(self) -> int:
        """Return how many operations there were."""

    def kind(self) -> bytes:
        """Return what failed."""

    def path(self) -> bytes:
        """Return where it failed."""


class LibraryLayer:
    """The layer below this process, over the C library."""

    def __init__(self, library: ctypes.CDLL) -> None:
        self.watch, self.arm, self.count = (
            getattr(library, f"file_faults_{name}") for name in ("watch", "arm", "count")
        )
        self.count.restype = ctypes.c_long
        self.arm.argtypes = [ctypes.c_long, ctypes.c_int, ctypes.c_int]
        self.kind, self.path = library.file_faults_kind, library.file_faults_path
        self.kind.restype = self.path.restype = ctypes.c_char_p


def layer() -> Layer:
    """The layer over the C library where this process has been started with it, else the one in Python."""
    library = ctypes.CDLL(None)
    return LibraryLayer(library) if hasattr(library, "file_faults_watch") else PythonLayer()


def called(shim: Layer, command: Command, folder: Path, step: int = 0, fault: str = "EIO") -> Ended:
    """Call a command in a process of its own; its operation number ``step`` fails, if it is not 0."""
    report, log = folder / "report.json", folder / "log"
    report.unlink(missing_ok=True)
    child = os.fork()
    if child == 0:
        _call(shim, command, folder, step, FAULTS[fault], report, log)
    code = _waited(child)
    told = json.loads(report.read_text()) if report.exists() else {}
    return Ended(code, log.read_text(errors="replace"), **told)


def _waited(child: int) -> int:
    """Return the exit code of a process; one that stands still, or does not end, first writes where it is."""
    begun = last = time.monotonic()
    used = 0.0
    while True:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            return os.waitstatus_to_exitcode(status)
        now, processor = time.monotonic(), _processor_seconds(child)
        used, last = (processor, now) if processor > used else (used, last)
        if used > LONGEST or now - last > LONGEST_WAIT or now - begun > LONGEST_IN_ALL:
            os.kill(child, signal.SIGUSR1)
            time.sleep(1)
            os.kill(child, signal.SIGABRT)
            return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        time.sleep(0.02)


def _processor_seconds(process: int) -> float:
    """Return how long a process has used the processor; where that cannot be seen, it always has."""
    try:
        fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return time.monotonic() if sys.platform != "linux" else 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _call(
    shim: Layer, command: Command, folder: Path, step: int, fault: tuple[int, int], report: Path, log: Path
) -> None:
    code = 70
    try:
        output_to(log)
        faulthandler.register(signal.SIGUSR1, sys.stderr, all_threads=True)
        os.chdir(folder)
        words = command.words(folder)
        shim.watch(str(folder / "out").encode())
        shim.arm(step, *fault)
        code = exit_code(lambda: command.call(folder) if command.call else _ovct(words))
    except BaseException:
        traceback.print_exc()
    finally:
        told = {"operations": shim.count(), "kind": shim.kind().decode(), "path": shim.path().decode()}
        shim.watch(b"")
        with contextlib.suppress(OSError):
            sys.stdout.flush()
            sys.stderr.flush()
        report.write_text(json.dumps(told))
        os._exit(code)


def _ovct(words: list[str]) -> None:
    import ovct

    ovct.command_line()(words)


def output_to(log: Path) -> None:
    """Let a file have all that this process, and the libraries in it, print from now on."""
    output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(output, 1)
    os.dup2(output, 2)
    sys.stdout, sys.stderr = os.fdopen(1, "w", closefd=False), os.fdopen(2, "w", closefd=False)


def exit_code(function: Callable[[], None]) -> int:
    """Return what a process that does this would end with; a traceback is printed where one would be."""
    try:
        function()
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else 1 if ended.code else 0
    except Exception:
        traceback.print_exc()
        return 1
    return 0


class Trials:
    """All trials of one command, in a folder."""

    def __init__(self, shim: Layer, command: Command, folder: Path) -> None:
        self.rows = RowCounts()
        self.shim, self.command, self.folder = shim, command, folder
        for name in ("inputs", "out"):
            (folder / name).mkdir(parents=True)
        _in_a_process(lambda: command.prepare(folder))
        shutil.copytree(folder / "out", folder / "before", symlinks=True)
        self.before = snapshot(folder / "out")
        undisturbed = called(shim, command, folder)
        assert undisturbed.code == 0, undisturbed.text
        self.operations, self.after = undisturbed.operations, snapshot(folder / "out")
        self.restore()
        again = called(shim, command, folder)
        self.unstable = {name for name, content in snapshot(folder / "out").items() if self.after.get(name) != content}
        assert again.code == 0, again.text

    def restore(self) -> None:
        """Put ``out/`` back to what it was."""
        shutil.rmtree(self.folder / "out")
        shutil.copytree(self.folder / "before", self.folder / "out", symlinks=True)

    def wrong(self, step: int, fault: str) -> list[str]:
        """What is not as it should be when this operation fails; nothing, if all is well."""
        self.restore()
        ended = called(self.shim, self.command, self.folder, step, fault)
        problems = []
        if ended.code == 0 and fault != "SIGKILL":
            problems += [f"done, but {text}" for text in self._other(self._without_kept(ended))]
        elif fault != "SIGKILL":
            problems += self._message(ended)
        if fault == "SIGKILL" and ended.code not in (-signal.SIGKILL, 0):
            problems.append(f"exit code {ended.code}")
        left = list(self._left())
        self.rows.let_in += len(left)
        problems += left
        again = called(self.shim, self.command, self.folder)
        if ended.code == 0 and again.code == 2 and "is there already" in again.text:
            pass  # a new set is not written over one that is done
        elif again.code:
            problems.append(f"the same command again: exit code {again.code}: {again.text[-400:]}")
        else:
            problems += [f"after the same command, {name}" for name in self._other(snapshot(self.folder / "out"))]
        return [f"{fault} at {step} ({ended.kind} {ended.path[len(str(self.folder)) :]}): {text}" for text in problems]

    def _without_kept(self, ended: Ended) -> dict[str, bytes]:
        """Return what lies there, without a file that the system would not remove and that should not be there."""
        kept = Path(ended.path) if ended.kind == "unlink" else None
        files = snapshot(self.folder / "out").items()
        return {name: content for name, content in files if name in self.after or self.folder / "out" / name != kept}

    def _message(self, ended: Ended) -> Iterator[str]:
        last = ended.text.strip()[-600:]
        if ended.code not in (1, 2):
            yield f"exit code {ended.code}: {last}"
        if "Traceback" in ended.text or "unexpected " in ended.text:
            yield f"no message of ours: {last}"
            return
        if str(self.folder / "out") not in ended.text and Path(ended.path).name.strip(".") not in ended.text:
            yield f"names no file: {last}"
        if not WAY_OUT.search(ended.text):
            yield f"no way out: {last}"

    def _left(self) -> Iterator[str]:
        """What lies there after the fault: each file as it was before, or as it will be."""
        for name, content in snapshot(self.folder / "out").items():
            if hidden(name) or name in self.unstable or content in (self.before.get(name), self.after.get(name)):
                continue
            if name.endswith(".json") and _is_json(self.folder / "out" / name):
                continue
            if name.endswith(".jsonl") and self.after.get(name, b"").startswith(content):
                continue
            if name.endswith(".sqlite"):  # a part of it may lie in its log, which the next call takes in
                continue
            if name.endswith("curves.png") and content.startswith(b"\x89PNG") and b"IEND" in content[-16:]:
                continue  # of a step on the way
            if name not in self.after and NAMED_BY_CONTENT.search(name):  # of a step on the way
                continue
            yield f"{name} is neither what it was nor what it will be"

    def _other(self, files: dict[str, bytes]) -> Iterator[str]:
        names = {name for name in files.keys() | self.after.keys() if files.get(name) != self.after.get(name)}
        names -= self.unstable if names <= files.keys() & self.after.keys() else set()
        found, expected = ({name: those[name] for name in names if name in those} for those in (files, self.after))
        self.rows += compared(found, expected)
        for name in sorted(files.keys() | self.after.keys()):
            if name not in files:
                yield f"{name} is missing"
            elif name not in self.after:
                yield f"{name} is left over"
            elif name not in self.unstable and files[name] != self.after[name]:
                yield f"{name} is another"


def _is_json(path: Path) -> bool:
    try:
        json.loads(path.read_text("utf-8"))
    except ValueError:
        return False
    return True


def _in_a_process(function: Callable[[], None]) -> None:
    child = os.fork()
    if child == 0:
        code = exit_code(function)
        sys.stderr.flush()
        os._exit(code)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 0, "the inputs could not be made"


def chosen(operations: int, count: int, seed: str) -> list[tuple[int, str]]:
    """Which operation fails how, in ``count`` trials: every operation first, then all faults of each."""
    chance = random.Random(seed)
    steps = list(range(1, operations + 1))
    chance.shuffle(steps)
    names = list(FAULTS)
    # Each operation gets another fault in each round, so that all of them come in as many rounds as there are faults.
    rounds = [(step, names[(step + turn) % len(names)]) for turn in range(len(names)) for step in steps]
    return rounds[:count]


def main(folder: Path, count: int, names: list[str]) -> None:
    """Make the trials and print what they came to."""
    shim = layer()
    # Nothing of it starts in a child.
    if any("openai" in name or "replay" in name for name in names):
        server()
    _warm()
    if any(command.name in names for command in TRAINING):
        _warm_for_trainings()
    for command in (*CURATION, *TRAINING):
        if command.name not in names:
            continue
        place = folder / re.sub(r"\W+", "-", command.name)
        if command in CURATION:
            _once(command, folder / "warm")
        gc.freeze()  # what is there now is not copied into each child
        trials = Trials(shim, command, place)
        steps = chosen(trials.operations, count, f"{os.environ.get('OVCT_FAULTS_SEED', '2026')} {command.name}")
        wrong = [problems for step, fault in steps if (problems := trials.wrong(step, fault))]
        # A command that changes nothing on the disk has nothing that could fail: one trial, which has shown that.
        tried = len(steps) or 1
        result = {"command": command.name, "operations": trials.operations, "tried": tried, "wrong": wrong}
        print(json.dumps(result | asdict(trials.rows)), flush=True)
        shutil.rmtree(place)
    close_servers()


def _once(command: Command, folder: Path) -> None:
    """Do it in this process, whose children then find all read that need not be read again."""
    for name in ("inputs", "out"):
        (folder / name).mkdir(parents=True)
    with open(os.devnull, "w") as nowhere, contextlib.redirect_stdout(nowhere), contextlib.redirect_stderr(nowhere):
        command.prepare(folder)
        exit_code(lambda: command.call(folder) if command.call else _ovct(command.words(folder)))
    shutil.rmtree(folder)


def _warm() -> None:
    """Import what every command needs, once for all of them; no thread of torch is started."""
    import matplotlib.figure  # noqa: F401
    import pandas  # noqa: F401
    import pyarrow.parquet  # noqa: F401

    import curation.engines.rules  # noqa: F401
    import ovct

    ovct.command_line()


def _warm_for_trainings() -> None:
    """Import what trainings need, and let them draw the curve of the loss alone: all curves take most of a call."""
    for module in OF_TRAININGS:
        importlib.import_module(module)
    import train.loop.run_log

    draw_all = train.loop.run_log.draw_curves

    def draw_one(lines: list[dict[str, Any]], path: Path) -> None:
        draw_all([{name: line[name] for name in ("step", "kind", "loss") if name in line} for line in lines], path)

    train.loop.run_log.draw_curves = draw_one


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve(), int(sys.argv[2]), sys.argv[3:])
