"""The text-guided segmenter: one mask for each prompt, whatever else is asked, from features that are computed once."""

from typing import Any
from unittest.mock import patch

import pytest
import torch

from models.connectors import CONNECTORS
from models.segmenter import MaskStatistics, Segmentation, TextSegmenter, masks
from models.stunet import STUNet
from tests.models.tiny import EMBEDDING, embeddings, segmenter, volume


@pytest.mark.parametrize("connector", CONNECTORS)
def test_a_logit_is_the_product_of_features_and_query(connector: str) -> None:
    model, x, prompts = segmenter(connector), volume(2, 32, 32, 64), embeddings(5)
    with torch.no_grad():
        logits = model(x, prompts)
        features = model.image_features(x)
        query = model.queries(prompts, features.bottleneck)[0]
    assert logits.shape == (2, 5, 32, 32, 64)
    voxel = features.levels[0][1, :, 7, 8, 9]
    at = (1, 3) if model.connector.needs_image else (3,)
    expected = query.scale[at] * (query.vectors[at] @ voxel) + query.bias[at]
    torch.testing.assert_close(logits[1, 3, 7, 8, 9], expected)


@pytest.mark.parametrize("connector", CONNECTORS)
def test_a_prompt_s_mask_does_not_depend_on_the_other_prompts(connector: str) -> None:
    model, x, prompts = segmenter(connector), volume(2, 32, 32, 64), embeddings(6)
    with torch.no_grad():
        together = model(x, prompts, full=True)
        alone = model(x, prompts[[4]], full=True)
    assert isinstance(together, Segmentation) and isinstance(alone, Segmentation)
    for several, single in zip(together.logits, alone.logits, strict=True):
        torch.testing.assert_close(several[:, [4]], single, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(together.presence[:, [4]], alone.presence, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("connector", CONNECTORS)
def test_the_image_side_runs_once_whatever_the_number_of_prompts(connector: str) -> None:
    model = segmenter(connector)
    with patch.object(STUNet, "encode", autospec=True, side_effect=STUNet.encode) as encode:
        for count in (1, 7, 30):
            model(volume(1, 32, 32, 32), embeddings(count))
    assert encode.call_count == 3


def test_training_gets_every_level_and_the_presence() -> None:
    model = segmenter(levels=4)
    result = model(volume(2, 32, 32, 64), embeddings(3), full=True)
    assert isinstance(result, Segmentation)
    assert [tuple(level.shape[2:]) for level in result.logits] == [(32, 32, 64), (16, 16, 32), (8, 8, 16), (4, 4, 8)]
    assert result.presence.shape == (2, 3)
    torch.testing.assert_close(result.logits[0], model(volume(2, 32, 32, 64), embeddings(3)))
    one_level = segmenter(levels=1)(volume(1, 32, 32, 64), embeddings(3), full=True)
    assert isinstance(one_level, Segmentation) and len(one_level.logits) == 1


def test_an_absent_structure_has_an_empty_mask() -> None:
    logits = torch.full((2, 3, 4, 4, 4), 2.0)
    logits[0, 1, 0] = -2.0
    presence = torch.tensor([[1.0, 1.0, -1.0], [-1.0, 1.0, 1.0]])
    predicted = masks(logits, presence)
    assert predicted.dtype == torch.bool
    assert predicted.flatten(2).sum(dim=2).tolist() == [[64, 48, 0], [0, 64, 64]]
    assert masks(logits, presence, presence_threshold=0).flatten(2).sum(dim=2).tolist() == [[64, 48, 64], [64] * 3]
    assert masks(logits, presence, threshold=0.9).sum() == 0


@pytest.mark.parametrize("connector", CONNECTORS)
def test_presence_is_read_from_what_the_mask_holds(connector: str) -> None:
    model = segmenter(connector)
    x, prompts = volume(2, 32, 32, 64), embeddings(4)
    with torch.no_grad():
        result = model(x, prompts, full=True)
        features = model.image_features(x).levels[0]
        query = model.presence_queries(prompts)
    inside = result.logits[0][1, 2].sigmoid()
    mean = (features[1] * inside).sum(dim=(1, 2, 3)) / inside.sum()
    mean = (mean - mean.mean()) / (mean.var(unbiased=False) + 1e-5).sqrt()
    sure = inside.square().sum() / inside.sum()
    evidence = torch.cat((mean, torch.stack(((1 + inside.sum()).log() / 4, sure))))
    expected = query.scale[2] * (query.vectors[2] @ evidence) + query.bias[2]
    torch.testing.assert_close(result.presence[1, 2], expected, atol=1e-4, rtol=1e-4)


def test_an_empty_mask_holds_nothing_and_presence_has_no_part_in_the_mask() -> None:
    statistics = MaskStatistics.of(torch.full((1, 2, 5), -1e4), torch.randn(1, 3, 5))
    assert statistics.evidence().eq(0).all()
    model = segmenter()
    torch.autograd.backward(model(volume(1, 32, 32, 64), embeddings(4), full=True).presence.sum())
    moved = {name for name, parameter in model.named_parameters() if parameter.grad is not None}
    assert {name.split(".")[0] for name in moved} == {"connector"}
    assert {name.split(".")[2] for name in moved if ".heads." in name} == {str(len(model.connector.heads) - 1)}


def test_it_learns_to_find_one_of_two_blocks_and_that_a_third_is_not_there() -> None:
    """The whole path trains: two prompts, two places, and a prompt whose structure never is in the image."""
    model = segmenter(levels=2)
    model.freeze("segment").train()
    x = torch.zeros(1, 1, 32, 32, 32)
    target = torch.zeros(1, 3, 32, 32, 32)
    for prompt, (place, brightness) in enumerate([(slice(4, 14), 1.0), (slice(18, 28), -1.0)]):
        x[:, :, place, 8:24, 8:24] = brightness
        target[:, prompt, place, 8:24, 8:24] = 1
    prompts = embeddings(3)
    optimizer = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=1e-2)
    loss_of = torch.nn.functional.binary_cross_entropy_with_logits
    for _ in range(80):
        result = model(x, prompts, full=True)
        loss = loss_of(result.logits[0], target) + 0.1 * loss_of(result.presence, torch.tensor([[1.0, 1.0, 0.0]]))
        optimizer.zero_grad()
        torch.autograd.backward(loss)
        optimizer.step()
    model.eval()
    with torch.no_grad():
        result = model(x, prompts, full=True)
    predicted = masks(result.logits[0], result.presence)
    overlap = (
        2 * (predicted & target.bool()).sum(dim=(2, 3, 4)) / (predicted.sum(dim=(2, 3, 4)) + target.sum(dim=(2, 3, 4)))
    )
    assert overlap[0, :2].min() > 0.9
    assert predicted[0, 2].sum() == 0


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: segmenter()(volume(1, 32, 32, 32), ["liver"]), "no text encoder"),
        (lambda: segmenter()(volume(1, 32, 32, 32), "liver"), r"\['liver'\] is one prompt"),
        (lambda: segmenter(levels=6), "1 to 5 levels, not 6"),
        (lambda: TextSegmenter(STUNet("tiny"), None), "embedding_dim"),
        (lambda: segmenter()(volume(1, 30, 32, 32), embeddings(1)), "multiples of"),
        (lambda: segmenter()(volume(1, 32, 32, 32), torch.zeros(2, EMBEDDING + 1)), r"\(P, 32\), not \(2, 33\)"),
    ],
)
def test_what_is_wrong_is_refused(call: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call()
