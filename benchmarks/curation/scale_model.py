"""What it takes to curate so many reports: a small model of the pipeline, its numbers, and a check against runs here.

    python -m benchmarks.curation.scale_model                              the tables of docs/scale.md
    python -m benchmarks.curation.scale_model --gpu-out 5000 --gpus 64     with other assumptions
    python -m benchmarks.curation.scale_model --check                      rates of small runs here, and a larger one

One process reads, keeps outcomes and writes (the driver); batches queue for workers, which extract and verify; a
language model answers on GPUs. All of it goes on at once, so the slowest stage sets the pace:

    wall = start + max(driver, workers, GPUs),  driver = N * driver_ms
    workers = (N * distinct * (known_ms + new * new_ms) + workers * learning_s) / cores
    GPUs = N * distinct * (tokens_in / gpu_in + tokens_out / gpu_out) / gpus

`new` is the share of reports whose sentences were not seen before by the worker; `learning_s` is what a worker takes to
see the sentences that a corpus keeps repeating. Where driver and workers share the cores, their times add up.
"""

from __future__ import annotations

import argparse
import math
import tempfile
import time
from dataclasses import dataclass, fields
from pathlib import Path

SIZES = (50_000, 1_000_000, 10_000_000, 100_000_000)


@dataclass(frozen=True)
class Rates:
    """Rates that were measured on two cores of an AMD EPYC, see docs/scale.md and docs/quality.md."""

    driver_ms: float = 0.25
    known_ms: float = 1.1
    new_ms: float = 16.3
    learning_s: float = 11.6
    start_s: float = 12.0
    verify_ms: float = 1.65
    tokens_in: float = 3_212
    tokens_out: float = 439
    report_bytes: float = 1_875
    outcome_bytes: float = 1_546
    part_bytes: float = 203
    driver_mb: float = 285
    worker_mb: float = 250
    node_mb: float = 950


@dataclass(frozen=True)
class Assumptions:
    """Assumptions about the input, the machines and their prices, which were not measured."""

    distinct: float = 0.9
    new: float = 0.2
    cores: int = 64
    gpus: int = 16
    gpu_in: float = 20_000
    gpu_out: float = 2_500
    gpu_price: float = 2.5
    core_price: float = 0.04
    node_cores: int = 16
    put_price: float = 5.0
    store_ms: float = 50
    answers_bytes: float = 2_000


@dataclass(frozen=True)
class RunEstimate:
    """What a run takes: hours of each stage, files, memory and money."""

    reports: int
    driver: float
    workers: float
    gpus: float
    store: float
    core_hours: float
    gpu_hours: float
    parts: int
    objects: int
    puts: int
    manifest_gb: float
    disk_gb: float
    memory_gb: float
    price: float

    @property
    def wall(self) -> float:
        """Hours until the run is done."""
        return max(self.driver, self.workers, self.gpus, self.store)

    @property
    def slowest(self) -> str:
        """The stage that sets the pace."""
        stages = {"driver": self.driver, "workers": self.workers, "GPUs": self.gpus, "store": self.store}
        return max(stages, key=stages.__getitem__)


def manifests(parts: int, at_once: int = 1_000) -> tuple[int, float]:
    """Return how often the manifest of so many parts is written, and how many parts it names in all of these."""
    written_singly = min(parts, 2 * at_once)
    if parts <= 2 * at_once:
        return parts + 2, parts * parts / 2
    saves = written_singly + round(at_once * math.log(parts / written_singly)) + 2
    return saves, written_singly * written_singly / 2 + at_once * (parts - written_singly)


def estimate(reports: int, rates: Rates, assumptions: Assumptions, model: bool) -> RunEstimate:
    """Estimate a run by the rules, or with a language `model`."""
    fresh = reports * assumptions.distinct
    report_ms = rates.verify_ms if model else rates.known_ms + assumptions.new * rates.new_ms
    core_s = fresh * report_ms / 1000 + assumptions.cores * rates.learning_s
    gpu_s = fresh * (rates.tokens_in / assumptions.gpu_in + rates.tokens_out / assumptions.gpu_out) if model else 0.0
    parts = math.ceil(reports / (1_000 if model else 10_000))
    tables = 4 if model else 3
    bytes_per_text = rates.outcome_bytes + model * assumptions.answers_bytes
    saves, named = manifests(parts)
    puts = parts * tables + saves + 3
    driver_s = rates.start_s + reports * rates.driver_ms / 1000
    wall_s = max(driver_s, core_s / assumptions.cores, gpu_s / assumptions.gpus)
    cores_paid = assumptions.cores * wall_s / 3600
    gpus_paid = assumptions.gpus * wall_s / 3600 if model else 0.0
    return RunEstimate(
        reports=reports,
        driver=driver_s / 3600,
        workers=core_s / assumptions.cores / 3600,
        gpus=gpu_s / assumptions.gpus / 3600,
        store=(puts + saves) * assumptions.store_ms / 1000 / 3600,
        core_hours=core_s / 3600,
        gpu_hours=gpu_s / 3600,
        parts=parts,
        objects=parts * tables + 5,
        puts=puts,
        manifest_gb=named * rates.part_bytes / 1e9,
        disk_gb=(reports * rates.report_bytes + fresh * bytes_per_text) / 1e9,
        memory_gb=(assumptions.node_cores * rates.worker_mb + rates.node_mb + rates.driver_mb) / 1024,
        price=cores_paid * assumptions.core_price
        + gpus_paid * assumptions.gpu_price
        + (puts + saves) / 1e6 * assumptions.put_price,
    )


def table(rates: Rates, assumptions: Assumptions, model: bool) -> list[str]:
    """Return the rows of a Markdown table, one for each size."""
    head = "| reports | wall | slowest | driver | core h | GPU h | parts | objects | requests | disk | price |"
    lines = [head, "| ---: " + "| --- " * 2 + "| ---: " * 8 + "|"]
    for size in SIZES:
        run = estimate(size, rates, assumptions, model)
        lines.append(
            f"| {size:,} | {hours(run.wall)} | {run.slowest} | {hours(run.driver)} | {run.core_hours:,.1f} | "
            f"{run.gpu_hours:,.0f} | {run.parts:,} | {run.objects:,} | {run.puts:,} | {run.disk_gb:,.1f} GB | "
            f"{run.price:,.2f} |"
        )
    return lines


def hours(time_h: float) -> str:
    """Write a time for people to read."""
    if time_h < 1 / 30:
        return f"{3600 * time_h:.0f} s"
    if time_h < 1.5:
        return f"{60 * time_h:.0f} min"
    return f"{time_h:,.1f} h" if time_h < 48 else f"{time_h / 24:,.1f} d"


def check(workers: int) -> None:
    """Measure rates in two small runs, and print the time predicted for a larger one beside the time that it takes."""
    from benchmarks.curation.bench_curate import EXAMPLES, REAL, measure, real_texts, write_reports

    texts = real_texts(REAL if REAL.exists() else EXAMPLES)
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        runs = {}
        for count in (4_000, 16_000, 48_000):
            write_reports(folder / f"{count}.csv", texts, count, "recombined")
            for engine in ("instant", "rules"):
                runs[engine, count] = measure(engine, folder / f"{count}.csv", count, workers, folder / "answers.json")
        # Two sizes give what each report costs, and what comes once.
        per_report, once = {}, {}
        for engine in ("instant", "rules"):
            small, large = runs[engine, 4_000], runs[engine, 16_000]
            per_report[engine] = (large.seconds - small.seconds) / 12_000
            once[engine] = small.seconds - 4_000 * per_report[engine]
        for engine in ("instant", "rules"):
            predicted = once[engine] + 48_000 * per_report[engine]
            took = runs[engine, 48_000].seconds
            print(
                f"{engine:8} {1000 * per_report[engine]:.2f} ms a report, {once[engine]:.1f} s once: 48,000 reports in "
                f"{predicted:.1f} s by the model, {took:.1f} s measured, ratio {took / predicted:.2f}"
            )


def main() -> None:
    """Print the tables, or the check."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for kind in (Rates, Assumptions):
        for field in fields(kind):
            name = f"--{field.name.replace('_', '-')}"
            parser.add_argument(name, type=type(field.default), default=field.default, help=f"{kind.__name__.lower()}")
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--processes", type=int, default=2)
    options = vars(parser.parse_args())
    if options["check"]:
        start = time.perf_counter()
        check(options["processes"])
        print(f"in {time.perf_counter() - start:.0f} s")
        return
    rates = Rates(**{field.name: options[field.name] for field in fields(Rates)})
    assumptions = Assumptions(**{field.name: options[field.name] for field in fields(Assumptions)})
    print(f"{rates}\n{assumptions}")
    for model in (False, True):
        print(f"\n{'a language model' if model else 'rules'}")
        print("\n".join(table(rates, assumptions, model)))


if __name__ == "__main__":
    main()
