"""Logits or features of a volume, in memory or on disk, in one pass or several: always the same logits."""

import numpy as np
import pytest
import torch
from torch import Tensor

from curation.runtime.progress import Progress
from models.connectors import Queries
from models.segmenter import MaskStatistics, TextSegmenter, presence_logits
from tests.models.tiny import embeddings, segmenter, volume
from tests.train.inference.segment_cases import ball, blended_features, blended_logits, presence_of, volume_of
from train.inference import logit_storage, logit_volume, mask_volume
from train.inference.logit_volume import LogitVolume, predict_logits
from train.inference.windows import Windows
from train.scans.grid import Grid

SHAPE = (24, 20, 40)
GRID = Grid(SHAPE, np.eye(4), SHAPE, np.eye(4))
EXACT = Windows((16, 16, 64), precision="float32")

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def mlp() -> TextSegmenter:
    return segmenter(levels=1)


@pytest.fixture(scope="module")
def attention() -> TextSegmenter:
    return segmenter("cross_attention", levels=1)


@pytest.fixture(scope="module")
def x() -> Tensor:
    return volume(1, *SHAPE)[0]


def logits_of(predicted: LogitVolume, count: int) -> Tensor:
    prompts = torch.arange(count)
    parts = [predicted.logits(values, prompts).view(count, *SHAPE[:2], -1) for _, values in predicted.resampled_slabs()]
    return torch.cat(parts, dim=-1)


@pytest.mark.parametrize("prompts", [2, 9])
@pytest.mark.parametrize("on_disk", [False, True])
def test_it_holds_the_blended_logits(
    monkeypatch: pytest.MonkeyPatch, mlp: TextSegmenter, x: Tensor, prompts: int, on_disk: bool
) -> None:
    monkeypatch.setattr(logit_storage, "IN_MEMORY_BYTES", 0 if on_disk else 1 << 30)
    monkeypatch.setattr(mask_volume, "SLAB_BYTES", 4 * 4 * 24 * 20 * 7)
    text = embeddings(prompts)
    predicted = predict_logits(mlp, x, GRID, text, EXACT)
    # What takes less room: this network has 4 features.
    assert (predicted.queries is None) == (prompts < 4) and predicted.stored.shape == (min(prompts, 4), *SHAPE)
    assert isinstance(predicted.stored, np.memmap) == on_disk
    features, queries = blended_features(mlp, x, EXACT), mlp.queries(text)
    expected = queries[0].logits(features[None])[0].detach()
    torch.testing.assert_close(logits_of(predicted, prompts), expected, atol=5e-3, rtol=2e-3)
    torch.testing.assert_close(predicted.presence, presence_of(features, queries).detach(), atol=1e-5, rtol=1e-5)
    second = predicted.of_prompt(1)
    torch.testing.assert_close(logits_of(second, 1)[0], expected[1], atol=1e-2, rtol=2e-3)


def test_network_slabs_are_the_logits_on_the_networks_grid(
    monkeypatch: pytest.MonkeyPatch, mlp: TextSegmenter, x: Tensor
) -> None:
    predicted = predict_logits(mlp, x, GRID, embeddings(9), EXACT)
    monkeypatch.setattr(mask_volume, "LOGITS_AT_ONCE", 2 * 20 * 40 * 5)
    slabs = list(predicted.network_slabs(torch.tensor([4, 8])))
    assert [slab.shape[1] for slab in slabs] == [4000] * 4 + [3200]
    torch.testing.assert_close(torch.cat(slabs, dim=1).view(2, *SHAPE), logits_of(predicted, 9)[[4, 8]])


def test_several_passes_are_one(monkeypatch: pytest.MonkeyPatch, attention: TextSegmenter, x: Tensor) -> None:
    text = embeddings(5)
    expected, presence = blended_logits(attention, x, text, EXACT)

    class PassProgress(Progress):
        def __init__(self) -> None:
            self.totals: list[int | None] = []
            self.done = 0

        def start(self, total: int | None, done: int) -> None:
            self.totals.append(total)

        def advance(self) -> None:
            self.done += 1

    progress = PassProgress()
    # Two prompts at once, beside the four features.
    monkeypatch.setattr(logit_volume, "SUMS_BYTES", (2 + 4) * 4 * 16 * 20 * 64)
    predicted = predict_logits(attention, x, GRID, text, EXACT, progress)
    torch.testing.assert_close(logits_of(predicted, 5), expected, atol=5e-3, rtol=2e-3)
    torch.testing.assert_close(predicted.presence, presence, atol=1e-5, rtol=1e-5)
    assert progress.totals == [progress.done] and progress.done == 3 * 4


@pytest.mark.parametrize(("connector", "prompts", "stored"), [("mlp", 1, 3), ("mlp", 5, 4), ("cross_attention", 5, 15)])
def test_several_queries_of_a_prompt_are_joined(
    monkeypatch: pytest.MonkeyPatch, x: Tensor, connector: str, prompts: int, stored: int
) -> None:
    """Whether features are stored, or the logits of each query, in one pass or two: the same masks and presence."""
    model, text = segmenter(connector, levels=1, queries_per_prompt=3), embeddings(prompts)
    monkeypatch.setattr(logit_volume, "SUMS_BYTES", (3 * 3 + 4) * 4 * 16 * 20 * 64)
    predicted = predict_logits(model, x, GRID, text, EXACT)
    assert predicted.stored.shape == (stored, *SHAPE) and predicted.per_prompt == 3
    if connector == "mlp":
        features, queries = blended_features(model, x, EXACT), model.queries(text)
        expected, presence = queries[0].logits(features[None])[0].detach(), presence_of(features, queries).detach()
        torch.testing.assert_close(logits_of(predicted, prompts), expected, atol=5e-3, rtol=2e-3)
        torch.testing.assert_close(predicted.presence, presence, atol=1e-5, rtol=1e-5)
    alone = predict_logits(model, x, GRID, text[-1:], EXACT)
    torch.testing.assert_close(logits_of(alone, 1)[0], logits_of(predicted, prompts)[-1], atol=5e-3, rtol=2e-3)
    torch.testing.assert_close(alone.presence[0], predicted.presence[-1], atol=1e-5, rtol=1e-5)
    unions = predicted.unions([(0, prompts - 1)], -1e9)
    largest = logits_of(predicted, prompts)[[0, -1]].amax(0)
    torch.testing.assert_close(logits_of(unions, 1)[0], largest)


@pytest.mark.parametrize("per_prompt", [1, 2])
def test_queries_of_some_prompts_are_those_of_all(per_prompt: int) -> None:
    torch.manual_seed(0)
    count = 6 * per_prompt
    queries = Queries(torch.randn(count, 4), torch.rand(count), torch.randn(count), per_prompt)
    predicted = LogitVolume(np.zeros((4, *SHAPE), np.float16), torch.zeros(6), GRID, queries)
    values = torch.randn(4, 50)
    some = predicted.logits(values, torch.tensor([5, 2]))
    torch.testing.assert_close(some, queries.logits(values[None])[0][[5, 2]])


def test_a_member_that_is_absent_adds_nothing() -> None:
    shape = (12, 10, 8)
    logits = torch.stack([ball(shape, (3, 5, 4), 2.5), ball(shape, (9, 5, 4), 2.5), ball(shape, (6, 5, 4), 1.5)])
    volumes = volume_of(logits, presence=(4.0, -4.0, -4.0))
    unions = volumes.unions([(0, 1), (1, 2), (2,)], 0.0)
    assert unions.presence.tolist() == [4.0, -4.0, -4.0]
    values = logits.flatten(1)
    of_unions = unions.logits(values, torch.tensor([0, 1]))
    assert torch.equal(of_unions[0], values[0])
    assert torch.equal(of_unions[1], torch.maximum(values[1], values[2]))
    second = unions.of_prompt(1)
    torch.testing.assert_close(torch.from_numpy(second.stored[0]).float().flatten(), of_unions[1], atol=0.01, rtol=0.01)


def test_presence_is_that_of_all_that_the_masks_hold() -> None:
    """Two windows that do not overlap: their statistics add up to those of the volume."""
    model = segmenter()
    x, prompts = volume(1, 32, 32, 128)[0], embeddings(4)
    grid = Grid((32, 32, 128), np.eye(4), (32, 32, 128), np.eye(4))
    windows = Windows((32, 32, 64), overlap=0, precision="float32")
    predicted = predict_logits(model, x, grid, prompts, windows)
    first, *_, last = model.queries(prompts)
    with torch.no_grad():
        halves = [model.image_features(x[None, ..., start : start + 64]).levels[0] for start in (0, 64)]
        left, right = (MaskStatistics.of(first.logits(half), half) for half in halves)
    expected = presence_logits(last, left.plus(right))[0].detach()
    torch.testing.assert_close(predicted.presence, expected)
    torch.testing.assert_close(presence_of(blended_features(model, x, windows), model.queries(prompts)), expected)


@pytest.mark.parametrize("connector", ["mlp", "cross_attention"])
def test_either_connector_gives_logits_of_the_whole_volume(connector: str) -> None:
    shape = (40, 50, 80)
    grid = Grid(shape, np.eye(4), shape, np.eye(4))
    windows = Windows((32, 32, 64), precision="float32")
    predicted = predict_logits(segmenter(connector), volume(1, *shape)[0], grid, embeddings(3), windows)
    assert predicted.stored.shape == (3, *shape) and predicted.presence.shape == (3,)
