"""One vector for each volume, from a frozen network: computed once, kept in half precision.

The key of a vector is the file of its volume (path, size, time of change), the encoder's weights, the preprocessing,
the windows and the pooling: if any of these changes, the vector is made anew. Shapes: C length of a vector, D H W
voxels.
"""

from __future__ import annotations

import hashlib
import io
import os
from collections.abc import Sequence
from itertools import chain, product
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from curation.runtime.progress import Progress
from models.aligner import Aligner
from models.pooling import outlines
from models.preprocessing import Preprocessing
from train.data.cases import Case, CaseProblem, DataError
from train.data.dataset import read_case
from train.data.training_set import report_warnings
from train.inference.windows import Windows, padded
from train.loop.engine import TrainingEngine
from train.scans.errors import ScanError
from train.scans.grid import hounsfield_on_grid, normalised

POOLED = "pooled"  # the folder of vectors in a cache
DIGEST_BYTES = 32  # at the end of a vector's file


def pool_volume(aligner: Aligner, volume: Tensor, window: tuple[int, int, int]) -> Tensor:
    """Return the vector (C,) of a volume (1, D, H, W), taken through the network a window at a time, side by side.

    Where the model `reads_hounsfield` the volume is (2, D, H, W), with HU last. Volumes smaller than a window are
    padded with the lowest value of each channel, in the middle; what is padded counts for nothing where voxels are
    counted, and what two windows show counts half in each.
    """
    shape, volume = volume.shape[1:], torch.cat([padded(channel[None], window) for channel in volume])
    starts = Windows(size=window, overlap=0).starts(volume.shape[1:])
    shares = [
        _shares(voxels, padded_voxels, begins, size)
        for voxels, padded_voxels, begins, size in zip(shape, volume.shape[1:], starts, window, strict=True)
    ]
    summaries = []
    for start_voxel in product(*starts):
        deep, high, wide = (slice(start, start + size) for start, size in zip(start_voxel, window, strict=True))
        along = shares[0][deep], shares[1][high], shares[2][wide]
        weight = along[0][:, None, None] * along[1][:, None] * along[2]
        summaries.append(aligner.summarise(volume[None, :, deep, high, wide], weight.to(volume.device))[0])
    return aligner.combine(torch.stack(summaries))


def _shares(voxels: int, padded_voxels: int, starts: Sequence[int], size: int) -> Tensor:
    """Return what each voxel along an axis counts in every window that shows it: 0 for those of the padding."""
    count = torch.zeros(padded_voxels)
    for start in starts:
        count[start : start + size] += 1
    before = (padded_voxels - voxels) // 2
    shares = torch.zeros(padded_voxels)
    shares[before : before + voxels] = 1 / count[before : before + voxels]
    return shares


class PooledVolumes:
    """Stores the vectors of cases in files of `folder`; `prepare` makes those that are not there yet."""

    def __init__(
        self, folder: Path, aligner: Aligner, preprocessing: Preprocessing, window: tuple[int, int, int]
    ) -> None:
        self.folder, self.aligner, self.preprocessing, self.window = folder, aligner, preprocessing, window
        made_with = (_weights_hash(aligner), preprocessing.model_dump_json(), str(window), aligner.pooling)
        self._made_with = "\n".join(made_with)

    def __getstate__(self) -> dict[str, object]:
        """Leave the network out for a process that loads samples: vectors are only read there."""
        return self.__dict__ | {"aligner": None}

    def __getitem__(self, case: Case) -> Tensor:
        """Return the vector of a case, float32. Raises KeyError if it was not prepared."""
        try:
            content = self._path(case).read_bytes()
            stored, digest = content[:-DIGEST_BYTES], content[-DIGEST_BYTES:]
            if hashlib.sha256(stored).digest() != digest:  # damaged, or of an earlier version: it is made anew
                raise ValueError("its sha256 is another")
            return torch.from_numpy(np.load(io.BytesIO(stored), allow_pickle=False)).float()
        except (FileNotFoundError, ValueError, EOFError) as error:
            raise KeyError(f"{case.id} was not prepared") from error

    def __contains__(self, case: Case) -> bool:
        try:
            self[case]
        except (KeyError, OSError):
            return False
        return True

    def prepare(
        self, cases: Sequence[Case], engine: TrainingEngine, progress: Progress, workers: int = 0
    ) -> list[CaseProblem]:
        """Make the vectors that are missing; processes share the cases. Return the problems of all processes.

        Raises Interrupted.
        """
        # Shared out first: what another process has made meanwhile must not move the shares.
        missing = [case for case in cases[engine.rank :: engine.world] if case not in self]
        progress.start(len(missing), 0)
        problems = []
        self.aligner.to(engine.device)
        reader = _VolumeReader(missing, self.preprocessing, self.aligner.reads_hounsfield)
        loader = DataLoader(reader, batch_size=None, num_workers=workers)
        warnings: list[str] = []
        for case, (volume, problem, volume_warnings) in zip(missing, loader, strict=True):
            progress.raise_if_interrupted()
            warnings += volume_warnings
            if problem:
                problems.append(CaseProblem(case.id, case.image, problem))
            else:
                self.keep(case, self.pooled(volume, engine))
            progress.advance()
        report_warnings(progress, list(chain.from_iterable(engine.gather_objects(warnings))))
        return list(chain.from_iterable(engine.gather_objects(problems)))

    @torch.no_grad()
    def pooled(self, volume: Tensor, engine: TrainingEngine) -> Tensor:
        """Return the vector of a volume, as `pool_volume` takes it, by the encoder as it is now."""
        with engine.autocast():
            return pool_volume(self.aligner, volume.to(engine.device), self.window)

    def keep(self, case: Case, vector: Tensor) -> None:
        """Store the vector (C,) of a case."""
        path = self._path(case)
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_name(f".{path.name}-{os.getpid()}")
        content = io.BytesIO()
        np.save(content, vector.cpu().half().numpy(), allow_pickle=False)
        temporary.write_bytes(content.getvalue() + hashlib.sha256(content.getvalue()).digest())
        temporary.replace(path)

    def _path(self, case: Case) -> Path:
        try:
            status = case.image.stat()
            changed = f"{status.st_size}\n{status.st_mtime_ns}"
        except OSError:
            changed = "missing"
        key = f"{case.image.absolute()}\n{changed}\n{case.recorded_header}\n{self._made_with}"
        name = hashlib.sha256(key.encode()).hexdigest()[:32]
        # Millions of files in one folder are slow on many file systems.
        return self.folder / name[:2] / f"{name}.npy"


class ReadVolume(NamedTuple):
    """A volume on the network's grid, empty if there is a `problem`; and what is doubtful about it.

    (1, D, H, W) as the network takes it, or (2, D, H, W) with HU behind that.
    """

    volume: Tensor
    problem: str = ""
    warnings: tuple[str, ...] = ()


class _VolumeReader(Dataset[ReadVolume]):
    """Reads volumes as the network takes them, in workers while the network runs."""

    def __init__(self, cases: Sequence[Case], preprocessing: Preprocessing, hounsfield: bool) -> None:
        self.cases, self.preprocessing, self.hounsfield = cases, preprocessing, hounsfield

    def __len__(self) -> int:
        return len(self.cases)

    def __getitem__(self, index: int) -> ReadVolume:
        return read_volume(self.cases[index], self.preprocessing, self.hounsfield)


def read_volume(case: Case, preprocessing: Preprocessing, hounsfield: bool = False) -> ReadVolume:
    """Return the case's volume as the network takes it, with HU too where these are asked for, or what is wrong."""
    try:
        scan = read_case(case)
        values = hounsfield_on_grid(scan, preprocessing)[0]
        channels = [normalised(values, preprocessing), *([values] if hounsfield else [])]
        return ReadVolume(torch.stack(channels), warnings=scan.warnings)
    except (ScanError, DataError, OSError) as error:
        return ReadVolume(torch.empty(0), str(error))


def _weights_hash(aligner: Aligner) -> str:
    """Return a hash of what a vector comes from: the encoder, with decoder and heads where these outline structures."""
    digest = hashlib.sha256()
    network = aligner.image if outlines(aligner.pooling) else aligner.image.encoder
    for name, tensor in sorted(network.state_dict().items()):
        digest.update(name.encode())
        digest.update(tensor.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()
