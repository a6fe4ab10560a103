from __future__ import annotations

import itertools
import math
from typing import Any

import pytest
import torch
from monai.losses.dice import DiceCELoss
from torch import Tensor
from torch.nn import functional

from train.losses.mask_losses import deep_supervision_loss, dice_bce_loss, missed_structure_loss, presence_loss

SHAPE = (2, 3, 4, 3, 5)


class Masks:
    """Random logits, masks and what is labelled, in float64."""

    def __init__(self, seed: int = 0, shape: tuple[int, ...] = SHAPE) -> None:
        random = torch.Generator().manual_seed(seed)
        self.logits = torch.randn(shape, dtype=torch.float64, generator=random).mul(3).requires_grad_()
        self.target = torch.rand(shape, generator=random) > 0.6
        self.labelled = torch.rand(shape[:2], generator=random) > 0.4
        self.labelled[0, 0] = True
        self.voxels = torch.rand(shape[0], 1, *shape[2:], generator=random) > 0.3


def naive_dice_bce(
    logits: Tensor,
    target: Tensor,
    labelled: Tensor | None = None,
    voxels: Tensor | None = None,
    dice_weight: float = 1.0,
    bce_weight: float = 1.0,
    smooth: float = 1e-5,
) -> Tensor:
    """One voxel at a time."""
    losses = []
    for b, p in itertools.product(*map(range, logits.shape[:2])):
        places = [
            place for place in itertools.product(*map(range, logits.shape[2:])) if voxels is None or voxels[b, 0][place]
        ]
        if not places or (labelled is not None and not labelled[b, p]):
            continue
        probability = [1 / (1 + (-logits[b, p][place]).exp()) for place in places]
        truth = [float(target[b, p][place]) for place in places]
        overlap = sum((q * t for q, t in zip(probability, truth, strict=True)), torch.zeros(()))
        dice = 1 - (2 * overlap + smooth) / (sum(probability) + sum(truth) + smooth)
        bits = [t * q.log() + (1 - t) * (1 - q).log() for q, t in zip(probability, truth, strict=True)]
        losses.append(dice_weight * dice - bce_weight * torch.stack(bits).mean())
    return torch.stack(losses).mean()


def naive_resized(volume: Tensor, size: tuple[int, ...]) -> Tensor:
    resized = torch.empty(*volume.shape[:2], *size, dtype=volume.dtype)
    for i, j, k in itertools.product(*map(range, size)):
        d, h, w = (math.floor(at * old / new) for at, old, new in zip((i, j, k), volume.shape[2:], size, strict=True))
        resized[:, :, i, j, k] = volume[:, :, d, h, w]
    return resized


def assert_same(ours: Tensor, reference: Tensor, *inputs: Tensor) -> None:
    torch.testing.assert_close(ours, reference, rtol=0, atol=1e-10)
    for gradient, expected in zip(
        torch.autograd.grad(ours, inputs), torch.autograd.grad(reference, inputs), strict=True
    ):
        torch.testing.assert_close(gradient, expected, rtol=0, atol=1e-10)


@pytest.mark.parametrize("seed", range(3))
def test_dice_bce_is_the_naive_loop(seed: int) -> None:
    masks = Masks(seed)
    logits, target = masks.logits, masks.target
    assert_same(dice_bce_loss(logits, target), naive_dice_bce(logits, target), logits)
    options: dict[str, Any] = {"dice_weight": 0.3, "bce_weight": 2.0, "smooth": 0.1}
    for labelled, voxels in itertools.product((None, masks.labelled), (None, masks.voxels)):
        ours = dice_bce_loss(logits, target, labelled, voxels=voxels, **options)
        assert_same(ours, naive_dice_bce(logits, target, labelled, voxels, **options), logits)
    soft = target * 0.75 + 0.1
    assert_same(dice_bce_loss(logits, soft), naive_dice_bce(logits, soft), logits)
    assert torch.autograd.gradcheck(lambda x: dice_bce_loss(x, target, masks.labelled, voxels=masks.voxels), (logits,))


def test_it_is_monai_s_with_prompts_in_the_batch_and_not_in_the_channels() -> None:
    masks = Masks()
    ours = dice_bce_loss(masks.logits, masks.target)
    target = masks.target.double()
    monai = DiceCELoss(sigmoid=True)
    folded = monai(masks.logits.flatten(0, 1)[:, None], target.flatten(0, 1)[:, None])
    assert_same(ours, folded, masks.logits)
    assert abs(dice_bce_loss(masks.logits, masks.target) - monai(masks.logits, target)) > 0.1


def test_prompts_may_overlap() -> None:
    """A lobe in a lung: both masks at once cost nothing, where a softmax across prompts cannot go below ln 2 there."""
    target = torch.ones(1, 2, 2, 2, 2)
    assert dice_bce_loss(torch.full_like(target, 30.0), target).item() == pytest.approx(0, abs=1e-5)


def test_each_prompt_counts_the_same_however_small() -> None:
    masks = Masks()
    alone = [dice_bce_loss(masks.logits[b : b + 1, p : p + 1], masks.target[b : b + 1, p : p + 1])
            for b in range(2) for p in range(3)]  # fmt: skip
    assert_same(dice_bce_loss(masks.logits, masks.target), torch.stack(alone).mean(), masks.logits)


@pytest.mark.parametrize("garbage", [math.nan, math.inf, 7.0])
def test_what_is_not_labelled_does_not_leak(garbage: float) -> None:
    masks = Masks()
    target = masks.target.double()
    target[~masks.labelled] = garbage
    logits = masks.logits.detach().clone()
    logits[~masks.labelled] = garbage
    logits.requires_grad_()
    losses = [
        (dice_bce_loss(logits, target, masks.labelled), naive_dice_bce(logits, masks.target, masks.labelled)),
        (deep_supervision_loss([logits, logits[..., ::2]], target, masks.labelled), None),
        (presence_loss(logits[..., 0, 0, 0], target[..., 0, 0, 0], masks.labelled), None),
    ]
    for ours, naive in losses:
        assert ours.isfinite()
        gradient = torch.autograd.grad(ours, logits)[0]
        assert gradient.isfinite().all() and not gradient[~masks.labelled].any()
        assert gradient[masks.labelled].any()
        if naive is not None:
            torch.testing.assert_close(ours, naive, rtol=0, atol=1e-10)


def test_voxels_that_do_not_count_do_not_leak() -> None:
    masks = Masks()
    masks.voxels[1] = False
    outside = ~masks.voxels.expand(SHAPE)
    target = masks.target.double().masked_fill(outside, math.nan)
    logits = masks.logits.detach().masked_fill(outside, math.nan).requires_grad_()
    ours = dice_bce_loss(logits, target, voxels=masks.voxels)
    # The second volume has no voxel that counts, so it is as if it were not labelled.
    torch.testing.assert_close(ours, naive_dice_bce(logits[:1], masks.target[:1], voxels=masks.voxels[:1]))
    gradient = torch.autograd.grad(ours, logits)[0]
    assert gradient.isfinite().all() and not gradient[outside].any() and gradient[~outside].all()


def test_nothing_labelled_is_a_zero_with_gradients() -> None:
    masks = Masks()
    none = torch.zeros(2, 3, dtype=torch.bool)
    losses = [
        dice_bce_loss(masks.logits, masks.target, none),
        dice_bce_loss(masks.logits, masks.target, voxels=torch.zeros_like(masks.voxels)),
        deep_supervision_loss([masks.logits], masks.target, none, voxels=masks.voxels),
        presence_loss(masks.logits[..., 0, 0, 0], masks.target[..., 0, 0, 0], none),
        missed_structure_loss(masks.logits, masks.target, none),
        missed_structure_loss(masks.logits, masks.target, voxels=torch.zeros_like(masks.voxels)),
    ]
    for loss in losses:
        assert loss.item() == 0
        assert not torch.autograd.grad(loss, masks.logits)[0].any()


@pytest.mark.parametrize("garbage", [1e30, math.nan])
def test_the_missed_structure_loss_is_the_cross_entropy_of_what_is_missed_or_made_up(garbage: float) -> None:
    masks = Masks()
    target = masks.target.clone()
    target[0, 1] = target[1, 0] = target[1, 2] = False
    labelled = torch.ones(2, 3, dtype=torch.bool)
    labelled[1, 0] = False
    logits = masks.logits.detach().clone()
    logits[1, 0] = garbage
    logits.requires_grad_()
    expected = 0.0
    for b, p in itertools.product(range(2), range(3)):
        inside = logits.detach()[b, p][masks.voxels[b, 0]].tolist()
        truth = target[b, p][masks.voxels[b, 0]].tolist()
        if (b, p) in ((0, 1), (1, 2)):
            expected += sum(math.log1p(math.exp(v)) for v in sorted(inside, reverse=True)[:4]) / 4
        elif labelled[b, p]:
            in_mask = [v for v, there in zip(inside, truth, strict=True) if there]
            missed = max(1 - 2 * sum(1 / (1 + math.exp(-v)) for v in in_mask) / len(in_mask), 0)
            expected += missed * sum(math.log1p(math.exp(-v)) for v in in_mask) / len(in_mask)
    ours = missed_structure_loss(logits, target, labelled, worst=4, voxels=masks.voxels)
    assert ours.item() == pytest.approx(expected / 5, rel=1e-6)
    gradient = torch.autograd.grad(ours, logits)[0]
    assert gradient.isfinite().all() and not gradient[1, 0].any() and int((gradient[0, 1] != 0).sum()) == 4


def test_a_small_mask_that_is_missed_whole_comes_back_and_a_made_up_one_goes() -> None:
    """Where Dice with the mean cross-entropy stands still."""
    target = torch.zeros(1, 2, 16, 16, 16)
    target[0, 0, :2, :2, :2] = 1
    for missed_weight in (0.0, 1.0):
        # Each prompt has one voxel's logit for its small mask and one for all else, as a linear classifier would.
        weights = torch.tensor([[-20.0, -20.0], [20.0, -20.0]], requires_grad=True)
        optimizer = torch.optim.SGD([weights], lr=5.0)
        for _ in range(100):
            small = (target[:, :1] > 0).expand_as(target)
            logits = torch.where(small, weights[:, 0].view(1, 2, 1, 1, 1), weights[:, 1].view(1, 2, 1, 1, 1))
            loss = dice_bce_loss(logits, target) + missed_weight * missed_structure_loss(logits, target)
            optimizer.zero_grad()
            torch.autograd.backward(loss)
            optimizer.step()
        predicted = (weights[:, 0] > 0).tolist()
        assert predicted == ([True, False] if missed_weight else [False, True])


@pytest.mark.parametrize("sizes", [[(4, 3, 5), (2, 3, 2)], [(4, 3, 5), (2, 2, 3), (1, 1, 1)], [(2, 3, 5)]])
def test_deep_supervision_is_the_weighted_mean_of_levels(sizes: list[tuple[int, ...]]) -> None:
    masks = Masks()
    levels = [functional.interpolate(masks.logits, size, mode="trilinear").detach().requires_grad_() for size in sizes]
    for weights in (None, [3.0, 2.0, 0.5][: len(levels)]):
        used = [0.5**i for i in range(len(levels))] if weights is None else weights
        ours = deep_supervision_loss(
            levels, masks.target, masks.labelled, weights=weights, voxels=masks.voxels, dice_weight=2, smooth=0.1
        )
        naive = [
            weight * naive_dice_bce(
                level, naive_resized(masks.target, size), masks.labelled, naive_resized(masks.voxels, size),
                dice_weight=2, smooth=0.1,
            )
            for weight, level, size in zip(used, levels, sizes, strict=True)
        ]  # fmt: skip
        assert_same(ours, torch.stack(naive).sum() / sum(used), *levels)


def test_the_target_is_resized_as_torch_does() -> None:
    target = Masks(shape=(1, 2, 8, 6, 4)).target
    nearest = functional.interpolate(target.double(), (4, 3, 2), mode="nearest")
    logits = (nearest * 80 - 40).requires_grad_()
    assert deep_supervision_loss([logits], target).item() == pytest.approx(0, abs=1e-6)


def test_a_level_of_weight_0_is_left_out() -> None:
    masks = Masks()
    broken = torch.full_like(masks.logits, math.nan)
    loss = deep_supervision_loss([masks.logits, broken], masks.target, weights=[4, 0])
    assert_same(loss, dice_bce_loss(masks.logits, masks.target), masks.logits)


def test_presence_is_the_mean_over_what_is_labelled() -> None:
    masks = Masks()
    logits, present = masks.logits[..., 0, 0, 0], masks.target[..., 0, 0, 0]
    entropy = functional.binary_cross_entropy(logits.sigmoid(), present.double(), reduction="none")
    assert_same(presence_loss(logits, present, masks.labelled), entropy[masks.labelled].mean(), masks.logits)
    logits = masks.logits[..., 0, 0, 0]
    assert_same(presence_loss(logits, present), -(logits * (present * 2.0 - 1)).sigmoid().log().mean(), masks.logits)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_all_is_float32_whatever_the_logits_are(dtype: torch.dtype) -> None:
    masks = Masks(shape=(1, 2, 16, 16, 16))
    logits = masks.logits.detach().to(dtype)
    exact = dice_bce_loss(logits.double(), masks.target)
    with torch.autocast("cpu", torch.bfloat16):
        ours = dice_bce_loss(logits, masks.target)
        levels = deep_supervision_loss([logits], masks.target)
        present = presence_loss(logits[..., 0, 0, 0], masks.target[..., 0, 0, 0])
    assert ours.dtype == levels.dtype == present.dtype == torch.float32
    torch.testing.assert_close(ours.double(), exact, rtol=1e-6, atol=1e-6)
    torch.testing.assert_close(levels, ours)
    # The float64 loss of half-precision logits is right; sums in half precision are not.
    assert abs(logits.sigmoid().sum(dtype=dtype) - logits.double().sigmoid().sum()) > 0.1


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"logits": torch.zeros(2, 3, 4, 4)}, r"must both be \(B, P, D, H, W\), got \(2, 3, 4, 4\)"),
        ({"target": torch.zeros(2, 1, 4, 4, 4)}, r"got \(2, 3, 4, 4, 4\) and \(2, 1, 4, 4, 4\)"),
        ({"labelled": torch.ones(2, dtype=torch.bool)}, r"labelled must be bool of shape \(2, 3\).*shape \(2,\)"),
        ({"labelled": torch.ones(2, 3)}, r"labelled must be bool of shape \(2, 3\), got torch.float32"),
        ({"voxels": torch.ones(2, 3, 4, 4, 4, dtype=torch.bool)}, r"voxels must be bool of shape \(2, 1, 4, 4, 4\)"),
        ({"voxels": torch.ones(2, 1, 4, 4, 4)}, "voxels must be bool"),
    ],
)
def test_what_does_not_fit_is_told(changes: dict[str, Any], message: str) -> None:
    arguments = {"logits": torch.zeros(2, 3, 4, 4, 4), "target": torch.zeros(2, 3, 4, 4, 4), **changes}
    with pytest.raises(ValueError, match=message):
        dice_bce_loss(**arguments)
    with pytest.raises(ValueError):
        deep_supervision_loss([arguments.pop("logits")], **arguments)


def test_levels_weights_and_presence_that_do_not_fit_are_told() -> None:
    logits = torch.zeros(2, 3, 4, 4, 4)
    weights: list[list[float]] = [[1], [1, -1], [0, 0]]
    for wrong in weights:
        with pytest.raises(ValueError, match="weights must be 2 numbers"):
            deep_supervision_loss([logits, logits], logits, weights=wrong)
    with pytest.raises(ValueError, match="at least one level"):
        deep_supervision_loss([], logits)
    with pytest.raises(ValueError, match="must both be"):
        deep_supervision_loss([logits[:, :2]], logits)
    with pytest.raises(ValueError, match=r"must be \(B, P\), got \(2, 3\) and \(2, 2\)"):
        presence_loss(torch.zeros(2, 3), torch.zeros(2, 2))
    with pytest.raises(ValueError, match="labelled must be bool"):
        presence_loss(torch.zeros(2, 3), torch.zeros(2, 3), torch.ones(2, 3))
