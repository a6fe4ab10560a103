"""What is counted on `meta`, held against torch's own counters of the same steps with real numbers on a CPU."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from models.segmenter import Segmentation, TextSegmenter
from models.stunet import STUNet
from train.config.options import Optimisation
from train.loop.optimisation import trainable
from train.losses.class_loss import class_loss
from train.losses.mask_losses import deep_supervision_loss, missed_structure_loss
from train.stages.cost.counting import count_step
from train.stages.cost.stage_cost import pretraining_cost, segmenting_cost

pytestmark = pytest.mark.usefixtures("one_thread")
PATCH, CLASSES, PROMPTS, EMBEDDING = (32, 32, 64), 5, 3, 8
VOXELS = 32 * 32 * 64
SIZES = pytest.mark.parametrize(("size", "batch"), [("tiny", 1), ("tiny", 3), ("tiny-deep", 2), ("S", 1)])


def own_counters(loss: Callable[[], Tensor], model: nn.Module) -> tuple[int, int]:
    """Return the operations by torch's counter, and the bytes that autograd keeps by its own hooks, weights apart."""
    weights = {parameter.untyped_storage().data_ptr() for parameter in model.parameters()}
    kept: dict[int, int] = {}

    def pack(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in weights:
            kept[storage.data_ptr()] = storage.nbytes()
        return tensor

    with FlopCounterMode(display=False) as flops:
        with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
            value = loss()
        torch.autograd.backward(value)
    return int(flops.get_total_flops()), sum(kept.values())


def pretraining(size: str, batch: int) -> tuple[STUNet, Callable[[], Tensor]]:
    torch.manual_seed(0)
    model = STUNet(size, num_classes=CLASSES).freeze("pretrain")
    trainable(model.train())
    volume, labels = torch.randn(batch, 1, *PATCH), torch.randint(0, CLASSES, (batch, *PATCH), dtype=torch.int16)
    return model, lambda: class_loss(model(volume, deep_supervision=True), labels)


def segmenting(size: str, batch: int) -> tuple[TextSegmenter, Callable[[], Tensor]]:
    torch.manual_seed(0)
    model = TextSegmenter(STUNet(size), None, embedding_dim=EMBEDDING, hidden=16, levels=3).freeze("segment")
    trainable(model.train())
    volume, prompts = torch.randn(batch, 1, *PATCH), torch.randn(PROMPTS, EMBEDDING)
    target = torch.rand(batch, PROMPTS, *PATCH) > 0.9

    def loss() -> Tensor:
        result = model(volume, prompts, full=True)
        assert isinstance(result, Segmentation)
        return deep_supervision_loss(result.logits, target) + missed_structure_loss(result.logits[0], target)

    return model, loss


@SIZES
def test_pretraining_is_counted_as_torch_counts_it(size: str, batch: int) -> None:
    model, loss = pretraining(size, batch)
    flops, kept = own_counters(loss, model)
    cost = pretraining_cost(model, PATCH, optimisation=Optimisation(batch_size=batch), world=1, half=False)
    assert cost.flops == flops and cost.samples == batch
    assert cost.weights == sum(weight.numel() for weight in model.parameters()) >= cost.trained
    # Beside what is kept: the logits' gradients, and what the loss makes of them in passing.
    logits = batch * CLASSES * VOXELS * 4
    assert kept < cost.part_bytes <= kept + 4 * logits + 8 * cost.trained
    assert cost.part_bytes == count_step(loss, model.parameters()).bytes, "as with real numbers"


@SIZES
def test_segmenting_is_counted_as_torch_counts_it(size: str, batch: int) -> None:
    model, loss = segmenting(size, batch)
    flops, kept = own_counters(loss, model)
    cost = segmenting_cost(
        model, PATCH, PROMPTS, unlock_image=False, optimisation=Optimisation(batch_size=batch), world=1, half=False
    )
    assert cost.flops == flops
    logits = batch * PROMPTS * VOXELS * 4
    assert kept < cost.part_bytes + logits and cost.part_bytes <= kept + 6 * logits + 8 * cost.trained
    unlocked = segmenting_cost(
        model, PATCH, PROMPTS, unlock_image=True, optimisation=Optimisation(batch_size=batch), world=1, half=False
    )
    assert unlocked.flops > flops and unlocked.part_bytes > cost.part_bytes and unlocked.trained > cost.trained


def test_what_autocast_keeps_is_counted_within_a_sixth() -> None:
    for model, loss in (pretraining("S", 1), segmenting("S", 1)):
        with torch.autocast("cpu", torch.bfloat16):
            flops, kept = own_counters(loss, model)
        counted = {"optimisation": Optimisation(batch_size=1), "world": 1, "half": True}
        cost = (
            pretraining_cost(model, PATCH, **counted)
            if isinstance(model, STUNet)
            else segmenting_cost(model, PATCH, PROMPTS, unlock_image=False, **counted)
        )
        assert cost.flops == flops
        assert kept < 7 / 6 * cost.part_bytes, (kept, cost.part_bytes)


def test_parts_checkpointing_and_averages_change_what_they_should() -> None:
    model = STUNet("S", num_classes=CLASSES).freeze("pretrain")
    step = {"world": 1, "half": False}
    whole = pretraining_cost(model, PATCH, optimisation=Optimisation(batch_size=4), **step)
    parts = pretraining_cost(model, PATCH, optimisation=Optimisation(batch_size=4, accumulate=4, ema=0.9), **step)
    assert parts.flops == whole.flops and parts.part_bytes < whole.part_bytes and parts.samples == 1
    assert parts.weight_bytes == whole.weight_bytes + 4 * whole.trained and parts.adam_bytes == 8 * whole.trained
    assert parts.bytes == parts.weight_bytes + parts.adam_bytes + parts.part_bytes + 4 * parts.trained
    of_two = pretraining_cost(model, PATCH, optimisation=Optimisation(batch_size=4), world=2, half=False)
    assert of_two.samples == 2 and 2 * of_two.flops == whole.flops
    model.checkpointing = True
    again = pretraining_cost(model, PATCH, optimisation=Optimisation(batch_size=4), **step)
    assert again.flops > whole.flops and again.bytes < whole.bytes
