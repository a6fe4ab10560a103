"""What is known of the networks before any is built: sizes of STU-Net, patches that fit, and names of its outputs.

Also how the size of published weights is read off their shapes, and the width of a connector, which models and settings
share. torch is not loaded: the command line reads this.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from math import prod
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

# Width of a connector (models/connectors.py), where none is given.
CONNECTOR_WIDTH = 512

Stride = tuple[int, int, int]
PUBLISHED_STRIDES: tuple[Stride, ...] = ((2, 2, 2), (2, 2, 2), (2, 2, 2), (2, 2, 2), (1, 1, 2))


@dataclass(frozen=True)
class Architecture:
    """The sizes of an STU-Net. Raises ValueError where they do not go together.

    `depth` and `dims` are blocks and channels of each encoder stage, finest first; `strides` (D, H, W), in voxels, lead
    into each stage but the first.
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
        """The number of voxels along D, H and W that become one at the bottleneck: patches are multiples of it."""
        deep, high, wide = (prod(stride[axis] for stride in self.strides) for axis in range(3))
        return deep, high, wide

    def check_patch(self, patch: Sequence[int]) -> None:
        """Raise ValueError unless a patch (D, H, W), in voxels, fits; the message names the next size that does."""
        reduction = self.reduction
        if len(patch) != 3:
            raise ValueError(f"a patch is (D, H, W), not {tuple(patch)}")
        if any(size < 1 or size % step for size, step in zip(patch, reduction, strict=True)):
            raise ValueError(
                f"D, H, W must be multiples of {_times(reduction)}, not {_times(patch)}; "
                f"{_times(self.next_patch(patch))} is the next that fits"
            )
        if tuple(patch) == reduction:
            raise ValueError(
                f"a patch of {_times(patch)} leaves one voxel at the bottleneck, which instance norm cannot normalise; "
                f"{_times(self.next_patch(patch))} is the next that fits"
            )

    def next_patch(self, size: Sequence[int]) -> tuple[int, int, int]:
        """Return the smallest patch (D, H, W) that fits and holds `size` (D, H, W); both in voxels."""
        deep, high, wide = (
            max(-(-voxels // step), 1) * step for voxels, step in zip(size, self.reduction, strict=True)
        )
        if (deep, high, wide) != self.reduction:
            return deep, high, wide
        # One voxel at the bottleneck is too few: two, along the axis that leaves the patch nearest to a cube.
        doubled = ((2 * deep, high, wide), (deep, 2 * high, wide), (deep, high, 2 * wide))
        return min(doubled, key=lambda patch: max(patch) / min(patch))


def _times(sizes: Sequence[int]) -> str:
    return "×".join(map(str, sizes))


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
    """Return the architecture of a name in ARCHITECTURES. Raises ValueError for an unknown one."""
    if isinstance(size, Architecture):
        return size
    if size not in ARCHITECTURES:
        raise ValueError(f"STUNet comes in {', '.join(ARCHITECTURES)}, not {size!r}")
    return ARCHITECTURES[size]


def architecture_from_weights(weights: Mapping[str, Tensor]) -> tuple[Architecture, int, int | None]:
    """Return architecture, input channels and classes (None without heads) of STU-Net weights, by names and shapes.

    Strides have no weights: they are taken to be the published ones. Raises ValueError where these are no STU-Net
    weights.
    """
    matches = [re.fullmatch(r"conv_blocks_context\.(\d+)\.(\d+)\.conv1\.weight", name) for name in weights]
    blocks = sorted((int(match[1]), int(match[2])) for match in matches if match)
    stages = len({stage for stage, _ in blocks})
    depth = tuple(sum(stage == index for stage, _ in blocks) for index in range(stages))
    if stages != len(PUBLISHED_STRIDES) + 1 or blocks != [
        (stage, block) for stage in range(stages) for block in range(depth[stage])
    ]:
        first_names = ", ".join(list(weights)[:3])
        raise ValueError(
            f"these are no weights of an STU-Net of {len(PUBLISHED_STRIDES) + 1} encoder stages "
            f"(first names: {first_names})"
        )
    first_weights = [weights[f"conv_blocks_context.{stage}.0.conv1.weight"] for stage in range(stages)]
    head = weights.get("seg_outputs.0.weight")
    if any(weight.dim() != 5 for weight in (*first_weights, *([] if head is None else [head]))):
        raise ValueError("these are no weights of an STU-Net: a convolution's weight has not five dimensions")
    return (
        Architecture(depth, tuple(weight.shape[0] for weight in first_weights)),
        first_weights[0].shape[1],
        None if head is None else head.shape[0],
    )


# The 104 structures of TotalSegmentator v1 in alphabetical order, after the background: the order in which STU-Net
# was trained (STU-Net repository, plan files), which is neither the order of TotalSegmentator v1 nor that of v2.
PUBLISHED_LABELS: tuple[str, ...] = (
    "background",
    *"""
    adrenal_gland_left adrenal_gland_right aorta autochthon_left autochthon_right brain clavicula_left
    clavicula_right colon duodenum esophagus face femur_left femur_right gallbladder gluteus_maximus_left
    gluteus_maximus_right gluteus_medius_left gluteus_medius_right gluteus_minimus_left gluteus_minimus_right
    heart_atrium_left heart_atrium_right heart_myocardium heart_ventricle_left heart_ventricle_right hip_left
    hip_right humerus_left humerus_right iliac_artery_left iliac_artery_right iliac_vena_left iliac_vena_right
    iliopsoas_left iliopsoas_right inferior_vena_cava kidney_left kidney_right liver lung_lower_lobe_left
    lung_lower_lobe_right lung_middle_lobe_right lung_upper_lobe_left lung_upper_lobe_right pancreas
    portal_vein_and_splenic_vein pulmonary_artery rib_left_1 rib_left_10 rib_left_11 rib_left_12 rib_left_2
    rib_left_3 rib_left_4 rib_left_5 rib_left_6 rib_left_7 rib_left_8 rib_left_9 rib_right_1 rib_right_10
    rib_right_11 rib_right_12 rib_right_2 rib_right_3 rib_right_4 rib_right_5 rib_right_6 rib_right_7
    rib_right_8 rib_right_9 sacrum scapula_left scapula_right small_bowel spleen stomach trachea urinary_bladder
    vertebrae_C1 vertebrae_C2 vertebrae_C3 vertebrae_C4 vertebrae_C5 vertebrae_C6 vertebrae_C7 vertebrae_L1
    vertebrae_L2 vertebrae_L3 vertebrae_L4 vertebrae_L5 vertebrae_T1 vertebrae_T10 vertebrae_T11 vertebrae_T12
    vertebrae_T2 vertebrae_T3 vertebrae_T4 vertebrae_T5 vertebrae_T6 vertebrae_T7 vertebrae_T8 vertebrae_T9
    """.split(),
)


def label_positions(names: Sequence[str], labels: Sequence[str]) -> list[int]:
    """Return the index of each of `names` in `labels`.

    Raises ValueError for names that are no labels, with the labels nearest to each, and for a label that stands twice.
    """
    position = {label: index for index, label in enumerate(labels)}
    if len(position) != len(labels):
        raise ValueError(
            "a label stands twice: " + ", ".join(sorted({name for name in labels if labels.count(name) > 1}))
        )
    unknown = [name for name in names if name not in position]
    if unknown:
        hints = "; ".join(_with_nearest(name, labels) for name in unknown)
        raise ValueError(f"no output for {hints}. The {len(labels)} there are: {', '.join(labels)}")
    return [position[name] for name in names]


def _with_nearest(name: str, labels: Sequence[str]) -> str:
    near = get_close_matches(name, labels, n=2)
    return f"{name!r} (near: {', '.join(near)})" if near else repr(name)
