"""Peak memory and time of a training step, with and without activation checkpointing.

    python -m benchmarks.training.bench_memory                       S at 96³, two threads
    python -m benchmarks.training.bench_memory --size B --patch 128 --device cuda

`segment` trains decoder and connector of a text-guided segmenter with the encoder frozen, `pretrain` a whole STU-Net
with 105 outputs; both with deep supervision, AdamW, float32. Each is a process of its own: one step for warmth, then
one that is measured. Memory is the peak above what there is before the step: activations and gradients, not weights or
optimizer state.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional

from benchmarks.curation.processes import in_a_process, on_what, peak_bytes, reset_peak, waited_for
from models.freezing import StagedModel
from models.segmenter import Segmentation, TextSegmenter
from models.stunet import STUNet
from train.losses.mask_losses import deep_supervision_loss

EMBEDDING = 768
STAGES = ("segment", "pretrain")


def model_of(stage: str, args: argparse.Namespace, checkpointing: bool) -> StagedModel:
    classes = 105 if stage == "pretrain" else None
    image = STUNet(args.size, num_classes=classes, checkpointing=checkpointing)
    if stage == "pretrain":
        return image.freeze("pretrain")
    return TextSegmenter(image, None, embedding_dim=EMBEDDING).freeze("segment")


def step(
    model: StagedModel, optimizer: torch.optim.Optimizer, volume: Tensor, target: Tensor, prompts: Tensor
) -> Tensor:
    optimizer.zero_grad()
    if isinstance(model, STUNet):
        logits = model(volume, deep_supervision=True)
    else:
        result = model(volume, prompts, full=True)
        assert isinstance(result, Segmentation)
        logits = result.logits
    loss = deep_supervision_loss(logits, target)
    torch.autograd.backward(loss)
    optimizer.step()
    return loss.detach()


def one_run(stage: str, checkpointing: bool, args: argparse.Namespace) -> dict[str, float]:
    torch.set_num_threads(args.threads)
    torch.manual_seed(0)
    model = model_of(stage, args, checkpointing).to(args.device).train()
    optimizer = torch.optim.AdamW([weight for weight in model.parameters() if weight.requires_grad])
    volume = torch.randn(1, 1, *(args.patch,) * 3, device=args.device)
    count = 105 if stage == "pretrain" else args.prompts
    target = torch.rand(1, count, *(args.patch,) * 3, device=args.device) > 0.9
    prompts = functional.normalize(torch.randn(args.prompts, EMBEDDING, device=args.device), dim=1)
    step(model, optimizer, volume, target, prompts)
    before, start = reset_peak(args.device), time.perf_counter()
    loss = waited_for(args.device, lambda: step(model, optimizer, volume, target, prompts))
    seconds = time.perf_counter() - start
    return {"seconds": seconds, "mebibytes": (peak_bytes(args.device) - before) / 2**20, "loss": loss.item()}


def main(argv: Sequence[str] | None = None) -> int:
    argv = sys.argv[1:] if argv is None else list(argv)
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", default="S")
    parser.add_argument("--patch", type=int, default=96, help="voxels along each axis")
    parser.add_argument("--prompts", type=int, default=8, help="in a step of `segment`")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu")
    parser.add_argument("--one", nargs=2, help=argparse.SUPPRESS)
    args = parser.parse_args(argv)
    if args.one:
        print(json.dumps(one_run(args.one[0], args.one[1] == "yes", args)))
        return 0
    print(f"STUNet {args.size}, one patch of {args.patch}³; {on_what(args.device, args.threads)}")
    for stage in STAGES:
        without, with_it = (
            in_a_process("benchmarks.training.bench_memory", [*argv, "--one", stage, checkpointing])
            for checkpointing in ("no", "yes")
        )
        for name, run in (("all activations kept", without), ("checkpointing", with_it)):
            print(f"{stage:10}{name:22}{run['mebibytes']:8,.0f} MiB{run['seconds']:8.2f} s   loss {run['loss']:.6f}")
        memory, seconds = (with_it[key] / without[key] for key in ("mebibytes", "seconds"))
        print(f"{'':10}checkpointing takes {memory:.2f} times the memory and {seconds:.2f} times the time")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
