"""Throughput and peak memory of `ovct curate`, from CSV to shards.

    python -m benchmarks.curation.bench_curate                            10,000 and 100,000 reports, some minutes
    python -m benchmarks.curation.bench_curate --engine instant           the pipeline alone
    python -m benchmarks.curation.bench_curate --engine chat              a language model that answers at once
    python -m benchmarks.curation.bench_curate --texts real --sizes 742   the real reports, each once and cold
    python -m benchmarks.curation.bench_curate --texts unseen --sizes 2000   the worst case

No two reports have the same text. `recombined` reports have the length and order of a real one, and half of their
sentences come from the same place in other real reports, so that sentences recur as often as they do in the file.
`real` takes the file's own reports. In `unseen`, half of the sentences are made unlike any other by a number, so that
nothing that is cached about a sentence helps again. `instant` is an engine that claims a caption for each sentence
at once and a verifier that looks it up: what is left is the pipeline. `chat` is a language model that answers at once,
with the captions that the rules make of each sentence: what is left is everything that goes on around a model (chats
made and hashed, answers kept, taken apart and verified, written with the raw answers), so a model can be as fast as
this before it waits. Memory is the proportional set size, summed over
all processes of the run and sampled; CPU time is that of all of them.
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
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from benchmarks.curation.instant_chat import write_answers

ROOT = Path(__file__).resolve().parents[2]
REAL = ROOT.parent / "shared/data/reports/ctrate_chest_ct.csv"
EXAMPLES = ROOT / "examples/reports.csv"
SIZES = [10_000, 100_000]

CHILD = """
import sys
from pathlib import Path
from benchmarks.curation.instant_chat import instant_recipe
from curation.extraction.text_engine import rules_recipe
from curation.pipeline import CurateJob, curate
from tests.curation.fakes import fake_recipe

reports, out, engine, workers, answers = sys.argv[1:]
if __name__ == "__main__":
    recipes = {"rules": rules_recipe, "instant": fake_recipe, "chat": lambda: instant_recipe(Path(answers))}
    job = CurateJob(Path(reports), Path(out), workers=int(workers))
    print(curate(job, recipes[engine]()).manifest.counts.model_dump_json())
"""


@dataclass(frozen=True, slots=True)
class CurateMeasurement:
    """What a run took: wall and CPU time of all its processes, and their peak memory together."""

    reports: int
    seconds: float
    cpu_seconds: float
    peak_megabytes: float


def real_texts(path: Path) -> list[str]:
    with path.open(newline="", encoding="utf-8-sig") as file:
        rows = list(csv.DictReader(file))
    columns = [name for name in rows[0] if name.lower() in {"report_text", "findings", "impression"}]
    return [" ".join(row[name] for name in columns) for row in rows]


def write_reports(path: Path, texts: list[str], count: int, kind: str) -> None:
    """Write `count` reports of distinct texts, the same for the same arguments."""
    chance = random.Random(count)
    sentences = [re.split(r"(?<=\.)\s+", text) for text in texts]
    make: dict[str, Callable[[list[str]], list[str]]] = {
        "real": list,
        "unseen": partial(_unseen, chance),
        "recombined": partial(_mixed, chance, sentences),
    }
    with path.open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(["VolumeName", "Findings_EN", "Impressions_EN"])
        for number in range(count):
            report = make[kind](sentences[number % len(sentences)])
            rows.writerow([f"made_{number}.nii.gz", " ".join(report), ""])


def _unseen(chance: random.Random, report: list[str]) -> list[str]:
    return [
        sentence if chance.random() < 0.5 else f"{sentence.rstrip('. ')} on image {chance.randrange(10**7)}."
        for sentence in report
    ]


def _mixed(chance: random.Random, reports: list[list[str]], report: list[str]) -> list[str]:
    mixed = []
    for index, sentence in enumerate(report):
        other = chance.choice(reports)
        mixed.append(other[index * len(other) // len(report)] if chance.random() < 0.5 else sentence)
    return mixed


def processes_of(parent: int) -> list[int]:
    """Return a process and all below it."""
    processes, unvisited = [], [parent]
    while unvisited:
        process = unvisited.pop()
        processes.append(process)
        for task in Path(f"/proc/{process}/task").glob("*/children"):
            try:
                unvisited += map(int, task.read_text().split())
            except OSError:
                continue
    return processes


def megabytes(parent: int) -> float:
    return sum(map(megabytes_of, processes_of(parent)))


def megabytes_of(process: int) -> float:
    """Return the proportional set size of a process, 0 if it has ended."""
    try:
        rollup = Path(f"/proc/{process}/smaps_rollup").read_text()
    except OSError:
        return 0.0
    return sum(int(line.split()[1]) for line in rollup.splitlines() if line.startswith("Pss:")) / 1024


def measure(engine: str, reports: Path, count: int, workers: int, answers: Path) -> CurateMeasurement:
    with tempfile.TemporaryDirectory() as folder:
        call = [sys.executable, "-c", CHILD, str(reports), f"{folder}/set", engine, str(workers), str(answers)]
        before, start, peak = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter(), 0.0
        with subprocess.Popen(call, cwd=ROOT, stdout=subprocess.DEVNULL) as process:
            while process.poll() is None:
                peak = max(peak, megabytes(process.pid))
                time.sleep(0.2)
        seconds, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    if process.returncode:
        raise SystemExit(f"the run failed with exit code {process.returncode}")
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return CurateMeasurement(count, seconds, cpu, peak)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--reports", type=Path, default=REAL if REAL.exists() else EXAMPLES)
    parser.add_argument("--engine", choices=["rules", "instant", "chat"], default="rules")
    parser.add_argument("--texts", choices=["recombined", "real", "unseen"], default="recombined")
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES)
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()
    texts = real_texts(options.reports)
    print(f"{options.texts} from {options.reports.name}, {options.workers} workers")
    print(f"{'engine':8} {'reports':>8} {'seconds':>8} {'reports/s':>9} {'CPU ms/report':>13} {'peak MB':>8}")
    for size in options.sizes:
        with tempfile.TemporaryDirectory() as folder:
            path, answers = Path(folder) / "reports.csv", Path(folder) / "answers.json"
            write_reports(path, texts, size, options.texts)
            if options.engine == "chat":
                write_answers(texts, answers)
            run = measure(options.engine, path, size, options.workers, answers)
        rate, cpu = run.reports / run.seconds, 1000 * run.cpu_seconds / run.reports
        row = f"{options.engine:8} {size:8,} {run.seconds:8.1f} {rate:9,.0f}"
        print(f"{row} {cpu:13.2f} {run.peak_megabytes:8,.0f}")


if __name__ == "__main__":
    main()
