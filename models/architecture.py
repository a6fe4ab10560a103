"""The sizes of STU-Net, what patches fit them, and how the size of published weights is read off their shapes."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import prod

from torch import Tensor

Stride = tuple[int, int, int]
PUBLISHED_STRIDES: tuple[Stride, ...] = ((2, 2, 2), (2, 2, 2), (2, 2, 2), (2, 2, 2), (1, 1, 2))


@dataclass(frozen=True)
class Architecture:
    """Blocks and channels of each encoder stage, finest first, and the stride (D, H, W) that leads into each but the
    first.
    """

    depth: tuple[int, ...]
    dims: tuple[int, ...]
    strides: tuple[Stride, ...] = PUBLISHED_STRIDES

    def __post_init__(self) -> None:
        if not len(self.depth) == len(self.dims) == len(self.strides) + 1 or len(self.depth) < 2:
            raise ValueError(f"a depth and a width for each stage and a stride between two stages, not {self}")
        if min(*self.depth, *self.dims, *(step for stride in self.strides for step in stride)) < 1:
            raise ValueError(f"depths, widths and strides are at least 1, not {self}")

    @property
    def reduction(self) -> Stride:
        """How many voxels of D, H and W become one at the bottleneck: patches are multiples of it."""
        deep, high, wide = (prod(stride[axis] for stride in self.strides) for axis in range(3))
        return deep, high, wide

    def check_patch(self, patch: Sequence[int]) -> None:
        """ValueError unless a patch (D, H, W) in voxels fits; the text names the next that does."""
        reduction = self.reduction
        if len(patch) != 3:
            raise ValueError(f"a patch is (D, H, W), not {tuple(patch)}")
        if any(size < 1 or size % step for size, step in zip(patch, reduction, strict=True)):
            near = _by(self.next_patch(patch))
            raise ValueError(
                f"D, H, W must be multiples of {_by(reduction)}, not {_by(patch)}; {near} is the next that fits"
            )
        if tuple(patch) == reduction:
            raise ValueError(
                f"a patch of {_by(patch)} leaves one voxel at the bottleneck, which instance norm cannot normalise; "
                f"{_by(self.next_patch(patch))} is the next that fits"
            )

    def next_patch(self, size: Sequence[int]) -> tuple[int, int, int]:
        """The smallest patch (D, H, W) that fits and holds `size` voxels."""
        deep, high, wide = (
            max(-(-voxels // step), 1) * step for voxels, step in zip(size, self.reduction, strict=True)
        )
        return (deep, high, 2 * wide) if (deep, high, wide) == self.reduction else (deep, high, wide)


# The published sizes (STU-Net repository), and two that train in seconds.
ARCHITECTURES = {
    "tiny": Architecture((1,) * 6, (4, 8, 16, 32, 64, 64)),
    "tiny-deep": Architecture((2,) * 6, (4, 8, 16, 32, 64, 64)),
    "S": Architecture((1,) * 6, (16, 32, 64, 128, 256, 256)),
    "B": Architecture((1,) * 6, (32, 64, 128, 256, 512, 512)),
    "L": Architecture((2,) * 6, (64, 128, 256, 512, 1024, 1024)),
    "H": Architecture((3,) * 6, (96, 192, 384, 768, 1536, 1536)),
}


def architecture_of(size: str | Architecture) -> Architecture:
    """The sizes behind a name; ValueError for an unknown one."""
    if isinstance(size, Architecture):
        return size
    if size not in ARCHITECTURES:
        raise ValueError(f"STUNet comes in {', '.join(ARCHITECTURES)}, not {size!r}")
    return ARCHITECTURES[size]


def read_off(weights: Mapping[str, Tensor]) -> tuple[Architecture, int, int | None]:
    """Architecture, input channels and classes (None without heads) of STU-Net weights, by their names and shapes.

    Strides have no weights: they are taken to be the published ones. ValueError where these are no STU-Net weights.
    """
    blocks = [re.fullmatch(r"conv_blocks_context\.(\d+)\.(\d+)\.conv1\.weight", name) for name in weights]
    found = sorted((int(match[1]), int(match[2])) for match in blocks if match)
    stages = len({stage for stage, _ in found})
    depth = tuple(sum(stage == index for stage, _ in found) for index in range(stages))
    if stages != len(PUBLISHED_STRIDES) + 1 or found != [
        (stage, block) for stage in range(stages) for block in range(depth[stage])
    ]:
        named = ", ".join(list(weights)[:3])
        raise ValueError(
            f"these are no weights of an STU-Net of {len(PUBLISHED_STRIDES) + 1} encoder stages (first names: {named})"
        )
    first = [weights[f"conv_blocks_context.{stage}.0.conv1.weight"] for stage in range(stages)]
    head = weights.get("seg_outputs.0.weight")
    if any(weight.dim() != 5 for weight in (*first, *([] if head is None else [head]))):
        raise ValueError("these are no weights of an STU-Net: a convolution's weight has not five dimensions")
    return (
        Architecture(depth, tuple(w.shape[0] for w in first)),
        first[0].shape[1],
        None if head is None else head.shape[0],
    )


def _by(sizes: Sequence[int]) -> str:
    return "×".join(map(str, sizes))
