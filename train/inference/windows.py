"""Windows -> logits, first half: the network runs over overlapping windows of a volume, and its outputs are blended.

Windows run in the order of D, and the sums of one window's depth alone are held: finished slices are handed out.
Shapes: B batch, K channels of the output that is blended, D H W voxels of the volume, d h w voxels of a window.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from curation.runtime.progress import Progress
from models.architecture import Architecture
from models.stunet import STUNet
from train.loop.precision import Precision, optimise_for_inference

from .options import DEFAULT_OPTIONS

Patch = tuple[int, int, int]
# Voxels along each side of a window, where the checkpoint does not say what it was trained on.
USUAL_SIDE = 128


@dataclass(frozen=True)
class Windows:
    """How windows lie in a volume and how many of them the network takes at once.

    `size` (D, H, W) in voxels; `overlap` is the share of a window that each neighbour covers too. Raises ValueError for
    an overlap outside 0 to below 1 and for an empty batch.
    """

    size: tuple[int, int, int] = (USUAL_SIDE, USUAL_SIDE, USUAL_SIDE)
    overlap: float = DEFAULT_OPTIONS.overlap
    batch: int = 1
    precision: Precision = DEFAULT_OPTIONS.precision
    compile: bool = False

    def __post_init__(self) -> None:
        if not 0 <= self.overlap < 1 or self.batch < 1:
            raise ValueError(
                f"an overlap from 0 to below 1 and at least one window at once, not {self.overlap} and {self.batch}"
            )

    def starts(self, shape: Sequence[int]) -> tuple[list[int], list[int], list[int]]:
        """Return where windows begin along D, H and W of a volume of this shape; the last ends with the volume."""
        depth_starts, height_starts, width_starts = (
            _starts(voxels, size, max(int(size * (1 - self.overlap)), 1))
            for voxels, size in zip(shape, self.size, strict=True)
        )
        return depth_starts, height_starts, width_starts


class Slab(NamedTuple):
    """A slab of slices: those from `start` on along D of what was blended, `values` (K, n, H, W) float32.

    The values are overwritten when the next slab is asked for.
    """

    start: int
    values: Tensor


def window_size(architecture: Architecture, patch: Patch | None, shape: tuple[int, int, int]) -> Patch:
    """Return the window (D, H, W) in voxels for a network, the patch that it was trained on, and a volume of `shape`.

    It is that patch where it is known; else 128 voxels along each side, and no more than it takes to hold the volume.
    """
    if patch is not None:
        return architecture.next_patch(patch)
    around_volume = architecture.next_patch(shape)
    usual = architecture.next_patch((USUAL_SIDE, USUAL_SIDE, USUAL_SIDE))
    depth, height, width = (min(sizes) for sizes in zip(around_volume, usual, strict=True))
    return depth, height, width


@torch.no_grad()
def blended_slabs(
    network: STUNet,
    function: Callable[[Tensor], Tensor],
    volume: Tensor,
    windows: Windows = Windows(),
    progress: Progress | None = None,
) -> Iterator[Slab]:
    """Run `function` on all windows of a volume (1, D, H, W) and yield its blended output slab by slab along D.

    `function`, of `network`, takes windows (B, 1, d, h, w), intensities scaled as the checkpoint says, and returns
    (B, K, d, h, w). Windows are weighted by a Gaussian, and a volume smaller than a window is padded with its lowest
    value, both as MONAI's sliding_window_inference does. The sums are held where the network is, for one window's
    depth. `progress` counts windows. Raises ValueError for a volume or a window of a wrong shape.
    """
    progress = progress or Progress()
    _check(network, volume, windows)
    run = optimise_for_inference(network, function, precision=windows.precision, compile=windows.compile)
    device = next(network.parameters()).device
    (margins, shape), volume = _margins(volume, windows), padded(volume, windows.size)
    depth_starts, height_starts, width_starts = windows.starts(volume.shape[1:])
    progress.start(len(depth_starts) * len(height_starts) * len(width_starts), 0)
    weight, sums, total = _gaussian(windows.size).to(device), torch.empty(0), torch.empty(0)
    for start, next_start in zip(depth_starts, [*depth_starts[1:], volume.shape[1]], strict=True):
        for corners in _batches(list(product(height_starts, width_starts)), windows.batch):
            progress.raise_if_interrupted()
            batch = torch.stack([_window(volume, (start, *corner), windows.size) for corner in corners])
            for corner, output in zip(corners, run(batch.to(device)), strict=True):
                if not sums.numel():
                    sums = torch.zeros(len(output), windows.size[0], *volume.shape[2:], device=device)
                    total = torch.zeros_like(sums[:1])
                _window(sums, (0, *corner), windows.size).add_(output * weight)
                _window(total, (0, *corner), windows.size).add_(weight)
                progress.advance()
        finished = next_start - start
        yield from _without_margins(start, sums[:, :finished].div_(total[:, :finished]), margins, shape)
        _move_up(sums, finished)
        _move_up(total, finished)


def padded(volume: Tensor, window: Sequence[int]) -> Tensor:
    """Return a volume (1, D, H, W) padded to hold at least one window: in the middle, its lowest value around it."""
    missing = [max(size - voxels, 0) for size, voxels in zip(window, volume.shape[1:], strict=True)]
    if not any(missing):
        return volume
    pad = [side for lacking in reversed(missing) for side in (lacking // 2, lacking - lacking // 2)]
    return functional.pad(volume, pad, value=float(volume.min()))


def _check(network: STUNet, volume: Tensor, windows: Windows) -> None:
    if volume.dim() != 4 or volume.shape[0] != network.in_channels:
        raise ValueError(f"a volume is ({network.in_channels}, D, H, W), not {tuple(volume.shape)}")
    network.architecture.check_patch(windows.size)


def _starts(voxels: int, size: int, step: int) -> list[int]:
    count = 1 if voxels <= size else -(-(voxels - size) // step) + 1
    return [min(number * step, max(voxels - size, 0)) for number in range(count)]


def _window(tensor: Tensor, start: Sequence[int], size: Sequence[int]) -> Tensor:
    depth, height, width = (slice(first, first + voxels) for first, voxels in zip(start, size, strict=True))
    return tensor[:, depth, height, width]


def _batches(corners: list[tuple[int, int]], size: int) -> Iterator[list[tuple[int, int]]]:
    for start in range(0, len(corners), size):
        yield corners[start : start + size]


def _gaussian(size: Sequence[int]) -> Tensor:
    from monai.data.utils import compute_importance_map

    weight = compute_importance_map(tuple(size), mode="gaussian", sigma_scale=0.125)
    assert isinstance(weight, Tensor)
    return weight


def _margins(volume: Tensor, windows: Windows) -> tuple[tuple[int, int, int], tuple[int, int, int]]:
    """Return how many voxels are padded before D, H and W, and the shape of the volume without them."""
    depth, height, width = (
        max(size - voxels, 0) // 2 for size, voxels in zip(windows.size, volume.shape[1:], strict=True)
    )
    return (depth, height, width), (volume.shape[1], volume.shape[2], volume.shape[3])


def _without_margins(
    start: int, values: Tensor, margins: tuple[int, int, int], shape: tuple[int, int, int]
) -> Iterator[Slab]:
    """Yield the part of finished slices that lies in the volume, if any does."""
    first, last = max(start, margins[0]), min(start + values.shape[1], margins[0] + shape[0])
    if first < last:
        height, width = (slice(low, low + voxels) for low, voxels in zip(margins[1:], shape[1:], strict=True))
        yield Slab(first - margins[0], values[:, first - start : last - start, height, width])


def _move_up(sums: Tensor, slices: int) -> None:
    """Shift sums towards the start of D. One slice at a time: a copy of all of them would double the memory."""
    remaining = sums.shape[1] - slices
    for number in range(remaining):
        sums[:, number] = sums[:, number + slices]
    sums[:, max(remaining, 0) :] = 0
