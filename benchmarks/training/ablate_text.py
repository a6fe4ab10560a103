"""What stage 2 earns in stage 3: masks from a text encoder that is aligned, that learned words alone, and a plain one.

    python -m benchmarks.training.ablate_text [--demo runs/demo] [--seeds 0 1 2] [--align-steps 60] [--steps 150]

`words` is all-MiniLM-L6-v2 after `ovct train words` (nothing learned that stage 3 holds out), `aligned` is that after
`ovct train align` on the demo's reports, `plain` is as it comes. Stage 3 has the same settings and batches for each;
measured on the test phantoms with `ovct evaluate`, the model alone. What is finished in DEMO/ablation is not run again.
"""

from __future__ import annotations

import argparse
import statistics
from pathlib import Path

from benchmarks.training.ablate_connector import row
from benchmarks.training.demo_world import DemoWorld, ovct
from tests.models.encoders import minilm_directory

ENCODERS = ("plain", "words", "aligned")


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--demo", type=Path, default=Path("runs/demo"))
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--words-steps", type=int, default=160)
    parser.add_argument("--align-steps", type=int, default=60)
    parser.add_argument("--connector-steps", type=int, default=1200)
    parser.add_argument("--steps", type=int, default=150)
    parser.add_argument("--limit", type=int, default=20, help="test phantoms")
    parser.add_argument("--encoders", nargs="+", choices=ENCODERS, default=list(ENCODERS))
    options = parser.parse_args()
    world = DemoWorld.pretrained(options.demo)
    sizes = f"words {options.words_steps}, alignment {options.align_steps}, connector {options.connector_steps}"
    print(f"stage 1 after {world.steps_of('pretrain')} steps; {sizes}, stage 3 {options.steps}")
    print("encoder   seed    names  synonyms   merged  false masks")
    rows: dict[str, list[list[str]]] = {name: [] for name in options.encoders}
    for seed in options.seeds:
        for name in options.encoders:
            rows[name].append(measured(world, name, seed, options))
            print(f"{name:8s} {seed:5d}  {'  '.join(rows[name][-1])}", flush=True)
    for name, of_encoder in rows.items():
        means = [
            statistics.mean(float(cell) for cell in column if "–" not in cell)
            for column in zip(*of_encoder, strict=True)
        ]
        print(f"{name:8s}  mean  {'  '.join(f'{mean:7.3f}' for mean in means)}")


def measured(world: DemoWorld, name: str, seed: int, options: argparse.Namespace) -> list[str]:
    """Train stage 3 from an encoder and return its row of the table."""
    folder = world.folder / "ablation"
    words = folder / f"words-{options.words_steps}-{seed}"
    if name != "plain":
        sizes = ["--steps", str(options.words_steps), "--seed", str(seed)]
        ovct("train", "words", "--text", str(minilm_directory()), "--out", str(words), *sizes)
    start = ["--start", str(world.folder / "pretrain"), "--text", str(minilm_directory() if name == "plain" else words)]
    if name == "aligned":
        aligned = folder / f"aligned-{options.align_steps}-{seed}"
        world.align(aligned, "--text", str(words), "--steps", str(options.align_steps), "--seed", str(seed))
        start = ["--start", str(aligned)]
    out = folder / f"segment-{name}-{options.align_steps}-{options.connector_steps}-{options.steps}-{seed}"
    config = folder / f"segment-{options.connector_steps}.yaml"
    lines = [line for line in world.config("segment").read_text().splitlines() if "connector_steps" not in line]
    config.write_text("\n".join([*lines, f"connector_steps: {options.connector_steps}", ""]))
    sizes = ["--config", str(config), "--steps", str(options.steps), "--seed", str(seed)]
    world.segment(out, *start, *sizes)
    return row(world.evaluate(out, out / "evaluation", "--limit", str(options.limit)))


if __name__ == "__main__":
    main()
