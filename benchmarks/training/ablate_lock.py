"""The paper's ablation of the image encoder: locked against unlocked while the text encoder is aligned.

    python -m benchmarks.training.ablate_lock [--demo runs/demo] [--steps 60] [--batch-size 8] [--segment-steps 150]

Both from the demo's pretrained encoder, with the same batches, fewer and smaller than the demo's: unlocked, every
volume goes through the encoder in every step. Then stage 3 on each, and `ovct evaluate` on the test phantoms.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

from benchmarks.training.ablate_segmenting import row
from benchmarks.training.demo_world import DemoWorld, metrics


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--demo", type=Path, default=Path("runs/demo"))
    parser.add_argument("--steps", type=int, default=60)
    parser.add_argument("--batch-size", type=int, default=8)
    parser.add_argument("--segment-steps", type=int, default=150)
    parser.add_argument("--limit", type=int, default=20, help="test phantoms")
    options = parser.parse_args()
    world = DemoWorld.finished(options.demo)
    print("image encoder  R@1 volume→report  R@1 report→volume  s/step    names  synonyms   merged  false masks")
    for name, flag in (("locked", "--no-unlock-image"), ("unlocked", "--unlock-image")):
        out = options.demo / "ablation" / name
        sizes = ["--steps", str(options.steps), "--batch-size", str(options.batch_size)]
        measures = world.align(out, flag, *sizes, "--evaluate-every", str(options.steps))
        seconds = [line["seconds_per_step"] for line in metrics(out) if line["kind"] == "train"]
        segmenter = out / "segment"
        world.segment(segmenter, "--start", str(out), "--steps", str(options.segment_steps))
        summary = world.evaluate(segmenter, segmenter / "evaluation", "--limit", str(options.limit))
        both = f"{measures['volume_to_report_r@1']:17.3f}  {measures['report_to_volume_r@1']:17.3f}"
        print(f"{name:13s}  {both}  {min(seconds):6.2f}  {'  '.join(row(summary))}", flush=True)


if __name__ == "__main__":
    began = time.monotonic()
    main()
    print(f"{(time.monotonic() - began) / 60:.0f} min")
