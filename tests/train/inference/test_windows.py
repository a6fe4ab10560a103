"""Windows over whole volumes: blending features and multiplying once gives what blending logits gives."""

from typing import Any

import pytest
import torch
from monai.inferers.utils import sliding_window_inference

from curation.runtime.errors import Interrupted
from curation.runtime.progress import Progress
from models.connectors import Queries
from models.segmenter import EXTRA_EVIDENCE, MaskStatistics, TextSegmenter, presence_logits
from tests.models.tiny import embeddings, segmenter, volume
from train.inference import windows as module
from train.inference.windows import (
    Windows,
    blended_slabs,
    label_map,
    presence,
    prompt_masks,
    volume_features,
    volume_logits,
)

EXACT = Windows((32, 32, 64), precision="float32")


def whole(seed: int = 0, shape: tuple[int, int, int] = (40, 50, 80)) -> torch.Tensor:
    return volume(1, *shape, seed=seed)[0]


@pytest.fixture(scope="module")
def model() -> TextSegmenter:
    return segmenter()


@pytest.mark.parametrize("shape", [(40, 50, 80), (32, 32, 64), (20, 33, 65)])
def test_blended_features_times_queries_are_blended_logits(model: TextSegmenter, shape: tuple[int, int, int]) -> None:
    x, prompts = whole(shape=shape), embeddings(5)
    features = volume_features(model, x, EXACT)
    queries = model.queries(prompts)
    logits, best = volume_logits(model, x, prompts, EXACT)
    assert features.shape == (4, *shape) and logits.shape == (5, *shape)
    torch.testing.assert_close(queries[0].logits(features[None])[0], logits, atol=2e-5, rtol=1e-5)
    torch.testing.assert_close(presence(features, queries), best, atol=1e-5, rtol=1e-5)


def test_one_window_is_the_network_itself(model: TextSegmenter) -> None:
    x, prompts = whole(shape=(32, 32, 64)), embeddings(3)
    features = volume_features(model, x, EXACT)
    with torch.no_grad():
        expected = model(x[None], prompts, full=True)
    queries = model.queries(prompts)
    torch.testing.assert_close(queries[0].logits(features[None]), expected.logits[0], atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(presence(features, queries), expected.presence[0], atol=1e-5, rtol=1e-5)


def test_presence_in_a_volume_is_that_of_all_that_its_masks_hold(model: TextSegmenter) -> None:
    x, prompts = whole(shape=(32, 32, 128)), embeddings(4)
    features = volume_features(model, x, Windows((32, 32, 64), overlap=0, precision="float32"))
    first, *_, last = model.queries(prompts)
    with torch.no_grad():
        halves = [model.image_features(x[None, ..., start : start + 64]).levels[0] for start in (0, 64)]
        left, right = (MaskStatistics.of(first.logits(half), half) for half in halves)
    torch.testing.assert_close(presence(features, model.queries(prompts)), presence_logits(last, left.plus(right))[0])


@pytest.mark.parametrize(
    ("shape", "overlap", "batch"),
    [
        ((40, 33, 80), 0.5, 1),
        ((33, 40, 70), 0.3, 3),
        ((20, 33, 65), 0.5, 2),
        ((60, 32, 64), 0.75, 1),
        ((33, 8, 9), 0, 4),
    ],
)
def test_windows_are_placed_and_blended_as_monai_does(
    model: TextSegmenter, shape: tuple[int, int, int], overlap: float, batch: int
) -> None:
    x = whole(shape=shape)

    def finest(window: torch.Tensor) -> torch.Tensor:
        return model.image_features(window).levels[0]

    with torch.no_grad():
        expected = sliding_window_inference(
            x[None], EXACT.size, batch, finest, overlap=overlap, mode="gaussian", cval=float(x.min())
        )
    windows = Windows(EXACT.size, overlap, batch, precision="float32")
    starts, made = [], []
    for start, values in blended_slabs(model, finest, x, windows):
        starts.append(start)
        made.append(values.clone())
        # No more is held than one window's depth.
        assert values.shape[1] <= 32
    assert starts == [sum(part.shape[1] for part in made[:number]) for number in range(len(made))]
    torch.testing.assert_close(torch.cat(made, dim=1), expected[0], atol=2e-4, rtol=1e-4)


def test_windows_are_counted_and_the_run_can_be_stopped(model: TextSegmenter) -> None:
    class Two(Progress):
        total: int | None = 0
        done = 0

        def start(self, total: int | None, done: int) -> None:
            self.total = total

        def advance(self) -> None:
            self.done += 1

        def raise_if_interrupted(self) -> None:
            if self.done == limit:
                raise Interrupted

    limit, progress = 99, Two()
    volume_features(model, whole(shape=(40, 33, 64)), EXACT, progress)
    assert progress.total == progress.done == 4
    limit, progress = 2, Two()
    with pytest.raises(Interrupted):
        volume_features(model, whole(shape=(40, 33, 64)), EXACT, progress)
    assert progress.done == 2


def some_features(prompts: int = 6) -> tuple[torch.Tensor, tuple[Queries, ...]]:
    torch.manual_seed(0)
    features = torch.randn(4, 9, 10, 11)
    query = [
        Queries(
            torch.nn.functional.normalize(torch.randn(prompts, c), dim=1), torch.rand(prompts) * 3, torch.randn(prompts)
        )
        for c in (4, 4 + EXTRA_EVIDENCE)
    ]
    return features, tuple(query)


@pytest.mark.parametrize("at_once", [1, 700, 1 << 21])
@pytest.mark.parametrize("threshold", [0.3, 0.5, 0.9])
@pytest.mark.parametrize("presence_threshold", [0.0, 0.6, 1.0])
def test_labels_and_masks_are_what_their_logits_say(
    monkeypatch: pytest.MonkeyPatch, at_once: int, threshold: float, presence_threshold: float
) -> None:
    monkeypatch.setattr(module, "LOGITS_AT_ONCE", at_once)
    features, queries = some_features()
    probability = queries[0].logits(features[None])[0].sigmoid()
    there = presence(features, queries).sigmoid() >= presence_threshold
    labels = label_map(features, queries, threshold=threshold, presence_threshold=presence_threshold)
    found = list(prompt_masks(features, queries, threshold=threshold, presence_threshold=presence_threshold))
    assert labels.dtype == torch.int16 and len(found) == 6
    for prompt in range(6):
        assert torch.equal(found[prompt], (probability[prompt] > threshold) & there[prompt])
    best = torch.where(there[:, None, None, None], probability, -1.0)
    expected = torch.where(best.amax(dim=0) > threshold, best.argmax(dim=0) + 1, 0)
    assert torch.equal(labels, expected.to(torch.int16))


def test_cross_attention_blends_logits_and_refuses_to_blend_features() -> None:
    model = segmenter("cross_attention")
    x, prompts = whole(), embeddings(3)
    logits, best = volume_logits(model, x, prompts, EXACT)
    assert logits.shape == (3, 40, 50, 80) and best.shape == (3,)
    with pytest.raises(ValueError, match="use volume_logits"):
        volume_features(model, x, EXACT)


def test_the_edge_is_padded_with_the_darkest_value_and_cut_off_again(model: TextSegmenter) -> None:
    small = whole(shape=(20, 32, 64)) + 5
    padded = torch.nn.functional.pad(small, (0, 0, 0, 0, 6, 6), value=float(small.min()))
    features = volume_features(model, small, EXACT)
    expected = volume_features(model, padded, EXACT)
    torch.testing.assert_close(features, expected[:, 6:26], atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize(
    ("call", "told"),
    [
        (lambda: Windows(overlap=1.0), "overlap"),
        (lambda: Windows(batch=0), "at least one window"),
        (lambda: volume_features(segmenter(), whole(), Windows((30, 32, 64))), "multiples of 16×16×32"),
        (lambda: volume_features(segmenter(), whole()[0], EXACT), r"a volume is \(1, D, H, W\), not \(40, 50, 80\)"),
        (lambda: label_map(*some_features(), threshold=2), "probability from 0 to 1, not 2"),
    ],
)
def test_what_is_wrong_is_told(call: Any, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        call()
