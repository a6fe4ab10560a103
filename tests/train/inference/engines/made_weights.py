"""Weights of STU-Net's published names and shapes, made so that it is known which class fires where."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from models.architecture import PUBLISHED_LABELS, Architecture
from models.stunet import STUNet
from tests.train.inference.segment_cases import affine_of, nifti

SHAPE = (36, 30, 24)
AIR = -1000
# Boxes of one intensity each, so far apart that rounding exchanges none of them: class, HU, first voxel.
BOXES: dict[str, tuple[int, tuple[int, int, int]]] = {
    "kidney_left": (-600, (3, 3, 4)),
    "kidney_right": (-300, (20, 3, 4)),
    "liver": (0, (3, 16, 4)),
    "lung_upper_lobe_left": (300, (20, 16, 4)),
    "lung_lower_lobe_left": (600, (28, 16, 14)),
}
SIDE = 7


def box(label: str) -> np.ndarray:
    """Where a class lies, (X, Y, Z) bool."""
    mask = np.zeros(SHAPE, bool)
    mask[tuple(slice(first, first + SIDE) for first in BOXES[label][1])] = True
    return mask


def volume() -> np.ndarray:
    """Boxes in air, HU."""
    voxels = np.full(SHAPE, AIR, np.int16)
    for label, (hu, _) in BOXES.items():
        voxels[box(label)] = hu
    return voxels


def scan_file(folder: Path, name: str = "ct.nii.gz", spacing: float = 1.5) -> Path:
    """The boxes as a CT."""
    return nifti(folder / name, volume(), affine_of((spacing,) * 3))


def fire_by_intensity(network: STUNet, intensities: Mapping[int, float]) -> None:
    """Change weights so that an output fires where the input is nearest to its intensity, as a z-score.

    Both convolutions of all blocks are 0, and so are the shortcuts but two: the first block hands on x and -x, the last
    one takes them from its skip. The outputs are tangents of a parabola, of which the nearest one is the highest.
    """
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.zero_()
        first, last = network.conv_blocks_context[0][0], network.conv_blocks_localization[-1][0]  # type: ignore[index]
        first.conv3.weight[:2, 0] = torch.tensor([1.0, -1.0]).view(2, 1, 1, 1)
        skip = network.architecture.dims[0]
        for channel in (0, 1):
            last.conv3.weight[channel, skip + channel] = 1
        head = network.seg_outputs[-1]
        head.bias.fill_(-1e4)  # type: ignore[operator]
        for number, intensity in intensities.items():
            head.weight[number, 0], head.weight[number, 1] = 20 * intensity, -20 * intensity  # type: ignore[operator]
            head.bias[number] = -10 * intensity**2  # type: ignore[operator]


def z_scores() -> dict[int, float]:
    """The intensity of each class, by the number of its output, as the published preprocessing scales the boxes."""
    voxels = volume().astype(np.float64)
    hu = {"background": AIR} | {label: value for label, (value, _) in BOXES.items()}
    return {PUBLISHED_LABELS.index(label): (value - voxels.mean()) / voxels.std() for label, value in hu.items()}


def made_state(architecture: str | Architecture = "tiny") -> dict[str, Tensor]:
    """Weights that find the boxes."""
    network = STUNet(architecture, num_classes=len(PUBLISHED_LABELS))
    fire_by_intensity(network, z_scores())
    return network.state_dict()


def published_file(folder: Path) -> Path:
    """A checkpoint as nnU-Net v1 writes it."""
    path = folder / "small_ep4k.model"
    torch.save({"epoch": 4000, "state_dict": made_state(), "plot_stuff": ([np.float64(0.3)], [])}, path)
    return path
