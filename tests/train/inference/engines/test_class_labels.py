"""Finished labels as masks, and unions of them."""

from pathlib import Path

import numpy as np
import pytest
import torch

from tests.train.inference.segment_cases import affine_of, scan_of
from train.inference.engines.class_labels import ClassLabels
from train.inference.errors import SegmentError
from train.inference.labelling import label_scan
from train.inference.options import DEFAULT_OPTIONS
from train.inference.prompts import SegmentPrompt


def test_masks_are_unions_of_labels_on_the_scans_own_grid(tmp_path: Path) -> None:
    generator = np.random.default_rng(0)
    labels = generator.integers(0, 118, (7, 6, 5))
    turned = affine_of((1, 2, 3), "PIR")
    turned[:3, :3] = np.linalg.qr(generator.normal(size=(3, 3)))[0] @ turned[:3, :3]
    scan = scan_of(generator.normal(size=labels.shape), turned)
    volume = ClassLabels.of(scan, labels, [(5,), (5, 117, 44)])
    prompts = (SegmentPrompt("one", "one"), SegmentPrompt("three", "three"))
    result = label_scan(scan, volume, prompts, DEFAULT_OPTIONS, "labels")
    assert np.array_equal(result.mask("one"), labels == 5)
    assert np.array_equal(result.mask("three"), np.isin(labels, (5, 117, 44)))
    with pytest.raises(SegmentError, match="without probabilities"):
        result.probability("one")


def test_what_is_no_label_is_refused() -> None:
    scan = scan_of(np.zeros((2, 2, 2)))
    with pytest.raises(ValueError, match="labels from -1 to 0"):
        ClassLabels.of(scan, np.array([[[0, -1], [0, 0]]] * 2), [(1,)])
    nothing = ClassLabels.of(scan, np.zeros((2, 2, 2)), [(1,)])
    assert nothing.logits(torch.zeros(1, 3), torch.tensor([0])).tolist() == [[-1.0] * 3]
