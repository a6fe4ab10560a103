"""Which volume files say of themselves that they are masks."""

from pathlib import Path

import nibabel
import numpy as np
import pytest
from nibabel.nifti1 import Nifti1Extension

from train.scans.mask_signs import says_mask


def image(path: Path, code: int = 0, content: bytes = b"", intent: str = "none") -> Path:
    made = nibabel.Nifti1Image(np.zeros((4, 4, 4), np.int16), np.eye(4))
    made.header.set_intent(intent)
    if content:
        made.header.extensions.append(Nifti1Extension(code, content))
    nibabel.save(made, path)
    return path


@pytest.mark.parametrize(
    ("code", "content", "intent", "is_mask"),
    [
        (0, b"", "none", False),
        (0, b"", "label", True),
        (6, b'{\n  "format": "ovct labels 1",', "none", True),
        (6, b'{"format":"ovct mask 1"', "none", True),
        (6, b"CT of the abdomen, no mask", "none", False),
        (30, b"<CaretExtension><VolumeInformation><LabelTable></LabelTable>", "none", True),
        (30, b"<CaretExtension></CaretExtension>", "none", False),
    ],
)
def test_a_nifti_header_may_say_it(tmp_path: Path, code: int, content: bytes, intent: str, is_mask: bool) -> None:
    assert says_mask(image(tmp_path / "a.nii.gz", code, content, intent)) is is_mask


def test_slicers_segmentations_are_masks_and_what_cannot_be_read_says_nothing(tmp_path: Path) -> None:
    for name, is_mask in (("a.seg.nrrd", True), ("a.nrrd", False), ("a.nii", False), ("a.nii.gz", False)):
        (tmp_path / name).write_bytes(b"nothing")
        assert says_mask(tmp_path / name) is is_mask
    assert not says_mask(tmp_path / "gone.nii")
