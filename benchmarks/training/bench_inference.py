"""STU-Net forward: every setting beside the same network run plainly, with the largest difference of their logits.

    python -m benchmarks.training.bench_inference                    S and B at 128³ on two threads, some minutes
    python -m benchmarks.training.bench_inference --sizes B L --device cuda

Plain is the network as PyTorch runs it: eager, float32, NCDHW. Random weights and noise, one window of one volume, 105
outputs. Settings take turns, `--passes` rounds of them, so that a machine that slows down slows all of them; the
fastest pass of each counts. `first` is the first pass, with what is compiled or packed then. `apart` is the largest
difference of any logit, `rms` the root of their mean square, both beside the logits' standard deviation. `other label`
is the share of voxels whose highest output is another one: with random weights 105 outputs lie close together, so it is
an upper bound of what trained weights, whose outputs lie far apart, show.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from benchmarks.curation.processes import in_a_process, on_what, waited_for
from models.stunet import STUNet
from train.loop.precision import Precision, dtype_for, optimise_for_inference

CLASSES = 105


# Precision and whether to compile; `optimise_for_inference` takes one of the two that are not compiled by itself.
SETTINGS: dict[str, tuple[Precision, bool]] = {
    "float32": ("float32", False),
    "float32 compiled": ("float32", True),
    "bfloat16": ("bfloat16", False),
    "bfloat16 compiled": ("bfloat16", True),
}


def timed(run: Callable[[Tensor], Tensor], x: Tensor, device: str) -> tuple[float, Tensor]:
    start = time.perf_counter()
    result: Tensor = waited_for(device, lambda: run(x))
    return time.perf_counter() - start, result


def one_size(size: str, args: argparse.Namespace) -> list[dict[str, object]]:
    torch.set_num_threads(args.threads)
    torch.manual_seed(0)
    network = STUNet(size, num_classes=CLASSES).eval().to(args.device)
    plain_network = STUNet(size, num_classes=CLASSES).eval().to(args.device)
    plain_network.load_state_dict(network.state_dict())
    plain = torch.inference_mode()(plain_network)
    x = torch.randn(1, 1, *(args.patch,) * 3, device=args.device)
    chosen = {name: setting for name, setting in SETTINGS.items() if not (args.no_compile and setting[1])}
    runs = {"plain": plain} | {
        name: optimise_for_inference(network, precision=precision, compile=compiled)
        for name, (precision, compiled) in chosen.items()
    }
    first = {name: timed(run, x, args.device)[0] for name, run in runs.items()}
    seconds: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(args.passes):
        for name, run in runs.items():
            seconds[name].append(timed(run, x, args.device)[0])
    expected = plain(x)
    return [report(name, first[name], seconds, run(x), expected) for name, run in runs.items()]


def report(
    name: str, first: float, seconds: dict[str, list[float]], logits: Tensor, expected: Tensor
) -> dict[str, object]:
    apart = (logits - expected).abs()
    return {
        "setting": name,
        "first": first,
        "seconds": min(seconds[name]),
        "ratio": min(seconds["plain"]) / min(seconds[name]),
        "apart": apart.max().item(),
        "rms": apart.square().mean().sqrt().item(),
        "deviation": expected.std().item(),
        "other": (logits.argmax(1) != expected.argmax(1)).float().mean().item(),
    }


def show(size: str, rows: list[dict[str, object]]) -> None:
    print(f"\n{size:20}{'seconds':>9}{'first':>8}{'plain/it':>10}{'apart':>10}{'rms':>10}{'other label':>13}")
    for row in rows:
        print(
            f"{row['setting']:20}{row['seconds']:9.2f}{row['first']:8.1f}{row['ratio']:10.2f}"
            f"{row['apart']:10.1e}{row['rms']:10.1e}{row['other']:13.2%}"
        )
    print(f"the plain logits' standard deviation is {rows[0]['deviation']:.2f}")


def main(argv: Sequence[str] | None = None) -> int:
    argv = sys.argv[1:] if argv is None else list(argv)
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", nargs="+", default=["S", "B"])
    parser.add_argument("--patch", type=int, default=128, help="voxels along each axis")
    parser.add_argument("--passes", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--no-compile", action="store_true")
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu")
    parser.add_argument("--one", help=argparse.SUPPRESS)
    args = parser.parse_args(argv)
    if args.one:
        print(json.dumps(one_size(args.one, args)))
        return 0
    print(f"1×1×{args.patch}³, {CLASSES} outputs; {on_what(args.device, args.threads)}")
    print(f"default here: {str(dtype_for(torch.device(args.device))).removeprefix('torch.')}, not compiled")
    for size in args.sizes:
        show(size, in_a_process("benchmarks.training.bench_inference", [*argv, "--one", size]))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
