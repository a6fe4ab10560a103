"""What a run came to, as a table for the terminal."""

from __future__ import annotations

import math

from rich.table import Table

from train.loop.task import Outcome


def outcome_table(outcome: Outcome) -> Table:
    """The last numbers on held-out cases."""
    table = Table(title=f"held-out cases after {outcome.step:,} steps", box=None, title_justify="left")
    table.add_column("measure")
    table.add_column("value", justify="right")
    for name, value in outcome.evaluation.items():
        # The log of an earlier run has null where there was nothing to measure.
        measured = value is not None and not math.isnan(value)
        table.add_row(name.replace("_", " "), f"{value:.4f}" if measured else "–")
    return table
