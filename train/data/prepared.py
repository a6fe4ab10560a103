"""Cases on the network's grid, made once and kept on disk, so that training reads crops and not scans.

MONAI's PersistentDataset does not serve: a cut-off cache file stops the run (it makes anew only what has a broken
magic number), a file is read as a whole for each crop, and what it reads is a pickle. Shapes: D H W voxels of the
network's grid.
"""

from collections import OrderedDict
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from curation.runtime.progress import Progress
from models.preprocessing import Preprocessing
from train.scans.formats import ScanError
from train.scans.grid import Grid, labels_to_network, to_network

from .cases import Case, DataError, DataSet, OnProblem, Problem, refuse
from .dataset import read_case, read_labels
from .prepared_file import LabelPlaces, StoredCase, crop, file_name, index_labels, pack, read, unpack, write

# z-scored or windowed HU keep three digits in half precision: half an HU in soft tissue, far below the noise.
STORED = torch.float16
LARGEST = torch.finfo(STORED).max


class Prepared(NamedTuple):
    """A case on the network's grid: `volume` (1, D, H, W) float32, `labels` (D, H, W) int16 or None without labels."""

    volume: Tensor
    labels: Tensor | None
    grid: Grid
    case: Case


@dataclass(frozen=True)
class Recipe:
    """What is made of each case of a data set, and where it is kept (None: nowhere)."""

    dataset: DataSet
    preprocessing: Preprocessing
    structures: dict[str, tuple[int, ...]]
    cache: Path | None

    def stored(self, case: Case) -> StoredCase:
        """The case, from its file where there is a whole one. Raises `DataError` where the case cannot be used."""
        try:
            path = self.cache and self.cache / file_name(case, self.preprocessing, self.structures)
            stored = read(path) if path else None
            if stored is None:
                stored = self._make(case)
                if path:
                    write(path, stored)
            return stored
        except (ScanError, DataError) as error:
            raise DataError(f"{case.id} cannot be used: {error}") from error
        except FileNotFoundError as error:
            raise DataError(f"{case.id} cannot be used: {error.filename} is not there") from error

    def _make(self, case: Case) -> StoredCase:
        scan = read_case(case)
        volume, grid = to_network(scan, self.preprocessing)
        tensors = {"volume": volume.clamp(-LARGEST, LARGEST).to(STORED).contiguous()}
        if case.labels is not None:
            labels = labels_to_network(self._kept(read_labels(case, self.dataset, scan)), grid)
            small = torch.uint8 if int(labels.max()) < 256 else torch.int16
            places = index_labels(labels.numpy())
            known = {number: place for number, place in places.items() if number not in self.dataset.ignored}
            tensors |= {"labels": labels.to(small).contiguous(), **pack(known)}
        return StoredCase(tensors, grid, float(tensors["volume"].min()), scan.warnings)

    def _kept(self, labels: NDArray[np.int16]) -> NDArray[np.int16]:
        """The label map without structures that nobody asked for."""
        ids = {number for numbers in self.structures.values() for number in numbers} | set(self.dataset.ignored)
        table = np.zeros(int(labels.max(initial=0)) + 1, np.int16)
        for number in ids & set(range(len(table))):
            table[number] = number
        return table[labels]


class PreparedCases(Sequence[Prepared]):
    """Cases of a data set, preprocessed when first asked for, then kept in `cache` and, up to `keep_gb`, in memory.

    `structures`: those whose labels are kept, None for all of the data set's; other voxels count as background. A
    `cache` may be shared by runs and processes; without one, what memory does not keep is made anew. `problems` are
    the cases that `prepare` has left out.
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
        kept = {name: dataset.structures[name] for name in names}
        self.dataset, self.cases, self.problems = dataset, list(cases), list[Problem]()
        self.structures = kept
        self._recipe = Recipe(dataset, preprocessing, kept, cache)
        self._recent = OrderedDict[str, StoredCase]()
        self._keep = int(keep_gb * 1e9)
        if cache is not None:
            cache.mkdir(parents=True, exist_ok=True)

    def __len__(self) -> int:
        return len(self.cases)

    def __getstate__(self) -> dict[str, object]:
        """For a process of its own, which maps the cache's files itself."""
        return self.__dict__ | {"_recent": OrderedDict[str, StoredCase]()}

    def __getitem__(self, index: int) -> Prepared:  # type: ignore[override]
        """The whole case. Raises `DataError`, naming the file, where it cannot be used."""
        stored, case = self._stored(index), self.cases[index]
        labels = stored.tensors.get("labels")
        copied = None if labels is None else labels.to(torch.int16, copy=True)
        return Prepared(stored.tensors["volume"].float(), copied, stored.grid, case)

    def crop(self, index: int, start: tuple[int, int, int], size: tuple[int, int, int]) -> tuple[Tensor, Tensor | None]:
        """Part of the volume (1, d, h, w) float32 and of the labels (d, h, w) int16, from voxel `start` on.

        Outside are the volume's lowest value and label 0. Only this part is read from the disk.
        """
        return crop(self._stored(index), start, size)

    def grid(self, index: int) -> Grid:
        """Where the case's volume lies; `grid(i).shape` is its (D, H, W)."""
        return self._stored(index).grid

    def label_index(self, index: int) -> dict[int, LabelPlaces]:
        """Places of each structure's label id that occurs on the network's grid; empty without labels."""
        tensors = self._stored(index).tensors
        return unpack(tensors) if "labels" in tensors else {}

    def warnings(self, index: int) -> tuple[str, ...]:
        """What was said of the scan when it was read, such as that its intensities are no HU."""
        return self._stored(index).warnings

    def prepare(self, *, on_problem: OnProblem = "refuse", jobs: int = 1, progress: Progress | None = None) -> None:
        """Make all cases that are not made yet, in `jobs` processes where there is a cache.

        Cases that cannot be used are left out (`skip`; they are in `problems`) or told, up to ten of them, in a
        `DataError` (`refuse`, or where none is left), once all others are made.
        """
        progress = progress or Progress()
        progress.start(len(self.cases), 0)
        failed: dict[int, str] = {}
        for place, why in self._in_processes(jobs) if jobs > 1 and self._recipe.cache else self._one_by_one():
            progress.raise_if_interrupted()
            progress.advance()
            if why is not None:
                failed[place] = why
        found = [Problem(self.cases[place].id, self.cases[place].image, failed[place]) for place in sorted(failed)]
        if on_problem == "refuse" or len(found) == len(self.cases):
            refuse(self.dataset.root, found, len(self.cases))
        self.problems += found
        self.cases = [case for place, case in enumerate(self.cases) if place not in failed]

    def _one_by_one(self) -> Iterator[tuple[int, str | None]]:
        for place in range(len(self.cases)):
            try:
                self._stored(place)
            except DataError as error:
                yield place, str(error)
            else:
                yield place, None

    def _in_processes(self, jobs: int) -> Iterator[tuple[int, str | None]]:
        # Not forked: torch's threads, and whatever else runs in this process, do not live on in a fork.
        with ProcessPoolExecutor(
            jobs, mp_context=get_context("spawn"), initializer=torch.set_num_threads, initargs=(1,)
        ) as pool:
            waiting = {pool.submit(_attempt, self._recipe, case): place for place, case in enumerate(self.cases)}
            try:
                for future in as_completed(waiting):
                    yield waiting[future], future.result()
            finally:
                pool.shutdown(cancel_futures=True)

    def _stored(self, index: int) -> StoredCase:
        case = self.cases[index]
        stored = self._recent.pop(case.id, None) or self._recipe.stored(case)
        self._recent[case.id] = stored
        while len(self._recent) > 1 and sum(each.bytes for each in self._recent.values()) > self._keep:
            self._recent.popitem(last=False)
        return stored


def _attempt(recipe: Recipe, case: Case) -> str | None:
    """Have the case made; what stands against it, if anything does."""
    try:
        recipe.stored(case)
    except DataError as error:
        return str(error)
    return None
