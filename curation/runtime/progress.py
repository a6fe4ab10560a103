"""Progress of a run, on a terminal or in a log, and its interruption by Ctrl-C or SIGTERM."""

from __future__ import annotations

import signal
import sys
import threading
import time
from types import FrameType
from typing import TYPE_CHECKING, Any

from .errors import Interrupted
from .terminal import escaped, say

if TYPE_CHECKING:
    from rich.progress import Progress as ProgressBar
    from rich.progress import TaskID

LOG_INTERVAL_SECONDS = 30.0
"""Seconds between two lines of progress where stderr is no terminal."""


class StopRequest:
    """Notes the first SIGINT or SIGTERM while entered; ``raise_if_interrupted`` turns it into ``Interrupted``.

    An exception raised straight from a handler could land in a destructor, where Python swallows it. A second signal
    acts as it would have without us, for a run that is stuck.
    """

    SIGNALS = (signal.SIGINT, signal.SIGTERM)

    def __init__(self) -> None:
        self.requested = False
        self._before: dict[signal.Signals, Any] = {}

    def __enter__(self) -> StopRequest:
        if threading.current_thread() is threading.main_thread():
            self._before = {number: signal.signal(number, self._note) for number in self.SIGNALS}
        return self

    def __exit__(self, *exception: object) -> None:
        self._restore()

    def _note(self, number: int, frame: FrameType | None) -> None:
        self.requested = True
        self._restore()

    def _restore(self) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        self._before = {}

    def raise_if_interrupted(self) -> None:
        """Raise ``Interrupted`` if the user asked for a stop."""
        if self.requested:
            raise Interrupted


class Progress:
    """Receives the progress of a run and can interrupt it. This base class shows nothing and never interrupts."""

    def start(self, total: int | None, done: int) -> None:
        """Start counting: ``total`` items (None if unknown), of which earlier runs finished ``done``."""

    def advance(self) -> None:
        """Count one finished item."""

    def set_status(self, status: str) -> None:
        """Show ``status`` behind the count until the next call, such as the current loss."""

    def message(self, text: str) -> None:
        """Show ``text`` once, on a line of its own."""

    def warning(self, text: str) -> None:
        """Show ``text`` once, also where messages are not shown."""
        self.message(text)

    def raise_if_interrupted(self) -> None:
        """Raise ``Interrupted`` if the run is to stop."""


def readable(seconds: float) -> str:
    """Write a duration for people, such as ``2 h 05 min``."""
    if seconds < 100:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 100 else f"{minutes // 60} h {minutes % 60:02d} min"


def readable_rate(per_second: float, noun: str) -> str:
    """Write a rate for people: ``120/s``, or ``2.5 s/step`` where one takes longer than a second.

    ``noun`` names what is counted, in the plural.
    """
    if per_second >= 1:
        return f"{per_second:,.0f}/s"
    return f"{1 / per_second:,.1f} s/{noun.removesuffix('s')}"


class TerminalProgress(Progress):
    """Shows progress on stderr and interrupts the run after Ctrl-C or SIGTERM.

    ``noun`` names what is counted, in the plural. With ``quiet`` only the interruption remains.
    """

    def __init__(self, noun: str, *, quiet: bool = False) -> None:
        self._noun = noun
        self._quiet = quiet
        self._stop = StopRequest()
        self._total: int | None = None
        self._done_before = self._done = 0
        self._started = self._last_shown = time.monotonic()
        self._status = ""
        self._bar: ProgressBar | None = None
        self._task: TaskID | None = None

    def __enter__(self) -> TerminalProgress:
        self._stop.__enter__()
        return self

    def __exit__(self, *exception: object) -> None:
        if self._bar is not None:
            self._update_bar()
            self._bar.stop()
        self._stop.__exit__(*exception)

    def start(self, total: int | None, done: int) -> None:
        """Start counting, on a terminal with a live bar."""
        self._total = total
        self._done_before = self._done = done
        self._started = self._last_shown = time.monotonic()
        if sys.stderr.isatty() and not self._quiet:
            self._start_bar()

    def advance(self) -> None:
        """Count one finished item, and show the count if it was last shown some time ago."""
        self._done += 1
        now = time.monotonic()
        if self._quiet or now - self._last_shown < (0.1 if self._bar else LOG_INTERVAL_SECONDS):
            return
        self._last_shown = now
        if self._bar is None:
            say(self.line(), err=True)
        else:
            self._update_bar()

    def set_status(self, status: str) -> None:
        """Show ``status`` behind the count."""
        self._status = status

    def message(self, text: str) -> None:
        """Print ``text``, above the live bar if there is one."""
        if not self._quiet:
            self.warning(text)

    def warning(self, text: str) -> None:
        """Print ``text`` like a message, also with ``quiet``."""
        if self._bar is None:
            say(f"ovct: {text}", err=True)
        else:
            self._bar.console.print(f"ovct: {text}")

    def raise_if_interrupted(self) -> None:
        """Raise ``Interrupted`` after Ctrl-C or SIGTERM."""
        self._stop.raise_if_interrupted()

    def line(self) -> str:
        """Return the count, the rate and the time left as text."""
        seconds = max(time.monotonic() - self._started, 1e-9)
        rate = (self._done - self._done_before) / seconds
        parts = [f"{self._done:,} {self._noun}"]
        if rate:
            parts.append(readable_rate(rate, self._noun))
        if self._total is not None and rate:
            parts.append(f"{readable(max(self._total - self._done, 0) / rate)} left")
        return ", ".join(filter(None, [*parts, self._status]))

    def _start_bar(self) -> None:
        from rich.progress import BarColumn, TextColumn
        from rich.progress import Progress as ProgressBar

        from .terminal_console import EscapingConsole

        columns = (BarColumn(bar_width=30), TextColumn("{task.description}", markup=False))
        self._bar = ProgressBar(*columns, console=EscapingConsole(stderr=True), transient=True)
        self._task = self._bar.add_task(escaped(self.line()), total=self._total, completed=self._done)
        self._bar.start()

    def _update_bar(self) -> None:
        if self._bar is not None and self._task is not None:
            self._bar.update(self._task, description=escaped(self.line()), completed=self._done)
