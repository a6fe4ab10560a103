"""What a check says of memory and hours."""

import pytest
import torch

from train.stages.cost.counting import StepCount
from train.stages.cost.devices import GPUS, REACHED, free_bytes, teraflops_of
from train.stages.cost.report import GIB, cost_lines, fits, hours
from train.stages.cost.stage_cost import StepCost


def cost(part_gib: float = 20.0, parts: int = 1, world: int = 1) -> StepCost:
    million = 1_000_000
    part = StepCount(flops=45_600_000 * million // parts, bytes=int(part_gib * GIB))
    return StepCost(part, parts, 440 * million, 440 * million, False, False, 2, world)


def test_hours_are_operations_by_rate() -> None:
    # 45.6 TFLOP a step, 270,500 steps, at 30 % of 312 TFLOP/s.
    assert hours(cost(), 270_500, 312) == pytest.approx(45.6 * 270_500 / (312 * REACHED) / 3600)
    assert hours(cost(parts=2), 1000, 312) == pytest.approx(hours(cost(), 1000, 312))


def test_memory_is_held_against_what_is_free_with_room_for_what_is_not_counted() -> None:
    needed = (4 * 440e6 + 8 * 440e6) / GIB + 20
    assert fits(cost(), int((needed * 1.1 + 1.01) * GIB)) and not fits(cost(), int((needed * 1.1 + 0.9) * GIB))


def test_lines_name_what_was_estimated_and_where_it_fits() -> None:
    first, here, elsewhere = cost_lines(cost(), 270_500, 10 * GIB)
    assert first.startswith("estimated for a step of 2 samples: 45.6 TFLOP, 24.9 GiB (weights 1.64, AdamW 3.28, ")
    assert here == "this device has 10 GiB free: a step does not fit"
    assert "estimated for 270,500 steps at 30%" in elsewhere
    assert (
        f"{GPUS[0].name} too small" in elsewhere and "A100 40 GB 37 h" in elsewhere and "H100 80 GB 12 h" in elsewhere
    )
    assert len(cost_lines(cost(), 1, None)) == 2, "what is free is not known everywhere"
    assert "2 samples in each of 4 parts, on each of 3 devices" in cost_lines(cost(parts=4, world=3), 1, None)[0]


def test_gpus_are_known_by_what_drivers_call_them() -> None:
    names = {"NVIDIA A100-SXM4-80GB": 312, "NVIDIA L40S": 362, "NVIDIA GeForce RTX 4090": 165, "NVIDIA H200": 989}
    assert {name: teraflops_of(name) for name in names} == names
    assert teraflops_of("Radeon") is None


def test_free_memory_is_some_where_the_system_tells_it() -> None:
    free = free_bytes(torch.device("cpu"))
    assert free is None or 0 < free < 1e14
