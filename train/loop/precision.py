"""Runs a network forward in the fastest way that this machine has, with a switch for exact numbers.

On a CPU: channels-last memory, and bfloat16 where the processor multiplies it natively. On a GPU: autocast. `compile`
fuses what is left and costs ten seconds or more at first; on the CPU that was measured it gains in float32 alone
(torch 2.13; with 2.6 it crashed there). `benchmarks/training/bench_inference.py` measures all of them against the plain
network, with the largest difference of logits.
"""

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Literal, get_args

import torch
from torch import Tensor, nn

Precision = Literal["auto", "float32", "bfloat16", "float16"]


def optimise_for_inference(
    network: nn.Module,
    function: Callable[[Tensor], Tensor] | None = None,
    *,
    precision: Precision = "auto",
    compile: bool = False,
) -> Callable[[Tensor], Tensor]:
    """Return `function` of `network` (by default its forward pass) as one that runs without gradients and fast.

    It takes and returns tensors as `function` does, the result in float32. The weights of the network keep their values
    and type; on a CPU they are laid out channels-last. `compile` needs a C++ compiler on a CPU. Raises ValueError for a
    precision that the device does not have.
    """
    device = next(network.parameters()).device
    dtype = dtype_for(device, precision)
    layout = torch.channels_last_3d if device.type == "cpu" else torch.contiguous_format
    for parameter in network.parameters():
        if parameter.dim() == 5:
            parameter.data = parameter.data.contiguous(memory_format=layout)
    forward = function or network
    if compile:
        forward = torch.compile(forward)

    @torch.no_grad()
    def run(x: Tensor) -> Tensor:
        with torch.autocast(device.type, dtype, enabled=dtype != torch.float32):
            return forward(x.to(memory_format=layout)).float()

    return run


def dtype_for(device: torch.device, precision: Precision = "auto") -> torch.dtype:
    """Return the type in which convolutions run on `device`; "auto" is the fastest that it computes natively.

    Raises ValueError for an unknown precision, and for float16 on a CPU.
    """
    if precision not in get_args(Precision):
        raise ValueError(f"precision is one of {', '.join(get_args(Precision))}, not {precision!r}")
    if precision == "float16" and device.type == "cpu":
        raise ValueError("float16 is for GPUs; on a CPU take bfloat16 or float32")
    if precision != "auto":
        dtype = getattr(torch, precision)
        assert isinstance(dtype, torch.dtype)
        return dtype
    if device.type == "cuda":
        return torch.bfloat16 if torch.cuda.is_bf16_supported(including_emulation=False) else torch.float16
    return torch.bfloat16 if device.type == "cpu" and cpu_has_bfloat16() else torch.float32


@cache
def cpu_has_bfloat16() -> bool:
    """Return whether the processor multiplies bfloat16 itself: AVX-512 BF16 or AMX (x86), BF16 (Arm).

    Only Linux tells; elsewhere it is False.
    """
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False
    flags = {flag for line in text.splitlines() if line.startswith(("flags", "Features")) for flag in line.split()}
    return not flags.isdisjoint({"avx512_bf16", "amx_bf16", "bf16"})
