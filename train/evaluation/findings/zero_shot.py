"""How similar volumes are to the two prompts of each finding: read from the organ's part of a volume, else the whole.

Shapes: N cases, F findings, E embedding.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from models.aligner import Aligner
from prompts.vocabulary import load_vocabulary
from train.alignment.organ_views import organ_mask

from .finding_prompts import FindingPrompts


class FindingScores(NamedTuple):
    """Probabilities (N, F) that a finding is there rather than not, and the classes that each is read from.

    No classes: it is read from the whole volume.
    """

    probabilities: NDArray[np.float64]
    classes: tuple[tuple[str, ...], ...]


@torch.no_grad()
def score_findings(model: Aligner, vectors: Tensor, findings: Mapping[str, FindingPrompts]) -> FindingScores:
    """Return the scores of pooled volumes (N, C): softmax over the two prompts at the model's own scale."""
    labels = model.image.labels or ()
    columns, classes = [], list[tuple[str, ...]]()
    for finding in findings.values():
        mask = organ_mask(finding.organ, labels, load_vocabulary()) if model.mgcl == "organ" else None
        present, absent = model.text.encode([finding.present, finding.absent]).float()
        if mask is None:
            images = model.embed_pooled(vectors)
        else:
            images = model.embed_organs(vectors, mask[None].to(vectors.device))[:, 0]
        margin = model.log_scale.exp() * (images @ (present - absent).to(images.device))
        columns.append(margin.sigmoid().double().cpu().numpy())
        classes.append(_names(labels, mask))
    return FindingScores(np.stack(columns, axis=1), tuple(classes))


def _names(labels: Sequence[str], mask: Tensor | None) -> tuple[str, ...]:
    return () if mask is None else tuple(name for name, shown in zip(labels, mask, strict=True) if shown)
