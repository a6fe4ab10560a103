"""What Ray costs beside plain worker processes on the same cores, what memory it takes, and how fast a run goes on.

    python -m benchmarks.curation.bench_ray                       all of it, about half an hour on two cores
    python -m benchmarks.curation.bench_ray overhead --size 10000 rules on recombined reports, without and with Ray
    python -m benchmarks.curation.bench_ray memory --sizes 100000 1000000
    python -m benchmarks.curation.bench_ray resume --size 100000  stopped after 99 %, then resumed

Overhead is the ratio of the times, with Ray's start (some seconds) and without it, the second run of each being that of
an engine that answers at once: what is left there is the pipeline alone. Memory is the proportional set size, sampled:
of the process that reads and writes, of Ray's workers together, and of the rest of Ray (its servers, the object store
and the actor that holds batches), at the first tenth of the run and at its peak, with an engine that answers at once.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.curation.bench_curate import EXAMPLES, REAL, ROOT, megabytes_of, processes_of, real_texts
from benchmarks.curation.bench_curate import write_reports as write_recombined
from curation.caption import Draft, MadeBy
from curation.extraction.text_engine import TextRecipe
from curation.report import Report
from tests.curation.fakes import FakeEngine, FakeVerifier, drafts_of
from tests.curation.fakes import write_reports as write_short

CHILD = """
import sys, time
from pathlib import Path
from curation.extraction.text_engine import rules_recipe
from curation.runtime.errors import Interrupted
from curation.pipeline import CurateJob, curate
from curation.runtime.progress import Progress
from benchmarks.curation.bench_ray import instant_recipe
from curation.ray_cluster.recipe import RayRecipe

class TimedProgress(Progress):
    def __init__(self, stop): self.done, self.stop, self.first = 0, stop, None
    def advance(self):
        self.done += 1
        if self.first is None:
            self.first = time.monotonic()
            print("began", flush=True)
        if self.done == self.stop: raise Interrupted

reports, out, engine, workers, ray, stop = sys.argv[1:]
if __name__ == "__main__":
    recipe = {"rules": rules_recipe, "instant": instant_recipe}[engine]()
    job = CurateJob(Path(reports), Path(out), workers=int(workers))
    progress = TimedProgress(int(stop))
    try:
        curate(job, RayRecipe(recipe, "local", int(workers)) if ray == "1" else recipe, progress)
    except Interrupted:
        pass
    print(f"worked {time.monotonic() - progress.first:.3f}", flush=True)
"""


class StatelessEngine(FakeEngine):
    """Answers at once, and keeps no history."""

    def extract(self, reports: Sequence[Report]) -> Iterator[Iterable[Draft]]:
        """Yield the drafts of each report."""
        for report in reports:
            yield drafts_of(report.text)


def instant_recipe() -> TextRecipe:
    """Return a recipe of the engine that answers at once."""
    return TextRecipe(MadeBy("fake", FakeEngine.model, FakeEngine.prompt), _build)


def _build() -> tuple[StatelessEngine, FakeVerifier]:
    """Build engine and verifier."""
    return StatelessEngine(), FakeVerifier()


@dataclass(frozen=True)
class RayMeasurement:
    """Seconds in all, seconds since the first report was written, and megabytes by kind of process, (early, peak)."""

    seconds: float
    worked: float
    memory: dict[str, tuple[float, float]]


KINDS = ("driver", "workers", "rest of Ray")


def kind_of(process: int, driver: int) -> str:
    """Return which part of a run a process is: one of `KINDS`."""
    if process == driver:
        return "driver"
    try:
        name = Path(f"/proc/{process}/cmdline").read_bytes()
    except OSError:
        return "rest of Ray"
    return "workers" if name.startswith((b"ray::MapBatches", b"ray::_MapWorker", b"ray::IDLE")) else "rest of Ray"


def run(reports: Path, out: Path, engine: str, *, ray: bool, workers: int = 2, stop: int = -1) -> RayMeasurement:
    """Run the pipeline in a process of its own."""
    call = [sys.executable, "-c", CHILD, str(reports), str(out), engine, str(workers), str(int(ray)), str(stop)]
    start, samples = time.perf_counter(), list[dict[str, float]]()
    with subprocess.Popen(call, cwd=ROOT, stdout=subprocess.PIPE, text=True, stderr=subprocess.DEVNULL) as process:
        while process.poll() is None:
            sample = dict.fromkeys(KINDS, 0.0)
            for child in processes_of(process.pid):
                sample[kind_of(child, process.pid)] += megabytes_of(child)
            samples.append(sample)
            time.sleep(0.5)
        assert process.stdout is not None
        lines = process.stdout.read().splitlines()
    if process.returncode or not lines:
        raise SystemExit(f"the run failed with exit code {process.returncode}")
    seconds = time.perf_counter() - start
    worked = float(lines[-1].removeprefix("worked "))
    begun = next((number for number, sample in enumerate(samples) if not ray or sample["workers"] > 0), 0)
    early = samples[begun : begun + max((len(samples) - begun) // 10, 4)]
    memory = {
        kind: (max(sample[kind] for sample in early), max(sample[kind] for sample in samples[begun:] or samples))
        for kind in KINDS
    }
    return RayMeasurement(seconds, worked, memory)


def overhead(folder: Path, size: int, workers: int) -> None:
    """Compare processes and Ray on the same cores."""
    reports = folder / "recombined.csv"
    write_recombined(reports, real_texts(REAL if REAL.exists() else EXAMPLES), size, "recombined")
    print(f"overhead, {size:,} recombined reports, {workers} workers")
    print(f"{'engine':8} {'how':10} {'seconds':>8} {'working':>8} {'reports/s':>9}")
    for engine in ("rules", "instant"):
        runs = {}
        for ray in (False, True):
            measured = runs[ray] = run(reports, folder / f"{engine}-{ray}", engine, ray=ray, workers=workers)
            how = "Ray" if ray else "processes"
            times = f"{measured.seconds:8.1f} {measured.worked:8.1f} {size / measured.worked:9,.0f}"
            print(f"{engine:8} {how:10} {times}", flush=True)
        whole, alone = runs[True].seconds / runs[False].seconds, runs[True].worked / runs[False].worked
        print(f"{engine:8} Ray takes {whole:.2f} times as long, {alone:.2f} times without its start", flush=True)


def memory(folder: Path, sizes: list[int], workers: int) -> None:
    """Measure the memory of the same run, longer and longer."""
    print(f"memory in MB, an engine that answers at once, {workers} workers: early and at the peak")
    print(f"{'reports':>10} {'seconds':>8} {'reports/s':>9} " + " ".join(f"{kind:>15}" for kind in KINDS))
    for size in sizes:
        reports = write_short(folder / f"{size}.csv", size)
        measured = run(reports, folder / f"set-{size}", "instant", ray=True, workers=workers)
        megabytes = " ".join(f"{early:7,.0f} {peak:7,.0f}" for early, peak in measured.memory.values())
        print(f"{size:10,} {measured.seconds:8.1f} {size / measured.worked:9,.0f} {megabytes}", flush=True)
        reports.unlink()


def resume(folder: Path, size: int, workers: int) -> None:
    """Measure how long a run takes that is 99 % done."""
    print(f"going on after 99 % of {size:,} recombined reports by rules")
    reports = folder / "resume.csv"
    write_recombined(reports, real_texts(REAL if REAL.exists() else EXAMPLES), size, "recombined")
    for ray in (False, True):
        out = folder / f"resumed-{ray}"
        first = run(reports, out, "rules", ray=ray, workers=workers, stop=size * 99 // 100)
        rest = run(reports, out, "rules", ray=ray, workers=workers)
        how = "Ray" if ray else "processes"
        print(f"{how:10} 99 % in {first.seconds:.1f} s, the rest in {rest.seconds:.1f} s", flush=True)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", nargs="?", choices=["all", "overhead", "memory", "resume"], default="all")
    parser.add_argument("--size", type=int, default=10_000)
    parser.add_argument("--sizes", type=int, nargs="+", default=[100_000, 1_000_000])
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        if options.what in ("all", "overhead"):
            overhead(folder, options.size, options.workers)
        if options.what in ("all", "memory"):
            memory(folder, options.sizes, options.workers)
        if options.what in ("all", "resume"):
            resume(folder, options.size, options.workers)


if __name__ == "__main__":
    main()
