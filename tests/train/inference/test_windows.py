"""Windows over whole volumes: blending features and multiplying once gives what blending logits gives."""

from pathlib import Path
from typing import Any

import pytest
import torch
from monai.inferers.utils import sliding_window_inference

from curation.runtime.errors import Interrupted
from curation.runtime.progress import Progress
from models.architecture import ARCHITECTURES
from models.checkpoint import read_record
from models.segmenter import TextSegmenter
from tests.models.tiny import embeddings, segmenter, volume
from tests.train.inference.segment_cases import blended_features, blended_logits, presence_of, tiny_checkpoint
from train.inference.engines.class_network import trained_patch
from train.inference.windows import Windows, blended_slabs, window_size

EXACT = Windows((32, 32, 64), precision="float32")


def whole(seed: int = 0, shape: tuple[int, int, int] = (40, 50, 80)) -> torch.Tensor:
    return volume(1, *shape, seed=seed)[0]


@pytest.fixture(scope="module")
def model() -> TextSegmenter:
    return segmenter()


@pytest.mark.parametrize("shape", [(40, 50, 80), (32, 32, 64), (20, 33, 65)])
def test_blended_features_times_queries_are_blended_logits(model: TextSegmenter, shape: tuple[int, int, int]) -> None:
    x, prompts = whole(shape=shape), embeddings(5)
    features = blended_features(model, x, EXACT)
    queries = model.queries(prompts)
    logits, presence = blended_logits(model, x, prompts, EXACT)
    assert features.shape == (4, *shape) and logits.shape == (5, *shape)
    torch.testing.assert_close(queries[0].logits(features[None])[0], logits, atol=2e-5, rtol=1e-5)
    torch.testing.assert_close(presence_of(features, queries), presence, atol=1e-5, rtol=1e-5)


def test_one_window_is_the_network_itself(model: TextSegmenter) -> None:
    x, prompts = whole(shape=(32, 32, 64)), embeddings(3)
    features = blended_features(model, x, EXACT)
    with torch.no_grad():
        expected = model(x[None], prompts, full=True)
    queries = model.queries(prompts)
    torch.testing.assert_close(queries[0].logits(features[None]), expected.logits[0], atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(presence_of(features, queries), expected.presence[0], atol=1e-5, rtol=1e-5)


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
    starts, slabs = [], []
    for start, values in blended_slabs(model.image, finest, x, windows):
        starts.append(start)
        slabs.append(values.clone())
        # No more is held than one window's depth.
        assert values.shape[1] <= 32
    assert starts == [sum(slab.shape[1] for slab in slabs[:number]) for number in range(len(slabs))]
    torch.testing.assert_close(torch.cat(slabs, dim=1), expected[0], atol=2e-4, rtol=1e-4)


def test_windows_are_counted_and_the_run_can_be_stopped(model: TextSegmenter) -> None:
    class WindowProgress(Progress):
        total: int | None = 0
        done = 0

        def start(self, total: int | None, done: int) -> None:
            self.total = total

        def advance(self) -> None:
            self.done += 1

        def raise_if_interrupted(self) -> None:
            if self.done == limit:
                raise Interrupted

    def finest(window: torch.Tensor) -> torch.Tensor:
        return model.image_features(window).levels[0]

    limit, progress, x = 99, WindowProgress(), whole(shape=(40, 33, 64))
    assert list(blended_slabs(model.image, finest, x, EXACT, progress))
    assert progress.total == progress.done == 4
    limit, progress = 2, WindowProgress()
    with pytest.raises(Interrupted):
        list(blended_slabs(model.image, finest, x, EXACT, progress))
    assert progress.done == 2


def test_the_edge_is_padded_with_the_darkest_value_and_cut_off_again(model: TextSegmenter) -> None:
    small = whole(shape=(20, 32, 64)) + 5
    padded = torch.nn.functional.pad(small, (0, 0, 0, 0, 6, 6), value=float(small.min()))
    features = blended_features(model, small, EXACT)
    expected = blended_features(model, padded, EXACT)
    torch.testing.assert_close(features, expected[:, 6:26], atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: Windows(overlap=1.0), "overlap"),
        (lambda: Windows(batch=0), "at least one window"),
        (lambda: blended_features(segmenter(), whole(), Windows((30, 32, 64))), "multiples of 16×16×32"),
        (lambda: blended_features(segmenter(), whole()[0], EXACT), r"a volume is \(1, D, H, W\), not \(40, 50, 80\)"),
    ],
)
def test_what_is_wrong_is_told(call: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call()


def test_the_window_is_that_of_the_training_or_what_the_volume_needs(tmp_path: Path) -> None:
    trained = trained_patch(read_record(tiny_checkpoint(tmp_path / "a", patch=[48, 32, 64])))
    unknown = trained_patch(read_record(tiny_checkpoint(tmp_path / "b")))
    assert window_size(ARCHITECTURES["tiny"], trained, (20, 20, 20)) == (48, 32, 64)
    assert window_size(ARCHITECTURES["tiny"], unknown, (20, 40, 300)) == (32, 48, 128)
