"""Disturbs `ovct curate` and `ovct verify` while they run: by another run, in the folder, the input or the clock.

    python -m tests.faults.disturbed_runs FOLDER TRIALS DISTURBANCE...     prints a line of JSON for each trial

TRIALS are their numbers, parted by commas.

Everything is imported once; each run is a fork of that process. What a run leaves is compared, row by row, with what an
undisturbed one leaves. Several processes work at the same time in some trials; nothing is asserted of who is first.
"""

from __future__ import annotations

import datetime
import json
import os
import shutil
import signal
import socket
import sys
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import curation.runtime.locks as locks
import ovct
from curation.runtime.progress import StopRequest
from tests.curation.fakes import write_reports

from .commands import CURATION
from .file_layer.file_faults import WAY_OUT, _once, _warm, exit_code, output_to
from .file_layer.row_counts import RowCounts, compared
from .file_layer.snapshots import snapshot
from .kill_points import before_change
from .trials import drawn

LEASE_SECONDS = 1.0  # of the trials
REPORTS = 12
CHANGED = ("longer", "cut", "other", "gone")
Act = Callable[[], None]


class Place:
    """Inputs, and the output of a run, in a folder; ``after`` is what an undisturbed run leaves."""

    def __init__(self, folder: Path, command: str) -> None:
        self.folder, self.command = folder, command
        self.reports, self.out, self.log = folder / "reports.csv", folder / "out", folder / "log"
        folder.mkdir(parents=True)
        write_reports(self.reports, REPORTS)
        rows = [f"scan_{number}.nii.gz,liver,The liver is {'normal' if number % 2 else 'torn'}" for number in range(60)]
        self.captions = folder / "captions.csv"
        self.captions.write_text("\n".join(["report_id,organ,caption", *rows]) + "\n", encoding="utf-8")
        self.before = self.reports.read_bytes()
        self.clear()
        assert self.ended(self.begun()) == 0, self.told()
        self.after = self.rows()
        # Counted as the trials disturb it.
        self.clear()
        self.changes, self.looks = self._counts()

    @property
    def words(self) -> list[str]:
        if self.command == "verify":
            inputs = [str(self.reports), str(self.captions)]
            return ["verify", *inputs, "-o", str(self.out / "verified.parquet"), "--workers", "1"]
        return ["curate", str(self.reports), "--out", str(self.out), "--reports-per-part", "3", "--workers", "1"]

    def clear(self) -> None:
        shutil.rmtree(self.out, ignore_errors=True)
        if self.command == "verify":
            self.out.mkdir()
        self.reports.write_bytes(self.before)

    def begun(self, *acts: Act, log: str = "log", options: Sequence[str] = ()) -> int:
        """Begin the command in a process of its own, in which ``acts`` come first."""
        child = os.fork()
        if child:
            return child
        code = 70
        try:
            output_to(self.folder / log)
            for act in acts:
                act()
            code = exit_code(lambda: ovct.command_line()([*self.words, *options]))
        except BaseException:
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)

    def ended(self, child: int) -> int:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])

    def told(self, log: str = "log") -> str:
        return (self.folder / log).read_text(encoding="utf-8", errors="replace")

    def rows(self) -> dict[str, bytes]:
        """What lies there, without what is hidden."""
        files = snapshot(self.out) if self.out.exists() else {}
        return {name: content for name, content in files.items() if name.endswith((".parquet", ".json"))}

    def _counts(self) -> tuple[int, int]:
        counts = self.folder / "counts.json"

        def count() -> None:
            changes, looks = before_change(0, lambda: None), before_look(0, lambda: None)
            plain_exit = os._exit

            def told(code: int) -> None:
                os._exit = plain_exit
                counts.write_text(json.dumps([changes(), looks()]), encoding="utf-8")
                plain_exit(code)

            os._exit = told  # type: ignore[assignment]

        assert self.ended(self.begun(count)) == 0
        changes, looks = json.loads(counts.read_text(encoding="utf-8"))
        return changes, looks

    def same_again(self, *options: str) -> tuple[list[str], RowCounts]:
        """Run the same command undisturbed, and say what is not as it should be."""
        code = self.ended(self.begun(options=options))
        if code:
            return [f"the same command again: exit code {code}: {self.told()[-500:]}"], RowCounts()
        return self.compared()

    def compared(self) -> tuple[list[str], RowCounts]:
        counts = compared(self.rows(), self.after)
        return ([] if counts == RowCounts() else [f"other rows: {counts}"]), counts

    def message(self, code: int, log: str = "log") -> Iterator[str]:
        """What is wrong with how a run that did not end well says so."""
        text = self.told(log)
        if code not in (1, 2):
            yield f"exit code {code}: {text[-500:]}"
        if "Traceback" in text or "unexpected " in text:
            yield f"no message of ours: {text[-800:]}"
        elif str(self.folder) not in text or not WAY_OUT.search(text):
            yield f"names no file, or no way out: {text[-500:]}"


def before_look(number: int, act: Act) -> Callable[[], int]:
    """Do something when a run looks for the ``number``-th time whether it shall stop: it does so all along."""
    seen, plain = 0, StopRequest.raise_if_interrupted

    def look(self: StopRequest) -> None:
        nonlocal seen
        seen += 1
        if seen == number:
            act()
        plain(self)

    StopRequest.raise_if_interrupted = look  # type: ignore[method-assign]
    return lambda: seen


def acting_before_look(number: int, act: Act) -> Act:
    """Return what lets a process do something when it looks for the ``number``-th time."""

    def begin() -> None:
        before_look(number, act)

    return begin


def acting_before_change(number: int, act: Act) -> Act:
    """Return what lets a process do something before its ``number``-th change of the disk."""

    def begin() -> None:
        before_change(number, act)

    return begin


def on_another_machine(name: str) -> Act:
    """Let a process seem to be on another machine, which shares the folder: kernels do not tell each other of locks."""

    def act() -> None:
        socket.gethostname = lambda: name
        locks._lock_by_kernel = lambda file: None
        locks.LEASE_SECONDS, locks.POLL_SECONDS = LEASE_SECONDS, 0.05

    return act


def clock_set_back(seconds: float) -> None:
    """Let this process' clock say that it is earlier."""
    plain, real = time.time, datetime.datetime

    class Earlier(datetime.datetime):
        @classmethod
        def now(cls, tz: datetime.tzinfo | None = None) -> Any:
            return real.now(tz) - datetime.timedelta(seconds=seconds)

    time.time = lambda: plain() - seconds
    for module in list(sys.modules.values()):
        if getattr(module, "__dict__", {}).get("datetime") is real:
            module.datetime = Earlier  # type: ignore[attr-defined]


def another_run(place: Place, chance: Any, apart: bool) -> list[str]:
    """Two runs at once: one makes the set, the other says that it does, or finds it made."""
    acts = [[on_another_machine(f"node{number}")] if apart else [] for number in (1, 2)]
    first = place.begun(*acts[0])
    time.sleep(chance.random() * 0.15)
    second = place.begun(*acts[1], log="other-log")
    codes = [place.ended(first), place.ended(second)]
    problems = [] if 0 in codes else [f"none ended well: {place.told()[-300:]} {place.told('other-log')[-300:]}"]
    for code, log in zip(codes, ("log", "other-log"), strict=True):
        text = place.told(log)
        if code and (code != 2 or ("another run" not in text and "is there already" not in text)):
            problems.append(f"exit code {code}: {text[-600:]}")
    return problems


def lost_machine(place: Place, chance: Any, stops: bool) -> list[str]:
    """Another machine takes over from one that dies, or that stands still and then wakes up."""
    number = chance.randrange(1, place.changes + 1)
    how = signal.SIGSTOP if stops else signal.SIGKILL
    first = place.begun(on_another_machine("node1"), acting_before_change(number, lambda: os.kill(os.getpid(), how)))
    os.waitpid(first, os.WUNTRACED) if stops else place.ended(first)
    second = place.begun(on_another_machine("node2"), log="other-log")
    code = place.ended(second)
    # One that stands still in a transaction keeps its database locked, if the kernels do tell each other of that.
    problems = list(place.message(code, "other-log")) if code else []
    if stops:
        os.kill(first, signal.SIGCONT)
        try:
            woken = place.ended(first)
        except ChildProcessError:  # it had ended before it was stopped
            return problems
        text = place.told()
        if woken not in (0, 1, 2) or "Traceback" in text or "unexpected " in text:
            problems.append(f"the one that woke up: exit code {woken}: {text[-600:]}")
        problems += [] if code else place.compared()[0]
    return problems


def folder_gone(place: Place, chance: Any, moved: bool) -> list[str]:
    """The output folder is removed, or moved away, while a run writes it."""
    number, away = chance.randrange(1, place.changes + 1), place.folder / "away"
    shutil.rmtree(away, ignore_errors=True)

    def act() -> None:
        if place.out.exists():
            place.out.rename(away) if moved else shutil.rmtree(place.out)

    code = place.ended(place.begun(acting_before_change(number, act)))
    if code:
        problems = list(place.message(code))
    elif place.rows() == place.after or (moved and number > place.changes // 2):
        problems = []
    else:
        # After its last part a run only draws and tidies; that the folder goes then, nobody can tell it.
        problems = [] if number > place.changes * 0.8 else [f"ended well without its folder: {place.told()[-400:]}"]
    if place.command == "verify":
        place.out.mkdir(exist_ok=True)
    return [f"at change {number} of {place.changes}: {problem}" for problem in problems]


def input_changed(place: Place, chance: Any, how: str) -> list[str]:
    """The input changes while it is read: what is written is of the one or of the other, never of both."""
    number = chance.randrange(1, place.looks + 1)
    status = place.reports.stat()

    def act() -> None:
        content = place.before
        if how == "longer":
            content += b"scan_99.nii.gz,The spleen is torn.,Torn spleen.,050Y\n"
        elif how == "cut":
            content = content[: len(content) // 2]
        elif how == "other":
            content = content.replace(b"is normal", b"is a mess")
        temporary = place.folder / "new"
        temporary.write_bytes(content)
        if how == "other":  # same size, and a time as before: only the file is another
            os.utime(temporary, ns=(status.st_atime_ns, status.st_mtime_ns))
            temporary.replace(place.reports)
        elif how == "gone":
            place.reports.unlink()
        else:
            place.reports.write_bytes(content)

    code = place.ended(place.begun(acting_before_look(number, act)))
    problems = list(place.message(code)) if code else []
    if not code:
        if place.compared()[0] and _all_of_the_new(place, how):
            problems.append(f"ended well with rows of both: {place.compared()[1]}")
        if place.compared()[0]:
            place.clear()  # all of the new: that is what it was asked for
    place.reports.write_bytes(place.before)
    return [f"{how} at {number} of {place.looks}: {problem}" for problem in problems]


def _all_of_the_new(place: Place, how: str) -> bool:
    """Return whether the rows are not what an undisturbed run makes of the changed input."""
    found, out = place.rows(), place.out
    shutil.move(out, place.folder / "kept")
    if place.command == "verify":
        out.mkdir()
    differs = bool(place.ended(place.begun())) or compared(found, place.rows()) != RowCounts()
    shutil.rmtree(out, ignore_errors=True)
    shutil.move(place.folder / "kept", out)
    return differs


def clock_back(place: Place, chance: Any, within: bool) -> list[str]:
    """The clock is set back by a day or by years, in a run or between one that was killed and the next."""
    seconds = chance.choice([3_600.0, 86_400.0, 20 * 365 * 86_400.0])
    if within:
        number = chance.randrange(1, place.looks + 1)
        code = place.ended(place.begun(acting_before_look(number, lambda: clock_set_back(seconds))))
    else:
        number = chance.randrange(1, place.changes + 1)
        place.ended(place.begun(acting_before_change(number, lambda: os._exit(9))))
        code = place.ended(place.begun(lambda: clock_set_back(seconds)))
    problems = [f"exit code {code}: {place.told()[-500:]}"] if code else place.compared()[0]
    return [f"{seconds:,.0f} s back at {number}: {problem}" for problem in problems]


STANDS_STILL = "its machine stands still, another goes on"
NOT_AS_WRITTEN = "is missing or not as it was written"

DISTURBANCES: dict[str, tuple[str, Callable[[Place, Any], list[str]]]] = {
    "two runs at once": ("curate", lambda place, chance: another_run(place, chance, apart=False)),
    "two runs at once, of two machines": ("curate", lambda place, chance: another_run(place, chance, apart=True)),
    "its machine dies, another goes on": ("curate", lambda place, chance: lost_machine(place, chance, stops=False)),
    STANDS_STILL: (
        "curate", lambda place, chance: lost_machine(place, chance, stops=True),
    ),
    "its folder is removed": ("curate", lambda place, chance: folder_gone(place, chance, moved=False)),
    "its folder is moved away": ("curate", lambda place, chance: folder_gone(place, chance, moved=True)),
    "the folder of its output is removed": ("verify", lambda place, chance: folder_gone(place, chance, moved=False)),
    "its input changes": ("curate", lambda place, chance: input_changed(place, chance, chance.choice(CHANGED))),
    "an input of it changes": ("verify", lambda place, chance: input_changed(place, chance, chance.choice(CHANGED))),
    "the clock goes back in it": ("curate", lambda place, chance: clock_back(place, chance, within=True)),
    "the clock goes back between two runs": ("curate", lambda place, chance: clock_back(place, chance, within=False)),
}  # fmt: skip


def main(folder: Path, trials: list[int], disturbances: list[str]) -> None:
    """Print what was wrong in each trial, and how many rows."""
    _warm()
    places: dict[str, Place] = {}
    by_name = {command.name: command for command in CURATION}
    for disturbance in disturbances:
        name, disturb = DISTURBANCES[disturbance]
        if name not in places:
            # Once in this process: what it imports and draws is there for all forks.
            _once(by_name[name], folder / "warm")
            places[name] = Place(folder / name, name)
        place = places[name]
        for number in trials:
            place.clear()
            problems = disturb(place, drawn(f"{disturbance} {number}"))
            found, counts = place.same_again()
            if found and disturbance == STANDS_STILL and NOT_AS_WRITTEN in found[0]:
                # What it was about to do when it stopped it does when it wakes up; it is told then, with the way out.
                found, counts = place.same_again("--overwrite")
            result = {"disturbance": disturbance, "number": number, "problems": [*problems, *found], **asdict(counts)}
            print(json.dumps(result), flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve(), [int(number) for number in sys.argv[2].split(",")], sys.argv[3:])
