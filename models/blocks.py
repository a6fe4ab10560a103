"""The building blocks of the networks.

STU-Net's are the residual block, upsampling, and an instance norm that is quick on a CPU; attribute names are those of
the published checkpoints. The connector's is the attention of prompts to an image. Shapes: B batch, C input channels,
C' output channels, D H W voxels; of attention P prompts, T image tokens.
"""

import math
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext

import torch
from torch import Tensor, nn
from torch.nn import functional

# Of the leaky ReLU on its negative side.
SLOPE = 0.01
# Of the sines and cosines that encode a token's position along each axis.
POSITION_FREQUENCIES = 6
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


class AttentionLayer(nn.Module):
    """Adds cross-attention and a feed-forward layer to the prompts, each after a layer norm (pre-norm)."""

    def __init__(self, hidden: int, heads: int) -> None:
        super().__init__()
        self.norm_prompts, self.norm_image, self.norm_forward = (nn.LayerNorm(hidden) for _ in range(3))
        self.attention = nn.MultiheadAttention(hidden, heads, batch_first=True)
        self.feed_forward = nn.Sequential(nn.Linear(hidden, 2 * hidden), nn.GELU(), nn.Linear(2 * hidden, hidden))

    def forward(self, prompts: Tensor, image: Tensor) -> Tensor:
        """Return prompts (B, P, hidden) that have attended to an image (B, T, hidden)."""
        image = self.norm_image(image)
        context, _ = self.attention(self.norm_prompts(prompts), image, image, need_weights=False)
        prompts = prompts + context
        result: Tensor = prompts + self.feed_forward(self.norm_forward(prompts))
        return result


def position_encoding(tokens: Tensor) -> Tensor:
    """Return (T, 6 * POSITION_FREQUENCIES), the position of each token of a bottleneck (B, C, d, h, w).

    These are sines and cosines of the token's coordinates, which run from -1 to 1 along each axis.
    """
    axes = [_axis(size, tokens.device) for size in tokens.shape[2:]]
    coordinates = torch.stack(torch.meshgrid(*axes, indexing="ij"), dim=-1).flatten(0, 2)
    angles = coordinates.unsqueeze(-1) * (math.pi / 2 * 2.0 ** torch.arange(POSITION_FREQUENCIES, device=tokens.device))
    return torch.cat((angles.sin(), angles.cos()), dim=-1).flatten(1).to(tokens.dtype)


def _axis(size: int, device: torch.device) -> Tensor:
    return torch.linspace(-1, 1, size, device=device) if size > 1 else torch.zeros(1, device=device)
