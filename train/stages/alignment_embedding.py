"""The parts of an alignment batch as embeddings, and their contrastive losses.

Shapes: B volumes and reports of a part, K captions of each, N different texts of a part, E embedding.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from models.aligner import Aligner
from models.text import TextEncoder
from train.config.options import Alignment
from train.data.report_samples import AlignmentBatch
from train.losses.alignment import AlignmentTerms, alignment_loss

from .pooled_volumes import pool_volume

# Texts that go through the text encoder together.
TEXTS_AT_ONCE = 16


def embed_volumes(model: Aligner, part: AlignmentBatch, window: tuple[int, int, int], device: torch.device) -> Tensor:
    """Return the embeddings (B, E) of a part's volumes, which come as vectors or, unlocked, as voxels."""
    if isinstance(part.volumes, Tensor):
        return model.embed_pooled(part.volumes.to(device))
    return model.embed_pooled(torch.stack([pool_volume(model, volume.to(device), window) for volume in part.volumes]))


def embed_texts(model: Aligner, part: AlignmentBatch) -> Tensor:
    """Return (B + B·K, E): the reports, then the captions; rows without a text hold some other text of the part."""
    embedded = embed_by_length(model.text, part.texts).float()
    rows = torch.cat((part.reports, part.captions.flatten())).clamp(min=0)
    return embedded[rows.to(embedded.device)]


def embed_by_length(text: TextEncoder, texts: Sequence[str]) -> Tensor:
    """Return the embeddings (N, E) of texts, in their order; texts of about one length are encoded together.

    A batch is padded to its longest text: in one with whole reports, captions would be four fifths padding.
    """
    order = sorted(range(len(texts)), key=lambda index: len(texts[index]))
    batches = [order[start : start + TEXTS_AT_ONCE] for start in range(0, len(order), TEXTS_AT_ONCE)]
    embedded = torch.cat([text.embed([texts[index] for index in batch]) for batch in batches])
    return embedded[torch.tensor(order, device=embedded.device).argsort()]


def contrastive_terms(
    volumes: Tensor, texts: Tensor, log_scale: Tensor, parts: Sequence[AlignmentBatch], options: Alignment
) -> AlignmentTerms:
    """Return the losses of all parts together.

    `volumes` (parts·B, E) and `texts` (parts·(B + B·K), E) come from `embed_volumes` and `embed_texts`, part by part.
    """
    device, size, count = volumes.device, len(parts[0].reports), options.captions_per_report
    texts = texts.view(len(parts), size * (1 + count), -1)
    reports = torch.cat([part.reports for part in parts]).to(device)
    captions = torch.cat([part.captions for part in parts]).to(device)
    # Where there is no text, the id of some other one: it is not looked at.
    ids_of_parts = [(part.text_ids(), part) for part in parts]
    report_ids = torch.cat([ids[part.reports.clamp(min=0)] for ids, part in ids_of_parts])
    caption_ids = torch.cat([ids[part.captions.clamp(min=0)] for ids, part in ids_of_parts])
    return alignment_loss(
        volumes,
        texts[:, :size].flatten(0, 1),
        texts[:, size:].reshape(len(parts) * size, count, -1),
        log_scale,
        report_weight=options.report_weight,
        caption_weight=options.caption_weight,
        report_ids=report_ids.to(device),
        report_valid=reports >= 0,
        caption_ids=caption_ids.to(device),
        caption_valid=captions >= 0,
        scan_ids=torch.cat([part.scans for part in parts]).to(device),
        mgcl_variant=options.mgcl_variant,
    )
