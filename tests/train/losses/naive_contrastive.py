"""The contrastive losses written out one pair at a time, and random batches to compare with."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from train.losses.contrastive import MgclVariant
from train.losses.pairs import OrganParts


class ContrastiveBatch:
    """Random pairs in float64, with repeated texts and scans and with missing captions."""

    def __init__(self, seed: int, reports: int = 6, captions: int = 3, size: int = 5) -> None:
        random = torch.Generator().manual_seed(seed)

        def unit(*shape: int) -> Tensor:
            return functional.normalize(torch.randn(*shape, size, dtype=torch.float64, generator=random), dim=-1)

        self.image = unit(reports).requires_grad_()
        self.captions = unit(reports, captions).requires_grad_()
        self.log_scale = torch.tensor(1.7, dtype=torch.float64, requires_grad=True)
        self.text_ids = torch.randint(-5, 5, (reports, captions), generator=random)
        self.scan_ids = torch.randint(0, reports, (reports,), generator=random)
        self.valid = torch.rand(reports, captions, generator=random) > 0.3

        self.said = torch.randint(-5, 5, (reports, 4), generator=random)
        self.parts = OrganParts(
            unit(reports, 3).requires_grad_(),
            torch.randint(0, 3, (reports, captions), generator=random),
            torch.rand(reports, captions, generator=random) > 0.5,
            torch.rand(reports, 3, generator=random) > 0.6,
        )

    @property
    def organ_inputs(self) -> tuple[Tensor, Tensor, Tensor]:
        return self.parts.images, self.captions, self.log_scale

    @property
    def inputs(self) -> tuple[Tensor, Tensor, Tensor]:
        return self.image, self.captions, self.log_scale

    def masks(self, slot: int | None = None) -> dict[str, Any]:
        text_ids, valid = (mask if slot is None else mask[:, slot] for mask in (self.text_ids, self.valid))
        return {"text_ids": text_ids, "scan_ids": self.scan_ids, "valid": valid}


def log_softmax_at(chosen: Tensor, logits: Sequence[Tensor]) -> Tensor:
    return chosen - torch.stack(list(logits)).logsumexp(0)


def naive_clip(
    image: Tensor,
    text: Tensor,
    log_scale: Tensor,
    text_ids: Tensor | None = None,
    scan_ids: Tensor | None = None,
    valid: Tensor | None = None,
) -> Tensor:
    scale = log_scale.exp()
    there = [i for i in range(len(image)) if valid is None or valid[i]]

    def meet(i: int, j: int) -> bool:
        same_text = text_ids is not None and bool(text_ids[i] == text_ids[j])
        same_scan = scan_ids is not None and bool(scan_ids[i] == scan_ids[j])
        return i == j or not (same_text or same_scan)

    total = torch.zeros((), dtype=torch.float64)
    for i in there:
        positive = scale * image[i] @ text[i]
        total = total - log_softmax_at(positive, [scale * image[i] @ text[j] for j in there if meet(i, j)])
        total = total - log_softmax_at(positive, [scale * image[j] @ text[i] for j in there if meet(i, j)])
    return total / (2 * max(len(there), 1))


def naive_mgcl(
    image: Tensor,
    captions: Tensor,
    log_scale: Tensor,
    variant: MgclVariant,
    text_ids: Tensor | None = None,
    scan_ids: Tensor | None = None,
    valid: Tensor | None = None,
    said: Tensor | None = None,
    parts: OrganParts | None = None,
    weights: Sequence[float] | None = None,
) -> Tensor:
    scale = log_scale.exp()
    reports, slots = captions.shape[:2]
    weight = [1.0] * slots if weights is None else weights
    there = [
        (j, k) for j in range(reports) for k in range(slots) if weight[k] > 0 and (valid is None or bool(valid[j, k]))
    ]

    def part_of(j: int, k: int) -> int:
        return 0 if parts is None else int(parts.of_caption[j, k])

    def meet(i: int, j: int, k: int) -> bool:
        if i == j:
            return True
        slots_of_image = [k2 for j2, k2 in there if j2 == i]
        same_text = text_ids is not None and any(bool(text_ids[i, k2] == text_ids[j, k]) for k2 in slots_of_image)
        if said is not None and text_ids is not None:
            same_text = any(int(number) >= 0 and bool(number == text_ids[j, k]) for number in said[i])
        same_scan = scan_ids is not None and bool(scan_ids[i] == scan_ids[j])
        both_normal = parts is not None and bool(parts.normal[j, k] and parts.unremarkable[i, part_of(j, k)])
        return not (same_text or same_scan or both_normal)

    def logit(i: int, j: int, k: int) -> Tensor:
        against = image[i] if parts is None else parts.images[i, part_of(j, k)]
        return scale * against @ captions[j, k]

    def rivals(k: int) -> list[tuple[int, int]]:
        return [(j, k2) for j, k2 in there if variant == "joint" or k2 == k]

    to_image = to_captions = torch.zeros((), dtype=torch.float64)
    for i, k in there:
        columns = sorted({j for j, _ in rivals(k)})
        row = log_softmax_at(logit(i, i, k), [logit(j, i, k) for j in columns if meet(j, i, k)])
        of_part = [(j, k2) for j, k2 in rivals(k) if part_of(j, k2) == part_of(i, k)]
        column = log_softmax_at(logit(i, i, k), [logit(i, j, k2) for j, k2 in of_part if meet(i, j, k2)])
        to_image = to_image - weight[k] * row
        own = [k2 for j, k2 in there if j == i and part_of(j, k2) == part_of(i, k)]
        share = sum(weight[k2] for k2 in own) if variant == "joint" else 1.0
        to_captions = to_captions - weight[k] / share * column
    total = sum(weight[k] for _, k in there) or 1.0
    choices = (len({(i, part_of(i, k)) for i, k in there}) or 1) if variant == "joint" else total
    return (to_image / total + to_captions / choices) / 2


def assert_same(ours: Tensor, reference: Tensor, inputs: Sequence[Tensor], tolerance: float = 1e-10) -> None:
    """Compare values and gradients."""
    torch.testing.assert_close(ours, reference, rtol=0, atol=tolerance)
    assert ours.dim() == 0
    for gradient, expected in zip(
        torch.autograd.grad(ours, inputs), torch.autograd.grad(reference, inputs), strict=True
    ):
        torch.testing.assert_close(gradient, expected, rtol=0, atol=tolerance)
