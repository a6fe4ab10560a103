"""What patches show, by their labels: which structures are in them, and which were looked for in their cases."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from train.data.crops import PatchBatch
from train.data.training_set import CaseRef, TrainingSet


class PatchContent(NamedTuple):
    """The structures that a patch shows with at least a voxel, and those that were looked for in its case."""

    shown: frozenset[str]
    looked_for: frozenset[str]


def content_of(data: TrainingSet, labels: Tensor, case_ref: CaseRef) -> PatchContent:
    """Return what a patch with these labels, of any shape, shows."""
    ids = set(torch.unique(labels).tolist())
    looked_for = data.labelled_structures(case_ref)
    structures = data.sources[case_ref.source].structures
    return PatchContent(frozenset(name for name in looked_for if not ids.isdisjoint(structures[name])), looked_for)


def contents_of(data: TrainingSet, part: PatchBatch) -> list[PatchContent]:
    """Return what each patch of a part shows."""
    return [content_of(data, labels, case_ref) for labels, case_ref in zip(part.labels, part.case_refs, strict=True)]


def joined(contents: Sequence[PatchContent]) -> PatchContent:
    """Return what several patches show together, and what was looked for in any of their cases."""
    empty = frozenset[str]()
    return PatchContent(
        empty.union(*(content.shown for content in contents)),
        empty.union(*(content.looked_for for content in contents)),
    )
