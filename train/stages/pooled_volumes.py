"""One vector for each volume, from a frozen network: worked out once, kept in half precision.

A vector is known by the file of its volume (path, size, time of change), the encoder's weights, the preprocessing, the
windows and the pooling: whatever changes, it is made anew. Shapes: C length of a vector, D H W voxels.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from itertools import product
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from curation.runtime.progress import Progress
from models.aligner import Aligner
from models.preprocessing import Preprocessing
from train.data.cases import Case, DataError, Problem
from train.data.dataset import read_case
from train.data.training_set import tell_warnings
from train.inference.windows import Windows, padded
from train.loop.engine import Engine
from train.scans.formats import ScanError
from train.scans.grid import to_network


def pool_volume(aligner: Aligner, volume: Tensor, window: tuple[int, int, int]) -> Tensor:
    """A volume (1, D, H, W) to its vector (C,): a window at a time, side by side.

    Volumes smaller than a window are padded with their lowest value, in the middle; what is padded counts for nothing
    where voxels are counted, and what two windows show counts half in each.
    """
    shape, volume = volume.shape[1:], padded(volume, window)
    starts = Windows(size=window, overlap=0).starts(volume.shape[1:])
    shares = [
        _shares(voxels, whole, begins, size)
        for voxels, whole, begins, size in zip(shape, volume.shape[1:], starts, window, strict=True)
    ]
    summaries = []
    for place in product(*starts):
        deep, high, wide = (slice(start, start + size) for start, size in zip(place, window, strict=True))
        along = shares[0][deep], shares[1][high], shares[2][wide]
        weight = along[0][:, None, None] * along[1][:, None] * along[2]
        summaries.append(aligner.summary(volume[None, :, deep, high, wide], weight.to(volume.device))[0])
    return aligner.combined(torch.stack(summaries))


def _shares(voxels: int, whole: int, starts: Sequence[int], size: int) -> Tensor:
    """Along one axis, what each voxel counts in every window that shows it: 0 where `whole` is more than the volume."""
    count = torch.zeros(whole)
    for start in starts:
        count[start : start + size] += 1
    before = (whole - voxels) // 2
    shares = torch.zeros(whole)
    shares[before : before + voxels] = 1 / count[before : before + voxels]
    return shares


class PooledVolumes:
    """Vectors of cases, in files of `folder`; `prepare` makes those that are not there yet."""

    def __init__(
        self, folder: Path, aligner: Aligner, preprocessing: Preprocessing, window: tuple[int, int, int]
    ) -> None:
        self.folder, self.aligner, self.preprocessing, self.window = folder, aligner, preprocessing, window
        made_with = (_weights_hash(aligner), preprocessing.model_dump_json(), str(window), aligner.pooling)
        self._made_with = "\n".join(made_with)

    def __getstate__(self) -> dict[str, object]:
        """For a process that loads samples: vectors are read there, the network stays here."""
        return self.__dict__ | {"aligner": None}

    def __getitem__(self, case: Case) -> Tensor:
        """The vector, float32. KeyError where it was not prepared."""
        try:
            return torch.from_numpy(np.load(self._path(case), allow_pickle=False)).float()
        except (FileNotFoundError, ValueError, EOFError) as error:
            raise KeyError(f"{case.id} was not prepared") from error

    def __contains__(self, case: Case) -> bool:
        try:
            self[case]
        except (KeyError, OSError):
            return False
        return True

    def prepare(self, cases: Sequence[Case], engine: Engine, progress: Progress, workers: int = 0) -> list[Problem]:
        """Works out what is missing; processes share the cases. Gives those that cannot be used, all processes' own."""
        # Shared out first: what another process has made meanwhile must not move the shares.
        missing = [case for case in cases[engine.rank :: engine.world] if case not in self]
        progress.start(len(missing), 0)
        problems = []
        self.aligner.to(engine.device)
        loader = DataLoader(_Read(missing, self.preprocessing), batch_size=None, num_workers=workers)
        warnings = []
        for case, (volume, problem, doubts) in zip(missing, loader, strict=True):
            progress.raise_if_interrupted()
            warnings += doubts
            if problem:
                problems.append(Problem(case.id, case.image, problem))
            else:
                self._write(case, self.pooled(volume, engine))
            progress.advance()
        tell_warnings(progress, [warning for each in engine.gathered(warnings) for warning in each])
        return [problem for each in engine.gathered(problems) for problem in each]

    @torch.no_grad()
    def pooled(self, volume: Tensor, engine: Engine) -> Tensor:
        """A volume (1, D, H, W) to its vector, with the encoder as it is."""
        with engine.autocast():
            return pool_volume(self.aligner, volume.to(engine.device), self.window)

    def _write(self, case: Case, vector: Tensor) -> None:
        path = self._path(case)
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_name(f".{path.name}-{os.getpid()}")
        with temporary.open("wb") as file:
            np.save(file, vector.cpu().half().numpy(), allow_pickle=False)
        temporary.replace(path)

    def _path(self, case: Case) -> Path:
        try:
            known = case.image.stat()
            changed = f"{known.st_size}\n{known.st_mtime_ns}"
        except OSError:
            changed = "missing"
        key = f"{case.image.absolute()}\n{changed}\n{case.recorded}\n{self._made_with}"
        name = hashlib.sha256(key.encode()).hexdigest()[:32]
        # Millions of files in one folder are slow on many file systems.
        return self.folder / name[:2] / f"{name}.npy"


class ReadVolume(NamedTuple):
    """A volume (1, D, H, W) on the network's grid, empty where there is a `problem`; and what is doubtful about it."""

    volume: Tensor
    problem: str = ""
    warnings: tuple[str, ...] = ()


class _Read(Dataset[ReadVolume]):
    """Volumes as the network wants them, or why there is none; read by workers while the network runs."""

    def __init__(self, cases: Sequence[Case], preprocessing: Preprocessing) -> None:
        self.cases, self.preprocessing = cases, preprocessing

    def __len__(self) -> int:
        return len(self.cases)

    def __getitem__(self, index: int) -> ReadVolume:
        return read_volume(self.cases[index], self.preprocessing)


def read_volume(case: Case, preprocessing: Preprocessing) -> ReadVolume:
    """The case's volume as the network wants it, or what is wrong with it."""
    try:
        scan = read_case(case)
        return ReadVolume(to_network(scan, preprocessing)[0], warnings=scan.warnings)
    except (ScanError, DataError, FileNotFoundError) as error:
        return ReadVolume(torch.empty(0), str(error))


def _weights_hash(aligner: Aligner) -> str:
    """Of what a vector comes from: the encoder, and the decoder and heads where these outline what is pooled."""
    digest = hashlib.sha256()
    network = aligner.image if aligner.pooling == "structures" else aligner.image.encoder
    for name, tensor in sorted(network.state_dict().items()):
        digest.update(name.encode())
        digest.update(tensor.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()
