"""Arrays in memory or in a file without a name, and what half precision holds."""

import errno
import os
import tempfile
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.models.tiny import embeddings, segmenter, volume
from train.inference import logit_storage
from train.inference.errors import LogitStorageError
from train.inference.logit_storage import allocate, store
from train.inference.logit_volume import predict_logits
from train.inference.windows import Windows
from train.scans.grid import Grid

pytestmark = pytest.mark.usefixtures("one_thread")


def test_the_file_has_no_name_and_ends_with_the_array(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(logit_storage, "IN_MEMORY_BYTES", 0)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    shape = (24, 20, 40)
    grid, windows = Grid(shape, np.eye(4), shape, np.eye(4)), Windows((16, 16, 64), precision="float32")
    predicted = predict_logits(segmenter(levels=1), volume(1, *shape)[0], grid, embeddings(2), windows)
    assert list(tmp_path.iterdir()) == [] and np.isfinite(predicted.stored).all()


def test_no_room_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(logit_storage, "IN_MEMORY_BYTES", 0)
    monkeypatch.setattr(os, "posix_fallocate", full)
    with pytest.raises(LogitStorageError, match=r"no room for 0\.0 GiB .* \(No space left on device\): set TMPDIR"):
        allocate((2, 3, 4, 5))


def test_what_half_precision_cannot_hold_is_as_sure_as_can_be() -> None:
    stored = allocate((1, 1, 1, 2))
    store(stored, 0, torch.tensor([[[[1e6, -1e6]]]]))
    assert stored.ravel().tolist() == [60000.0, -60000.0]
