"""Cases on the network's grid, prepared once and kept on disk, so that training reads crops and not scans.

MONAI's PersistentDataset does not serve: a cut-off cache file stops the run (it makes anew only what has a broken
magic number), a file is read as a whole for each crop, and what it reads is a pickle. Shapes: D H W voxels of the
network's grid.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from curation.runtime.errors import Interrupted
from curation.runtime.progress import Progress
from models.preprocessing import Preprocessing
from train.data.cases import Case, CaseProblem, DataError, DataSet, OnProblem, raise_for_none_left, raise_for_problems
from train.data.dataset import read_case, read_labels
from train.scans.errors import ScanError
from train.scans.grid import Grid, labels_to_network, to_network

from .in_parallel import CasePreparer, OneRank, Outcome, Ranks, prepare_cases
from .prepared_file import (
    LabelVoxels,
    StoredCase,
    index_labels,
    pack_label_index,
    prepared_file_name,
    read_label_ids,
    read_prepared,
    unpack_label_index,
    write_prepared,
)

# z-scored or windowed HU keep three digits in half precision: half an HU in soft tissue, far below the noise.
STORED_DTYPE = torch.float16
LARGEST_STORED = torch.finfo(STORED_DTYPE).max


class PreparedCase(NamedTuple):
    """A case on the network's grid: `volume` (1, D, H, W) float32, `labels` (D, H, W) int16 or None without labels."""

    volume: Tensor
    labels: Tensor | None
    grid: Grid
    case: Case


class PreparedCases(Sequence[PreparedCase]):
    """The cases of a data set, each prepared at its first use, then kept in `cache` and, up to `keep_gb`, in memory.

    `structures` names the structures whose labels are kept, None for all of the data set's; voxels of the others count
    as background. A `cache` may be shared by runs and processes; without one, a case that is no longer in memory is
    prepared again. `problems` are the cases that `prepare` has left out.

    Raises:
        DataError: the data set has no labels of one of `structures`.
    """

    def __init__(
        self,
        dataset: DataSet,
        cases: Sequence[Case],
        preprocessing: Preprocessing,
        cache: Path | None = None,
        *,
        structures: Sequence[str] | None = None,
        keep_gb: float = 2.0,
    ) -> None:
        names = tuple(dataset.structures) if structures is None else tuple(structures)
        unknown = [name for name in names if name not in dataset.structures]
        if unknown:
            raise DataError(f"{dataset.root} has no labels of {', '.join(unknown)}")
        self.structures = {name: dataset.structures[name] for name in names}
        self.dataset, self.cases, self.problems = dataset, list(cases), list[CaseProblem]()
        self._preparation = Preparation(dataset, preprocessing, self.structures, cache)
        self._recent = OrderedDict[str, StoredCase]()
        self._max_bytes = int(keep_gb * 1e9)
        if cache is not None:
            cache.mkdir(parents=True, exist_ok=True)

    def __len__(self) -> int:
        return len(self.cases)

    def __getstate__(self) -> dict[str, object]:
        """Leave out the cases in memory: another process maps the cache's files itself."""
        return self.__dict__ | {"_recent": OrderedDict[str, StoredCase]()}

    def __getitem__(self, index: int) -> PreparedCase:  # type: ignore[override]
        """Return the whole case. Raises `DataError`, naming the file, where it cannot be used."""
        stored, case = self._stored(index), self.cases[index]
        labels = stored.tensors.get("labels")
        copied = None if labels is None else labels.to(torch.int16, copy=True)
        return PreparedCase(stored.tensors["volume"].float(), copied, stored.grid, case)

    def crop(self, index: int, start: tuple[int, int, int], size: tuple[int, int, int]) -> tuple[Tensor, Tensor | None]:
        """Return part of the volume (1, d, h, w) float32 and of the labels (d, h, w) int16, from voxel `start` on.

        Voxels outside have the volume's lowest value and label 0. Only this part is read from the disk.
        """
        return self._stored(index).crop(start, size)

    def grid(self, index: int) -> Grid:
        """Return where the case's volume lies; `grid(i).shape` is its (D, H, W)."""
        return self._stored(index).grid

    def label_index(self, index: int) -> dict[int, LabelVoxels]:
        """Return the voxels of each label id that occurs in the case; empty without labels."""
        tensors = self._stored(index).tensors
        return unpack_label_index(tensors) if "labels" in tensors else {}

    def label_ids(self, index: int) -> frozenset[int]:
        """Return the label ids that occur in the case, without reading the whole case where its file is known."""
        path = self._preparation.known.get(self.cases[index].id)
        if path and (ids := read_label_ids(path)) is not None:
            return ids
        return frozenset(self.label_index(index))

    def warnings(self, index: int) -> tuple[str, ...]:
        """Return the warnings of reading the scan, such as that its intensities are no HU."""
        return self._stored(index).warnings

    def prepare(
        self,
        *,
        on_problem: OnProblem = "refuse",
        jobs: int = 1,
        ranks: Ranks | None = None,
        progress: Progress | None = None,
        called: str = "case",
    ) -> None:
        """Prepare all cases that are not in the cache yet, in `jobs` processes of each rank where there is a cache.

        `ranks` share the cases; without a cache each prepares all for itself. With `skip`, cases that cannot be used
        are left out and listed in `problems`. `called` is what an error calls them, such as "held-out case".

        Raises:
            DataError: with `refuse`, once all others are prepared, for cases that cannot be used; with either, where
                no case is left. It names up to ten cases.
        """
        shared = self._preparation.cache is not None
        jobs, ranks = (jobs, ranks or OneRank()) if shared else (1, OneRank())
        preparer: CasePreparer = self._preparation if shared else _Remembered(self)
        outcomes = prepare_cases(preparer, self.cases, jobs, ranks, progress or Progress())
        errors = {index: outcome.error for index, outcome in outcomes.items() if outcome.error is not None}
        files = {self.cases[index].id: outcome.path for index, outcome in outcomes.items() if outcome.path}
        self._preparation.known.update(files)
        problems = [_problem(self.cases[index], error) for index, error in errors.items()]
        if on_problem == "refuse":
            raise_for_problems(self.dataset.root, problems, len(self.cases), called)
        if problems and len(problems) == len(self.cases):
            raise_for_none_left(self.dataset.root, problems, called)
        self.problems += problems
        self.cases = [case for index, case in enumerate(self.cases) if index not in errors]

    def _stored(self, index: int) -> StoredCase:
        case = self.cases[index]
        stored = self._recent.pop(case.id, None) or self._preparation.load(case)
        self._recent[case.id] = stored
        while len(self._recent) > 1 and sum(recent.bytes for recent in self._recent.values()) > self._max_bytes:
            self._recent.popitem(last=False)
        return stored


def _problem(case: Case, error: str) -> CaseProblem:
    """Return what a list of problems says of a case; that it cannot be used stands above the list."""
    return CaseProblem(case.id, case.image, error.removeprefix(f"{case.id} cannot be used: "))


@dataclass(frozen=True)
class Preparation:
    """How the cases of a data set are prepared, and the folder in which they are kept (None: nowhere).

    `known` are the files whose SHA-256 was compared, by id of the case: once in a run, also for the processes that load
    crops. Where a case's own files are is not asked again for these.
    """

    dataset: DataSet
    preprocessing: Preprocessing
    structures: dict[str, tuple[int, ...]]
    cache: Path | None
    known: dict[str, Path] = field(default_factory=dict, compare=False)

    def load(self, case: Case) -> StoredCase:
        """Return the prepared case: read its file, or prepare it and write the file.

        Raises:
            DataError: the case cannot be used, whatever was raised while it was read. It names the case.
        """
        try:
            known = self.known.get(case.id)
            if known and (stored := read_prepared(known, check=False)):
                return stored
            path = self.path(case)
            stored = read_prepared(path) if path else None
            made = stored is None
            if stored is None:
                stored = self._prepare(case)
        except (MemoryError, Interrupted):
            raise
        except (ScanError, DataError) as error:
            raise DataError(f"{case.id} cannot be used: {error}") from error
        except FileNotFoundError as error:
            raise DataError(f"{case.id} cannot be used: {error.filename} is not there") from error
        except Exception as error:
            reason = " ".join(str(error).split())[:200]
            raise DataError(
                f"{case.id} cannot be used: {case.image} or its labels cannot be prepared ({type(error).__name__}: "
                f"{reason}). Copy or export them once more"
            ) from error
        # What cannot be written is no fault of the case: the disk may be full.
        if path and made:
            write_prepared(path, stored)
        if path:
            self.known[case.id] = path
        return stored

    def outcome(self, case: Case) -> Outcome:
        """Prepare the case into the cache; say where it is, or why it cannot be used."""
        try:
            self.load(case)
        except DataError as error:
            return Outcome(error=str(error))
        return Outcome(self.known.get(case.id))

    def for_other_process(self) -> Preparation:
        """Return the same without the cases of the data set: each process is told its own."""
        return replace(self, dataset=replace(self.dataset, cases=(), problems=()), known={})

    def path(self, case: Case) -> Path | None:
        """Return the file of a case in the cache, None without one. Raises `OSError` where the scan is not there."""
        return self.cache and self.cache / prepared_file_name(case, self.preprocessing, self.structures)

    def _prepare(self, case: Case) -> StoredCase:
        scan = read_case(case)
        volume, grid = to_network(scan, self.preprocessing)
        tensors = {"volume": volume.clamp(-LARGEST_STORED, LARGEST_STORED).to(STORED_DTYPE).contiguous()}
        if case.labels is not None:
            labels = labels_to_network(self._keep_structures(read_labels(case, self.dataset, scan)), grid)
            dtype = torch.uint8 if int(labels.max()) < 256 else torch.int16
            index = index_labels(labels.numpy())
            annotated = {number: voxels for number, voxels in index.items() if number not in self.dataset.ignored}
            tensors |= {"labels": labels.to(dtype).contiguous(), **pack_label_index(annotated)}
        return StoredCase(tensors, grid, float(tensors["volume"].min()), scan.warnings)

    def _keep_structures(self, labels: NDArray[np.int16]) -> NDArray[np.int16]:
        """Return the label map with only `structures` and ignored voxels; others become background."""
        ids = {number for numbers in self.structures.values() for number in numbers} | set(self.dataset.ignored)
        table = np.zeros(int(labels.max(initial=0)) + 1, np.int16)
        for number in ids & set(range(len(table))):
            table[number] = number
        return table[labels]


class _Remembered:
    """Prepares cases that no cache keeps: those that fit stay in memory."""

    def __init__(self, cases: PreparedCases) -> None:
        self.cases = cases

    def outcome(self, case: Case) -> Outcome:
        """Prepare the case; say why it cannot be used."""
        try:
            self.cases._stored(self.cases.cases.index(case))
        except DataError as error:
            return Outcome(error=str(error))
        return Outcome()

    def for_other_process(self) -> CasePreparer:
        """Return the same: without a cache there is no other process."""
        return self
