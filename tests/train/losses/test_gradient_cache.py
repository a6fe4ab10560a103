from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from pathlib import Path
from typing import Any

import pytest
import torch
from lightning_fabric import Fabric
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.parallel import DistributedDataParallel

from tests.train.losses.ranks import on_ranks
from train.losses.contrastive import mgcl_loss
from train.losses.gather import rank_and_size
from train.losses.gradient_cache import Tower, cached_backward

REPORTS, CAPTIONS = 8, 2


class Model(nn.Module):
    """Two towers with dropout and the scale, in one module as a wrapper would see it."""

    def __init__(self, dtype: torch.dtype = torch.float64) -> None:
        super().__init__()
        torch.manual_seed(5)
        self.image = nn.Sequential(nn.Linear(5, 16), nn.Dropout(0.5), nn.Tanh(), nn.Linear(16, 4)).to(dtype)
        self.text = nn.Sequential(nn.Linear(3, 16), nn.Dropout(0.5), nn.Tanh(), nn.Linear(16, 4)).to(dtype)
        self.log_scale = nn.Parameter(torch.tensor(1.5, dtype=dtype))

    def forward(self, tower: str, inputs: Tensor) -> Tensor:
        return functional.normalize((self.image if tower == "image" else self.text)(inputs), dim=-1)

    def loss(self, image: Tensor, text: Tensor) -> Tensor:
        return mgcl_loss(image, text.view(len(image), CAPTIONS, -1), self.log_scale, variant="joint")

    def gradients(self) -> list[Tensor]:
        return [torch.zeros_like(p) if p.grad is None else p.grad.clone() for p in self.parameters()]


def inputs(dtype: torch.dtype = torch.float64) -> tuple[Tensor, Tensor]:
    random = torch.Generator().manual_seed(2)
    images = torch.randn(REPORTS, 5, dtype=torch.float64, generator=random)
    return images.to(dtype), torch.randn(REPORTS * CAPTIONS, 3, dtype=torch.float64, generator=random).to(dtype)


def towers(encode: nn.Module, images: Tensor, texts: Tensor, sizes: tuple[int, int] = (3, 5)) -> list[Tower]:
    """Chunks that fit neither the batch nor each other."""
    return [
        Tower(lambda chunk: encode("image", chunk), torch.split(images, sizes[0])),
        Tower(lambda chunk: encode("text", chunk), torch.split(texts, sizes[1])),
    ]


def whole(model: Model) -> tuple[Tensor, list[Tensor]]:
    """Loss and gradients of the whole batch at once."""
    model.zero_grad()
    images, texts = inputs()
    loss = model.loss(model("image", images), model("text", texts))
    loss.backward()  # type: ignore[no-untyped-call]
    return loss.detach(), model.gradients()


def assert_close(ours: Any, theirs: Any) -> None:
    torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-9)


@pytest.mark.parametrize("sizes", [(3, 5), (1, 1), (8, 16), (2, 16)])
def test_chunks_give_the_gradient_of_the_whole_batch(sizes: tuple[int, int]) -> None:
    model = Model().eval()
    loss, gradients = whole(model)
    model.zero_grad()
    cached = cached_backward(towers(model, *inputs(), sizes), model.loss)
    assert not cached.requires_grad
    assert_close(cached, loss)
    assert_close(model.gradients(), gradients)
    assert all(gradient.abs().sum() > 0 for gradient in gradients)
    # A second time, onto what is there.
    cached_backward(towers(model, *inputs(), sizes), model.loss)
    assert_close(model.gradients(), [2 * gradient for gradient in gradients])


def test_dropout_repeats_and_goes_on_afterwards() -> None:
    model = Model().train()
    seen: list[Tensor] = []
    model.image[1].register_forward_hook(lambda module, inputs, output: seen.append(output.detach() == 0))

    def loss_with_chance(image: Tensor, text: Tensor) -> Tensor:
        return model.loss(image, text) * (1 + torch.rand(()))

    torch.manual_seed(1)
    loss = cached_backward(towers(model, *inputs()), loss_with_chance)
    after, gradients = torch.get_rng_state(), model.gradients()
    # Three chunks of images, twice: first all, then all but the last, then the last.
    assert len(seen) == 6
    for first, second in zip(seen[:3], seen[3:], strict=True):
        assert torch.equal(first, second)
    assert not torch.equal(seen[0], seen[1])
    model.zero_grad()
    torch.manual_seed(1)
    image, text = (torch.cat([tower.encode(chunk) for chunk in tower.chunks]) for tower in towers(model, *inputs()))
    plain = loss_with_chance(image, text)
    assert torch.equal(after, torch.get_rng_state())
    plain.backward()  # type: ignore[no-untyped-call]
    assert_close(loss, plain.detach())
    assert_close(gradients, model.gradients())


@pytest.mark.parametrize("frozen", ["image", "text"])
def test_a_frozen_tower_is_encoded_once(frozen: str) -> None:
    model = Model().eval()
    getattr(model, frozen).requires_grad_(False)
    _, gradients = whole(model)
    model.zero_grad()
    calls = {"image": 0, "text": 0}
    model.register_forward_pre_hook(lambda module, inputs: calls.update({inputs[0]: calls[inputs[0]] + 1}))
    cached_backward(towers(model, *inputs()), model.loss)
    assert calls == {"image": 3, "text": 8} if frozen == "image" else {"image": 6, "text": 4}
    assert_close(model.gradients(), gradients)


def test_the_scale_alone_can_be_trained_and_nothing_cannot() -> None:
    model = Model().eval()
    model.image.requires_grad_(False)
    model.text.requires_grad_(False)
    _, gradients = whole(model)
    model.zero_grad()
    cached_backward(towers(model, *inputs()), model.loss)
    assert_close(model.gradients(), gradients)
    assert model.log_scale.grad is not None and model.log_scale.grad != 0
    model.log_scale.requires_grad_(False)
    with pytest.raises(ValueError, match="depends on nothing that is trained"):
        cached_backward(towers(model, *inputs()), model.loss)


def test_a_tower_that_the_loss_does_not_use_is_left_alone() -> None:
    model = Model().eval()
    cached_backward(towers(model, *inputs()), lambda image, text: (image * torch.arange(4)).sum())
    assert all(parameter.grad is None for parameter in model.text.parameters())
    assert all(parameter.grad is not None for parameter in model.image.parameters())


def test_a_tower_has_chunks() -> None:
    with pytest.raises(ValueError, match="a tower has no chunks"):
        cached_backward([Tower(lambda chunk: chunk, [])], lambda embeddings: embeddings.sum())


def test_backward_may_scale() -> None:
    """A loss scaled against underflow reaches every parameter scaled once."""
    model = Model().eval()
    _, gradients = whole(model)
    model.zero_grad()
    cached_backward(towers(model, *inputs()), model.loss, backward=lambda loss: torch.autograd.backward(loss * 1024))
    assert_close([gradient / 1024 for gradient in model.gradients()], gradients)


def test_only_the_very_last_backward_is_synced() -> None:
    model = Model().eval()
    events: list[str] = []

    @contextmanager
    def sync(last: bool) -> Iterator[None]:
        events.append(f"enter {last}")
        yield
        events.append(f"leave {last}")

    model.register_forward_pre_hook(
        lambda module, inputs: events.append(inputs[0] if torch.is_grad_enabled() else f"{inputs[0]} without a graph")
    )

    def backward(loss: Tensor) -> None:
        events.append("backward")
        loss.backward()  # type: ignore[no-untyped-call]

    cached_backward(towers(model, *inputs(), (4, 16)), model.loss, sync=sync, backward=backward)
    assert events == [
        "enter False", "image", "image without a graph", "text", "leave False",
        "enter False", "image", "backward", "leave False",
        "enter True", "image", "text", "backward", "leave True",
    ]  # fmt: skip


def test_autocast_around_it_all_does_not_cut_the_weights_off() -> None:
    images, texts = inputs(torch.float32)
    model, plain = Model(torch.float32).eval(), Model(torch.float32).eval()
    leaves: list[Tensor] = []

    def loss(image: Tensor, text: Tensor) -> Tensor:
        leaves.extend([image, text])
        return model.loss(image, text)

    with torch.autocast("cpu", torch.bfloat16):
        cached_backward(
            [
                Tower(model.image, torch.split(images, 3)),
                Tower(lambda chunk: functional.normalize(model.text(chunk), dim=-1), torch.split(texts, 5)),
            ],
            loss,
        )
        plain.loss(plain.image(images), plain("text", texts)).backward()  # type: ignore[no-untyped-call]
    assert {leaf.dtype for leaf in leaves} == {torch.float32}
    for mine, theirs in zip(model.gradients(), plain.gradients(), strict=True):
        assert theirs.abs().max() > 0
        assert functional.cosine_similarity(mine.flatten(), theirs.flatten(), dim=0) > 0.995


def on_a_rank() -> dict[str, list[Tensor]]:
    rank, ranks = rank_and_size()
    images, texts = (tensor.chunk(ranks)[rank] for tensor in inputs())
    results = {}

    model = Model().eval()
    wrapped = DistributedDataParallel(model)
    results["one wrapper"] = [
        cached_backward(
            towers(wrapped, images, texts), model.loss,
            sync=lambda last: nullcontext() if last else wrapped.no_sync(),
        ),
        *model.gradients(),
    ]  # fmt: skip

    model = Model().eval()
    # The scale goes with one of the two, and a batch is done twice, as a wrapper left in the middle would tell.
    model.text.register_parameter("log_scale", model.log_scale)
    wrapped_towers = [DistributedDataParallel(tower) for tower in (model.image, model.text)]

    def sync(last: bool) -> AbstractContextManager[Any]:
        stack = ExitStack()
        for tower in wrapped_towers if not last else []:
            stack.enter_context(tower.no_sync())
        return stack

    for _ in range(2):
        model.zero_grad()
        loss = cached_backward(
            [
                Tower(lambda chunk: functional.normalize(wrapped_towers[0](chunk), dim=-1), torch.split(images, 3)),
                Tower(lambda chunk: functional.normalize(wrapped_towers[1](chunk), dim=-1), torch.split(texts, 5)),
            ],
            model.loss,
            sync=sync,
        )
    results["two wrappers"] = [loss, *model.gradients()]

    model = Model().eval()
    # Fabric takes a process that has this for one that is launched already.
    os.environ["LOCAL_RANK"] = str(rank)
    fabric = Fabric(accelerator="cpu", devices=ranks, strategy="ddp")
    fabric.launch()
    assert fabric.world_size == ranks
    module = fabric.setup_module(model)
    loss = cached_backward(
        towers(module, images, texts), model.loss,
        sync=lambda last: fabric.no_backward_sync(module, enabled=not last), backward=fabric.backward,
    )  # fmt: skip
    results["fabric"] = [loss, *model.gradients()]
    return results


def test_over_ranks_it_is_what_one_process_makes_of_the_whole_batch(tmp_path: Path) -> None:
    loss, gradients = whole(Model().eval())
    results = on_ranks(on_a_rank, 2, tmp_path)
    for way in results[0]:
        assert_close(torch.stack([rank[way][0] for rank in results]).mean(), loss)
        for rank in results:
            assert_close(rank[way][1:], gradients)
