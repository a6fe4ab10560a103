"""The label table as a terminal shows it."""

from io import StringIO

import numpy as np
import pytest
import torch
from rich.console import Console

from tests.train.inference.segment_cases import ball, hounsfield, result_of, scan_of
from train.inference.label_table import printable_table

SHAPE = (16, 15, 14)
NAMES = ["left kidney", "renal organ", "Ω/..", "spleen"]

pytestmark = pytest.mark.usefixtures("one_thread")


def test_the_table_says_what_lies_in_what() -> None:
    left, right = ball(SHAPE, (4, 7, 6), 2.6), ball(SHAPE, (11, 7, 6), 2.6)
    logits = torch.stack([left, torch.maximum(left, right) + 1, right - 1, right - 9])
    result = result_of(logits, NAMES, scan_of(hounsfield(SHAPE), np.diag([-1.0, -1, 2, 1])))
    printed = StringIO()
    Console(width=140, file=printed).print(printable_table(result.table))
    text = printed.getvalue()
    assert "100% in renal organ" in text and "no voxel" in text
