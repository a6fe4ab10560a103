"""A text-driven checkpoint says when it is asked for what it was never trained on."""

from pathlib import Path

import pytest

from tests.train.inference.segment_cases import affine_of, hounsfield, nifti, tiny_checkpoint
from train.data.structure_prompts import build_structure_prompts
from train.inference.options import SegmentOptions
from train.inference.segmenting import segment

PROMPTS = ["left kidney", "kidneys", "left renal organ", "banana", "fundus of the gallbladder"]

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.mark.parametrize("vocabulary", [True, False])
def test_what_it_was_not_trained_on_is_told(tmp_path: Path, vocabulary: bool) -> None:
    trained = build_structure_prompts(("kidney_left", "kidney_right", "gallbladder"))
    checkpoint = tiny_checkpoint(tmp_path, prompts=trained.to_json())
    ct = nifti(tmp_path / "ct.nii.gz", hounsfield((12, 11, 10)), affine_of((2, 2, 2)))
    result = segment(ct, PROMPTS, checkpoint, SegmentOptions(presence_threshold=0, vocabulary=vocabulary))
    told = [warning for warning in result.record.warnings if "none of the 3 structures" in warning]
    assert [warning.split("'")[1] for warning in told] == ["banana", "fundus of the gallbladder"]
    assert result.scan.warnings == ()


def test_a_checkpoint_that_does_not_record_it_tells_nothing(tmp_path: Path) -> None:
    ct = nifti(tmp_path / "ct.nii.gz", hounsfield((12, 11, 10)), affine_of((2, 2, 2)))
    assert segment(ct, ["banana"], tiny_checkpoint(tmp_path)).record.warnings == ()
