"""GPUs that recipes name, by the figures that their maker publishes, and what of these a training reaches."""

from __future__ import annotations

from typing import NamedTuple

import torch

# The share of a GPU's published rate that 3D convolutions in bfloat16 are taken to reach: an assumption, not measured.
REACHED = 0.3


class Gpu(NamedTuple):
    """A GPU: its name, memory in GiB, and TFLOP/s of dense products in half precision (NVIDIA's data sheets)."""

    name: str
    gibibytes: float
    teraflops: float


# Memory as the driver tells it, a little below what the name says.
GPUS = (
    Gpu("RTX 4090 24 GB", 23.5, 165),
    Gpu("A100 40 GB", 39.4, 312),
    Gpu("A100 80 GB", 79.2, 312),
    Gpu("H100 80 GB", 79.2, 989),
)
# Names under which drivers know these and others, the longest that fits counts.
PUBLISHED_TERAFLOPS = {
    "V100": 125.0, "T4": 65.0, "A10": 125.0, "A30": 165.0, "A40": 150.0, "A100": 312.0, "A6000": 155.0, "L4": 121.0,
    "L40": 181.0, "L40S": 362.0, "H100": 989.0, "H200": 989.0, "B200": 2250.0, "3090": 71.0, "4090": 165.0,
}  # fmt: skip


def teraflops_of(name: str) -> float | None:
    """Return the published rate of a GPU by the name that its driver gives, None where it is not known here."""
    known = [model for model in PUBLISHED_TERAFLOPS if model in name.replace(" ", "-").split("-") or model in name]
    return PUBLISHED_TERAFLOPS[max(known, key=len)] if known else None


def free_bytes(device: torch.device) -> int | None:
    """Return the memory that is free on a device; of a CPU's only Linux tells, elsewhere it is None."""
    if device.type == "cuda":
        return torch.cuda.mem_get_info(device)[0]
    try:
        with open("/proc/meminfo", encoding="ascii") as file:
            fields = dict(line.split(":", 1) for line in file)
        return int(fields["MemAvailable"].split()[0]) * 1024
    except (OSError, KeyError, ValueError):
        return None
