"""The building blocks of STU-Net: residual block, upsampling, and an instance norm that is quick on a CPU.

Shapes: B batch, C input channels, C' output channels, D H W voxels. Attribute names are those of the published
checkpoints.
"""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext

import torch
from torch import Tensor, nn
from torch.nn import functional

# Of the leaky ReLU on its negative side.
SLOPE = 0.01
# A volume of fewer voxels than this along any axis is thin; see `_gradients_of_thin_volumes`.
THIN = 4


class InstanceNorm(nn.InstanceNorm3d):
    """Normalises each channel of each volume over D H W; parameters as in `nn.InstanceNorm3d`, weight and bias (C,).

    PyTorch's own implementation first copies a channels-last tensor into the other layout, so that layout has a path of
    its own here: in float32, and where a compiler fuses it, the formula written out; else in bfloat16 the kernel of
    batch norm on one volume, which computes the same and keeps its sums in float32.
    """

    def __init__(self, channels: int) -> None:
        super().__init__(channels, eps=1e-5, affine=True)

    def forward(self, x: Tensor) -> Tensor:
        """Return x (B, C, D, H, W), normalised. Raises ValueError for a single voxel, which has no variance."""
        voxels = x.shape[2] * x.shape[3] * x.shape[4]
        if voxels == 1 or x.device.type != "cpu" or not x.is_contiguous(memory_format=torch.channels_last_3d):
            return super().forward(x)
        if x.dtype in (torch.bfloat16, torch.float16) and not torch.compiler.is_compiling():
            volumes = [self._as_batch_norm(volume.unsqueeze(0)) for volume in x]
            return volumes[0] if len(volumes) == 1 else torch.cat(volumes)
        wide = x.to(torch.promote_types(x.dtype, torch.float32))
        variance, mean = torch.var_mean(wide, dim=(2, 3, 4), correction=0, keepdim=True)
        scale = self.weight.view(1, -1, 1, 1, 1) * torch.rsqrt(variance + self.eps)
        return torch.addcmul(self.bias.view(1, -1, 1, 1, 1) - mean * scale, wide, scale).to(x.dtype)

    def _as_batch_norm(self, volume: Tensor) -> Tensor:
        return functional.batch_norm(volume, None, None, self.weight, self.bias, True, 0, self.eps)


class ResidualBlock(nn.Module):
    """Adds two 3x3x3 convolutions with instance norm to a shortcut: the input, with `project` convolved 1x1x1."""

    def __init__(
        self, channels_in: int, channels_out: int, stride: tuple[int, int, int] = (1, 1, 1), *, project: bool
    ) -> None:
        super().__init__()
        self.conv1 = nn.Conv3d(channels_in, channels_out, kernel_size=3, stride=stride, padding=1)
        self.norm1 = InstanceNorm(channels_out)
        self.conv2 = nn.Conv3d(channels_out, channels_out, kernel_size=3, padding=1)
        self.norm2 = InstanceNorm(channels_out)
        self.conv3 = nn.Conv3d(channels_in, channels_out, kernel_size=1, stride=stride) if project else None

    def forward(self, *parts: Tensor) -> Tensor:
        """Return (B, C', D / stride, H / stride, W / stride) of an input (B, C, D, H, W), given as parts along C."""
        y = functional.leaky_relu(self.norm1(_convolve(self.conv1, parts)), SLOPE, inplace=True)
        y = self.norm2(_convolve(self.conv2, [y]))
        y += parts[0] if self.conv3 is None else _convolve(self.conv3, parts)
        return functional.leaky_relu(y, SLOPE, inplace=True)


def _convolve(conv: nn.Conv3d, parts: Sequence[Tensor]) -> Tensor:
    """Return the convolution of an input that is given as parts along C.

    In training it is a sum over the parts: if they were joined, their copy would be kept for backward, and a skip that
    comes from a frozen encoder would have its gradient computed for nothing (decoder training at 96³ then takes 1.4
    times the time).
    """
    if len(parts) == 1 or not torch.is_grad_enabled():
        with _gradients_of_thin_volumes(conv, parts[0]) as dtype:
            output: Tensor = conv((parts[0] if len(parts) == 1 else torch.cat(tuple(parts), dim=1)).to(dtype))
        return output
    weights = torch.split(conv.weight, [part.shape[1] for part in parts], dim=1)
    with _gradients_of_thin_volumes(conv, parts[0]) as dtype:
        total = functional.conv3d(parts[0].to(dtype), weights[0], conv.bias, conv.stride, conv.padding)
        for part, weight in zip(parts[1:], weights[1:], strict=True):
            total += functional.conv3d(part.to(dtype), weight, None, conv.stride, conv.padding)
    return total


def _gradients_of_thin_volumes(conv: nn.Conv3d, x: Tensor) -> AbstractContextManager[torch.dtype | None]:
    """Return a context for one convolution, and the type that its input must have in it; None: as it is.

    The gradient of the weights of a bfloat16 convolution of 3x3x3 is wrong on a CPU where the volume has a depth of two
    voxels: oneDNN (`jit_bf16:avx512_core`, torch 2.13) leaves 18 of the 27 taps as the memory happened to be, so that a
    run was another each time, and NaN now and then. Such volumes are small, and learned from in float32.
    """
    exact = (
        x.device.type == "cpu"
        and torch.is_autocast_enabled("cpu")
        and torch.is_grad_enabled()
        and max(conv.kernel_size) > 1
        and min(x.shape[2:]) < THIN
    )
    return _in_float32() if exact else nullcontext()


@contextmanager
def _in_float32() -> Iterator[torch.dtype]:
    with torch.autocast("cpu", enabled=False):
        yield torch.float32


class Upsample(nn.Module):
    """Repeats voxels by `scale` and mixes channels with a 1x1x1 convolution.

    The convolution works on single voxels, so it comes first: the same numbers as after the repetition, for an eighth
    of the work.
    """

    def __init__(self, channels_in: int, channels_out: int, scale: tuple[int, int, int]) -> None:
        super().__init__()
        self.scale = [float(factor) for factor in scale]
        self.conv = nn.Conv3d(channels_in, channels_out, kernel_size=1)

    def forward(self, x: Tensor) -> Tensor:
        """Return (B, C', D * scale, H * scale, W * scale) of x (B, C, D, H, W)."""
        return functional.interpolate(self.conv(x), scale_factor=self.scale, mode="nearest")
