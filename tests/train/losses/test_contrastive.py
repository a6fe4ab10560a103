from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, get_args

import pytest
import torch
from torch import Tensor
from torch.nn import functional
from torch.utils._python_dispatch import TorchDispatchMode

from models.aligner import INITIAL_LOG_SCALE, MAX_LOG_SCALE
from train.losses.contrastive import Reading, alignment_loss, clamp_log_scale_, clip_loss, mgcl_loss, siglip_loss

READINGS: tuple[Reading, ...] = get_args(Reading)
CHUNKS = (1, 4, 512)


class Batch:
    """Random pairs in float64, with repeated texts and scans and with missing captions."""

    def __init__(self, seed: int, reports: int = 6, captions: int = 3, size: int = 5) -> None:
        random = torch.Generator().manual_seed(seed)

        def unit(*shape: int) -> Tensor:
            return functional.normalize(torch.randn(*shape, size, dtype=torch.float64, generator=random), dim=-1)

        self.image = unit(reports).requires_grad_()
        self.captions = unit(reports, captions).requires_grad_()
        self.log_scale = torch.tensor(1.7, dtype=torch.float64, requires_grad=True)
        self.bias = torch.tensor(-2.0, dtype=torch.float64, requires_grad=True)
        self.text_ids = torch.randint(-5, 5, (reports, captions), generator=random)
        self.scan_ids = torch.randint(0, reports, (reports,), generator=random)
        self.valid = torch.rand(reports, captions, generator=random) > 0.3

    @property
    def inputs(self) -> tuple[Tensor, Tensor, Tensor]:
        return self.image, self.captions, self.log_scale

    def masks(self, slot: int | None = None) -> dict[str, Any]:
        text_ids, valid = (each if slot is None else each[:, slot] for each in (self.text_ids, self.valid))
        return {"text_ids": text_ids, "scan_ids": self.scan_ids, "valid": valid}


# The references: one pair at a time, in Python.


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
        own = scale * image[i] @ text[i]
        total = total - log_softmax_at(own, [scale * image[i] @ text[j] for j in there if meet(i, j)])
        total = total - log_softmax_at(own, [scale * image[j] @ text[i] for j in there if meet(i, j)])
    return total / (2 * max(len(there), 1))


def naive_mgcl(
    image: Tensor,
    captions: Tensor,
    log_scale: Tensor,
    reading: Reading,
    text_ids: Tensor | None = None,
    scan_ids: Tensor | None = None,
    valid: Tensor | None = None,
    weights: Sequence[float] | None = None,
) -> Tensor:
    scale = log_scale.exp()
    reports, slots = captions.shape[:2]
    weight = [1.0] * slots if weights is None else weights
    there = [
        (j, k) for j in range(reports) for k in range(slots) if weight[k] > 0 and (valid is None or bool(valid[j, k]))
    ]

    def meet(i: int, j: int, k: int) -> bool:
        if i == j:
            return True
        own = [k2 for j2, k2 in there if j2 == i]
        same_text = text_ids is not None and any(bool(text_ids[i, k2] == text_ids[j, k]) for k2 in own)
        same_scan = scan_ids is not None and bool(scan_ids[i] == scan_ids[j])
        return not (same_text or same_scan)

    def logit(i: int, j: int, k: int) -> Tensor:
        return scale * image[i] @ captions[j, k]

    def rivals(k: int) -> list[tuple[int, int]]:
        return [(j, k2) for j, k2 in there if reading == "joint" or k2 == k]

    to_image = to_captions = torch.zeros((), dtype=torch.float64)
    for i, k in there:
        columns = sorted({j for j, _ in rivals(k)})
        row = log_softmax_at(logit(i, i, k), [logit(j, i, k) for j in columns if meet(j, i, k)])
        column = log_softmax_at(logit(i, i, k), [logit(i, j, k2) for j, k2 in rivals(k) if meet(i, j, k2)])
        to_image = to_image - weight[k] * row
        share = sum(weight[k2] for j, k2 in there if j == i) if reading == "joint" else 1.0
        to_captions = to_captions - weight[k] / share * column
    total = sum(weight[k] for _, k in there) or 1.0
    images = (len({i for i, _ in there}) or 1) if reading == "joint" else total
    return (to_image / total + to_captions / images) / 2


def naive_siglip(image: Tensor, text: Tensor, log_scale: Tensor, bias: Tensor, masks: dict[str, Any]) -> Tensor:
    there = [i for i in range(len(image)) if masks["valid"][i]]
    total = torch.zeros((), dtype=torch.float64)
    for i in there:
        for j in there:
            same = masks["text_ids"][i] == masks["text_ids"][j] or masks["scan_ids"][i] == masks["scan_ids"][j]
            if i != j and same:
                continue
            sign = 1 if i == j else -1
            total = total - functional.logsigmoid(sign * (log_scale.exp() * image[i] @ text[j] + bias))
    return total / len(there)


def assert_same(one: Tensor, other: Tensor, inputs: Sequence[Tensor], tolerance: float = 1e-10) -> None:
    """Values and gradients."""
    torch.testing.assert_close(one, other, rtol=0, atol=tolerance)
    assert one.dim() == 0
    for mine, theirs in zip(torch.autograd.grad(one, inputs), torch.autograd.grad(other, inputs), strict=True):
        torch.testing.assert_close(mine, theirs, rtol=0, atol=tolerance)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("chunk", CHUNKS)
def test_clip_is_the_naive_loop(seed: int, chunk: int) -> None:
    batch = Batch(seed)
    inputs = (batch.image, batch.captions[:, 0].detach().requires_grad_(), batch.log_scale)
    assert_same(clip_loss(*inputs, chunk=chunk), naive_clip(*inputs), inputs)
    for name, mask in batch.masks(0).items():
        assert_same(clip_loss(*inputs, **{name: mask}, chunk=chunk), naive_clip(*inputs, **{name: mask}), inputs)
    assert_same(clip_loss(*inputs, **batch.masks(0), chunk=chunk), naive_clip(*inputs, **batch.masks(0)), inputs)


def test_clip_is_torch_s_cross_entropy() -> None:
    batch = Batch(0)
    inputs = (batch.image, batch.captions[:, 0].detach().requires_grad_(), batch.log_scale)
    logits, own = inputs[2].exp() * inputs[0] @ inputs[1].T, torch.arange(6)
    plain = (functional.cross_entropy(logits, own) + functional.cross_entropy(logits.T, own)) / 2
    assert_same(clip_loss(*inputs), plain, inputs)


@pytest.mark.parametrize("reading", READINGS)
@pytest.mark.parametrize("seed", range(4))
def test_mgcl_is_the_naive_loop(seed: int, reading: Reading) -> None:
    batch = Batch(seed)
    for chunk in CHUNKS:
        assert_same(
            mgcl_loss(*batch.inputs, reading=reading, chunk=chunk), naive_mgcl(*batch.inputs, reading), batch.inputs
        )
        for weights in (None, [0.5, 2.0, 1.0], [1.0, 0.0, 0.3]):
            ours = mgcl_loss(*batch.inputs, reading=reading, weights=weights, chunk=chunk, **batch.masks())
            assert_same(ours, naive_mgcl(*batch.inputs, reading, weights=weights, **batch.masks()), batch.inputs)
    for name, mask in batch.masks().items():
        ours = mgcl_loss(*batch.inputs, reading=reading, **{name: mask})
        assert_same(ours, naive_mgcl(*batch.inputs, reading, **{name: mask}), batch.inputs)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("chunk", CHUNKS)
def test_siglip_is_the_naive_loop(seed: int, chunk: int) -> None:
    batch = Batch(seed)
    inputs = (batch.image, batch.captions[:, 0].detach().requires_grad_(), batch.log_scale, batch.bias)
    free = {"valid": torch.ones(6, dtype=torch.bool), "text_ids": torch.arange(6), "scan_ids": torch.arange(6)}
    assert_same(siglip_loss(*inputs, chunk=chunk), naive_siglip(*inputs, free), inputs)
    masks = batch.masks(0)
    assert_same(siglip_loss(*inputs, **masks, chunk=chunk), naive_siglip(*inputs, masks), inputs)


@pytest.mark.parametrize("reading", READINGS)
def test_one_caption_is_clip(reading: Reading) -> None:
    batch = Batch(1, captions=1)
    for clip in (clip_loss, naive_clip):
        ours = mgcl_loss(*batch.inputs, reading=reading, **batch.masks())
        assert_same(ours, clip(batch.image, batch.captions[:, 0], batch.log_scale, **batch.masks(0)), batch.inputs)


def test_the_readings_differ_and_the_mean_is_that_of_clip_losses() -> None:
    batch = Batch(0, reports=8, size=32)
    mean, joint = (mgcl_loss(*batch.inputs, reading=reading) for reading in READINGS)
    assert abs(mean - joint) > 0.1
    each = torch.stack([clip_loss(batch.image, batch.captions[:, k], batch.log_scale) for k in range(3)])
    assert_same(mean, each.mean(), batch.inputs)


@pytest.mark.parametrize("reading", READINGS)
@pytest.mark.parametrize("chunk", [3, 512])
def test_gradients_are_those_of_finite_differences(reading: Reading, chunk: int) -> None:
    batch = Batch(2, reports=4, captions=2, size=3)

    def mgcl(image: Tensor, captions: Tensor, log_scale: Tensor) -> Tensor:
        return mgcl_loss(image, captions, log_scale, reading=reading, chunk=chunk, **batch.masks())

    def siglip(image: Tensor, text: Tensor, log_scale: Tensor, bias: Tensor) -> Tensor:
        return siglip_loss(image, text, log_scale, bias, chunk=chunk, **batch.masks(0))

    assert torch.autograd.gradcheck(mgcl, batch.inputs)
    text = batch.captions[:, 0].detach().requires_grad_()
    assert torch.autograd.gradcheck(siglip, (batch.image, text, batch.log_scale, batch.bias))


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
        for reading in READINGS:
            thrice: dict[str, Any] = {
                name: ids if name == "scan_ids" else ids[:, None].expand(-1, 3) for name, ids in masked.items()
            }
            captions = embeddings[:, None].expand(-1, 3, -1)
            floor = 0 if reading == "mean" else math.log(3) / 2
            loss = mgcl_loss(embeddings, captions, log_scale, reading=reading, **thrice)
            assert loss.item() == pytest.approx(floor, abs=1e-5)


def test_the_same_text_in_another_slot_is_no_negative() -> None:
    batch = Batch(0, reports=2, captions=2)
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


def all_losses(batch: Batch, **masks: Any) -> list[Tensor]:
    firsts = {name: mask[:, 0] if mask.dim() == 2 else mask for name, mask in masks.items()}
    text = batch.captions[:, 0]
    return [
        clip_loss(batch.image, text, batch.log_scale, **firsts),
        siglip_loss(batch.image, text, batch.log_scale, batch.bias, **firsts),
        *(mgcl_loss(*batch.inputs, reading=reading, **masks) for reading in READINGS),
    ]


def test_without_any_text_the_loss_is_a_zero_with_gradients() -> None:
    batch = Batch(0)
    for loss in all_losses(batch, valid=torch.zeros(6, 3, dtype=torch.bool)):
        assert loss.item() == 0
        loss.backward()  # type: ignore[no-untyped-call]
    assert batch.image.grad is not None and batch.captions.grad is not None and batch.log_scale.grad is not None
    assert not batch.image.grad.any() and not batch.captions.grad.any() and not batch.log_scale.grad.any()


def test_where_all_others_are_left_out_nothing_is_nan() -> None:
    batch = Batch(0)
    clip, siglip, *mgcl = all_losses(batch, scan_ids=torch.zeros(6, dtype=torch.long))
    assert clip.item() == pytest.approx(0, abs=1e-12)
    (siglip + clip + sum(mgcl)).backward()  # type: ignore[no-untyped-call]
    assert batch.captions.grad is not None and batch.captions.grad.isfinite().all()


def test_what_stands_for_a_missing_text_does_not_matter() -> None:
    batch, spoilt = Batch(0), Batch(0)
    batch.valid[2] = False
    with torch.no_grad():
        spoilt.captions[~batch.valid] = math.nan
        spoilt.image[2] = math.nan
    spoilt.text_ids[~batch.valid] = batch.text_ids[0, 0]
    good = all_losses(batch, **batch.masks())
    bad = all_losses(spoilt, **{**batch.masks(), "text_ids": spoilt.text_ids})
    sum(good).backward()  # type: ignore[union-attr]
    sum(bad).backward()  # type: ignore[union-attr]
    for one, other in zip(good, bad, strict=True):
        assert one.item() == other.item()
    for a, b in zip(batch.inputs, spoilt.inputs, strict=True):
        assert a.grad is not None and b.grad is not None and torch.equal(a.grad, b.grad)
    assert spoilt.captions.grad is not None and not spoilt.captions.grad[~batch.valid].any()


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float32])
def test_logits_are_float32_whatever_the_inputs_are(dtype: torch.dtype) -> None:
    batch = Batch(0, reports=64, size=32)
    aligned = functional.normalize(batch.captions + batch.image[:, None] / 2, dim=-1)
    image, captions = (each.detach().to(dtype) for each in (batch.image, aligned))
    log_scale = torch.tensor(MAX_LOG_SCALE)
    ours = all_losses_at(image, captions, log_scale)
    exact = all_losses_at(image.double(), captions.double(), log_scale.double())
    for one, other in zip(ours, exact, strict=True):
        assert one.dtype == torch.float32
        torch.testing.assert_close(one.double(), other, rtol=1e-4, atol=1e-5)
    if dtype == torch.bfloat16:
        logits = log_scale.exp().to(dtype) * image @ captions[:, 0].T
        own = torch.arange(64)
        plain = (functional.cross_entropy(logits, own) + functional.cross_entropy(logits.T, own)) / 2
        assert abs(plain - exact[0]) > 2e-4 * exact[0]


def all_losses_at(image: Tensor, captions: Tensor, log_scale: Tensor) -> list[Tensor]:
    return [
        clip_loss(image, captions[:, 0], log_scale),
        siglip_loss(image, captions[:, 0], log_scale, torch.tensor(-10.0)),
        *(mgcl_loss(image, captions, log_scale, reading=reading) for reading in READINGS),
    ]


def test_autocast_changes_nothing() -> None:
    def run(autocast: bool) -> list[Tensor]:
        batch = Batch(0, reports=16)
        image, captions = (each.detach().float().requires_grad_() for each in (batch.image, batch.captions))
        log_scale = torch.tensor(MAX_LOG_SCALE)
        with torch.autocast("cpu", torch.bfloat16, enabled=autocast):
            losses = all_losses_at(image, captions, log_scale)
            gradients = torch.autograd.grad(torch.stack(losses).sum(), (image, captions))
        return [*losses, *gradients]

    torch.testing.assert_close(run(True), run(False), rtol=0, atol=0)


def test_the_scale_is_held_at_100_and_its_gradient_passes() -> None:
    batch = Batch(0)

    def at(log_scale: float) -> tuple[list[Tensor], list[Tensor]]:
        scale = torch.tensor(log_scale, dtype=torch.float64, requires_grad=True)
        losses = all_losses_at(batch.image, batch.captions, scale)
        return losses, [torch.autograd.grad(loss, scale)[0] for loss in losses]

    (limit, limit_gradients), (above, gradients) = at(MAX_LOG_SCALE), at(MAX_LOG_SCALE + 3)
    torch.testing.assert_close(limit, above)
    torch.testing.assert_close(limit_gradients, gradients)
    assert all(gradient.abs() > 0 for gradient in gradients)
    assert abs(at(1.0)[0][0] - limit[0]) > 0.1


def test_the_parameter_is_set_back() -> None:
    for before, after in ((9.0, math.log(100)), (-1.0, 0.0), (INITIAL_LOG_SCALE, math.log(1 / 0.07))):
        log_scale = torch.nn.Parameter(torch.tensor(before))
        clamp_log_scale_(log_scale)
        assert log_scale.item() == pytest.approx(after) and log_scale.requires_grad


def test_alignment_is_the_weighted_sum() -> None:
    batch = Batch(0)
    masks = batch.masks()
    reports: dict[str, Any] = {"report_ids": batch.text_ids[:, 1], "report_valid": batch.valid[:, 1]}
    captions: dict[str, Any] = {"caption_ids": masks["text_ids"], "caption_valid": masks["valid"]}
    whole = alignment_loss(
        batch.image, batch.captions[:, 1], batch.captions, batch.log_scale, reading="joint", weights=[1, 2, 3],
        report_weight=0.5, caption_weight=2, chunk=2, scan_ids=batch.scan_ids, **reports, **captions,
    )  # fmt: skip
    report = naive_clip(batch.image, batch.captions[:, 1], batch.log_scale, **batch.masks(1))
    caption = naive_mgcl(*batch.inputs, "joint", weights=[1, 2, 3], **masks)
    torch.testing.assert_close(whole.report, report)
    torch.testing.assert_close(whole.caption, caption)
    assert_same(whole.total, 0.5 * report + 2 * caption, batch.inputs)


def test_a_part_of_weight_0_is_not_computed() -> None:
    batch = Batch(0)
    text, unused = batch.captions[:, 0], torch.full((6, 5), math.nan, dtype=torch.float64)
    alone = alignment_loss(batch.image, text, unused[:, None], batch.log_scale, caption_weight=0)
    assert alone.caption == 0 and alone.total == alone.report == clip_loss(batch.image, text, batch.log_scale)
    alone = alignment_loss(batch.image, unused, batch.captions, batch.log_scale, report_weight=0)
    assert alone.report == 0 and alone.total == alone.caption == mgcl_loss(*batch.inputs)
    for weights in ((0, 0), (-1, 1)):
        with pytest.raises(ValueError, match="weights must be"):
            alignment_loss(
                batch.image, text, batch.captions, batch.log_scale, report_weight=weights[0], caption_weight=weights[1]
            )


class Progress(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Remembers the largest tensor that any operation made, and counts products of matrices."""

    numel = products = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        made = func(*args, **(kwargs or {}))
        self.products += func.overloadpacket in (torch.ops.aten.mm, torch.ops.aten.addmm_, torch.ops.aten.addmm)
        for tensor in made if isinstance(made, tuple | list) else [made]:
            self.numel = max(self.numel, tensor.numel() if isinstance(tensor, Tensor) else 0)
        return made


@pytest.mark.parametrize("reading", [*READINGS, "siglip"])
def test_no_matrix_of_all_pairs_is_ever_made(reading: Any) -> None:
    batch = Batch(0, reports=128, captions=2, size=2)
    with Progress() as progress:  # type: ignore[no-untyped-call]
        if reading == "siglip":
            loss = siglip_loss(
                batch.image, batch.captions[:, 0], batch.log_scale, batch.bias, chunk=8, **batch.masks(0)
            )
        else:
            loss = mgcl_loss(*batch.inputs, reading=reading, chunk=8, **batch.masks())
        loss.backward()  # type: ignore[no-untyped-call]
    assert progress.numel == 8 * 128


def test_frozen_images_spare_a_product_and_change_no_other_gradient() -> None:
    def run(frozen: bool) -> tuple[list[Tensor | None], int]:
        batch = Batch(0)
        image = batch.image.detach() if frozen else batch.image
        with Progress() as progress:  # type: ignore[no-untyped-call]
            mgcl_loss(image, batch.captions, batch.log_scale).backward()  # type: ignore[no-untyped-call]
        return [batch.captions.grad, batch.log_scale.grad], progress.products

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
        ({"reading": "median"}, "reading must be 'mean' or 'joint', got 'median'"),
        ({"chunk": 0}, "chunk must be at least 1, got 0"),
    ],
)
def test_what_does_not_fit_is_told(changes: dict[str, Any], message: str) -> None:
    given = {"image": torch.zeros(6, 5), "captions": torch.zeros(6, 3, 5), "log_scale": torch.tensor(1.0), **changes}
    with pytest.raises(ValueError, match=message):
        mgcl_loss(**given)


def test_texts_are_one_for_each_image() -> None:
    image, text = torch.zeros(6, 5), torch.zeros(6, 2, 5)
    with pytest.raises(ValueError, match=r"text must be \(B, E\), got \(6, 2, 5\)"):
        clip_loss(image, text, torch.tensor(1.0))
    with pytest.raises(ValueError, match=r"text must be \(B, E\), got \(6, 2, 5\)"):
        siglip_loss(image, text, torch.tensor(1.0), torch.tensor(0.0))
    with pytest.raises(ValueError, match="text_ids must have the shape"):
        siglip_loss(image, text[:, 0], torch.tensor(1.0), torch.tensor(0.0), text_ids=torch.arange(5))
