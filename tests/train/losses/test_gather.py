"""Gathering, and the contrastive losses over real processes: each must be what one process makes of the whole batch."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.parallel import DistributedDataParallel

from tests.train.losses.ranks import on_ranks
from train.losses.alignment import alignment_loss
from train.losses.contrastive import MgclVariant, clip_loss, mgcl_loss
from train.losses.gather import gather, gather_ids, rank_and_size
from train.losses.opposites import opposite_loss
from train.losses.pairs import OrganParts

REPORTS, CAPTIONS, SIZE, PARTS = 8, 3, 4, 3
# Makes embeddings of a part, as long as those of the whole.
SIGNS = torch.tensor([[1.0, 1, 1, 1], [1, -1, 1, -1], [-1, -1, 1, 1]], dtype=torch.float64)
Results = dict[str, Any]


class Towers(nn.Module):
    """Images and captions to embeddings, with what the losses learn."""

    def __init__(self) -> None:
        super().__init__()
        self.image, self.text = (nn.Linear(5, SIZE, dtype=torch.float64) for _ in range(2))
        self.log_scale = nn.Parameter(torch.tensor(1.5, dtype=torch.float64))
        random = torch.Generator().manual_seed(7)
        for parameter in [*self.image.parameters(), *self.text.parameters()]:
            parameter.data.copy_(torch.randn(parameter.shape, dtype=torch.float64, generator=random))

    def forward(self, images: Tensor, captions: Tensor) -> tuple[Tensor, Tensor]:
        return functional.normalize(self.image(images), dim=-1), functional.normalize(self.text(captions), dim=-1)


def whole_batch() -> dict[str, Tensor]:
    """The last quarter of the reports has no caption, so that a rank of four has none; the first has all."""
    random = torch.Generator().manual_seed(3)
    valid = torch.rand(REPORTS, CAPTIONS, generator=random) > 0.4
    valid[:2], valid[-2:] = True, False
    return {
        "images": torch.randn(REPORTS, 5, dtype=torch.float64, generator=random),
        "captions": torch.randn(REPORTS, CAPTIONS, 5, dtype=torch.float64, generator=random),
        "text_ids": torch.randint(0, 9, (REPORTS, CAPTIONS), generator=random),
        "scan_ids": torch.randint(0, 6, (REPORTS,), generator=random),
        "valid": valid,
        "said": torch.randint(-3, 9, (REPORTS, 5), generator=random),
        "part": torch.randint(0, PARTS, (REPORTS, CAPTIONS), generator=random),
        "normal": torch.rand(REPORTS, CAPTIONS, generator=random) > 0.5,
        "unremarkable": torch.rand(REPORTS, PARTS, generator=random) > 0.5,
        "opposites": functional.normalize(
            torch.randn(REPORTS, CAPTIONS, SIZE, dtype=torch.float64, generator=random), dim=-1
        ),
    }


def losses(batch: dict[str, Tensor]) -> dict[str, Callable[[Tensor, Tensor, Tensor], Tensor]]:
    """Every loss as a function of image, captions and log_scale."""
    ids: dict[str, Any] = {name: batch[name] for name in ("text_ids", "scan_ids", "valid")}
    firsts: dict[str, Any] = {name: mask[:, 0] if mask.dim() == 2 else mask for name, mask in ids.items()}
    no_texts: dict[str, Any] = {"valid": torch.zeros_like(batch["valid"])}
    return {
        "clip": lambda image, captions, scale: clip_loss(image, captions[:, 0], scale),
        "clip masked": lambda image, captions, scale: clip_loss(image, captions[:, 0], scale, **firsts, chunk=2),
        "mean": lambda image, captions, scale: mgcl_loss(image, captions, scale),
        "mean masked": lambda image, captions, scale: mgcl_loss(
            image, captions, scale, weights=[1, 0.2, 3], **ids, chunk=1
        ),
        "joint": lambda image, captions, scale: mgcl_loss(image, captions, scale, variant="joint"),
        "joint masked": lambda image, captions, scale: mgcl_loss(
            image, captions, scale, variant="joint", weights=[1, 0.2, 3], **ids
        ),
        "organ-wise mean": lambda image, captions, scale: organ_wise(batch, image, captions, scale, "mean"),
        "organ-wise joint": lambda image, captions, scale: organ_wise(batch, image, captions, scale, "joint"),
        "opposites alone": lambda image, captions, scale: opposite_loss(
            image[:, None], captions, batch["opposites"], batch["normal"], scale
        ),
        "nothing": lambda image, captions, scale: mgcl_loss(image, captions, scale, **no_texts),
        "alignment": lambda image, captions, scale: alignment_loss(
            image, captions[:, 2], captions, scale, caption_weight=0.5, mgcl_variant="joint",
            report_ids=ids["text_ids"][:, 2], report_valid=ids["valid"][:, 2],
            caption_ids=ids["text_ids"], caption_valid=ids["valid"], scan_ids=ids["scan_ids"],
        ).total,
    }  # fmt: skip


def organ_wise(
    batch: dict[str, Tensor], image: Tensor, captions: Tensor, scale: Tensor, variant: MgclVariant
) -> Tensor:
    """The loss of stage 2 with all of its terms."""
    parts = OrganParts(image[:, None] * SIGNS, batch["part"], batch["normal"], batch["unremarkable"])
    return alignment_loss(
        image, captions[:, 2], captions, scale, mgcl_variant=variant, parts=parts, said=batch["said"],
        caption_ids=batch["text_ids"], caption_valid=batch["valid"], scan_ids=batch["scan_ids"],
        opposite_weight=2.0, opposites=batch["opposites"], opposite_valid=batch["valid"] & ~batch["normal"],
    ).total  # fmt: skip


def trained(batch: dict[str, Tensor], name: str) -> list[Tensor]:
    """The loss and the gradients of all parameters, with DDP where there are ranks."""
    towers = Towers()
    encode: nn.Module = DistributedDataParallel(towers) if rank_and_size()[1] > 1 else towers
    image, captions = encode(batch["images"], batch["captions"])
    loss = losses(batch)[name](image, captions, towers.log_scale)
    loss.backward()  # type: ignore[no-untyped-call]
    gradients = [parameter.grad for parameter in towers.parameters()]
    assert all(gradient is not None for gradient in gradients)
    return [loss.detach(), *(gradient for gradient in gradients if gradient is not None)]


def own_part(batch: dict[str, Tensor]) -> dict[str, Tensor]:
    rank, ranks = rank_and_size()
    return {name: tensor.chunk(ranks)[rank] for name, tensor in batch.items()}


def all_losses_on_a_rank() -> Results:
    batch = own_part(whole_batch())
    return {name: trained(batch, name) for name in losses(batch)}


def assert_one_process_makes_the_same(ranks: list[Results]) -> None:
    batch = whole_batch()
    for name in losses(batch):
        value, *gradients = trained(batch, name)
        for number, gradient in enumerate(gradients, 1):
            for rank in ranks:
                torch.testing.assert_close(rank[name][number], gradient, rtol=0, atol=1e-9, msg=f"{name}, {number}")
        mean = torch.stack([rank[name][0] for rank in ranks]).mean()
        torch.testing.assert_close(mean, value, rtol=0, atol=1e-9, msg=name)
        assert (value == 0) == (name == "nothing")


def on_two_ranks() -> Results:
    results = all_losses_on_a_rank()
    rank, _ = rank_and_size()
    mine = torch.tensor([[1.0, 2.0], [3.0, 4.0]]).add(10 * rank).requires_grad_()
    gathered = gather(mine)
    (gathered * torch.arange(1.0, 5.0)[:, None] * (rank + 1)).sum().backward()  # type: ignore[no-untyped-call]
    assert mine.grad is not None
    results |= {"gathered": gathered.detach(), "gradient": mine.grad, "ids": gather_ids(torch.tensor([rank, -rank]))}
    results["errors"] = [
        refusal(lambda: gather(torch.zeros(3 + rank, 2))),
        refusal(lambda: gather_ids(torch.zeros(3, 2 - rank, dtype=torch.long))),
        refusal(lambda: gather(torch.zeros(4) if rank else torch.zeros(4, 1))),
        refusal(lambda: gather(torch.tensor(1.0))),
        refusal(lambda: clip_loss(torch.zeros(2 + rank, 4), torch.zeros(2 + rank, 4), torch.tensor(1.0))),
    ]
    return results


def refusal(work: Callable[[], Tensor]) -> str:
    try:
        work()
    except ValueError as error:
        return str(error)
    return "none"


def on_four_ranks() -> Results:
    results = all_losses_on_a_rank()
    rank, _ = rank_and_size()
    groups = [dist.new_group([0, 1]), dist.new_group([2, 3])]
    half = {name: tensor.chunk(2)[rank // 2] for name, tensor in whole_batch().items()}
    part = {name: tensor.chunk(2)[rank % 2] for name, tensor in half.items()}
    results["half"] = in_a_group(part, groups[rank // 2])
    return results


def in_a_group(batch: dict[str, Tensor], group: dist.ProcessGroup | None = None) -> list[Tensor]:
    image, captions = Towers()(batch["images"], batch["captions"])
    scale = torch.tensor(1.0)
    first, scans = captions[:, 0], batch["scan_ids"]
    losses = [
        mgcl_loss(image, captions, scale, variant="joint", text_ids=batch["text_ids"], group=group),
        clip_loss(image, first, scale, scan_ids=scans, group=group),
        alignment_loss(image, first, captions, scale, scan_ids=scans, group=group).total,
    ]
    return [loss.detach() for loss in losses]


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> list[Results]:
    return on_ranks(on_two_ranks, 2, tmp_path_factory.mktemp("two"))


def test_two_ranks_make_what_one_does(two: list[Results]) -> None:
    assert_one_process_makes_the_same(two)


def test_four_ranks_make_what_one_does_and_groups_keep_apart(tmp_path: Path) -> None:
    four = on_ranks(on_four_ranks, 4, tmp_path)
    assert_one_process_makes_the_same(four)
    for number, half in enumerate((slice(0, 4), slice(4, 8))):
        batch = {name: tensor[half] for name, tensor in whole_batch().items()}
        first_rank, second_rank = (torch.stack(results["half"]) for results in four[2 * number : 2 * number + 2])
        torch.testing.assert_close((first_rank + second_rank) / 2, torch.stack(in_a_group(batch)), rtol=0, atol=1e-9)


def test_tensors_are_in_the_order_of_ranks_and_gradients_are_summed(two: list[Results]) -> None:
    for rank, results in enumerate(two):
        assert results["gathered"].tolist() == [[1, 2], [3, 4], [11, 12], [13, 14]]
        assert results["ids"].tolist() == [0, 0, 1, -1]
        # Row r counts r + 1 times in the first rank's loss and twice that in the second's.
        assert results["gradient"].tolist() == [[3.0 * (2 * rank + row)] * 2 for row in (1, 2)]


def test_unequal_shapes_are_told_on_every_rank(two: list[Results]) -> None:
    for results in two:
        rows, columns, dimensions, scalar, loss = results["errors"]
        assert "rank 0 has (3, 2), rank 1 has (4, 2); leave out the last, shorter batch" in rows
        assert "rank 0 has (3, 2), rank 1 has (3, 1)" in columns
        assert "rank 0 has (4, 1), rank 1 has (4,)" in dimensions
        assert "1 to 8 dimensions, this one has 0" in scalar
        assert "all ranks must have equal shapes: rank 0 has (2, 3), rank 1 has (3, 3)" in loss


def test_one_process_gathers_nothing() -> None:
    tensor = torch.ones(2, 3, requires_grad=True)
    assert rank_and_size() == (0, 1)
    assert gather(tensor) is tensor and gather_ids(tensor) is tensor


def test_a_group_of_one_gathers_nothing(tmp_path: Path) -> None:
    dist.init_process_group("gloo", f"file://{tmp_path / 'meeting'}", world_size=1, rank=0)
    try:
        tensor = torch.ones(2, 3)
        assert rank_and_size() == (0, 1)
        assert gather(tensor) is tensor and gather_ids(tensor) is tensor
    finally:
        dist.destroy_process_group()
