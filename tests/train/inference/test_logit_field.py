"""Logits or features of a volume, in memory or on disk, in one pass or several: always the same logits."""

import errno
import os
import tempfile
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from curation.runtime.progress import Progress
from models.connectors import Queries
from models.segmenter import TextSegmenter
from tests.models.tiny import embeddings, segmenter, volume
from train.inference import logit_field as module
from train.inference.logit_field import FieldError, LogitField, logit_field
from train.inference.windows import Windows, presence, volume_features, volume_logits
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


def logits_of(field: LogitField, count: int) -> Tensor:
    which = torch.arange(count)
    parts = [field.logits(values, which).view(count, *SHAPE[:2], -1) for _, values in field.slabs()]
    return torch.cat(parts, dim=-1)


@pytest.mark.parametrize("prompts", [2, 9])
@pytest.mark.parametrize("on_disk", [False, True])
def test_the_field_holds_the_blended_logits(
    monkeypatch: pytest.MonkeyPatch, mlp: TextSegmenter, x: Tensor, prompts: int, on_disk: bool
) -> None:
    monkeypatch.setattr(module, "IN_MEMORY_BYTES", 0 if on_disk else 1 << 30)
    monkeypatch.setattr(module, "SLAB_BYTES", 4 * 4 * 24 * 20 * 7)
    text = embeddings(prompts)
    field = logit_field(mlp, x, GRID, text, EXACT)
    # What takes less room: this network has 4 features.
    assert (field.queries is None) == (prompts < 4) and field.stored.shape == (min(prompts, 4), *SHAPE)
    assert isinstance(field.stored, np.memmap) == on_disk
    features, queries = volume_features(mlp, x, EXACT), mlp.queries(text)
    expected = queries[0].logits(features[None])[0].detach()
    torch.testing.assert_close(logits_of(field, prompts), expected, atol=5e-3, rtol=2e-3)
    torch.testing.assert_close(field.presence, presence(features, queries).detach(), atol=1e-5, rtol=1e-5)
    one = field.of_one(1)
    torch.testing.assert_close(logits_of(one, 1)[0], expected[1], atol=1e-2, rtol=2e-3)


def test_own_slabs_are_the_logits_on_the_networks_grid(
    monkeypatch: pytest.MonkeyPatch, mlp: TextSegmenter, x: Tensor
) -> None:
    field = logit_field(mlp, x, GRID, embeddings(9), EXACT)
    monkeypatch.setattr(module, "LOGITS_AT_ONCE", 2 * 20 * 40 * 5)
    slabs = list(field.own_slabs(torch.tensor([4, 8])))
    assert [slab.shape[1] for slab in slabs] == [4000] * 4 + [3200]
    torch.testing.assert_close(torch.cat(slabs, dim=1).view(2, *SHAPE), logits_of(field, 9)[[4, 8]])


def test_several_passes_are_one(monkeypatch: pytest.MonkeyPatch, attention: TextSegmenter, x: Tensor) -> None:
    text = embeddings(5)
    expected, there = volume_logits(attention, x, text, EXACT)

    class Counting(Progress):
        def __init__(self) -> None:
            self.told: list[int | None] = []
            self.done = 0

        def start(self, total: int | None, done: int) -> None:
            self.told.append(total)

        def advance(self) -> None:
            self.done += 1

    progress = Counting()
    # Two prompts at once, beside the four features.
    monkeypatch.setattr(module, "SUMS_BYTES", (2 + 4) * 4 * 16 * 20 * 64)
    field = logit_field(attention, x, GRID, text, EXACT, progress)
    torch.testing.assert_close(logits_of(field, 5), expected, atol=5e-3, rtol=2e-3)
    torch.testing.assert_close(field.presence, there, atol=1e-5, rtol=1e-5)
    assert progress.told == [progress.done] and progress.done == 3 * 4


def test_the_file_has_no_name_and_ends_with_the_field(
    monkeypatch: pytest.MonkeyPatch, mlp: TextSegmenter, x: Tensor, tmp_path: Path
) -> None:
    monkeypatch.setattr(module, "IN_MEMORY_BYTES", 0)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    field = logit_field(mlp, x, GRID, embeddings(2), EXACT)
    assert list(tmp_path.iterdir()) == [] and np.isfinite(field.stored).all()


def test_no_room_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(module, "IN_MEMORY_BYTES", 0)
    monkeypatch.setattr(os, "posix_fallocate", full)
    with pytest.raises(FieldError, match=r"no room for 0\.0 GiB .* \(No space left on device\): set TMPDIR"):
        module.room((2, 3, 4, 5))


def test_what_half_precision_cannot_hold_is_as_sure_as_can_be() -> None:
    stored = module.room((1, 1, 1, 2))
    module._put(stored, 0, torch.tensor([[[[1e6, -1e6]]]]))
    assert stored.ravel().tolist() == [60000.0, -60000.0]


def test_queries_of_some_prompts_are_those_of_all() -> None:
    torch.manual_seed(0)
    queries = Queries(torch.randn(6, 4), torch.rand(6), torch.randn(6))
    field = LogitField(np.zeros((4, *SHAPE), np.float16), queries, torch.zeros(6), GRID)
    values = torch.randn(4, 50)
    some = field.logits(values, torch.tensor([5, 2]))
    torch.testing.assert_close(some, queries.logits(values[None])[0][[5, 2]])
