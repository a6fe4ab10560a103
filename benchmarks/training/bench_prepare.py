"""Seconds to prepare cases of TotalSegmentator's size, by the number of processes, and what a whole data set takes.

    python -m benchmarks.training.bench_prepare                 6 cases of 255×255×260 with 117 masks, 1 and 2 processes

The scans are noise around a body, the masks ellipsoids of the sizes that organs have, gzipped as nibabel does. CPU
seconds of a case hold the start of the processes, the clock's do not; on a machine that does other work too, only the
former mean something. What 1,082 cases take on 16 cores is arithmetic from them.
"""

from __future__ import annotations

import argparse
import json
import resource
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import torch

from benchmarks.curation.processes import in_a_process, on_what
from curation.runtime.progress import Progress
from models.preprocessing import PUBLISHED_PREPROCESSING
from train.data.dataset import open_dataset
from train.data.layout_totalsegmentator import V2_STRUCTURES
from train.data.preparing import in_parallel
from train.data.preparing.prepared import PreparedCases

SHAPE = (255, 255, 260)
CASES, CORES = 1082, 16


def write_cases(root: Path, count: int) -> None:
    """Write cases in TotalSegmentator's layout."""
    affine = np.diag([1.5, 1.5, 1.5, 1.0])
    make: Any = nibabel.Nifti1Image
    for number in range(count):
        random = np.random.default_rng(number)
        folder = root / f"s{number:04}"
        (folder / "segmentations").mkdir(parents=True)
        volume = np.full(SHAPE, -1000, np.int16)
        volume[20:235, 40:215] = random.normal(40, 60, (215, 175, SHAPE[2]))
        nibabel.save(make(volume, affine), folder / "ct.nii.gz")
        for name in V2_STRUCTURES:
            mask = np.zeros(SHAPE, np.uint8)
            radii = random.uniform(4, 45, 3)
            centre = [random.uniform(60, length - 60) for length in SHAPE]
            low = [int(c - r) for c, r in zip(centre, radii, strict=True)]
            box = tuple(slice(begin, begin + int(2 * r)) for begin, r in zip(low, radii, strict=True))
            axes = np.ogrid[box]
            mask[box] = sum(((axis - c) / r) ** 2 for axis, c, r in zip(axes, centre, radii, strict=True)) <= 1
            nibabel.save(make(mask, affine), folder / "segmentations" / f"{name}.nii.gz")


def prepared(data: Path, jobs: int) -> dict[str, float]:
    """Prepare all cases into a new folder; return the wall-clock and CPU seconds of a case, and memory."""
    torch.set_num_threads(1)
    dataset = open_dataset(data)
    in_parallel.ALONE_SECONDS = 1e9 if jobs == 1 else -1
    with tempfile.TemporaryDirectory() as cache:
        cases = PreparedCases(dataset, dataset.cases, PUBLISHED_PREPROCESSING, Path(cache))
        times = _Times()
        cases.prepare(jobs=jobs, progress=times)
        file = next(Path(cache).iterdir()).stat().st_size
    who = resource.RUSAGE_SELF if jobs == 1 else resource.RUSAGE_CHILDREN
    usage = resource.getrusage(who)
    return {
        "wall": (times.ends[-1] - times.ends[jobs - 1]) / (len(dataset.cases) - jobs),
        "cpu": (usage.ru_utime + usage.ru_stime) / len(dataset.cases),
        "peak": usage.ru_maxrss / 2**10,
        "file": file / 2**20,
    }


class _Times(Progress):
    """Notes when each case was done; the first of each process includes its start."""

    def __init__(self) -> None:
        self.ends: list[float] = []

    def advance(self) -> None:
        self.ends.append(time.monotonic())


def main(argv: Sequence[str] = sys.argv[1:]) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.training.bench_prepare", description=__doc__)
    parser.add_argument("--cases", type=int, default=6)
    parser.add_argument("--jobs", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--data", type=Path, help="a data set that is there already, in place of a made one")
    parser.add_argument("--one", type=int, help=argparse.SUPPRESS)
    args = parser.parse_args(argv)
    if args.one:
        print(json.dumps(prepared(args.data, args.one)))
        return 0
    with tempfile.TemporaryDirectory() as folder:
        data = args.data or Path(folder)
        if not args.data:
            write_cases(data, args.cases)
        print(f"{len(open_dataset(data).cases)} cases; {on_what('cpu', 1)}")
        for jobs in args.jobs:
            run = in_a_process("benchmarks.training.bench_prepare", ["--data", str(data), "--one", str(jobs)])
            minutes = CASES * run["cpu"] / CORES / 60
            print(
                f"processes {jobs}: {run['cpu']:.2f} CPU s a case ({run['wall']:.2f} s by the clock), at most "
                f"{run['peak']:,.0f} MiB a process, {run['file']:.0f} MiB a file; {CASES:,} cases on {CORES} cores by "
                f"arithmetic {minutes:.1f} min"
            )
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
