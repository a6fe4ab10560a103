"""Throughput and peak memory of `ovct curate`, from CSV to shards.

    python -m benchmarks.bench_curate                                          2,000 reports by rules; then the pipeline
                                                                               alone on 10,000 and 100,000
    python -m benchmarks.bench_curate --engine rules --sizes 10000 100000      the whole claim, some minutes

The reports are made from real ones: half of their sentences are kept word for word, as half of the sentences of
CT-RATE repeat an earlier one, and half are made unlike any other by a number. `instant` is an engine that claims a
caption for each sentence at once and a verifier that looks it up: what is left is the pipeline. Memory is the
proportional set size, summed over all processes of the run and sampled; CPU time is that of all of them.
"""

from __future__ import annotations

import argparse
import csv
import random
import re
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
REAL = ROOT.parent / "shared/data/reports/ctrate_chest_ct.csv"
EXAMPLES = ROOT / "examples/reports.csv"
DEFAULT_RUNS = [("rules", 2_000), ("instant", 10_000), ("instant", 100_000)]

CHILD = """
import sys
from pathlib import Path
from curation.curator import rules_recipe
from curation.pipeline import Job, curate
from tests.fakes import fake_recipe

reports, out, engine, workers = sys.argv[1:]
if __name__ == "__main__":
    recipe = rules_recipe() if engine == "rules" else fake_recipe()
    print(curate(Job(Path(reports), Path(out), workers=int(workers)), recipe).manifest.counts.model_dump_json())
"""


@dataclass(frozen=True, slots=True)
class Measured:
    reports: int
    seconds: float
    cpu_seconds: float
    peak_megabytes: float


def real_texts(path: Path) -> list[str]:
    with path.open(newline="", encoding="utf-8-sig") as file:
        rows = list(csv.DictReader(file))
    columns = [name for name in rows[0] if name.lower() in {"report_text", "findings", "impression"}]
    return [" ".join(row[name] for name in columns) for row in rows]


def write_reports(path: Path, texts: list[str], count: int) -> None:
    """`count` reports of distinct texts, the same for the same arguments."""
    chance = random.Random(count)
    sentences = [re.split(r"(?<=\.)\s+", text) for text in texts]
    with path.open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(["VolumeName", "Findings_EN", "Impressions_EN"])
        for number in range(count):
            made = [vary(sentence, chance) for sentence in sentences[number % len(sentences)]]
            rows.writerow([f"made_{number}.nii.gz", " ".join(made), ""])


def vary(sentence: str, chance: random.Random) -> str:
    if chance.random() < 0.5:
        return sentence
    return f"{sentence.rstrip('. ')} on image {chance.randrange(10**7)}."


def processes_of(parent: int) -> list[int]:
    """A process and all below it."""
    found, left = [], [parent]
    while left:
        one = left.pop()
        found.append(one)
        for task in Path(f"/proc/{one}/task").glob("*/children"):
            try:
                left += map(int, task.read_text().split())
            except OSError:
                continue
    return found


def megabytes(parent: int) -> float:
    total = 0
    for process in processes_of(parent):
        try:
            rollup = Path(f"/proc/{process}/smaps_rollup").read_text()
        except OSError:
            continue
        total += sum(int(line.split()[1]) for line in rollup.splitlines() if line.startswith("Pss:"))
    return total / 1024


def measure(engine: str, reports: Path, count: int, workers: int) -> Measured:
    with tempfile.TemporaryDirectory() as folder:
        call = [sys.executable, "-c", CHILD, str(reports), f"{folder}/set", engine, str(workers)]
        before, start, peak = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter(), 0.0
        with subprocess.Popen(call, cwd=ROOT, stdout=subprocess.DEVNULL) as process:
            while process.poll() is None:
                peak = max(peak, megabytes(process.pid))
                time.sleep(0.2)
        seconds, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    if process.returncode:
        raise SystemExit(f"the run failed with exit code {process.returncode}")
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Measured(count, seconds, cpu, peak)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--reports", type=Path, default=REAL if REAL.exists() else EXAMPLES)
    parser.add_argument("--engine", choices=["rules", "instant"])
    parser.add_argument("--sizes", type=int, nargs="+")
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()
    asked = options.engine or options.sizes
    runs = [(options.engine or "rules", size) for size in options.sizes or [2_000]] if asked else DEFAULT_RUNS
    texts = real_texts(options.reports)
    print(f"from {options.reports.name}, {options.workers} workers")
    print(f"{'engine':8} {'reports':>8} {'seconds':>8} {'reports/s':>9} {'CPU ms/report':>13} {'peak MB':>8}")
    for engine, size in runs:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "reports.csv"
            write_reports(path, texts, size)
            found = measure(engine, path, size, options.workers)
        rate, cpu = found.reports / found.seconds, 1000 * found.cpu_seconds / found.reports
        print(f"{engine:8} {size:8,} {found.seconds:8.1f} {rate:9,.0f} {cpu:13.2f} {found.peak_megabytes:8,.0f}")


if __name__ == "__main__":
    main()
