"""What more prompts cost: 117 beside one, on a whole volume with sliding windows, in time and peak memory.

    python -m benchmarks.training.bench_prompts  S on 160³ with windows of 128³, two threads, some minutes
    python -m benchmarks.training.bench_prompts --size B --device cuda

`features`: what `ovct segment` runs (`train.inference.segmenting`). The features of all windows are blended once and
then multiplied with the queries of the prompts; a label map and its table come out. `logits`: the logits of each prompt
are blended and compared, as a network with one output for each class is run.
Random weights; the bias of the queries is moved so that about a third of the volume belongs to some prompt, as with the
117 structures of TotalSegmentator in a torso, and every structure counts as present. Each measurement is a process of
its own, with one window for warmth; memory is the peak above what there was before, model and volume not counted.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from benchmarks.curation.processes import in_a_process, on_what, peak_bytes, reset_peak, waited_for
from models.segmenter import TextSegmenter
from models.stunet import STUNet
from train.inference.labelling import label_scan
from train.inference.logit_volume import predict_logits
from train.inference.options import SegmentOptions
from train.inference.prompts import SegmentPrompt
from train.inference.windows import Windows, blended_slabs
from train.scans.grid import Grid
from train.scans.scan import Scan

EMBEDDING = 768
FOREGROUND = 1 / 3


def segmenter(size: str, device: str) -> TextSegmenter:
    torch.manual_seed(0)
    return TextSegmenter(STUNet(size), None, embedding_dim=EMBEDDING).eval().to(device)


def settle_bias(model: TextSegmenter, window: Tensor, prompts: Tensor) -> None:
    """Moves the connector's bias until a third of a window's voxels have a logit above 0."""
    with torch.no_grad():
        highest = model(window, prompts).amax(dim=1).flatten()
        sample = highest[:: max(1, len(highest) // 100_000)]
        head = model.connector.heads[0]
        head.scale_and_bias.bias[1] -= sample.quantile(1 - FOREGROUND)  # type: ignore[operator, union-attr, index]


def blended_logits(model: TextSegmenter, volume: Tensor, prompts: Tensor, windows: Windows) -> Tensor:
    """The logits of each prompt, (P, D, H, W), blended over windows."""
    logits = torch.empty(len(prompts), *volume.shape[1:], device=volume.device)
    for start, values in blended_slabs(model.image, lambda window: model(window, prompts), volume, windows):
        logits[:, start : start + values.shape[1]] = values
    return logits


def labels_of(
    way: str, model: TextSegmenter, volume: Tensor, prompts: Tensor, windows: Windows
) -> tuple[np.ndarray, float]:
    """The label map, and the seconds that the windows took."""
    start = time.perf_counter()
    if way == "logits":
        highest, which = blended_logits(model, volume, prompts, windows).max(dim=0)
        labels = torch.where(highest > 0, which + 1, 0).to(torch.int16)
        return labels.cpu().numpy(), time.perf_counter() - start
    x, y, z = volume.shape[1:]
    grid = Grid((x, y, z), np.eye(4), (x, y, z), np.eye(4))
    logits = waited_for(volume.device.type, lambda: predict_logits(model, volume, grid, prompts, windows))
    network = time.perf_counter() - start
    scan = Scan(Path("synthetic"), volume[0].cpu().numpy(), np.eye(4), "nifti")
    structures = tuple(SegmentPrompt(f"structure {number}", "x") for number in range(len(prompts)))
    return label_scan(scan, logits, structures, SegmentOptions(presence_threshold=0), "random").labels, network


@torch.no_grad()
def one_run(way: str, prompts: int, args: argparse.Namespace) -> dict[str, float]:
    torch.set_num_threads(args.threads)
    model = segmenter(args.size, args.device)
    embeddings = functional.normalize(torch.randn(prompts, EMBEDDING), dim=1).to(args.device)
    volume = torch.randn(1, *(args.voxels,) * 3).to(args.device)
    windows = Windows((args.window,) * 3, args.overlap, precision=args.precision)
    settle_bias(model, volume[None, :, : args.window, : args.window, : args.window], embeddings)
    warm = volume[:, : args.window, : args.window, : args.window]
    labels_of(way, model, warm, embeddings[:1], windows)
    before = reset_peak(args.device)
    start = time.perf_counter()
    labels, network = waited_for(args.device, lambda: labels_of(way, model, volume, embeddings, windows))
    seconds = time.perf_counter() - start
    foreground = float((labels > 0).mean())
    return {
        "network": network,
        "seconds": seconds,
        "mebibytes": (peak_bytes(args.device) - before) / 2**20,
        "foreground": foreground,
        "labels": len(np.unique(labels)),
    }


def compare(way: str, argv: Sequence[str], args: argparse.Namespace) -> None:
    """Both in turn, `--passes` times; the fastest of each counts, so that a slow minute of the machine does not."""
    found: dict[int, list[dict[str, float]]] = {1: [], args.prompts: []}
    for _ in range(args.passes):
        for prompts, runs in found.items():
            runs.append(in_a_process("benchmarks.training.bench_prompts", [*argv, "--one", way, str(prompts)]))
    best = {prompts: min(runs, key=lambda run: run["seconds"]) for prompts, runs in found.items()}
    for prompts, one in best.items():
        print(
            f"{way:10}{prompts:8}{one['seconds']:9.2f} s  of which windows {one['network']:8.2f} s"
            f"{one['mebibytes']:9,.0f} MiB   {one['foreground']:.0%} of voxels in {one['labels'] - 1:.0f} structures"
        )
    time_ratio, memory_ratio = (best[args.prompts][key] / best[1][key] for key in ("seconds", "mebibytes"))
    print(f"{'':10}{args.prompts} / 1 prompt: time {time_ratio:.2f}, memory {memory_ratio:.2f}")


def main(argv: Sequence[str] | None = None) -> int:
    argv = sys.argv[1:] if argv is None else list(argv)
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", default="S")
    parser.add_argument("--prompts", type=int, default=117)
    parser.add_argument("--voxels", type=int, default=160, help="of the volume along each axis")
    parser.add_argument("--window", type=int, default=128)
    parser.add_argument("--overlap", type=float, default=0.5)
    parser.add_argument("--precision", default="auto")
    parser.add_argument("--passes", type=int, default=2)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu")
    parser.add_argument("--one", nargs=2, help=argparse.SUPPRESS)
    args = parser.parse_args(argv)
    if args.one:
        print(json.dumps(one_run(args.one[0], int(args.one[1]), args)))
        return 0
    print(f"STUNet {args.size}, volume {args.voxels}³, windows {args.window}³ that overlap by {args.overlap:.0%}")
    print(on_what(args.device, args.threads))
    for way in ("features", "logits"):
        compare(way, argv, args)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
