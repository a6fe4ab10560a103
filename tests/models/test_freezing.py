"""What trains in each stage: exactly that gets gradients and moves, and nothing else changes at all."""

from collections.abc import Callable, Iterable
from pathlib import Path

import pytest
import torch
from torch import nn

from models.aligner import Aligner
from models.blocks import ResidualBlock
from models.freezing import TRAINED_PARTS, ModelPart, Stage, StagedModel, parameters_of
from models.segmenter import Segmentation, TextSegmenter
from models.stunet import STUNet
from models.text import TextEncoder
from tests.models.encoders import tiny_encoder
from tests.models.tiny import volume

Build = Callable[[str], StagedModel]
TEXTS = ["left kidney", "the liver is enlarged", "no effusion"]


@pytest.fixture(scope="module")
def encoder_directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One with dropout, so that a frozen encoder left in training mode shows."""
    return tiny_encoder(tmp_path_factory.mktemp("encoder"), dropout=0.5)


def with_batch_norm(network: STUNet) -> STUNet:
    """A running statistic in encoder, decoder and heads: what must not move in a frozen part."""
    for part in (network.conv_blocks_context, network.conv_blocks_localization):
        for stage in part:
            assert isinstance(stage, nn.Sequential)
            block = stage[-1]
            assert isinstance(block, ResidualBlock)
            stage.append(nn.BatchNorm3d(block.conv2.out_channels))
    return network


@pytest.fixture
def built(encoder_directory: Path) -> Build:
    def build(kind: str) -> StagedModel:
        torch.manual_seed(0)
        image = with_batch_norm(STUNet("tiny", num_classes=3))
        if kind == "stunet":
            return image
        text = TextEncoder.from_pretrained(encoder_directory)
        return Aligner(image, text) if kind == "aligner" else TextSegmenter(image, text, hidden=32)

    return build


def loss(model: StagedModel) -> torch.Tensor:
    x = volume(2, 32, 32, 64)
    if isinstance(model, STUNet):
        logits = model(x, deep_supervision=True)
        return torch.stack([level.square().mean() for level in logits]).sum()
    if isinstance(model, Aligner):
        image, text = model(model.pool(x), TEXTS)
        return torch.mm(image, text.T).mul(model.log_scale.exp()).square().mean()
    assert isinstance(model, TextSegmenter)
    result = model(x, TEXTS, full=True)
    assert isinstance(result, Segmentation)
    return torch.stack([logits.square().mean() for logits in (*result.logits, result.presence)]).sum()


def changed(model: StagedModel, before: dict[str, torch.Tensor]) -> set[str]:
    return {name for name, tensor in model.state_dict().items() if not torch.equal(tensor, before[name])}


def names_of(model: StagedModel, parts: Iterable[ModelPart]) -> set[str]:
    identities = {id(parameter) for part in parts for parameter in parameters_of(model.parts()[part])}
    return {name for name, parameter in model.named_parameters() if id(parameter) in identities}


CASES: list[tuple[str, Stage, tuple[ModelPart, ...]]] = [
    ("stunet", "pretrain", ()),
    ("aligner", "align", ()),
    ("aligner", "align", ("image_encoder",)),
    ("segmenter", "segment", ()),
    ("segmenter", "segment", ("image_encoder", "text")),
]


@pytest.mark.parametrize(("kind", "stage", "unlock"), CASES)
def test_only_what_the_stage_trains_gets_gradients_and_moves(
    built: Build, kind: str, stage: Stage, unlock: tuple[ModelPart, ...]
) -> None:
    model = built(kind).freeze(stage, unlock=unlock).train()
    trains = TRAINED_PARTS[stage] | set(unlock)
    expected = names_of(model, trains)
    assert expected and {name for name, parameter in model.named_parameters() if parameter.requires_grad} == expected
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2, weight_decay=0.1)
    for _ in range(2):
        optimizer.zero_grad()
        torch.autograd.backward(loss(model))
        optimizer.step()
    with_gradient = {name for name, parameter in model.named_parameters() if parameter.grad is not None}
    assert with_gradient == expected
    moved = changed(model, before)
    statistics = {name for name in moved if "running_" in name or "num_batches" in name}
    assert moved - statistics == expected
    # A running statistic moves only inside a part that trains.
    allowed = {"image_encoder": "conv_blocks_context", "image_decoder": "conv_blocks_localization"}
    assert all(any(place in name for part, place in allowed.items() if part in trains) for name in statistics)
    assert statistics or not trains & allowed.keys()


@pytest.mark.parametrize("kind", ["stunet", "aligner", "segmenter"])
def test_every_parameter_belongs_to_one_part(built: Build, kind: str) -> None:
    model = built(kind)
    identities = [id(parameter) for members in model.parts().values() for parameter in parameters_of(members)]
    assert len(identities) == len(set(identities))
    assert set(identities) == {id(parameter) for parameter in model.parameters()}


def test_a_frozen_text_encoder_says_the_same_each_time_in_training(built: Build) -> None:
    model = built("segmenter").freeze("segment").train()
    assert isinstance(model, TextSegmenter) and model.text is not None
    assert not any(module.training for module in model.text.modules())
    assert torch.equal(model.text.embed(TEXTS), model.text.embed(TEXTS))
    model.eval().train()
    assert not model.text.training and model.connector.training


def test_freezing_again_changes_what_trains_and_drops_old_gradients(built: Build) -> None:
    model = built("segmenter").freeze("segment", unlock=["image_encoder"]).train()
    torch.autograd.backward(loss(model))
    model.freeze("segment")
    assert {name for name, parameter in model.named_parameters() if parameter.grad is not None} <= names_of(
        model, TRAINED_PARTS["segment"]
    )
    assert not model.parts()["image_encoder"][0].training  # type: ignore[union-attr]
    model.freeze("segment", unlock=["image_encoder"])
    assert model.parts()["image_encoder"][0].training  # type: ignore[union-attr]


def test_what_cannot_train_is_refused(built: Build) -> None:
    with pytest.raises(ValueError, match="one of pretrain, align, segment, not 'finetune'"):
        built("stunet").freeze("finetune")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="'segment' trains connector, image_decoder; a STUNet consists of image_enc"):
        built("stunet").freeze("segment")
    with pytest.raises(ValueError, match="projection"):
        built("segmenter").freeze("align")
