"""Time and memory of the contrastive losses on cached image embeddings, beside plain PyTorch.

    python -m benchmarks.training.bench_mgcl  4096 reports, 3 captions, 768 numbers, two threads
    python -m benchmarks.training.bench_mgcl --threads 1  where other programs run: threads wait for each other
    python -m benchmarks.training.bench_mgcl --device cuda --reports 16384 --chunk 4096

Both mask captions of the same text in whatever granularity. Plain PyTorch holds the logits of each granularity and
direction (for `joint`: of all captions) as whole matrices, masked by a stored matrix, and takes `F.cross_entropy`;
it is what one writes first. Each run is a process of its own, one forward and backward for warmth on an eighth of the
reports, then `--passes` whole ones, of which the fastest counts. Memory is the peak above what there is once the inputs
exist: resident size on a CPU, what torch has allocated on a GPU. Image embeddings are cached, so they have no
gradient; captions and scale have one.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from benchmarks.curation.processes import in_a_process, on_what, peak_bytes, reset_peak, waited_for
from models.aligner import INITIAL_LOG_SCALE
from train.losses.contrastive import CHUNK, clip_loss, mgcl_loss

ROOT = Path(__file__).resolve().parents[2]
LOSSES = ("clip", "mean", "joint")
WAYS = ("ovct", "plain")
Inputs = tuple[Tensor, Tensor, Tensor, Tensor]
Loss = Callable[[str, Inputs, int], Tensor]
MODULE = "benchmarks.training.bench_mgcl"


def make_inputs(reports: int, captions: int, size: int, device: str) -> Inputs:
    """Image (B, E), captions (B, K, E), log scale and text ids (B, K), of which two in five are shared."""
    random = torch.Generator().manual_seed(0)
    image = functional.normalize(torch.randn(reports, size, generator=random), dim=-1)
    texts = torch.randn(reports, captions, size, generator=random) + 2 * image[:, None]
    ids = torch.randint(0, 6 * reports, (reports, captions), generator=random)
    log_scale = torch.tensor(INITIAL_LOG_SCALE, device=device, requires_grad=True)
    captions_embedded = functional.normalize(texts, dim=-1).to(device).requires_grad_()
    return image.to(device), captions_embedded, log_scale, ids.to(device)


def ours(name: str, inputs: Inputs, chunk: int) -> Tensor:
    image, captions, log_scale, ids = inputs
    if name == "clip":
        return clip_loss(image, captions[:, 0], log_scale, text_ids=ids[:, 0], chunk=chunk)
    variant: Any = name
    return mgcl_loss(image, captions, log_scale, variant=variant, text_ids=ids, chunk=chunk)


def plain(name: str, inputs: Inputs, chunk: int) -> Tensor:
    """Whole matrices, as one writes them first; ``chunk`` is not used."""
    image, captions, log_scale, ids = inputs
    if name == "clip":
        captions, ids = captions[:, :1], ids[:, :1]
    reports, slots = ids.shape
    own_image = torch.arange(reports, device=image.device)
    others = own_image[:, None] != own_image
    # (B, B·K): image i has a caption of this text somewhere.
    left_out = (ids[:, None, :, None] == ids[None, :, None, :]).any(2) & others[:, :, None]
    scale = log_scale.exp()
    if name == "joint":
        logits = scale * image @ captions.flatten(0, 1).T
        logits = logits.masked_fill(left_out.flatten(1), -torch.inf)
        targets = functional.one_hot(own_image, reports).repeat_interleave(slots, 1).to(logits.dtype) / slots
        # Not F.cross_entropy for this direction: a target of 0 times a log-probability of -inf is NaN.
        to_captions = -(targets * logits.log_softmax(1).masked_fill(targets == 0, 0)).sum(1).mean()
        back = (scale * captions.flatten(0, 1) @ image.T).masked_fill(left_out.flatten(1).T, -torch.inf)
        return (to_captions + functional.cross_entropy(back, own_image.repeat_interleave(slots))) / 2
    total = torch.zeros((), device=image.device)
    for slot in range(slots):
        to_texts = (scale * image @ captions[:, slot].T).masked_fill(left_out[:, :, slot], -torch.inf)
        to_images = (scale * captions[:, slot] @ image.T).masked_fill(left_out[:, :, slot].T, -torch.inf)
        total = total + functional.cross_entropy(to_texts, own_image) + functional.cross_entropy(to_images, own_image)
    return total / (2 * slots)


def forward_and_backward(loss: Loss, name: str, inputs: Inputs, chunk: int) -> Tensor:
    value = loss(name, inputs, chunk)
    torch.autograd.backward(value)
    return value.detach()


def one_run(name: str, way: str, args: argparse.Namespace) -> dict[str, float]:
    """Time and memory of one loss; its gradients go to a file, to be compared."""
    torch.set_num_threads(args.threads)
    loss: Loss = ours if way == "ovct" else plain
    small = make_inputs(max(args.reports // 8, 2), args.captions, args.size, args.device)
    forward_and_backward(loss, name, small, args.chunk)
    inputs = make_inputs(args.reports, args.captions, args.size, args.device)
    before, seconds, cpu_seconds = reset_peak(args.device), [], []
    for _ in range(args.passes):
        inputs[1].grad = inputs[2].grad = None
        start, cpu_start = time.perf_counter(), time.process_time()
        value = waited_for(args.device, lambda: forward_and_backward(loss, name, inputs, args.chunk))
        seconds.append(time.perf_counter() - start)
        cpu_seconds.append(time.process_time() - cpu_start)
    peak = peak_bytes(args.device) - before
    assert inputs[1].grad is not None and inputs[2].grad is not None
    torch.save({"captions": inputs[1].grad.cpu(), "log_scale": inputs[2].grad.cpu()}, args.gradients)
    return {"wall": min(seconds), "cpu": min(cpu_seconds), "mebibytes": peak / 2**20, "value": value.item()}


def compare(name: str, argv: Sequence[str], folder: Path) -> None:
    files = {way: folder / f"{name}-{way}.pt" for way in WAYS}
    runs = {way: in_a_process(MODULE, [*argv, "--one", name, way, "--gradients", str(files[way])]) for way in WAYS}
    for way, run in runs.items():
        print(
            f"{name:<7}{way:<7}{run['wall']:>8.3f} s{run['cpu']:>8.3f} s of CPU{run['mebibytes']:>8,.0f} MiB"
            f"   loss {run['value']:.6f}"
        )
    mine, theirs = (torch.load(files[way], weights_only=True) for way in WAYS)
    apart = [((mine[key] - theirs[key]).norm() / theirs[key].norm()).item() for key in ("captions", "log_scale")]
    wall, cpu, memory = (runs["plain"][key] / runs["ovct"][key] for key in ("wall", "cpu", "mebibytes"))
    print(
        f"{'':<7}plain / ovct: time {wall:.1f}, CPU time {cpu:.1f}, memory {memory:.1f}; values differ by "
        f"{abs(runs['plain']['value'] - runs['ovct']['value']):.1e}, gradients of captions and scale relatively by "
        f"{apart[0]:.1e} and {apart[1]:.1e}"
    )


def main(argv: Sequence[str] | None = None) -> int:
    argv = sys.argv[1:] if argv is None else list(argv)
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--reports", type=int, default=4096)
    parser.add_argument("--captions", type=int, default=3)
    parser.add_argument("--size", type=int, default=768, help="numbers in an embedding")
    parser.add_argument("--chunk", type=int, default=CHUNK, help="rows of similarities that ovct holds at a time")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--passes", type=int, default=2)
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu")
    parser.add_argument("--one", nargs=2, help=argparse.SUPPRESS)
    parser.add_argument("--gradients", type=Path, help=argparse.SUPPRESS)
    args = parser.parse_args(argv)
    if args.device == "cuda" and not torch.cuda.is_available():
        print("there is no GPU that this torch can use", file=sys.stderr)
        return 2
    if args.one:
        name, way = args.one
        print(json.dumps(one_run(name, way, args)))
        return 0
    print(f"{args.reports} reports, {args.captions} captions, {args.size} numbers, float32, chunks of {args.chunk}")
    print(on_what(args.device, args.threads))
    with tempfile.TemporaryDirectory() as folder:
        for name in LOSSES:
            compare(name, argv, Path(folder))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
