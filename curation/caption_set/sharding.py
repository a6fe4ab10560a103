"""One input shared among many runs that know nothing of each other: each takes every N-th part of the caption set.

A run reads all of the input, which is quick beside extracting, and so finds the same rows, ids and problems as one
machine would. Its parts are those that one machine would write, so `curation.caption_set.merging` has only to number
them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Self

from curation.report import Report
from curation.runtime.errors import InputError

WRITTEN = re.compile(r"(\d{1,6})/(\d{1,6})")


@dataclass(frozen=True, slots=True)
class Shard:
    """Run ``number`` of ``count``, counted from 1 as Slurm's ``--array=1-N`` does."""

    number: int
    count: int

    @classmethod
    def read(cls, said: str) -> Self:
        """From "3/16". Raises ``InputError``."""
        found = WRITTEN.fullmatch(said.strip())
        shard = cls(*map(int, found.groups())) if found else None
        if shard is None or not 1 <= shard.number <= shard.count:
            raise InputError(
                f"--shard {said}: expected I/N with I from 1 to N, such as 3/16 (on Slurm, with --array=1-16: "
                "$SLURM_ARRAY_TASK_ID/$SLURM_ARRAY_TASK_COUNT)"
            )
        return shard

    def __str__(self) -> str:
        return f"{self.number}/{self.count}"

    def own(self, reports: Iterable[Report], reports_per_part: int) -> Iterator[Report]:
        """The reports of this run's parts."""
        for place, report in enumerate(reports):
            if place // reports_per_part % self.count == self.number - 1:
                yield report

    def size(self, reports: int, reports_per_part: int) -> int:
        """How many of so many reports are this run's."""
        full, rest = divmod(reports, reports_per_part)
        own = len(range(self.number - 1, full, self.count)) * reports_per_part
        return own + (rest if full % self.count == self.number - 1 else 0)
