"""Alignment on the demo's phantoms: MGCL beside the CLIP loss alone, and what caching the volumes' vectors saves.

    python -m benchmarks.training.bench_alignment [--demo runs/demo] [--seeds 0 1 2] [--steps 150]

1. The demo's alignment with caption_weight 1 (CLIP on reports and MGCL on K = 3 captions) and 0 (CLIP alone), same
   batches and seeds: R@1 on held-out phantoms.
2. An epoch of the alignment from cached vectors, against one in which every volume goes through the frozen encoder:
   both from measured rates on this machine, and what 47,000 volumes with 3 captions each would take by these rates.
"""

from __future__ import annotations

import argparse
import statistics
import time
from pathlib import Path

from benchmarks.training.demo_world import DemoWorld, metrics
from tests.models.encoders import minilm_directory

VOLUMES = 47_000


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--demo", type=Path, default=Path("runs/demo"))
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--steps", type=int, default=150)
    options = parser.parse_args()
    world = DemoWorld.finished(options.demo)
    seconds = compare_losses(world, options.seeds, options.steps)
    compare_epochs(world, seconds)


def compare_losses(world: DemoWorld, seeds: list[int], steps: int) -> float:
    """Print the table of losses; return the seconds for one report with its captions in a step with MGCL."""
    print("loss           seed  R@1 volume→report  R@1 report→volume  R@5 volume→report  chance")
    recalls: dict[str, list[float]] = {}
    rates: list[float] = []
    for seed in seeds:
        for name, weight in (("CLIP", "0"), ("CLIP + MGCL", "1")):
            out = world.folder / "ablation" / f"align-{name.replace(' ', '')}-{seed}"
            result = world.align(out, "--caption-weight", weight, "--seed", str(seed), "--steps", str(steps))
            recalls.setdefault(name, []).append(result["volume_to_report_r@1"])
            ranks = [result[key] for key in ("volume_to_report_r@1", "report_to_volume_r@1", "volume_to_report_r@5")]
            print(
                f"{name:13s} {seed:5d}  " + "  ".join(f"{rank:17.3f}" for rank in ranks),
                f" {result['chance_r@1']:.3f}",
                flush=True,
            )
            if weight == "1":
                rates += [line["seconds_per_step"] for line in metrics(out) if line["kind"] == "train"]
    for name, values in recalls.items():
        print(f"{name:13s}  mean  {statistics.mean(values):17.3f}")
    better = sum(mgcl > clip for clip, mgcl in zip(recalls["CLIP"], recalls["CLIP + MGCL"], strict=True))
    print(f"MGCL has the higher R@1 with {better} of {len(seeds)} seeds")
    return float(statistics.median(rates)) / 32


def compare_epochs(world: DemoWorld, text_seconds: float) -> None:
    """Print what an epoch takes, from the text rate as trained above and the encoder's rate in this process."""
    import torch

    from models.aligner import Aligner
    from models.checkpoint import load_checkpoint
    from models.inference import cpu_has_bfloat16
    from models.stunet import STUNet
    from models.text import TextEncoder
    from train.alignment.pooled_volumes import pool_volume, read_volume
    from train.config.loading import load_config
    from train.config.options import AlignConfig
    from train.data.dataset import open_dataset

    image, record = load_checkpoint(world.folder / "pretrain")
    assert isinstance(image, STUNet)
    options = load_config(AlignConfig, world.config("align"), {}).alignment
    text = TextEncoder.from_pretrained(minilm_directory())
    aligner = Aligner(image, text, pooling=options.pooling).eval()
    cases = open_dataset(world.dataset).cases[:20]
    reading = encoding = 0.0
    for case in cases:
        start = time.monotonic()
        volume = read_volume(case, record.preprocessing).volume
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
