"""The fast way forward gives what the plain one gives: float32 to rounding, bfloat16 to its own precision."""

import shutil
from pathlib import Path
from typing import Any

import pytest
import torch

from models.stunet import STUNet
from tests.models.tiny import volume
from train.loop.precision import Precision, cpu_has_bfloat16, dtype_for, optimise_for_inference

CPU = torch.device("cpu")


def network() -> STUNet:
    torch.manual_seed(0)
    return STUNet("tiny", num_classes=4).eval()


@pytest.mark.parametrize(("precision", "off_by"), [("float32", 1e-5), ("bfloat16", 0.1), ("auto", 0.1)])
@pytest.mark.parametrize("batch", [1, 2])
def test_logits_are_those_of_the_plain_network(precision: Precision, off_by: float, batch: int) -> None:
    plain, x = network(), volume(batch, 32, 32, 64)
    with torch.no_grad():
        expected = plain(x)
    logits = optimise_for_inference(network(), precision=precision)(x)
    assert logits.dtype == torch.float32 and not logits.requires_grad
    # bfloat16 keeps 8 bits, so a few percent after two dozen layers.
    assert (logits - expected).square().mean().sqrt() < off_by * expected.std()


@pytest.mark.skipif(shutil.which("g++") is None, reason="torch.compile needs a C++ compiler on a CPU")
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning", "ignore::FutureWarning")
def test_compiled_logits_are_those_of_the_plain_network(monkeypatch: pytest.MonkeyPatch) -> None:
    # Whether the compiler knows this CPU's vectors is else tried for each kind of them, with a program of its own.
    monkeypatch.setattr("torch._inductor.config.cpp.vec_isa_ok", True)
    part, x = torch.nn.Sequential(*network().conv_blocks_context[:2]), volume(1, 16, 16, 16)
    with torch.no_grad():
        expected = part(x)
    logits = optimise_for_inference(part, precision="float32", compile=True)(x)
    torch.testing.assert_close(logits, expected, atol=1e-4, rtol=1e-4)


def test_weights_keep_their_values_and_type() -> None:
    plain, fast = network(), network()
    optimise_for_inference(fast, precision="bfloat16")(volume(1, 32, 32, 32))
    for before, after in zip(plain.state_dict().values(), fast.state_dict().values(), strict=True):
        assert after.dtype == torch.float32 and torch.equal(before, after)
    assert fast(volume(1, 32, 32, 32)).requires_grad


def test_a_part_of_the_network_can_be_run() -> None:
    model, x = network(), volume(1, 32, 32, 32)
    features = optimise_for_inference(model, lambda window: model.decode(model.encode(window)), precision="float32")(x)
    assert features.shape == (1, 4, 32, 32, 32)


@pytest.mark.parametrize(
    ("text", "native"),
    [
        ("flags\t\t: fpu avx512f avx512_bf16 sse\n", True),
        ("flags : amx_bf16 amx_tile\n", True),
        ("Features\t: fp asimd bf16 i8mm\n", True),
        ("flags : fpu avx2 avx512f avx512bw\nmodel name : bf16 avx512_bf16\n", False),
        (None, False),
    ],
)
def test_bfloat16_is_used_only_where_the_processor_has_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, text: str | None, native: bool
) -> None:
    cpuinfo = tmp_path / "cpuinfo"
    if text is not None:
        cpuinfo.write_text(text)
    monkeypatch.setattr("train.loop.precision.Path", lambda _: cpuinfo)
    cpu_has_bfloat16.cache_clear()
    try:
        assert dtype_for(CPU) == (torch.bfloat16 if native else torch.float32)
    finally:
        cpu_has_bfloat16.cache_clear()


@pytest.mark.parametrize(("precision", "message"), [("float16", "for GPUs"), ("fp8", "one of auto, float32")])
def test_an_unknown_precision_is_refused(precision: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        dtype_for(CPU, precision)
