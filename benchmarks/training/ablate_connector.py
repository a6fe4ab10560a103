"""The paper's ablation of the connector: MLP against cross-attention, on names, held-out synonyms and merged groups.

    python -m benchmarks.training.ablate_connector [--demo runs/demo] [--steps 250] [--seeds 0 1]

Both start from the demo's alignment and train with the same settings; measured on the test phantoms with
`ovct evaluate`. The paper reports, on merged prompts of TotalSegmentator, 61.1 % for the MLP and 43.4 % for
cross-attention.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from benchmarks.training.demo_world import DemoWorld


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--demo", type=Path, default=Path("runs/demo"))
    parser.add_argument("--steps", type=int, default=250)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--limit", type=int, default=20, help="test phantoms")
    options = parser.parse_args()
    world = DemoWorld.finished(options.demo)
    print("connector        seed    names  synonyms   merged  false masks")
    for seed in options.seeds:
        for connector in ("mlp", "cross_attention"):
            out = options.demo / "ablation" / f"{connector}-{seed}"
            start = ["--start", str(world.folder / "align"), "--connector", connector]
            world.segment(out, *start, "--steps", str(options.steps), "--seed", str(seed))
            summary = world.evaluate(out, out / "evaluation", "--limit", str(options.limit))
            print(f"{connector:15s} {seed:5d}  {'  '.join(row(summary))}", flush=True)


def row(summary: dict[str, Any]) -> list[str]:
    """Return, as text, the mean Dice of names, synonyms and groups in a summary, and the share of false masks."""
    means = {mean["key"]: mean["score"]["dice"]["value"] for mean in summary["means"]}
    absent = {row["kind"]: row["false_masks"]["value"] for row in summary["presence"]}
    values = [means["names"], means["synonyms"], means["groups"], absent["name"]]
    return ["      –" if value is None else f"{value:7.3f}" for value in values]


if __name__ == "__main__":
    main()
