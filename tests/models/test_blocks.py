"""The instance norm of STU-Net: the same numbers in both memory layouts."""

import pytest
import torch

from models.blocks import InstanceNorm


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
