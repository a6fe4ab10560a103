"""Engines that break the processes they work in, for clusters whose workers die."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path

from curation.caption import Draft, MadeBy
from curation.extraction.text_engine import TextRecipe
from curation.report import Report
from tests.curation.fakes import FakeEngine, FakeVerifier


class DeadlyEngine(FakeEngine):
    """A fake engine whose process is killed by a report that holds the word POISON."""

    def extract(self, reports: Sequence[Report]) -> Iterator[Iterable[Draft]]:
        """Yield the drafts of each report."""
        for report in reports:
            if "POISON" in report.text:
                os.kill(os.getpid(), signal.SIGKILL)
        yield from super().extract(reports)


def deadly_recipe(log: Path | None = None, seconds: float = 0.0) -> TextRecipe:
    """Return a recipe of it, with the fake engine's name, so that its rows are the fake engine's."""
    return TextRecipe(MadeBy("fake", FakeEngine.model, FakeEngine.prompt), partial(_deadly, log, seconds))


def _deadly(log: Path | None, seconds: float) -> tuple[DeadlyEngine, FakeVerifier]:
    return DeadlyEngine(log=log, seconds=seconds), FakeVerifier()


def workers_of_ray(stage: str = "MapBatches") -> list[int]:
    """Return the processes of this machine that are at work in a stage."""
    process_ids = []
    for folder in Path("/proc").iterdir():
        try:
            name = (folder / "cmdline").read_bytes()
        except OSError:
            continue
        if folder.name.isdigit() and name.startswith(f"ray::{stage}".encode()):
            process_ids.append(int(folder.name))
    return process_ids


def eventually(happens: Callable[[], bool], seconds: float = 60.0) -> None:
    """Wait until a condition holds."""
    until = time.monotonic() + seconds
    while not happens():
        assert time.monotonic() < until, "it did not happen"
        time.sleep(0.02)
