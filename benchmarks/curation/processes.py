"""A measurement in a process of its own, so that its peak memory is its own."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]


def in_a_process(module: str, arguments: Sequence[str]) -> Any:
    """Run `python -m module arguments` and return the JSON on its last line; exit with its error if it fails."""
    command = [sys.executable, "-m", module, *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)} failed:\n{done.stderr[-3000:]}")
    return json.loads(done.stdout.splitlines()[-1])


def reset_peak(device: str) -> int:
    """Start measuring peak memory, and return how many bytes are in use now."""
    if device == "cuda":
        import torch

        torch.cuda.reset_peak_memory_stats()
        return torch.cuda.memory_allocated()
    # Linux forgets the peak when it is told to; elsewhere what came before is part of it.
    if Path("/proc/self/clear_refs").exists():
        Path("/proc/self/clear_refs").write_text("5")
    return peak_bytes(device)


def peak_bytes(device: str) -> int:
    """Return the peak bytes since `reset_peak`: resident size on a CPU, what torch has allocated on a GPU."""
    if device == "cuda":
        import torch

        return torch.cuda.max_memory_allocated()
    status = Path("/proc/self/status")
    if status.exists():
        return next(int(line.split()[1]) * 1024 for line in status.read_text().splitlines() if "VmHWM" in line)
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def waited_for(device: str, work: Callable[[], Any]) -> Any:
    """Return the result of `work`, once a GPU has finished it."""
    result = work()
    if device == "cuda":
        import torch

        torch.cuda.synchronize()
    return result


def on_what(device: str, threads: int) -> str:
    """Describe torch, the processor and how busy it is, for the first line that a benchmark prints."""
    import torch

    if device == "cuda":
        return f"torch {torch.__version__}, {torch.cuda.get_device_name()}"
    return f"torch {torch.__version__}, {processor()}, {threads} threads, load {os.getloadavg()[0]:.1f}"


def processor() -> str:
    """Describe the processor: its name, and whether it multiplies bfloat16 itself."""
    from train.loop.precision import cpu_has_bfloat16

    cpu_info = Path("/proc/cpuinfo")
    lines = cpu_info.read_text().splitlines() if cpu_info.exists() else []
    name = next((line.partition(": ")[2] for line in lines if line.startswith("model name")), "CPU")
    return f"{name} {'with' if cpu_has_bfloat16() else 'without'} native bfloat16"
