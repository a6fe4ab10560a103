"""Small nnU-Net raw data of boxes with the names of OpenKBP's structures."""

import json
from collections.abc import Sequence
from pathlib import Path

import nibabel as nib
import numpy as np

LABELS = {"background": 0, "parotid_gland_right": 1, "parotid_gland_left": 2, "mandible": 3}
SHAPE = (24, 20, 20)


def write_heads(root: Path, cases: Sequence[str], without: Sequence[str] = ()) -> Path:
    """Write cases of 24 x 20 x 20 voxels of 4 mm; those in `without` have no contour of the mandible."""
    for folder in ("imagesTr", "labelsTr"):
        (root / folder).mkdir(parents=True)
    description = {"channel_names": {"0": "CT"}, "labels": LABELS, "numTraining": len(cases), "file_ending": ".nii.gz"}
    (root / "dataset.json").write_text(json.dumps(description))
    # nibabel's x grows to the patient's right.
    affine = np.diag([4.0, 4.0, 4.0, 1.0])
    for number, case in enumerate(cases):
        generator = np.random.default_rng(number)
        labels = np.zeros(SHAPE, np.uint8)
        labels[16:20, 6:10, 8:14] = LABELS["parotid_gland_right"]
        labels[4:8, 6:10, 8:14] = LABELS["parotid_gland_left"]
        labels[9:15, 12:16, 4:8] = 0 if case in without else 3
        voxels = np.where(labels == 0, -800, 100 * labels.astype(int)) + generator.integers(-20, 20, SHAPE)
        nib.save(nib.Nifti1Image(voxels.astype(np.int16), affine), root / "imagesTr" / f"{case}_0000.nii.gz")
        nib.save(nib.Nifti1Image(labels, affine), root / "labelsTr" / f"{case}.nii.gz")
    return root
