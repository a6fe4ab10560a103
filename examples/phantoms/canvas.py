"""The volume on which a phantom is painted, and the labels of its structures."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from examples.phantoms import anatomy
from examples.phantoms.findings import LOBES
from examples.phantoms.patient import Patient
from examples.phantoms.space import Block, Volume, block_of

STRUCTURES = (
    "spleen", "kidney_right", "kidney_left", "gallbladder", "liver", "stomach", "pancreas", *LOBES,
    "esophagus", "trachea", "urinary_bladder", "heart", "aorta", "inferior_vena_cava",
    "sacrum", *(f"vertebrae_{level}" for level in anatomy.LEVELS), "hip_left", "hip_right",
    "autochthon_left", "autochthon_right", "iliopsoas_left", "iliopsoas_right",
)  # fmt: skip
LABELS = {name: index for index, name in enumerate(STRUCTURES, start=1)}
# Owners of a voxel besides the labels: nothing yet, tissue without a name, fat that is kept around an organ.
FREE, UNLABELLED, RESERVED = 0, 254, 255


@dataclass(eq=False)
class Canvas:
    """What has been painted of a patient so far.

    `position` (3, X, Y, Z): where each voxel lies in the model torso, mm. `hu` (X, Y, Z) in HU. `owner` (X, Y, Z): the
    label of the structure that each voxel belongs to, or FREE, UNLABELLED or RESERVED.
    """

    patient: Patient
    position: Volume
    hu: Volume
    owner: NDArray[np.uint8]

    def block(self, low: NDArray[np.float64], high: NDArray[np.float64]) -> Block:
        """Return the voxels that a box of the model torso, from corner `low` to `high` (3,), can reach."""
        scan = self.patient.acquisition
        return block_of(low, high, self.patient.body, scan.affine, scan.shape)

    def positions_in(self, block: Block) -> tuple[Volume, Volume, Volume]:
        """Return x, y and z of the block's voxels in the model torso, mm."""
        x, y, z = self.position[(slice(None), *block)]
        return x, y, z
