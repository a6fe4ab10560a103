"""Which case each sample of a run shows, and its random numbers: a function of the sample's number alone.

Samples are numbered through the whole run: step s has the numbers s·B to s·B + B − 1, whatever processes and parts
share them. So a run that was killed goes on where it was, and two processes train on what one would have.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


class Order:
    """The order of the cases: each epoch shows every scan once, in a new order, with one of its reconstructions.

    `scans` holds the scan of each case. What is left of an epoch after whole batches is left out, so that no batch
    holds a scan twice. With fewer scans than a batch has samples, scans repeat within it (`repeats`). Raises ValueError
    without any scan.
    """

    def __init__(self, scans: Sequence[str], batch_size: int, seed: int) -> None:
        if not scans:
            raise ValueError("no case to train on")
        groups: dict[str, list[int]] = {}
        for index, scan in enumerate(scans):
            groups.setdefault(scan, []).append(index)
        self._groups = [groups[scan] for scan in sorted(groups)]
        self.batch_size, self.seed = batch_size, seed
        self.repeats = len(self._groups) < batch_size
        self.steps_per_epoch = max(len(self._groups) // batch_size, 1)
        self._epoch, self._order = -1, np.empty(0, np.int64)

    def __getitem__(self, number: int) -> int:
        """Return the case of a sample by the sample's number, as an index into `scans`."""
        step, place = divmod(number, self.batch_size)
        epoch, within = divmod(step, self.steps_per_epoch)
        if epoch != self._epoch:
            self._epoch, self._order = epoch, random((self.seed, 0, epoch)).permutation(len(self._groups))
        group = self._groups[int(self._order[(within * self.batch_size + place) % len(self._groups)])]
        return group[int(random((self.seed, 1, number)).integers(len(group)))] if len(group) > 1 else group[0]


def random(key: tuple[int, ...]) -> np.random.Generator:
    """Return a generator whose numbers depend on `key` alone."""
    return np.random.default_rng(np.random.SeedSequence(key))


def shares(step: int, batch_size: int, parts: int, rank: int, world: int) -> list[list[int]]:
    """Return the numbers of the samples of a process in a step, for each of the parts that it takes in turn."""
    size = batch_size // (parts * world)
    starts = (step * batch_size + (part * world + rank) * size for part in range(parts))
    return [list(range(start, start + size)) for start in starts]
