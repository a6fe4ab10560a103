"""``--shard I/N``: many runs share one input, and each writes every N-th part of the caption set as a set of its own.

A run reads all of the input, which is quick beside extracting, and so meets the same rows, ids and problems as one
machine would. Its parts are those that one machine would write, so ``merging`` has only to number them. (A part is one
file of each table, see ``set_files``; ``shards`` writes it.)
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Self

from curation.report import Report
from curation.runtime.errors import InputError

SHARD = re.compile(r"(\d{1,6})/(\d{1,6})")


@dataclass(frozen=True, slots=True)
class Shard:
    """The share of one run: ``number`` of ``count``, counted from 1 as Slurm's ``--array=1-N`` does."""

    number: int
    count: int

    @classmethod
    def read(cls, text: str) -> Self:
        """Return the shard that is written as "3/16". Raises ``InputError`` for anything else."""
        match = SHARD.fullmatch(text.strip())
        shard = cls(*map(int, match.groups())) if match else None
        if shard is None or not 1 <= shard.number <= shard.count:
            raise InputError(
                f"--shard {text}: expected I/N with I from 1 to N, such as 3/16 (on Slurm, with --array=1-16: "
                "$SLURM_ARRAY_TASK_ID/$SLURM_ARRAY_TASK_COUNT)"
            )
        return shard

    def __str__(self) -> str:
        return f"{self.number}/{self.count}"

    def select(self, reports: Iterable[Report], reports_per_part: int) -> Iterator[Report]:
        """Yield the reports of this shard's parts, out of all reports of the input."""
        for place, report in enumerate(reports):
            if place // reports_per_part % self.count == self.number - 1:
                yield report

    def size(self, reports: int, reports_per_part: int) -> int:
        """Return how many of ``reports`` reports belong to this shard."""
        full_parts, rest = divmod(reports, reports_per_part)
        in_full_parts = len(range(self.number - 1, full_parts, self.count)) * reports_per_part
        return in_full_parts + (rest if full_parts % self.count == self.number - 1 else 0)
