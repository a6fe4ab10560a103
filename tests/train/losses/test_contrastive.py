from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any, get_args

import pytest
import torch
from torch import Tensor
from torch.nn import functional
from torch.utils._python_dispatch import TorchDispatchMode

from models.aligner import MAX_LOG_SCALE
from tests.train.losses.naive_contrastive import ContrastiveBatch, assert_same, naive_clip, naive_mgcl
from train.losses.contrastive import MgclVariant, clip_loss, mgcl_loss
from train.losses.pairs import OrganParts

VARIANTS: tuple[MgclVariant, ...] = get_args(MgclVariant)
CHUNKS = (1, 4, 512)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("chunk", CHUNKS)
def test_clip_is_the_naive_loop(seed: int, chunk: int) -> None:
    batch = ContrastiveBatch(seed)
    inputs = (batch.image, batch.captions[:, 0].detach().requires_grad_(), batch.log_scale)
    assert_same(clip_loss(*inputs, chunk=chunk), naive_clip(*inputs), inputs)
    for name, mask in batch.masks(0).items():
        assert_same(clip_loss(*inputs, **{name: mask}, chunk=chunk), naive_clip(*inputs, **{name: mask}), inputs)
    assert_same(clip_loss(*inputs, **batch.masks(0), chunk=chunk), naive_clip(*inputs, **batch.masks(0)), inputs)


def test_clip_is_torch_s_cross_entropy() -> None:
    batch = ContrastiveBatch(0)
    inputs = (batch.image, batch.captions[:, 0].detach().requires_grad_(), batch.log_scale)
    logits, labels = inputs[2].exp() * inputs[0] @ inputs[1].T, torch.arange(6)
    plain = (functional.cross_entropy(logits, labels) + functional.cross_entropy(logits.T, labels)) / 2
    assert_same(clip_loss(*inputs), plain, inputs)


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("seed", range(4))
def test_mgcl_is_the_naive_loop(seed: int, variant: MgclVariant) -> None:
    batch = ContrastiveBatch(seed)
    for chunk in CHUNKS:
        assert_same(
            mgcl_loss(*batch.inputs, variant=variant, chunk=chunk), naive_mgcl(*batch.inputs, variant), batch.inputs
        )
        for weights in (None, [0.5, 2.0, 1.0], [1.0, 0.0, 0.3]):
            ours = mgcl_loss(*batch.inputs, variant=variant, weights=weights, chunk=chunk, **batch.masks())
            assert_same(ours, naive_mgcl(*batch.inputs, variant, weights=weights, **batch.masks()), batch.inputs)
    for name, mask in batch.masks().items():
        ours = mgcl_loss(*batch.inputs, variant=variant, **{name: mask})
        assert_same(ours, naive_mgcl(*batch.inputs, variant, **{name: mask}), batch.inputs)


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("seed", range(4))
def test_organ_wise_is_the_naive_loop(seed: int, variant: MgclVariant) -> None:
    batch = ContrastiveBatch(seed)
    inputs, organ = batch.organ_inputs, dict[str, Any](parts=batch.parts, variant=variant)
    for chunk in CHUNKS:
        ours = mgcl_loss(batch.image, *inputs[1:], chunk=chunk, **organ)
        assert_same(ours, naive_mgcl(batch.image, *inputs[1:], **organ), inputs)
    for weights in (None, [0.5, 2.0, 1.0], [1.0, 0.0, 0.3]):
        masks = {**organ, **batch.masks(), "said": batch.said, "weights": weights}
        ours = mgcl_loss(batch.image, *inputs[1:], chunk=4, **masks)
        assert_same(ours, naive_mgcl(batch.image, *inputs[1:], **masks), inputs)


@pytest.mark.parametrize("variant", VARIANTS)
def test_organ_wise_with_the_whole_as_only_part_is_the_plain_loss(variant: MgclVariant) -> None:
    batch = ContrastiveBatch(1)
    never = torch.zeros(6, 3, dtype=torch.bool)
    whole = OrganParts(batch.image[:, None], torch.zeros(6, 3, dtype=torch.long), never, never[:, :1])
    ours = mgcl_loss(*batch.inputs, variant=variant, parts=whole, **batch.masks())
    assert_same(ours, mgcl_loss(*batch.inputs, variant=variant, **batch.masks()), batch.inputs)


def test_the_image_itself_has_no_part_in_the_organ_wise_loss() -> None:
    batch = ContrastiveBatch(0)
    nothing = torch.full_like(batch.image, math.nan)
    ours = mgcl_loss(nothing, batch.captions, batch.log_scale, parts=batch.parts)
    assert ours == mgcl_loss(batch.image, batch.captions, batch.log_scale, parts=batch.parts)


def test_what_a_report_says_elsewhere_is_no_negative_either() -> None:
    """A caption that another report has too, but not among its K of this step."""
    batch = ContrastiveBatch(0, reports=3, captions=1)
    ids = torch.tensor([[0], [1], [2]])
    said = torch.tensor([[0, 1, -1], [1, -1, -1], [2, -1, -1]])
    loss = mgcl_loss(*batch.inputs, text_ids=ids, said=said)
    assert_same(loss, naive_mgcl(*batch.inputs, "mean", text_ids=ids, said=said), batch.inputs)
    assert abs(loss - mgcl_loss(*batch.inputs, text_ids=ids)) > 1e-3


@pytest.mark.parametrize("variant", VARIANTS)
def test_one_caption_is_clip(variant: MgclVariant) -> None:
    batch = ContrastiveBatch(1, captions=1)
    for clip in (clip_loss, naive_clip):
        ours = mgcl_loss(*batch.inputs, variant=variant, **batch.masks())
        assert_same(ours, clip(batch.image, batch.captions[:, 0], batch.log_scale, **batch.masks(0)), batch.inputs)


def test_the_variants_differ_and_the_mean_is_that_of_clip_losses() -> None:
    batch = ContrastiveBatch(0, reports=8, size=32)
    mean, joint = (mgcl_loss(*batch.inputs, variant=variant) for variant in VARIANTS)
    assert abs(mean - joint) > 0.1
    clip_losses = torch.stack([clip_loss(batch.image, batch.captions[:, k], batch.log_scale) for k in range(3)])
    assert_same(mean, clip_losses.mean(), batch.inputs)


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("chunk", [3, 512])
def test_gradients_are_those_of_finite_differences(variant: MgclVariant, chunk: int) -> None:
    batch = ContrastiveBatch(2, reports=4, captions=2, size=3)

    def mgcl(image: Tensor, captions: Tensor, log_scale: Tensor) -> Tensor:
        return mgcl_loss(image, captions, log_scale, variant=variant, chunk=chunk, **batch.masks())

    assert torch.autograd.gradcheck(mgcl, batch.inputs)


def test_same_texts_are_no_negatives() -> None:
    """Perfect alignment, four of eight texts the same: what plain CLIP cannot get below (notes on T9)."""
    text_ids = torch.tensor([0, 0, 0, 0, 1, 2, 3, 4])
    embeddings = torch.eye(5)[text_ids]
    log_scale = torch.tensor(MAX_LOG_SCALE)
    # Each of the four has a share of a quarter, each of the other four all of its own.
    assert clip_loss(embeddings, embeddings, log_scale).item() == pytest.approx(math.log(4) / 2, abs=1e-5)
    both: list[dict[str, Any]] = [{"text_ids": text_ids}, {"scan_ids": text_ids}]
    for masked in both:
        assert 0 <= clip_loss(embeddings, embeddings, log_scale, **masked).item() < 1e-6
        for variant in VARIANTS:
            thrice: dict[str, Any] = {
                name: ids if name == "scan_ids" else ids[:, None].expand(-1, 3) for name, ids in masked.items()
            }
            captions = embeddings[:, None].expand(-1, 3, -1)
            floor = 0 if variant == "mean" else math.log(3) / 2
            loss = mgcl_loss(embeddings, captions, log_scale, variant=variant, **thrice)
            assert loss.item() == pytest.approx(floor, abs=1e-5)


def test_the_same_text_in_another_slot_is_no_negative() -> None:
    batch = ContrastiveBatch(0, reports=2, captions=2)
    crossed = torch.tensor([[1, 2], [3, 1]])
    apart, together = (mgcl_loss(*batch.inputs, text_ids=ids) for ids in (torch.tensor([[1, 2], [3, 4]]), crossed))
    assert abs(apart - together) > 1e-3
    # Caption (0, 0) has the text of (1, 1), so it is left out for image 1 and stays for image 0; (1, 1) for image 0.
    unknown = mgcl_loss(*batch.inputs, text_ids=crossed, valid=torch.tensor([[True, True], [True, False]]))
    assert_same(
        unknown,
        naive_mgcl(*batch.inputs, "mean", crossed, valid=torch.tensor([[True, True], [True, False]])),
        batch.inputs,
    )


Loss = Callable[..., Tensor]


def all_losses(batch: ContrastiveBatch, **masks: Any) -> list[Tensor]:
    firsts = {name: mask[:, 0] if mask.dim() == 2 else mask for name, mask in masks.items()}
    text = batch.captions[:, 0]
    return [
        clip_loss(batch.image, text, batch.log_scale, **firsts),
        *(mgcl_loss(*batch.inputs, variant=variant, **masks) for variant in VARIANTS),
    ]


def test_without_any_text_the_loss_is_a_zero_with_gradients() -> None:
    batch = ContrastiveBatch(0)
    for loss in all_losses(batch, valid=torch.zeros(6, 3, dtype=torch.bool)):
        assert loss.item() == 0
        loss.backward()  # type: ignore[no-untyped-call]
    assert batch.image.grad is not None and batch.captions.grad is not None and batch.log_scale.grad is not None
    assert not batch.image.grad.any() and not batch.captions.grad.any() and not batch.log_scale.grad.any()


def test_where_all_others_are_left_out_nothing_is_nan() -> None:
    batch = ContrastiveBatch(0)
    clip, *mgcl = all_losses(batch, scan_ids=torch.zeros(6, dtype=torch.long))
    assert clip.item() == pytest.approx(0, abs=1e-12)
    (clip + sum(mgcl)).backward()  # type: ignore[no-untyped-call]
    assert batch.captions.grad is not None and batch.captions.grad.isfinite().all()


def test_what_stands_for_a_missing_text_does_not_matter() -> None:
    batch, spoilt = ContrastiveBatch(0), ContrastiveBatch(0)
    batch.valid[2] = False
    with torch.no_grad():
        spoilt.captions[~batch.valid] = math.nan
        spoilt.image[2] = math.nan
    spoilt.text_ids[~batch.valid] = batch.text_ids[0, 0]
    good = all_losses(batch, **batch.masks())
    bad = all_losses(spoilt, **{**batch.masks(), "text_ids": spoilt.text_ids})
    sum(good).backward()  # type: ignore[union-attr]
    sum(bad).backward()  # type: ignore[union-attr]
    for loss, spoilt_loss in zip(good, bad, strict=True):
        assert loss.item() == spoilt_loss.item()
    for a, b in zip(batch.inputs, spoilt.inputs, strict=True):
        assert a.grad is not None and b.grad is not None and torch.equal(a.grad, b.grad)
    assert spoilt.captions.grad is not None and not spoilt.captions.grad[~batch.valid].any()


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float32])
def test_logits_are_float32_whatever_the_inputs_are(dtype: torch.dtype) -> None:
    batch = ContrastiveBatch(0, reports=64, size=32)
    aligned = functional.normalize(batch.captions + batch.image[:, None] / 2, dim=-1)
    image, captions = (tensor.detach().to(dtype) for tensor in (batch.image, aligned))
    log_scale = torch.tensor(MAX_LOG_SCALE)
    ours = all_losses_at(image, captions, log_scale)
    exact = all_losses_at(image.double(), captions.double(), log_scale.double())
    for loss, expected in zip(ours, exact, strict=True):
        assert loss.dtype == torch.float32
        torch.testing.assert_close(loss.double(), expected, rtol=1e-4, atol=1e-5)
    if dtype == torch.bfloat16:
        logits = log_scale.exp().to(dtype) * image @ captions[:, 0].T
        labels = torch.arange(64)
        plain = (functional.cross_entropy(logits, labels) + functional.cross_entropy(logits.T, labels)) / 2
        assert abs(plain - exact[0]) > 2e-4 * exact[0]


def all_losses_at(image: Tensor, captions: Tensor, log_scale: Tensor) -> list[Tensor]:
    return [
        clip_loss(image, captions[:, 0], log_scale),
        *(mgcl_loss(image, captions, log_scale, variant=variant) for variant in VARIANTS),
    ]


def test_autocast_changes_nothing() -> None:
    def run(autocast: bool) -> list[Tensor]:
        batch = ContrastiveBatch(0, reports=16)
        image, captions = (tensor.detach().float().requires_grad_() for tensor in (batch.image, batch.captions))
        log_scale = torch.tensor(MAX_LOG_SCALE)
        with torch.autocast("cpu", torch.bfloat16, enabled=autocast):
            losses = all_losses_at(image, captions, log_scale)
            gradients = torch.autograd.grad(torch.stack(losses).sum(), (image, captions))
        return [*losses, *gradients]

    torch.testing.assert_close(run(True), run(False), rtol=0, atol=0)


def test_the_scale_is_held_at_100_and_its_gradient_passes() -> None:
    batch = ContrastiveBatch(0)

    def at(log_scale: float) -> tuple[list[Tensor], list[Tensor]]:
        scale = torch.tensor(log_scale, dtype=torch.float64, requires_grad=True)
        losses = all_losses_at(batch.image, batch.captions, scale)
        return losses, [torch.autograd.grad(loss, scale)[0] for loss in losses]

    (limit, limit_gradients), (above, gradients) = at(MAX_LOG_SCALE), at(MAX_LOG_SCALE + 3)
    torch.testing.assert_close(limit, above)
    torch.testing.assert_close(limit_gradients, gradients)
    assert all(gradient.abs() > 0 for gradient in gradients)
    assert abs(at(1.0)[0][0] - limit[0]) > 0.1


class OperationCounter(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Records the largest tensor that any operation made, and counts products of matrices."""

    numel = products = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        self.products += func.overloadpacket in (torch.ops.aten.mm, torch.ops.aten.addmm_, torch.ops.aten.addmm)
        for tensor in result if isinstance(result, tuple | list) else [result]:
            self.numel = max(self.numel, tensor.numel() if isinstance(tensor, Tensor) else 0)
        return result


@pytest.mark.parametrize("variant", VARIANTS)
def test_no_matrix_of_all_pairs_is_ever_made(variant: MgclVariant) -> None:
    batch = ContrastiveBatch(0, reports=128, captions=2, size=2)
    with OperationCounter() as counter:  # type: ignore[no-untyped-call]
        loss = mgcl_loss(*batch.inputs, variant=variant, chunk=8, **batch.masks())
        loss.backward()  # type: ignore[no-untyped-call]
    assert counter.numel == 8 * 128


def test_frozen_images_spare_a_product_and_change_no_other_gradient() -> None:
    def run(frozen: bool) -> tuple[list[Tensor | None], int]:
        batch = ContrastiveBatch(0)
        image = batch.image.detach() if frozen else batch.image
        with OperationCounter() as counter:  # type: ignore[no-untyped-call]
            mgcl_loss(image, batch.captions, batch.log_scale).backward()  # type: ignore[no-untyped-call]
        return [batch.captions.grad, batch.log_scale.grad], counter.products

    (free, products), (frozen, fewer) = run(False), run(True)
    assert (products, fewer) == (3 * 4, 3 * 3)
    torch.testing.assert_close(free, frozen, rtol=0, atol=0)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"captions": torch.zeros(6, 5)}, r"image must be \(B, E\) and captions \(B, K, E\).*\(6, 5\) and \(6, 5\)"),
        ({"captions": torch.zeros(5, 3, 5)}, "captions"),
        ({"captions": torch.zeros(6, 3, 4)}, "captions"),
        ({"captions": torch.zeros(6, 0, 5)}, "captions"),
        ({"text_ids": torch.zeros(6, dtype=torch.long)}, r"text_ids must have the shape \(6, 3\), got \(6,\)"),
        ({"text_ids": torch.zeros(6, 3)}, "text_ids must be whole numbers, got torch.float32"),
        ({"text_ids": torch.zeros(6, 3, dtype=torch.bool)}, "text_ids must be whole numbers"),
        ({"scan_ids": torch.zeros(6, 3, dtype=torch.long)}, r"scan_ids must have the shape \(6,\)"),
        ({"valid": torch.ones(6, 3)}, "valid must be bool"),
        ({"valid": torch.ones(6, 3, dtype=torch.long)}, "valid must be bool"),
        ({"valid": torch.ones(6, 2, dtype=torch.bool)}, r"valid must have the shape \(6, 3\)"),
        ({"weights": [1.0, 1.0]}, "weights must be 3 numbers"),
        ({"weights": [1.0, 1.0, -1.0]}, "weights must be 3 numbers"),
        ({"weights": [1.0, 1.0, math.nan]}, "weights must be 3 numbers"),
        ({"weights": [0.0, 0.0, 0.0]}, "not all of them 0"),
        ({"variant": "median"}, "variant must be 'mean' or 'joint', got 'median'"),
        ({"chunk": 0}, "chunk must be at least 1, got 0"),
    ],
)
def test_what_does_not_fit_is_told(changes: dict[str, Any], message: str) -> None:
    arguments = {
        "image": torch.zeros(6, 5),
        "captions": torch.zeros(6, 3, 5),
        "log_scale": torch.tensor(1.0),
        **changes,
    }
    with pytest.raises(ValueError, match=message):
        mgcl_loss(**arguments)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"images": torch.zeros(6, 3, 4)}, r"images of the parts must have the shape \(6, 3, 5\), got \(6, 3, 4\)"),
        ({"of_caption": torch.zeros(6, 2, dtype=torch.long)}, "of_caption of the parts"),
        ({"normal": torch.zeros(6, dtype=torch.bool)}, "normal of the parts"),
        ({"unremarkable": torch.zeros(6, 2, dtype=torch.bool)}, "unremarkable of the parts"),
    ],
)
def test_parts_that_do_not_fit_are_told(changes: dict[str, Tensor], message: str) -> None:
    batch = ContrastiveBatch(0)
    with pytest.raises(ValueError, match=message):
        mgcl_loss(*batch.inputs, parts=replace(batch.parts, **changes))
    with pytest.raises(ValueError, match=r"said must be whole numbers \(6, M\), got torch.int64 \(5, 4\)"):
        mgcl_loss(*batch.inputs, said=batch.said[:5])


def test_texts_are_one_for_each_image() -> None:
    image, text = torch.zeros(6, 5), torch.zeros(6, 2, 5)
    with pytest.raises(ValueError, match=r"text must be \(B, E\), got \(6, 2, 5\)"):
        clip_loss(image, text, torch.tensor(1.0))
    with pytest.raises(ValueError, match="text_ids must have the shape"):
        clip_loss(image, text[:, 0], torch.tensor(1.0), text_ids=torch.arange(5))
