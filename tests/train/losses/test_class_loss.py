"""The loss of stage 1 against itself written out voxel by voxel in float64."""

import math

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from train.losses.class_loss import UNKNOWN, class_loss
from train.losses.mask_losses import SMOOTH


def naive_level(logits: Tensor, labels: Tensor) -> float:
    """Sample by sample, class by class, voxel by voxel."""
    total = 0.0
    for sample in range(len(logits)):
        flat, truth = logits[sample].flatten(1).T.tolist(), labels[sample].flatten().tolist()
        labelled = [(scores, label) for scores, label in zip(flat, truth, strict=True) if label != UNKNOWN]
        shares = [[math.exp(s) / sum(map(math.exp, scores)) for s in scores] for scores, _ in labelled]
        entropy = -sum(math.log(share[label]) for share, (_, label) in zip(shares, labelled, strict=True))
        losses = []
        for number in range(1, logits.shape[1]):
            size = sum(label == number for _, label in labelled)
            if size:
                overlap = sum(
                    share[number] for share, (_, label) in zip(shares, labelled, strict=True) if label == number
                )
                predicted = sum(share[number] for share in shares)
                losses.append(1 - (2 * overlap + SMOOTH) / (predicted + size + SMOOTH))
        total += entropy / max(len(labelled), 1) + (sum(losses) / len(losses) if losses else 0)
    return total / len(logits)


def naive_missed(logits: Tensor, labels: Tensor) -> float:
    """The third term: of each class that a sample shows, its own voxels' cross-entropy, if most of them is missed."""
    total = 0.0
    for scores, truth in zip(logits.movedim(1, -1).flatten(1, 3), labels.flatten(1), strict=True):
        losses = []
        for number in range(1, logits.shape[1]):
            own = [each.softmax(0)[number].item() for each, label in zip(scores, truth, strict=True) if label == number]
            if own:
                missed = max(0.0, 1 - 2 * sum(own) / len(own))
                losses.append(missed * -sum(map(math.log, own)) / len(own))
        total += sum(losses) / len(losses) if losses else 0
    return total / len(logits)


def example(*, unknown: bool = True) -> tuple[list[Tensor], Tensor]:
    generator = torch.Generator().manual_seed(0)
    levels = [torch.randn(3, 4, *(size // 2**level for size in (4, 6, 8)), generator=generator) for level in range(2)]
    labels = torch.randint(-1 if unknown else 0, 4, (3, 4, 6, 8), generator=generator)
    labels[1] = 0  # shows no class
    labels[0][labels[0] == 3] = 0  # and this one not all
    return levels, labels


def test_it_is_what_it_says() -> None:
    levels, labels = example()
    every_second = labels[:, ::2, ::2, ::2]
    expected = (naive_level(levels[0], labels) + 0.5 * naive_level(levels[1], every_second)) / 1.5
    assert float(class_loss(levels, labels)) == pytest.approx(expected, rel=1e-5)
    assert float(class_loss(levels[:1], labels)) == pytest.approx(naive_level(levels[0], labels), rel=1e-5)


def test_the_third_term_is_what_it_says() -> None:
    levels, labels = example()
    every_second = labels[:, ::2, ::2, ::2]
    added = class_loss(levels, labels, missed_weight=0.3) - class_loss(levels, labels)
    expected = 0.3 * (naive_missed(levels[0], labels) + 0.5 * naive_missed(levels[1], every_second)) / 1.5
    assert expected > 0.1 and float(added) == pytest.approx(expected, rel=1e-4)


def test_a_small_class_that_is_missed_whole_is_pulled_up_and_one_that_is_found_is_left_alone() -> None:
    """Of 8 voxels among 4,096 that are taken for another class with certainty."""
    labels = torch.ones(1, 16, 16, 16, dtype=torch.long)
    labels[0, 4:6, 4:6, 4:6] = 2
    missed = torch.zeros(1, 3, 16, 16, 16)
    missed[:, 1] = 12

    def pull(weight: float, logits: Tensor) -> float:
        logits = logits.clone().requires_grad_()
        (gradient,) = torch.autograd.grad(class_loss([logits], labels, missed_weight=weight), logits)
        return -float(gradient[0, 2, 4:6, 4:6, 4:6].sum())

    assert pull(0.2, missed) > 30 * pull(0, missed) > 0
    found = 3 * functional.one_hot(labels, 3).movedim(-1, 1).float()
    assert pull(0.2, found) == pull(0, found)


def test_samples_weigh_the_same_so_that_parts_average_to_their_batch() -> None:
    """In float64: in float32, rounding hides a weight that is a little wrong."""
    levels, labels = example()
    batch, alone = ([level.double().requires_grad_() for level in levels] for _ in range(2))
    torch.autograd.backward(class_loss(batch, labels, missed_weight=0.2))
    for sample in range(len(labels)):
        part = slice(sample, sample + 1)
        loss = class_loss([level[part] for level in alone], labels[part], missed_weight=0.2)
        torch.autograd.backward(loss / len(labels))
    for together, apart in zip(batch, alone, strict=True):
        assert together.grad is not None and apart.grad is not None
        torch.testing.assert_close(together.grad, apart.grad, rtol=1e-12, atol=1e-14)


def test_unknown_voxels_have_no_part_in_value_or_gradient() -> None:
    (logits, _), labels = example()
    logits.requires_grad_()
    loss = class_loss([logits], labels, missed_weight=0.2)
    torch.autograd.backward(loss)
    assert logits.grad is not None
    unknown = (labels == UNKNOWN)[:, None].expand_as(logits)
    assert unknown.any() and not logits.grad[unknown].any() and logits.grad[~unknown].all()
    changed = torch.where(unknown, torch.full_like(logits, 7.0), logits.detach())
    assert torch.equal(class_loss([changed], labels, missed_weight=0.2), loss.detach())


def test_nothing_known_is_zero_with_gradients_of_zero() -> None:
    (logits, _), labels = example()
    logits.requires_grad_()
    loss = class_loss([logits], torch.full_like(labels, UNKNOWN), missed_weight=0.2)
    torch.autograd.backward(loss)
    assert loss.item() == 0 and logits.grad is not None and not logits.grad.any()


def test_every_sample_weighs_the_same() -> None:
    levels, labels = example()
    alone = [
        class_loss([level[index : index + 1] for level in levels], labels[index : index + 1]) for index in range(3)
    ]
    torch.testing.assert_close(class_loss(levels, labels), torch.stack(alone).mean())


def test_perfect_is_near_zero_and_half_precision_is_summed_in_float32() -> None:
    labels = torch.zeros(1, 8, 8, 8, dtype=torch.long)
    labels[0, 2:5, 2:5, 2:5] = 1
    perfect = 40 * (functional.one_hot(labels, 2).movedim(-1, 1).float() - 0.5)
    assert float(class_loss([perfect], labels)) < 1e-4
    levels, labels = example()
    halves = [level.to(torch.bfloat16) for level in levels]
    wide = class_loss([half.float() for half in halves], labels)
    assert class_loss(halves, labels).dtype == torch.float32 and torch.equal(class_loss(halves, labels), wide)


def test_merged_classes_count_as_one_with_the_sum_of_their_probabilities() -> None:
    levels, labels = example()
    levels = [level.double() for level in levels]
    # In sample 0, class 3 lies in the background; in sample 2, classes 2 and 3 in class 1, whatever the labels say.
    merged: list[dict[int, int]] = [{3: 0}, {}, {2: 1, 3: 1}]
    total = torch.zeros((), dtype=torch.float64)
    for sample, (keep, parts) in enumerate([([0, 1, 2], {0: [0, 3]}), ([0, 1, 2, 3], {}), ([0, 1], {1: [1, 2, 3]})]):
        smaller = [
            torch.stack([level[sample, parts.get(number, [number])].logsumexp(dim=0) for number in keep])[None]
            for level in levels
        ]
        truth = labels[sample : sample + 1].clone()
        for number, target in merged[sample].items():
            truth[truth == number] = target
        total = total + class_loss(smaller, truth) / 3
    assert float(class_loss(levels, labels, merged)) == pytest.approx(float(total), rel=1e-6)
    assert float(class_loss(levels, labels, [{}, {}, {}])) == float(class_loss(levels, labels))


def test_a_class_that_may_be_there_is_not_pushed_away() -> None:
    logits = torch.zeros(1, 3, 4, 4, 4)
    logits[:, 2] = 3.0
    logits.requires_grad_()
    background = torch.zeros(1, 4, 4, 4, dtype=torch.long)
    torch.autograd.backward(class_loss([logits], background, [{2: 0}]))
    assert logits.grad is not None and logits.grad[:, 2].max() < 0 and logits.grad.isfinite().all()
