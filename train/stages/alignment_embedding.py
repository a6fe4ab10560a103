"""The parts of an alignment batch as embeddings, and their contrastive losses.

Shapes: B volumes and reports of a part, K captions of each, N different texts of a part, V views (the whole, then the
organs that captions of the batch are about), E embedding.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import chain
from typing import NamedTuple

import torch
from torch import Tensor

from models.aligner import Aligner
from models.text import TextEncoder
from train.alignment.locked_texts import LockedTexts
from train.alignment.organ_views import WHOLE, OrganViews
from train.alignment.pooled_volumes import pool_volume
from train.alignment.report_samples import AlignmentBatch
from train.config.options import Alignment
from train.data.caption_pairs import CaptionPair
from train.data.cases import Case
from train.losses.alignment import AlignmentTerms, alignment_loss
from train.losses.gather import gather_ids
from train.losses.pairs import OrganParts

from .retrieval import EmbeddedPair

# Texts that go through the text encoder together.
TEXTS_AT_ONCE = 16


class BatchViews(NamedTuple):
    """The views of a whole batch, over all parts and processes: their numbers (V,), the whole first, and classes."""

    numbers: Tensor
    masks: Tensor


def views_of(parts: Sequence[AlignmentBatch], views: OrganViews, device: torch.device) -> BatchViews:
    """Return the views that any process's captions of a batch are held against, the same ones in every process."""
    used = gather_ids(torch.cat([part.views.flatten() for part in parts]).to(device))
    numbers = torch.unique(torch.cat([used.new_tensor([WHOLE]), used]))
    return BatchViews(numbers, views.masks.to(device)[numbers])


def embed_volumes(
    model: Aligner,
    part: AlignmentBatch,
    window: tuple[int, int, int],
    device: torch.device,
    views: BatchViews | None = None,
) -> Tensor:
    """Return the embeddings (B, V, E) of a part's volumes, which come as vectors or, unlocked, as voxels.

    Without `views` V is 1, the whole.
    """
    if isinstance(part.volumes, Tensor):
        pooled = part.volumes.to(device)
    else:
        pooled = torch.stack([pool_volume(model, volume.to(device), window) for volume in part.volumes])
    whole = model.embed_pooled(pooled).unsqueeze(1)
    if views is None:
        return whole
    return torch.cat((whole, model.embed_organs(pooled, views.masks[1:])), dim=1)


def embed_texts(model: Aligner, part: AlignmentBatch, locked: LockedTexts | None = None) -> Tensor:
    """Return (B + 2·B·K, E): the reports, then the captions, then their opposites; `locked` has them already.

    Rows without a text hold some other text of the part.
    """
    embedded = locked.embed(part.texts) if locked else embed_by_length(model.text, part.texts).float()
    rows = torch.cat((part.reports, part.captions.flatten(), part.opposites.flatten())).clamp(min=0)
    return embedded[rows.to(embedded.device)]


def embed_pairs(
    model: Aligner,
    pairs: Sequence[CaptionPair],
    vector: Callable[[Case], Tensor],
    encode: Callable[[Sequence[str]], Tensor],
    views: OrganViews | None = None,
) -> list[EmbeddedPair]:
    """Embed pairs for retrieval, each text once; `vector` gives a case's pooled volume (C,), `encode` embeddings."""
    texts = {text: place for place, text in enumerate(dict.fromkeys(chain.from_iterable(map(_texts, pairs))))}
    if not texts:
        return []
    embedded = encode(list(texts)).float().cpu()
    found = []
    for pair in pairs:
        pooled = vector(pair.case)[None].to(model.log_scale.device)
        parts = [model.embed_pooled(pooled).unsqueeze(1)]
        parts += [] if views is None else [model.embed_organs(pooled, views.masks[1:].to(pooled.device))]
        captions = {caption.caption: caption for caption in reversed(pair.captions)}
        found.append(
            EmbeddedPair(
                torch.cat(parts, dim=1)[0].cpu(),
                embedded[texts[pair.text]],
                pair.text,
                embedded[[texts[caption] for caption in captions]],
                tuple(views.number(caption.organ) if views else WHOLE for caption in captions.values()),
            )
        )
    return found


def _texts(pair: CaptionPair) -> list[str]:
    return [pair.text, *(caption.caption for caption in pair.captions)]


def embed_by_length(text: TextEncoder, texts: Sequence[str]) -> Tensor:
    """Return the embeddings (N, E) of texts, in their order; texts of about one length are encoded together.

    A batch is padded to its longest text: in one with whole reports, captions would be four fifths padding.
    """
    order = sorted(range(len(texts)), key=lambda index: len(texts[index]))
    batches = [order[start : start + TEXTS_AT_ONCE] for start in range(0, len(order), TEXTS_AT_ONCE)]
    embedded = torch.cat([text.embed([texts[index] for index in batch]) for batch in batches])
    return embedded[torch.tensor(order, device=embedded.device).argsort()]


def contrastive_terms(
    volumes: Tensor,
    texts: Tensor,
    log_scale: Tensor,
    parts: Sequence[AlignmentBatch],
    options: Alignment,
    views: BatchViews | None = None,
) -> AlignmentTerms:
    """Return the losses of all parts together.

    `volumes` (parts·B, V, E) and `texts` (parts·(B + 2·B·K), E) come from `embed_volumes` and `embed_texts`, part by
    part.
    """
    device, size, count = volumes.device, len(parts[0].reports), options.captions_per_report
    of_parts = texts.view(len(parts), size * (1 + 2 * count), -1)
    reports, captions, opposites = torch.split(of_parts, [size, size * count, size * count], dim=1)
    of_caption = (len(parts) * size, count, texts.shape[1])
    joined = {
        name: torch.cat([getattr(part, name) for part in parts]).to(device)
        for name in ("reports", "captions", "opposites", "scans", "said", "views", "normal", "unremarkable")
    }
    # Where there is no text, the id of some other one: it is not looked at.
    ids_of_parts = [(part.text_ids(), part) for part in parts]
    report_ids = torch.cat([ids[part.reports.clamp(min=0)] for ids, part in ids_of_parts])
    caption_ids = torch.cat([ids[part.captions.clamp(min=0)] for ids, part in ids_of_parts])
    organs = None
    if views is not None:
        numbers = torch.searchsorted(views.numbers, joined["views"])
        organs = OrganParts(volumes, numbers, joined["normal"], joined["unremarkable"][:, views.numbers])
    return alignment_loss(
        volumes[:, 0],
        reports.flatten(0, 1),
        captions.reshape(of_caption),
        log_scale,
        report_weight=options.report_weight,
        caption_weight=options.caption_weight,
        opposite_weight=options.opposite_weight,
        report_ids=report_ids.to(device),
        report_valid=joined["reports"] >= 0,
        caption_ids=caption_ids.to(device),
        caption_valid=joined["captions"] >= 0,
        scan_ids=joined["scans"],
        said=joined["said"],
        parts=organs,
        opposites=opposites.reshape(of_caption),
        opposite_valid=joined["opposites"] >= 0,
        mgcl_variant=options.mgcl_variant,
    )
