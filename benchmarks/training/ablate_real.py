"""The paper's two ablations on real CT: MLP against cross-attention, and the image encoder locked against unlocked.

    python -m benchmarks.training.ablate_real [--run runs/real] [--steps 150] [--seeds 0] [--limit 30] [--options "…"]

Stage 3 of `make real-demo` from its own stage 1 and words, with one thing changed, and `ovct evaluate` on patients that
it holds out. The paper unlocks the image encoder while the text encoder is aligned with reports; these data have none,
so that here it is unlocked in stage 3. A variant that is finished in RUN/ablation is not run again.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from benchmarks.training.ablate_segmenting import row
from benchmarks.training.demo_world import ovct
from examples.real.stages import SETTINGS

VARIANTS = {
    "MLP, locked": (),
    "cross-attention, locked": ("--connector", "cross_attention"),
    "MLP, unlocked": ("--unlock-image",),
    "cross-attention, unlocked": ("--connector", "cross_attention", "--unlock-image"),
}


def main() -> None:
    """Print the table as Markdown."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--run", type=Path, default=Path("runs/real"), help="folder of a finished `make real-demo`")
    parser.add_argument("--steps", type=int, default=150, help="steps of stage 3 after those of the connector alone")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--limit", type=int, default=30, help="held-out patients")
    parser.add_argument("--options", default="", help='options of train segment for all of them, as in "--limit 20"')
    options = parser.parse_args()
    if not (options.run / "segment" / "checkpoint.json").exists():
        raise SystemExit(f"{options.run} holds no finished run: `make real-demo` makes it")
    print("| stage 3 | seed | names | synonyms | groups |\n| --- | --- | --- | --- | --- |")
    for seed in options.seeds:
        for name, change in VARIANTS.items():
            out = options.run / "ablation" / f"{name.replace(', ', '-')}-{options.steps}-{seed}"
            flags = ("--steps", str(options.steps), "--seed", str(seed), *change, *options.options.split())
            summary = _measure(options.run, out, flags, options)
            print(f"| {name} | {seed} | {' | '.join(cell.strip() for cell in row(summary)[:3])} |", flush=True)


def _measure(run: Path, out: Path, flags: tuple[str, ...], options: argparse.Namespace) -> dict[str, Any]:
    """Train and evaluate a variant, and return its `summary.json`."""
    dataset, start = run / "dataset", ("--start", run / "pretrain", "--text", run / "words")
    settings = ("--config", SETTINGS / "segment.yaml", "--cache", run / "cache")
    ovct("train", "segment", dataset, *settings, *start, "--out", out / "segment", *flags)
    evaluation = out / f"evaluation-{options.limit}"
    where = ("--labelled", "present", "--limit", options.limit, "--split", "val", "--out", evaluation)
    ovct("evaluate", dataset, "--checkpoint", out / "segment", *where)
    summary: dict[str, Any] = json.loads((evaluation / "summary.json").read_text())
    return summary


if __name__ == "__main__":
    main()
