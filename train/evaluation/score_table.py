"""Rows of all cases as arrays of Dice and NSD, one column for each structure. Shapes: N cases, S structures."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from .bootstrap import Bootstrap, Values
from .questions import Kind
from .record import CaseResult, ScoreRow
from .results import ScoreEstimate


class ScoreTable(NamedTuple):
    """Dice and NSD of each case and structure, (N, S), NaN where there is no reference."""

    names: list[str]
    dice: Values
    nsd: Values

    def estimate(self, bootstrap: Bootstrap) -> ScoreEstimate:
        """Estimate the mean over structures."""
        return ScoreEstimate(dice=bootstrap.mean(self.dice), nsd=bootstrap.mean(self.nsd))

    def select(self, names: Sequence[str]) -> "ScoreTable":
        """Return the columns of these structures alone."""
        columns = [self.names.index(name) for name in names]
        return ScoreTable(list(names), self.dice[:, columns], self.nsd[:, columns])

    def minus(self, other: "ScoreTable") -> "ScoreTable":
        """Subtract the scores of `other`, on the structures that both have."""
        names = [name for name in self.names if name in other.names]
        minuend, subtrahend = self.select(names), other.select(names)
        return ScoreTable(names, minuend.dice - subtrahend.dice, minuend.nsd - subtrahend.nsd)


def score_table(
    cases: Sequence[CaseResult],
    kind: Kind,
    key: Callable[[ScoreRow], str] = lambda row: row.subject,
    wanted: Callable[[ScoreRow], bool] = lambda row: True,
) -> ScoreTable:
    """Return the scores of one kind of question, averaged over the prompts that have the same key on each case.

    Of the rows only those that are `wanted` count.
    """
    by_key: dict[str, dict[int, list[ScoreRow]]] = {}
    for number, case in enumerate(cases):
        for row in case.rows:
            if row.kind == kind and wanted(row):
                by_key.setdefault(key(row), {}).setdefault(number, []).append(row)
    names = list(by_key)
    dice, nsd = (np.full((len(cases), len(names)), np.nan) for _ in range(2))
    for column, name in enumerate(names):
        for number, rows in by_key[name].items():
            dice[number, column] = np.mean([np.nan if row.dice is None else row.dice for row in rows])
            nsd[number, column] = np.mean([np.nan if row.nsd is None else row.nsd for row in rows])
    return ScoreTable(names, dice, nsd)
