"""Ctrl-C and SIGTERM ask a run to stop: it does so between two reports, with everything closed."""

from __future__ import annotations

import signal
import threading
from types import FrameType
from typing import Any


class Interrupted(Exception):
    """The run was asked to stop (exit code 130)."""


class StopRequest:
    """While entered, the first SIGINT or SIGTERM is only noted; ``check`` turns it into ``Interrupted``.

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

    def check(self) -> None:
        """Raise ``Interrupted`` when a stop was asked for."""
        if self.requested:
            raise Interrupted
