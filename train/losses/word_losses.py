"""The losses of `train words`: terms of one organ together, others apart; a group at the mean of its members.

The first is the supervised contrastive loss (Khosla et al. 2020, arXiv 2004.11362, L_out) over terms with their organ
as class, as in BioLORD (Remy et al. 2022) and SAT's knowledge pretraining (Zhao et al. 2023), with the anatomies of one
region in a batch as hard negatives, which CA-GCL (arXiv 2605.13544) shows to undo the collapse of anatomical terms.
Shapes: R rows (terms), G groups, M members of each, E embedding; embeddings come in L2-normalised.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from .similarity import LEFT_OUT


def term_loss(embeddings: Tensor, owners: Tensor, related: Tensor, temperature: float) -> Tensor:
    """Return the supervised contrastive loss of terms (R, E) by `owners` (R,); rows whose owner is −1 are left out.

    `related` (R, R) is True where two owners are part of one another, which makes a pair neither positive nor negative.
    """
    kept = owners >= 0
    embeddings, owners, related = embeddings[kept].float(), owners[kept], related[kept][:, kept]
    itself = torch.eye(len(owners), dtype=torch.bool, device=owners.device)
    together = (owners[:, None] == owners) & ~itself
    logits = embeddings @ embeddings.T / temperature
    # Finite, for a row of which all is left out: its part of the gradient would be 0 · NaN.
    logits = logits.masked_fill(itself | (related & ~together), LEFT_OUT)
    likelihood = logits - logits.logsumexp(dim=1, keepdim=True)
    count = together.sum(dim=1)
    has_other = count > 0
    if not has_other.any():
        return embeddings.sum() * 0.0
    mean = likelihood.masked_fill(~together, 0.0).sum(dim=1) / count.clamp(min=1)
    return -mean[has_other].mean()


def group_loss(groups: Tensor, members: Tensor, valid: Tensor, related: Tensor, temperature: float) -> Tensor:
    """Return the loss of groups (G, E) against the normalised means of their members (G, M, E), where `valid` (G, M).

    Softmax over all means and all single members, of which the own mean is right, and 1 − cosine to it. `related`
    (G, G) is True where two groups are the same or share members: their means and members are no negatives of each
    other, but the own members of a group are. A group without members is left out.
    """
    kept = valid.any(dim=1)
    if not kept.any():
        return groups.sum() * 0.0
    groups, members, valid, related = groups[kept].float(), members[kept].float(), valid[kept], related[kept][:, kept]
    means = functional.normalize((members * valid.unsqueeze(-1)).sum(dim=1), dim=-1)
    itself = torch.eye(len(groups), dtype=torch.bool, device=groups.device)
    to_means = (groups @ means.T / temperature).masked_fill(related & ~itself, LEFT_OUT)
    to_members = groups @ members.flatten(0, 1).T / temperature
    left_out = (related & ~itself).repeat_interleave(members.shape[1], dim=1) | ~valid.flatten()
    logits = torch.cat([to_means, to_members.masked_fill(left_out, LEFT_OUT)], dim=1)
    nearest = functional.cross_entropy(logits, torch.arange(len(groups), device=groups.device))
    # The members are where names are; the group comes to them.
    return nearest + (1 - (groups * means.detach()).sum(dim=1)).mean()
