"""In how many cases each structure was looked for and is, and the hint that it was not contoured in the others."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from curation.runtime.progress import Progress
from train.config.options import LabelledBy
from train.data.cases import Case
from train.scans.errors import ScanError
from train.scans.labels import read_label_map

from .labelled import LABELLED

# A check reads label files for so many seconds, of each data set, and says how many cases that were.
CHECK_SECONDS = 20.0
# A structure that counts as absent in at least this share of the cases, without a mask of it that is empty, may not
# have been contoured there (the mandible in 34 % of OpenKBP's heads and necks); of fewer cases nothing is said.
ASSUMED_SHARE, FEWEST_CASES = 1 / 3, 5
# A run shows so many lines of counts before it starts, and a warning so many names.
MOST_LINES, MOST_NAMES = 10, 6


class StructureCount(NamedTuple):
    """A structure, and in how many cases it was looked for, and in how many of these it is.

    `assumed` counts the others in which it was looked for and has no mask that is empty: nothing there says that it is
    absent. `unlisted` are cases whose labels hold it although it does not count as looked for there.
    """

    name: str
    labelled: int
    present: int
    assumed: int
    unlisted: tuple[str, ...] = ()


@dataclass(frozen=True)
class LabelCount:
    """The counts of a data set's structures, over the `read` ones of its `cases`; `called` is what these are called."""

    root: Path
    labelled_by: LabelledBy
    structures: tuple[StructureCount, ...]
    read: int
    cases: int
    called: str = "training cases"

    def lines(self, most: int | None = None) -> list[str]:
        """Return the counts, structures with the same ones on one line, rare ones first; `most` lines of them."""
        by_count: dict[tuple[int, int], list[str]] = {}
        for each in sorted(self.structures, key=lambda count: (count.present, count.labelled)):
            by_count.setdefault((each.labelled, each.present), []).append(each.name)
        of = f"{self.read:,} of {self.cases:,}" if self.read < self.cases else f"{self.cases:,}"
        first = f"{self.root}: structures in {of} {self.called}"
        lines = [
            f"  labelled in {labelled:,}, present in {present:,}: {', '.join(names)}"
            for (labelled, present), names in by_count.items()
        ]
        if most is not None and len(lines) > most:
            more = sum(map(len, list(by_count.values())[most:]))
            lines = [*lines[:most], f"  and {more:,} structures that are present in more"]
        return [first, *lines]

    def warnings(self) -> list[str]:
        """Return what looks wrong: structures that may not have been contoured, labels that `labelled.json` denies."""
        return [text for text in (self._assumed_absent(), self._unlisted_structures()) if text]

    def _assumed_absent(self) -> str:
        if self.labelled_by != "auto":
            return ""
        assumed = [
            each
            for each in self.structures
            if each.labelled >= FEWEST_CASES and each.assumed >= ASSUMED_SHARE * each.labelled
        ]
        if not assumed:
            return ""
        assumed.sort(key=lambda count: count.present)
        names = _listed([f"{each.name} (present in {each.present:,} of {each.labelled:,})" for each in assumed])
        return (
            f"{self.root}: these count as absent in a third of the cases or more, whose labels have no voxel of them: "
            f"{names}. If they were not contoured there, say so with {LABELLED} in the data set or "
            "--labelled present; if they are absent, with --labelled all"
        )

    def _unlisted_structures(self) -> str:
        unlisted = [each for each in self.structures if each.unlisted]
        if not unlisted or self.labelled_by != "file":
            return ""
        names = _listed([f"{each.name} in {len(each.unlisted):,} (first {each.unlisted[0]})" for each in unlisted])
        return (
            f"{self.root / LABELLED} does not name structures for cases whose labels have them, and they do not count "
            f"there: {names}"
        )


def count_labels(
    structures: Mapping[str, tuple[int, ...]], cases: Sequence[tuple[Case, AbstractSet[str], AbstractSet[int]]]
) -> tuple[StructureCount, ...]:
    """Count structures, name -> ids, over cases: what was looked for in each, and the ids that its labels hold."""
    return tuple(_count_structure(name, numbers, cases) for name, numbers in structures.items())


def _count_structure(
    name: str, numbers: Sequence[int], cases: Sequence[tuple[Case, AbstractSet[str], AbstractSet[int]]]
) -> StructureCount:
    labelled = [(case, not ids.isdisjoint(numbers)) for case, names, ids in cases if name in names]
    return StructureCount(
        name,
        len(labelled),
        sum(found for _, found in labelled),
        sum(not found and not has_mask(case, numbers) for case, found in labelled),
        tuple(case.id for case, names, ids in cases if name not in names and not ids.isdisjoint(numbers)),
    )


def has_mask(case: Case, numbers: Sequence[int]) -> bool:
    """Return whether a case has a mask file for one of these ids, be it an empty one."""
    return case.labels is not None and any(number in numbers for number, _ in case.labels.masks)


def read_label_ids(cases: Sequence[Case], seconds: float) -> Iterator[tuple[Case, frozenset[int]]]:
    """Yield cases with the ids that their label files hold, until the seconds are over: one case at least.

    Cases whose labels cannot be read are left out.
    """
    started = time.monotonic()
    for case in cases:
        try:
            ids = label_ids(case)
        except (ScanError, OSError):
            continue
        yield case, ids
        if time.monotonic() - started > seconds:
            return


def label_ids(case: Case) -> frozenset[int]:
    """Return the ids in a case's label files, masks that another paints over among them. Raises `ScanError`."""
    assert case.labels is not None
    if case.labels.map is not None:
        return frozenset(np.unique(read_label_map(case.labels.map)).tolist()) - {0}
    return frozenset(number for number, path in case.labels.masks if read_label_map(path).any())


def report_structures(progress: Progress, counts: Sequence[LabelCount]) -> None:
    """Show the counts of each data set, rare structures first, and warn of what looks wrong."""
    for count in counts:
        for line in count.lines(MOST_LINES):
            progress.message(line)
        for warning in count.warnings():
            progress.warning(warning)


def _listed(names: Sequence[str]) -> str:
    more = len(names) - MOST_NAMES
    return ", ".join(names[:MOST_NAMES]) + (f" and {more:,} more" if more > 0 else "")
