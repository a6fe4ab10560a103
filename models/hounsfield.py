"""What a reader sees of a structure without any training: how many voxels in it, and around it, lie where in HU.

A stone, a calcified wall, emphysema, a consolidation and fat in a liver are voxels of a range of HU in a structure;
fluid beside a lung or a heart is what belongs to no structure around one. Their number says it better than a mean does.
Shapes: W windows, K classes (the background first), R ranges of HU, D H W voxels.
"""

import torch
from torch import Tensor
from torch.nn import functional

# Where ranges of HU end: emphysema below −950, lung, the fat of the body, water, soft tissue before and after contrast,
# calcium from 130 (Agatston et al. 1990), bone, stones and metal.
EDGES = (-950, -900, -800, -600, -300, -150, -60, -20, 0, 20, 40, 60, 80, 100, 130, 160, 200, 260, 320, 400, 500)
RANGES = len(EDGES) + 1
# What is around a structure is found on voxels of twice the size.
COARSE = 2


def count_in_ranges(probability: Tensor, hounsfield: Tensor, weight: Tensor | None = None) -> Tensor:
    """Return how many voxels of each class, and of the background around each, lie in each range: (W, K, 2 · R).

    `probability` (W, K, D, H, W) and `hounsfield` (W, D, H, W), with even D, H and W; `weight` (D, H, W), from 0 to 1,
    is how much each voxel counts. Around is what lies within one to two coarse voxels.
    """
    lies_in = _ranges(hounsfield)
    if weight is not None:
        lies_in = lies_in * weight
    inside = probability.flatten(2) @ lies_in.flatten(2).transpose(1, 2)
    # Each class is widened by a coarse voxel on all sides; what counts there is how far it is background.
    widened = functional.max_pool3d(functional.max_pool3d(probability, COARSE), 3, stride=1, padding=1)
    free = functional.avg_pool3d(lies_in * probability[:, :1], COARSE) * COARSE**3
    return torch.cat((inside, widened.flatten(2) @ free.flatten(2).transpose(1, 2)), dim=2)


def _ranges(hounsfield: Tensor) -> Tensor:
    """Return which range each voxel of (W, D, H, W) lies in, as 0 and 1: (W, R, D, H, W) float32."""
    edges = torch.tensor(EDGES, dtype=hounsfield.dtype, device=hounsfield.device)
    place = torch.bucketize(hounsfield.contiguous(), edges, right=True)
    return (place[:, None] == torch.arange(RANGES, device=place.device).view(-1, 1, 1, 1)).float()
