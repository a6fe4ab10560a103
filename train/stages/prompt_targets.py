"""What the labels of a part say of each prompt: its mask, whether it was labelled at all, and which voxels count.

Shapes: B samples of a part, P prompts, D H W voxels. A prompt means one or several structures; its mask is their union.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from train.data.crops import PatchBatch
from train.data.training_set import TrainingSet
from train.prompting.patch_content import contents_of
from train.prompting.prompt_sampler import StepPrompts

# A structure of which a patch shows fewer voxels than this is neither present nor absent.
PRESENT_VOXELS = 64


def target_masks(
    data: TrainingSet, part: PatchBatch, structures: Sequence[tuple[str, ...]], device: torch.device | None = None
) -> Tensor:
    """Return the masks (B, P, D, H, W), bool, made on `device`: the union of each prompt's structures.

    One mask after the other: none is moved between devices, or written across the order in which it lies.
    """
    tables = [
        data.label_membership(number, structures).T.contiguous().to(device) for number in range(len(data.sources))
    ]
    masks = tables[0].new_empty((len(part.labels), len(structures), *part.labels.shape[1:]))
    for of_sample, labels, case_ref in zip(masks, part.labels, part.case_refs, strict=True):
        ids = labels.to(device).flatten().int()
        for mask, has_id in zip(of_sample, tables[case_ref.source], strict=True):
            mask.view(-1).copy_(has_id.index_select(0, ids))
    return masks


def known_masks(data: TrainingSet, part: PatchBatch, prompts: StepPrompts) -> Tensor:
    """Return (B, P) bool: whether each prompt's mask is known in each sample, as `StepPrompts.known_in` says."""
    return torch.tensor([prompts.known_in(content) for content in contents_of(data, part)])


def counted_voxels(data: TrainingSet, part: PatchBatch, device: torch.device | None = None) -> Tensor | None:
    """Return (B, 1, D, H, W) bool: False where the data set says that nothing is known of a voxel; None if nowhere."""
    ignored = [data.sources[case_ref.source].dataset.ignored for case_ref in part.case_refs]
    if not any(ignored):
        return None
    masks = [
        ~torch.isin(labels.to(device), torch.tensor(ids, dtype=labels.dtype, device=device))
        for labels, ids in zip(part.labels, ignored, strict=True)
    ]
    return torch.stack(masks)[:, None]


def presence_is_decided(voxels: Tensor) -> Tensor:
    """Return whether so many voxels (B, P) of a mask are enough to call it present, or none to call it absent."""
    return (voxels == 0) | (voxels >= PRESENT_VOXELS)
