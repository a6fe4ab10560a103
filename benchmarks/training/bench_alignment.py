"""Alignment on the demo's phantoms: what captions are held against, and what caching the volumes' vectors saves.

    python -m benchmarks.training.bench_alignment [--demo runs/demo] [--seeds 0 1 2 3 4] [--steps 60] [--locked-text]
        [--pooling structures_hu]

1. The demo's alignment with the same batches and seeds: CLIP on reports alone; with MGCL on K = 3 captions held against
   the whole volume, against their organ's part of it, and against that with opposites as hard negatives. R@1 and R@5 on
   held-out phantoms, by the report and with its captions, and the mean AUC of zero-shot findings (`ovct evaluate
   --findings`) on the same. With `--locked-text` the text encoder does not train, and a run takes seconds: what is
   compared are the projections. `--pooling structures` leaves out what is counted by HU.
2. `--epochs`: an epoch of the alignment from cached vectors, against one in which every volume goes through the frozen
   encoder: both from measured rates on this machine, and what 47,000 volumes with 3 captions would take by these rates.

What is finished in DEMO/ablation is not run again.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks.training.demo_world import DemoWorld, metrics
from tests.models.encoders import minilm_directory

VOLUMES = 47_000


LOSSES: dict[str, dict[str, object]] = {
    "CLIP": {"mgcl": "volume", "caption_weight": 0},
    "MGCL volume": {"mgcl": "volume"},
    "MGCL organ": {"mgcl": "organ"},
    "+ opposites": {"mgcl": "organ", "opposite_weight": 1},
}
MEASURES = ("R@1", "R@5", "report→volume R@1", "with captions R@1", "R@5", "AUC")


def main() -> None:
    """Print the table of losses, and with `--epochs` that of epochs."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--demo", type=Path, default=Path("runs/demo"))
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2, 3, 4])
    parser.add_argument("--steps", type=int, default=60)
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--locked-text", action="store_true")
    parser.add_argument("--learning-rate", type=float, help="default: that of examples/demo/align.yaml")
    parser.add_argument("--pooling", choices=("structures_hu", "structures"), default="structures_hu")
    parser.add_argument("--losses", nargs="+", choices=LOSSES, default=list(LOSSES))
    parser.add_argument("--epochs", action="store_true")
    options = parser.parse_args()
    world = DemoWorld.pretrained(options.demo)
    settings: dict[str, object] = {"steps": options.steps, "batch_size": options.batch_size}
    settings |= {"text_learning_rate": 0} if options.locked_text else {}
    settings |= {"learning_rate": options.learning_rate} if options.learning_rate else {}
    settings |= {"pooling": options.pooling}
    print(f"stage 1 after {world.steps_of('pretrain')} steps; stage 2: {settings}")
    seconds = compare_losses(world, options.losses, options.seeds, settings)
    if options.epochs:
        compare_epochs(world, seconds)


def compare_losses(world: DemoWorld, losses: list[str], seeds: list[int], settings: Mapping[str, object]) -> float:
    """Print the table of losses; return the seconds for one report with its captions in a step with MGCL."""
    print(f"{'loss':13s}  seed  " + "  ".join(MEASURES))
    measured: dict[str, list[tuple[float, ...]]] = {name: [] for name in losses}
    rates: list[float] = []
    for seed in seeds:
        for name in losses:
            key = "-".join(map(str, (name.strip("+ ").replace(" ", ""), *settings.values(), seed)))
            out = world.folder / "ablation" / f"align-{key}"
            measured[name].append(aligned(world, out, {**settings, **LOSSES[name], "seed": seed}))
            print(f"{name:13s}  {seed:4d}  {_row(measured[name][-1])}", flush=True)
            if name != "CLIP":
                rates += [line["seconds_per_step"] for line in metrics(out) if line["kind"] == "train"]
    for name, values in measured.items():
        columns = list(zip(*values, strict=True))
        print(f"{name:13s}  mean  {_row([statistics.mean(column) for column in columns])}")
        print(f"{'':13s}        {_row([min(column) for column in columns])}  lowest")
        print(f"{'':13s}        {_row([max(column) for column in columns])}  highest")
    return float(statistics.median(rates)) / int(str(settings["batch_size"])) if rates else float("nan")


def aligned(world: DemoWorld, out: Path, settings: Mapping[str, object]) -> tuple[float, ...]:
    """Align with the demo's settings and some others, in this process; return the `MEASURES`."""
    from curation.runtime.progress import Progress
    from train.config.loading import load_config
    from train.config.options import AlignConfig
    from train.evaluation.findings.evaluate_findings import FindingsJob, evaluate_findings
    from train.inference.options import SegmentOptions
    from train.stages.run import TrainJob, train

    cache = world.folder / "align" / "cache"
    where = {"image": str(world.folder / "pretrain"), "text": str(minilm_directory()), "cache": str(cache)}
    config = load_config(AlignConfig, world.config("align"), {**where, "evaluate_every": settings["steps"], **settings})
    outcome = train(TrainJob((world.folder / "captions",), out, volumes=world.dataset), config, Progress())
    assert outcome is not None
    labels, results = world.folder / "phantoms" / "findings.csv", out.with_name(f"{out.name}-findings")
    job = FindingsJob(world.dataset, out, labels, results, SegmentOptions(), cache=cache, overwrite=True)
    area = evaluate_findings(job, Progress()).mean_auc.value
    alone = "volume_to_report_r@1", "volume_to_report_r@5"
    keys = (*alone, "report_to_volume_r@1", *(f"with_captions_{name}" for name in alone))
    return tuple(float(value or 0) for value in (*(outcome.evaluation[key] for key in keys), area))


def _row(values: Sequence[float]) -> str:
    return "  ".join(f"{value:{len(title)}.3f}" for title, value in zip(MEASURES, values, strict=True))


def compare_epochs(world: DemoWorld, text_seconds: float) -> None:
    """Print what an epoch takes, from the text rate as trained above and the encoder's rate in this process."""
    import torch

    from models.aligner import Aligner
    from models.checkpoint import load_checkpoint
    from models.stunet import STUNet
    from models.text import TextEncoder
    from train.alignment.pooled_volumes import pool_volume, read_volume
    from train.config.loading import load_config
    from train.config.options import AlignConfig
    from train.data.dataset import open_dataset
    from train.loop.precision import cpu_has_bfloat16

    image, record = load_checkpoint(world.folder / "pretrain")
    assert isinstance(image, STUNet)
    options = load_config(AlignConfig, world.config("align"), {}).alignment
    text = TextEncoder.from_pretrained(minilm_directory())
    aligner = Aligner(image, text, pooling=options.pooling).eval()
    cases = open_dataset(world.dataset).cases[:20]
    reading = encoding = 0.0
    for case in cases:
        start = time.monotonic()
        volume = read_volume(case, record.preprocessing, aligner.reads_hounsfield).volume
        read = time.monotonic()
        with torch.no_grad(), torch.autocast("cpu", torch.bfloat16, enabled=cpu_has_bfloat16()):
            pool_volume(aligner, volume, options.window)
        reading, encoding = reading + read - start, encoding + time.monotonic() - read
    volume_seconds = (reading + encoding) / len(cases)
    print(
        f"\na volume: {reading / len(cases):.3f} s to read, {encoding / len(cases):.3f} s to encode; "
        f"a report with 3 captions: {text_seconds:.3f} s in a training step"
    )
    ratio = (volume_seconds + text_seconds) / text_seconds
    print(f"an epoch that encodes each volume takes {ratio:.2f} times an epoch from the cache")
    once, epoch = VOLUMES * volume_seconds / 3600, VOLUMES * text_seconds / 3600
    print(
        f"{VOLUMES:,} such volumes × 3 captions at these rates: {once:.1f} h once, then {epoch:.1f} h an epoch "
        f"({once + epoch:.1f} h an epoch without the cache)"
    )


if __name__ == "__main__":
    main()
