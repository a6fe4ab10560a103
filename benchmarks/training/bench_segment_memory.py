"""Peak memory of segmenting a large scan with many prompts, beside that of the usual way with whole buffers.

    python -m benchmarks.training.bench_segment_memory  512×512×800, 117 prompts, the tiny network, some minutes
    python -m benchmarks.training.bench_segment_memory --size B --device cuda

`ovct`: `train.inference.segmenting`, from the scan in memory to the label map, the table and what the label map hides.
`buffers`: MONAI's sliding_window_inference to the float32 logits of all prompts, which are interpolated to the scan's
voxels and compared; measured on a scan of a quarter of the slices, rows and columns, and multiplied with the voxels.
Random weights, with the bias of the queries moved so that about a third of the volume belongs to some prompt. Each is a
process of its own; memory is the resident peak, above what there was with model and scan, and with them.
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

from benchmarks.curation.processes import in_a_process, on_what, peak_bytes, reset_peak
from benchmarks.training.bench_prompts import EMBEDDING, segmenter, settle_bias
from models.preprocessing import PUBLISHED_PREPROCESSING
from models.segmenter import TextSegmenter
from train.inference.labelling import label_scan
from train.inference.logit_volume import predict_logits
from train.inference.options import SegmentOptions
from train.inference.prompts import SegmentPrompt
from train.inference.windows import Windows
from train.scans.grid import to_network
from train.scans.scan import Scan

SMALLER = 4


def scan_of(shape: Sequence[int], spacing: Sequence[float]) -> Scan:
    """An ellipsoid of soft tissue in air, noisy; axes R A S."""
    voxels = np.full(shape, -1000, np.float32)
    along = [np.linspace(-1, 1, size, dtype=np.float32) ** 2 for size in shape]
    generator = np.random.default_rng(0)
    for k in range(shape[2]):
        inside = along[0][:, None] + along[1] + along[2][k] / 4 < 0.8
        voxels[inside, k] = generator.normal(40, 20, int(inside.sum()))
    return Scan(Path("synthetic"), voxels, np.diag([*spacing, 1.0]), "nifti")


def ours(model: TextSegmenter, scan: Scan, prompts: Tensor, windows: Windows) -> np.ndarray:
    volume, grid = to_network(scan, PUBLISHED_PREPROCESSING)
    logits = predict_logits(model, volume, grid, prompts, windows)
    del volume
    structures = tuple(SegmentPrompt(f"structure {number}", "x") for number in range(len(prompts)))
    return label_scan(scan, logits, structures, SegmentOptions(presence_threshold=0), "random").labels


@torch.no_grad()
def buffers(model: TextSegmenter, scan: Scan, prompts: Tensor, windows: Windows) -> np.ndarray:
    from monai.inferers.utils import sliding_window_inference

    volume, grid = to_network(scan, PUBLISHED_PREPROCESSING)
    device = next(model.parameters()).device
    logits = sliding_window_inference(
        volume[None],
        windows.size,
        1,
        lambda x: model(x, prompts),
        windows.overlap,
        "gaussian",
        sw_device=device,
        device="cpu",
    )
    assert isinstance(logits, Tensor)
    z, y, x = (grid.scan_shape[axis] for axis in (2, 1, 0))
    highest, which = functional.interpolate(logits, (z, y, x), mode="trilinear")[0].max(dim=0)
    return torch.where(highest > 0, which + 1, 0).to(torch.int16).numpy()


def one_run(way: str, shape: Sequence[int], args: argparse.Namespace) -> dict[str, float]:
    torch.set_num_threads(args.threads)
    model = segmenter(args.size, args.device)
    prompts = functional.normalize(torch.randn(args.prompts, EMBEDDING), dim=1).to(args.device)
    windows = Windows((args.window,) * 3, args.overlap)
    middle = scan_of((args.window,) * 3, args.spacing)
    settle_bias(
        model, to_network(middle, PUBLISHED_PREPROCESSING)[0][None][..., :64, :64, :64].to(args.device), prompts
    )
    del middle
    scan = scan_of(shape, args.spacing)
    before, start = reset_peak("cpu"), time.perf_counter()
    labels = (ours if way == "ovct" else buffers)(model, scan, prompts, windows)
    seconds, peak = time.perf_counter() - start, peak_bytes("cpu")
    share = float((labels > 0).mean())
    return {"seconds": seconds, "above": (peak - before) / 2**20, "peak": peak / 2**20, "foreground": share}


def told(way: str, shape: Sequence[int], run: dict[str, float]) -> str:
    size = 4 * float(np.prod(shape)) / 2**20
    return (
        f"{way:8}{'×'.join(map(str, shape)):>14}   scan {size:7,.0f} MiB   above it {run['above']:9,.0f} MiB"
        f"   in all {run['peak']:9,.0f} MiB   {run['seconds']:6.0f} s   {run['foreground']:.0%} of voxels labelled"
    )


def main(argv: Sequence[str] | None = None) -> int:
    argv = sys.argv[1:] if argv is None else list(argv)
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", default="tiny")
    parser.add_argument("--prompts", type=int, default=117)
    parser.add_argument("--shape", type=int, nargs=3, default=(512, 512, 800), help="X Y Z of the scan")
    parser.add_argument("--spacing", type=float, nargs=3, default=(0.8, 0.8, 1.0), help="in mm")
    parser.add_argument("--window", type=int, default=128)
    parser.add_argument("--overlap", type=float, default=0.5)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu")
    parser.add_argument("--one", nargs=4, help=argparse.SUPPRESS)
    args = parser.parse_args(argv)
    if args.one:
        print(json.dumps(one_run(args.one[0], [int(size) for size in args.one[1:]], args)))
        return 0
    print(f"STUNet {args.size}, {args.prompts} prompts, windows {args.window}³ that overlap by {args.overlap:.0%}")
    print(on_what(args.device, args.threads))
    small = [-(-size // SMALLER) for size in args.shape]
    for way, shape in (("ovct", args.shape), ("buffers", small)):
        run = in_a_process("benchmarks.training.bench_segment_memory", [*argv, "--one", way, *map(str, shape)])
        print(told(way, shape, run))
        if way == "buffers":
            times = float(np.prod(args.shape) / np.prod(small))
            print(f"{'':8}at {'×'.join(map(str, args.shape))}: {times * run['above'] / 1024:,.0f} GiB above the scan")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
