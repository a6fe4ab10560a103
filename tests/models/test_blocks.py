"""The blocks of STU-Net: an instance norm of the same numbers in both memory layouts, gradients in bfloat16."""

import pytest
import torch
from torch import Tensor, nn

from models.blocks import InstanceNorm, _convolve


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("mean", [0.0, 3.0, 30.0])
def test_instance_norm_on_channels_last_is_instance_norm(dtype: torch.dtype, mean: float) -> None:
    x = (torch.randn(2, 5, 6, 7, 8, generator=torch.Generator().manual_seed(0)) + mean).to(dtype)
    norm = InstanceNorm(5)
    torch.nn.init.normal_(norm.weight)
    torch.nn.init.normal_(norm.bias)
    expected = torch.nn.functional.instance_norm(x.double(), weight=norm.weight.double(), bias=norm.bias.double())
    result = norm(x.to(memory_format=torch.channels_last_3d))
    assert result.is_contiguous(memory_format=torch.channels_last_3d) and result.dtype == dtype
    tolerance = 1e-4 if dtype == torch.float32 else 0.03
    torch.testing.assert_close(result.double(), expected, atol=tolerance, rtol=tolerance)


def test_instance_norm_in_both_layouts_has_the_same_gradients() -> None:
    x = torch.randn(2, 3, 4, 5, 6, dtype=torch.float64)
    gradients = []
    for layout in (torch.contiguous_format, torch.channels_last_3d):
        norm = InstanceNorm(3).double()
        inputs = x.clone(memory_format=layout).requires_grad_()
        torch.autograd.backward((norm(inputs) * x.cos()).square().sum())
        gradients.append((inputs.grad, norm.weight.grad, norm.bias.grad))
    for contiguous, channels_last in zip(*gradients, strict=True):
        torch.testing.assert_close(channels_last, contiguous)


@pytest.mark.parametrize("stride", [(1, 1, 1), (2, 2, 2), (1, 1, 2)])
@pytest.mark.parametrize(
    "size", [(2, 1, 1), (2, 2, 2), (2, 5, 3), (3, 1, 2), (5, 1, 2), (3, 3, 3), (4, 4, 4), (6, 4, 5)]
)
def test_gradients_in_bfloat16_are_those_in_float32(size: tuple[int, int, int], stride: tuple[int, int, int]) -> None:
    """Also where oneDNN's own are whatever the memory held, and other ones each time: in thin volumes."""

    def gradients(dtype: torch.dtype) -> list[Tensor]:
        torch.manual_seed(0)
        conv = nn.Conv3d(16, 16, kernel_size=3, stride=stride, padding=1)
        x, skip = torch.randn(2, 8, *size), torch.randn(2, 8, *size)
        with torch.autocast("cpu", torch.bfloat16, enabled=dtype == torch.bfloat16):
            outputs = [_convolve(conv, [x, skip]), _convolve(conv, [torch.cat((x, skip), dim=1)])]
        weights = torch.randn_like(outputs[0], dtype=torch.float32)
        return [torch.autograd.grad((output.float() * weights).sum(), conv.weight)[0] for output in outputs]

    for exact, rounded in zip(gradients(torch.float32), gradients(torch.bfloat16), strict=True):
        assert (exact - rounded).norm() < 0.02 * exact.norm()
