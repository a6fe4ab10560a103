"""A network that is laid out otherwise learns the same."""

import pytest
import torch

from models.stunet import STUNet
from train.config.speed import Speed
from train.loop.network_speed import speed_up

pytestmark = pytest.mark.usefixtures("one_thread")
CPU = torch.device("cpu")


def gradients(speed: Speed) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
    torch.manual_seed(0)
    network = STUNet("tiny", num_classes=3).double().train()
    speed_up(network, speed, CPU)
    volume = torch.randn(2, 1, 32, 32, 64, dtype=torch.double)
    logits = network(volume)
    torch.autograd.backward(logits.square().mean())
    return logits, {name: weight.grad for name, weight in network.named_parameters() if weight.grad is not None}


def test_channels_last_changes_nothing_but_the_layout() -> None:
    (logits, expected), (other, last) = (gradients(Speed(channels_last=each)) for each in (False, True))
    assert torch.allclose(logits, other, rtol=1e-9, atol=1e-9) and expected.keys() == last.keys()
    assert all(torch.allclose(expected[name], last[name], rtol=1e-6, atol=1e-9) for name in expected)
    weight = last["conv_blocks_context.1.0.conv2.weight"]
    assert weight.is_contiguous(memory_format=torch.channels_last_3d) and not weight.is_contiguous()
