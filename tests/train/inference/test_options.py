"""Options of segmenting: wrong ones are refused with what to write instead."""

import pytest

from train.inference.errors import SegmentError
from train.inference.options import SegmentOptions, precision_named


@pytest.mark.parametrize(
    ("precision", "device", "message"),
    [
        ("int8", "cpu", "--precision int8: auto, float32"),
        ("float16", "cpu", "--precision float16: float16 is for GPUs"),
        ("auto", "toaster", "--device toaster: no such device here"),
        ("auto", "cuda:99", "--device cuda:99: no such device here"),
    ],
)
def test_a_device_that_is_not_here_is_told(precision: str, device: str, message: str) -> None:
    with pytest.raises(SegmentError, match=message):
        SegmentOptions(precision=precision, device=device)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("threshold", 2, "threshold 2: write a probability from 0 to 1"),
        ("threshold", -0.1, "threshold -0.1: write a probability from 0 to 1"),
        ("presence_threshold", 1.5, "presence_threshold 1.5: write a probability"),
        ("overlap", 1, "overlap 1: write a share from 0 to below 1"),
    ],
)
def test_a_value_out_of_range_is_told(name: str, value: float, message: str) -> None:
    with pytest.raises(SegmentError, match=message):
        SegmentOptions(**{name: value})  # type: ignore[arg-type]


def test_logits_are_those_of_the_thresholds() -> None:
    options = SegmentOptions(threshold=0.5, presence_threshold=0)
    assert (options.threshold_logit, options.presence_logit) == (0.0, float("-inf"))
    assert SegmentOptions(threshold=0.75).threshold_logit == pytest.approx(1.0986122886681098)
    assert SegmentOptions(threshold=1).threshold_logit == float("inf")


def test_a_precision_has_a_name() -> None:
    assert precision_named("bfloat16") == "bfloat16"
    with pytest.raises(SegmentError, match="--precision half: auto, float32, bfloat16, float16"):
        precision_named("half")
