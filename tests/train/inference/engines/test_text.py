"""A text-driven checkpoint says when it is asked for what it was never trained on."""

from pathlib import Path

import numpy as np
import pytest

from models.checkpoint import load_checkpoint
from models.segmenter import TextSegmenter
from tests.train.inference.segment_cases import (
    affine_of,
    checkpoint_between_kidneys,
    hounsfield,
    nifti,
    tiny_checkpoint,
)
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


def test_what_is_far_from_all_trained_words_is_absent_and_told(tmp_path: Path) -> None:
    trained = build_structure_prompts(("kidney_left", "gallbladder"))
    checkpoint = tiny_checkpoint(tmp_path, known=["left kidney", "gallbladder"], prompts=trained.to_json())
    ct = nifti(tmp_path / "ct.nii.gz", hounsfield((12, 11, 10)), affine_of((2, 2, 2)))
    prompts = ["left kidney", "banana"]
    judged, kept = (
        segment(ct, prompts, checkpoint, SegmentOptions(presence_threshold=threshold, vocabulary=False))
        for threshold in (0.5, 0)
    )
    assert not judged.mask("banana").any()
    assert [warning.endswith("counts as absent") for warning in judged.record.warnings] == [True]
    assert [warning.endswith("may be of anything") for warning in kept.record.warnings] == [True]


@pytest.mark.parametrize("vocabulary", [True, False])
def test_what_the_model_reads_as_several_structures_has_their_union_as_mask(tmp_path: Path, vocabulary: bool) -> None:
    """No vocabulary knows "the filters of blood": it lies between the kidneys for this model."""
    text = "the filters of blood"
    checkpoint = load_checkpoint(checkpoint_between_kidneys(tmp_path, text))
    ct = nifti(tmp_path / "ct.nii.gz", hounsfield((12, 11, 10)), affine_of((2, 2, 2)))
    options = SegmentOptions(presence_threshold=0, vocabulary=vocabulary)
    result = segment(ct, ["left kidney", "right kidney", text], checkpoint, options)
    left, right, both = (result.mask(name) for name in ("left kidney", "right kidney", text))
    assert left.any() and (left != right).any()
    assert np.array_equal(both, left | right)
    assert result.record.warnings == (f"'{text}' was taken as left kidney + right kidney, which it is nearest to",)
    # Its own query gives something else.
    assert isinstance(checkpoint.model, TextSegmenter)
    checkpoint.model.connector.known = None
    assert not np.array_equal(segment(ct, [text], checkpoint, options).mask(text), both)


def test_what_the_model_reads_as_one_trained_word_is_told(tmp_path: Path) -> None:
    checkpoint = load_checkpoint(checkpoint_between_kidneys(tmp_path, "the filters of blood"))
    assert isinstance(checkpoint.model, TextSegmenter) and checkpoint.model.connector.known is not None
    # Far from one kidney, a text is clearly nearest to the other.
    checkpoint.model.connector.known.vectors[1] *= -1
    ct = nifti(tmp_path / "ct.nii.gz", hounsfield((12, 11, 10)), affine_of((2, 2, 2)))
    result = segment(ct, ["the left one", "left kidney"], checkpoint, SegmentOptions(presence_threshold=0))
    assert result.record.warnings == ("'the left one' was taken as left kidney, which it is nearest to",)
    assert np.array_equal(result.mask("the left one"), result.mask("left kidney"))


def test_another_name_of_an_organ_that_training_did_not_have_is_absent_as_its_name_is(tmp_path: Path) -> None:
    trained = build_structure_prompts(("kidney_left", "gallbladder"))
    checkpoint = tiny_checkpoint(tmp_path, known=["left kidney", "gallbladder"], prompts=trained.to_json())
    ct = nifti(tmp_path / "ct.nii.gz", hounsfield((12, 11, 10)), affine_of((2, 2, 2)))
    result = segment(ct, ["splenic parenchyma"], checkpoint)
    assert not result.mask("splenic parenchyma").any()
    taken, told = result.record.warnings
    assert taken == "'splenic parenchyma' was taken as spleen, as the anatomy vocabulary has it"
    assert told.startswith("'splenic parenchyma' is none of the 2 structures") and told.endswith("counts as absent")
