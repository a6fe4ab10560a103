"""Whether a volume file says of itself that it is a mask: by its name, or in its header."""

from contextlib import suppress
from pathlib import Path
from typing import Any

import nibabel

from .formats import volume_suffix
from .saving import CARET, COMMENT

# 3D Slicer's segmentations, and the codes and beginnings that masks of ovct and of other programs have.
SLICER = ".seg.nrrd"
LABEL_INTENT = 1002
OVCT_MASKS = (b'"ovct labels ', b'"ovct mask ')
FIRST_BYTES = 200


def says_mask(path: Path) -> bool:
    """Whether a file is a segmentation of 3D Slicer, or a NIfTI file with a label table or the intent of labels."""
    if path.name.lower().endswith(SLICER):
        return True
    if volume_suffix(path) not in (".nii", ".nii.gz"):
        return False
    with suppress(Exception):  # nibabel raises anything; what is wrong with a scan is said when it is read
        header: Any = nibabel.load(path).header
        if int(header["intent_code"]) == LABEL_INTENT:
            return True
        for extension in header.extensions:
            content = extension.content[:FIRST_BYTES]
            if extension.get_code() == CARET and b"LabelTable" in extension.content:
                return True
            if extension.get_code() == COMMENT and any(sign in content for sign in OVCT_MASKS):
                return True
    return False
