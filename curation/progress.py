"""How far a run is: a live line on a terminal, a quiet line now and then in a log."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

from .interrupt import StopRequest

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

QUIET_SECONDS = 30.0


class Watch:
    """What a run tells of itself while it goes on, and asks. This one is silent and never stops it."""

    def expect(self, total: int | None, done: int) -> None:
        """About how many there will be (``None``: not known), and how many earlier runs have done."""

    def advance(self) -> None:
        """One more is done."""

    def tell(self, more: str) -> None:
        """What else is to be said of the run at this moment."""

    def say(self, what: str) -> None:
        """Something that a person should read now."""

    def check(self) -> None:
        """Raise ``Interrupted`` when the run is to stop."""


def readable(seconds: float) -> str:
    """A duration for people, such as ``2 h 05 min``."""
    if seconds < 100:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 100 else f"{minutes // 60} h {minutes % 60:02d} min"


class TerminalWatch(Watch):
    """Shows progress on stderr, and listens to Ctrl-C and SIGTERM. ``noun`` is what is counted."""

    def __init__(self, noun: str) -> None:
        self._noun = noun
        self._stop = StopRequest()
        self._total: int | None = None
        self._before = self._done = 0
        self._started = self._shown = time.monotonic()
        self._more = ""
        self._bar: Progress | None = None
        self._task: TaskID | None = None

    def __enter__(self) -> TerminalWatch:
        self._stop.__enter__()
        return self

    def __exit__(self, *exception: object) -> None:
        if self._bar is not None:
            self._update_bar()
            self._bar.stop()
        self._stop.__exit__(*exception)

    def expect(self, total: int | None, done: int) -> None:
        """Start showing."""
        self._total = total
        self._before = self._done = done
        self._started = self._shown = time.monotonic()
        if sys.stderr.isatty():
            self._start_bar()

    def advance(self) -> None:
        """Count one, and show it if the last showing was some time ago."""
        self._done += 1
        now = time.monotonic()
        if now - self._shown < (0.1 if self._bar else QUIET_SECONDS):
            return
        self._shown = now
        if self._bar is None:
            print(self.line(), file=sys.stderr, flush=True)
        else:
            self._update_bar()

    def tell(self, more: str) -> None:
        """Show more behind the count."""
        self._more = more

    def say(self, what: str) -> None:
        """Print it, above the live line."""
        if self._bar is None:
            print(f"ovct: {what}", file=sys.stderr, flush=True)
        else:
            self._bar.console.print(f"ovct: {what}", markup=False, highlight=False)

    def check(self) -> None:
        """Raise ``Interrupted`` after Ctrl-C or SIGTERM."""
        self._stop.check()

    def line(self) -> str:
        """Where the run stands, in words."""
        seconds = max(time.monotonic() - self._started, 1e-9)
        rate = (self._done - self._before) / seconds
        parts = [f"{self._done:,} {self._noun}", f"{rate:,.0f}/s"]
        if self._total is not None and rate:
            parts.append(f"{readable(max(self._total - self._done, 0) / rate)} left")
        return ", ".join(filter(None, [*parts, self._more]))

    def _start_bar(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn

        columns = (BarColumn(bar_width=30), TextColumn("{task.description}", markup=False))
        self._bar = Progress(*columns, console=Console(stderr=True), transient=True)
        self._task = self._bar.add_task(self.line(), total=self._total, completed=self._done)
        self._bar.start()

    def _update_bar(self) -> None:
        if self._bar is not None and self._task is not None:
            self._bar.update(self._task, description=self.line(), completed=self._done)
