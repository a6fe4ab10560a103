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
    """Measured on two cores of an AMD EPYC, see docs/scale.md and docs/quality.md."""

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
class Assumed:
    """Not measured."""

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
class Estimate:
    """Hours of each stage, and what else it takes."""

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
        """Hours."""
        return max(self.driver, self.workers, self.gpus, self.store)

    @property
    def slowest(self) -> str:
        """The stage that sets the pace."""
        stages = {"driver": self.driver, "workers": self.workers, "GPUs": self.gpus, "store": self.store}
        return max(stages, key=stages.__getitem__)


def manifests(parts: int, at_once: int = 1_000) -> tuple[int, float]:
    """How often the manifest of so many parts is written, and how many parts all of these name together."""
    whole = min(parts, 2 * at_once)
    if parts <= 2 * at_once:
        return parts + 2, parts * parts / 2
    return whole + round(at_once * math.log(parts / whole)) + 2, whole * whole / 2 + at_once * (parts - whole)


def estimate(reports: int, rates: Rates, assumed: Assumed, model: bool) -> Estimate:
    """For the rules, or with a language `model`."""
    fresh = reports * assumed.distinct
    each = rates.verify_ms if model else rates.known_ms + assumed.new * rates.new_ms
    core_s = fresh * each / 1000 + assumed.cores * rates.learning_s
    gpu_s = fresh * (rates.tokens_in / assumed.gpu_in + rates.tokens_out / assumed.gpu_out) if model else 0.0
    parts = math.ceil(reports / (1_000 if model else 10_000))
    tables = 4 if model else 3
    saves, named = manifests(parts)
    puts = parts * tables + saves + 3
    driver_s = rates.start_s + reports * rates.driver_ms / 1000
    wall_s = max(driver_s, core_s / assumed.cores, gpu_s / assumed.gpus)
    cores_paid = assumed.cores * wall_s / 3600
    gpus_paid = assumed.gpus * wall_s / 3600 if model else 0.0
    return Estimate(
        reports=reports,
        driver=driver_s / 3600,
        workers=core_s / assumed.cores / 3600,
        gpus=gpu_s / assumed.gpus / 3600,
        store=(puts + saves) * assumed.store_ms / 1000 / 3600,
        core_hours=core_s / 3600,
        gpu_hours=gpu_s / 3600,
        parts=parts,
        objects=parts * tables + 5,
        puts=puts,
        manifest_gb=named * rates.part_bytes / 1e9,
        disk_gb=(reports * rates.report_bytes + fresh * (rates.outcome_bytes + model * assumed.answers_bytes)) / 1e9,
        memory_gb=(assumed.node_cores * rates.worker_mb + rates.node_mb + rates.driver_mb) / 1024,
        price=cores_paid * assumed.core_price
        + gpus_paid * assumed.gpu_price
        + (puts + saves) / 1e6 * assumed.put_price,
    )


def table(rates: Rates, assumed: Assumed, model: bool) -> list[str]:
    """Rows of a Markdown table, one for each size."""
    head = "| reports | wall | slowest | driver | core h | GPU h | parts | objects | requests | disk | price |"
    lines = [head, "| ---: " + "| --- " * 2 + "| ---: " * 8 + "|"]
    for size in SIZES:
        one = estimate(size, rates, assumed, model)
        lines.append(
            f"| {size:,} | {hours(one.wall)} | {one.slowest} | {hours(one.driver)} | {one.core_hours:,.1f} | "
            f"{one.gpu_hours:,.0f} | {one.parts:,} | {one.objects:,} | {one.puts:,} | {one.disk_gb:,.1f} GB | "
            f"{one.price:,.2f} |"
        )
    return lines


def hours(time_h: float) -> str:
    """For people."""
    if time_h < 1 / 30:
        return f"{3600 * time_h:.0f} s"
    if time_h < 1.5:
        return f"{60 * time_h:.0f} min"
    return f"{time_h:,.1f} h" if time_h < 48 else f"{time_h / 24:,.1f} d"


def check(workers: int) -> None:
    """Rates from two small runs, the time that follows for a larger one, and the time that it takes."""
    from benchmarks.curation.bench_curate import EXAMPLES, REAL, measure, real_texts, write_reports

    texts = real_texts(REAL if REAL.exists() else EXAMPLES)
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        found = {}
        for count in (4_000, 16_000, 48_000):
            write_reports(folder / f"{count}.csv", texts, count, "recombined")
            for engine in ("instant", "rules"):
                found[engine, count] = measure(engine, folder / f"{count}.csv", count, workers, folder / "known.json")
        # Two sizes give what each report costs, and what comes once.
        each, once = {}, {}
        for engine in ("instant", "rules"):
            small, large = found[engine, 4_000], found[engine, 16_000]
            each[engine] = (large.seconds - small.seconds) / 12_000
            once[engine] = small.seconds - 4_000 * each[engine]
        for engine in ("instant", "rules"):
            predicted = once[engine] + 48_000 * each[engine]
            took = found[engine, 48_000].seconds
            print(
                f"{engine:8} {1000 * each[engine]:.2f} ms a report, {once[engine]:.1f} s once: 48,000 reports in "
                f"{predicted:.1f} s by the model, {took:.1f} s measured, ratio {took / predicted:.2f}"
            )


def main() -> None:
    """Print the tables, or the check."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for kind in (Rates, Assumed):
        for one in fields(kind):
            name = f"--{one.name.replace('_', '-')}"
            parser.add_argument(name, type=type(one.default), default=one.default, help=f"{kind.__name__.lower()}")
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--processes", type=int, default=2)
    options = vars(parser.parse_args())
    if options["check"]:
        start = time.perf_counter()
        check(options["processes"])
        print(f"in {time.perf_counter() - start:.0f} s")
        return
    rates = Rates(**{one.name: options[one.name] for one in fields(Rates)})
    assumed = Assumed(**{one.name: options[one.name] for one in fields(Assumed)})
    print(f"{rates}\n{assumed}")
    for model in (False, True):
        print(f"\n{'a language model' if model else 'rules'}")
        print("\n".join(table(rates, assumed, model)))


if __name__ == "__main__":
    main()
