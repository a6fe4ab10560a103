"""Says what a run will cost: whether a step fits into a device's memory, and how many hours all steps take."""

from __future__ import annotations

from .devices import GPUS, REACHED
from .stage_cost import StepCost

GIB = 2**30
# What is not counted: an allocator's rounding, and the CUDA context with cuDNN's workspace.
ROUNDING, CONTEXT = 1.1, 1.0


def fits(cost: StepCost, free: int) -> bool:
    """Return whether a step fits into so many free bytes, with room for what is not counted."""
    return cost.bytes * ROUNDING + CONTEXT * GIB <= free


def hours(cost: StepCost, steps: int, teraflops: float) -> float:
    """Return the estimated hours of all steps on devices of this published rate, without evaluations."""
    return cost.flops * steps / (teraflops * 1e12 * REACHED) / 3600


def cost_lines(cost: StepCost, steps: int, free: int | None) -> list[str]:
    """Return the estimate as lines for a person; `free` are the bytes of the device at hand, None where unknown."""
    weights, adam, part = (value / GIB for value in (cost.weight_bytes, cost.adam_bytes, cost.part_bytes))
    parts = "" if cost.parts == 1 else f" in each of {cost.parts} parts"
    devices = "" if cost.world == 1 else f", on each of {cost.world} devices"
    lines = [
        f"estimated for a step of {cost.samples} samples{parts}{devices}: {cost.flops / 1e12:,.3g} TFLOP, "
        f"{cost.bytes / GIB:,.3g} GiB (weights {weights:.3g}, AdamW {adam:.3g}, "
        f"activations, loss and gradients {part:.3g})"
    ]
    if free is not None:
        verdict = "fits" if fits(cost, free) else "does not fit"
        lines.append(f"this device has {free / GIB:,.3g} GiB free: a step {verdict}")
    elsewhere = [
        f"{gpu.name} "
        + (f"{hours(cost, steps, gpu.teraflops):,.2g} h" if fits(cost, int(gpu.gibibytes * GIB)) else "too small")
        for gpu in GPUS
    ]
    lines.append(f"estimated for {steps:,} steps at {REACHED:.0%} of the published rate: {', '.join(elsewhere)}")
    return lines
