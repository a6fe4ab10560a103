"""Trials of what goes wrong on a machine: how many are made, and the table of what they came to.

A test takes the fixture ``trials`` and counts what it tries under a name that a reader understands:

    def test_a_full_disk(trials: Trials) -> None:
        trial = trials["the disk is full, once for each write of `ovct curate`"]
        for number in share(of_all=400, of_every_run=20):
            trial.tried += 1
            ...
            trial.survived += 1

``lost``: what was finished is gone; ``doubled``: something is there twice; ``let_in``: damage, or what nobody asked
for, was taken as good. A test with anything but zeros there, or with fewer survived than tried, fails.

``make faults`` makes all trials (``OVCT_FAULTS=all``), every other run of the tests a share of them.
"""

from __future__ import annotations

import os
import random
from collections.abc import Sequence
from dataclasses import asdict, dataclass

import pytest

ALL = os.environ.get("OVCT_FAULTS") == "all"
SEED = int(os.environ.get("OVCT_FAULTS_SEED", "2026"))
PROPERTY = "trial"


def count(*, of_all: int, of_every_run: int) -> int:
    """How many trials to make in this run."""
    return of_all if ALL else of_every_run


def share(*, of_all: int, of_every_run: int) -> list[int]:
    """The numbers of the trials to make, of 0 to ``of_all``: those of a usual run are drawn, and lie all over them."""
    if ALL or of_every_run >= of_all:
        return list(range(of_all))
    return sorted(drawn(f"{of_all}").sample(range(of_all), of_every_run))


def drawn(name: str) -> random.Random:
    """Chance of its own for each name, the same in each run (``OVCT_FAULTS_SEED`` gives another)."""
    return random.Random(f"{SEED} {name}")


@dataclass
class Trial:
    """One line of the table."""

    name: str
    tried: int = 0
    survived: int = 0
    lost: int = 0
    doubled: int = 0
    let_in: int = 0

    def passed(self) -> None:
        """Count a trial in which all went as it should."""
        self.tried += 1
        self.survived += 1

    @property
    def good(self) -> bool:
        return self.survived == self.tried > 0 == self.lost == self.doubled == self.let_in


class Trials:
    """The trials of one test, by their names."""

    def __init__(self) -> None:
        self.trials: dict[str, Trial] = {}

    def __getitem__(self, name: str) -> Trial:
        return self.trials.setdefault(name, Trial(name))


class TrialTable:
    """Gathers the trials of all tests of a run, from all of its processes, and prints their table at the end."""

    def __init__(self) -> None:
        self.rows: dict[str, Trial] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when != "teardown":
            return
        for name, value in report.user_properties:
            if name == PROPERTY and isinstance(value, dict):
                self.add(Trial(**value))

    def add(self, trial: Trial) -> None:
        row = self.rows.setdefault(trial.name, Trial(trial.name))
        for column in COLUMNS:
            setattr(row, column, getattr(row, column) + getattr(trial, column))

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if not self.rows:
            return
        terminalreporter.section("trials of faults" + ("" if ALL else " (a share; all by `make faults`)"))
        for line in table(sorted(self.rows.values(), key=lambda row: row.name)):
            terminalreporter.line(line)


COLUMNS = ("tried", "survived", "lost", "doubled", "let_in")


def table(rows: Sequence[Trial]) -> list[str]:
    """The table of trials in Markdown, as docs/reliability.md shows it."""
    heads = ("trial", *(column.replace("_", " ") for column in COLUMNS))
    lines = [heads, *((row.name, *(f"{getattr(row, column):,}" for column in COLUMNS)) for row in rows)]
    widths = [max(len(line[place]) for line in lines) for place in range(len(heads))]
    rule = [("-" * widths[0]), *("-" * (width - 1) + ":" for width in widths[1:])]
    return [
        "| "
        + " | ".join(
            cell.ljust(width) if place == 0 else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(line, widths, strict=True))
        )
        + " |"
        for line in (lines[0], rule, *lines[1:])
    ]


def recorded(trials: Trials, item: pytest.Item) -> None:
    """Keep the trials of a test for the table. Fails for a trial that did not end as it should."""
    item.user_properties += [(PROPERTY, asdict(trial)) for trial in trials.trials.values()]
    bad = [trial for trial in trials.trials.values() if not trial.good]
    assert not bad, "\n".join(map(str, bad))
