"""The lungs: the rest of the chest around the mediastinum, divided into lobes by smooth fissures."""

import numpy as np
from numpy.typing import NDArray

from examples.phantoms.patient import Patient
from examples.phantoms.space import Volume

LUNG_BOX = (np.array([-132.0, -90.0, 138.0]), np.array([132.0, 90.0, 346.0]))
# Centres of the lobes for lesions, where each lobe is thick enough for one; model torso, mm.
LOBE_CENTRES = {
    "lung_upper_lobe_left": (-76.0, 20.0, 280.0),
    "lung_lower_lobe_left": (-82.0, -42.0, 232.0),
    "lung_upper_lobe_right": (72.0, 2.0, 302.0),
    "lung_middle_lobe_right": (80.0, 46.0, 250.0),
    "lung_lower_lobe_right": (82.0, -44.0, 240.0),
}


def lung_region(x: Volume, y: Volume, z: Volume, above_diaphragm: Volume) -> NDArray[np.bool_]:
    """Return a mask of the chest outside the mediastinum and above the diaphragm, whatever is painted there already."""
    narrowing = (np.clip(z - 250, 0, None) / 94) ** 2
    inside = (x / 130) ** 2 + (y / 87) ** 2 + narrowing * np.sqrt(narrowing) < 1
    middle = 21 + 9 * np.exp(-(((z - 290) / 34) ** 2))
    return np.asarray(inside & (np.abs(x) > middle) & (above_diaphragm > 4))


def fissures(patient: Patient, x: Volume, y: Volume, z: Volume) -> tuple[Volume, Volume]:
    """Return the heights above the oblique and above the horizontal fissure in mm, both somewhat wavy."""
    tilt, rise = patient.variations["lung_upper_lobe_left"].shift[:2]
    wave = 4 * np.sin(x / 23 + tilt) * np.sin(y / 29 + rise)
    oblique = (z - (248 + tilt - 0.78 * y + wave)) * np.float32(0.79)
    return np.asarray(oblique, np.float32), np.asarray(z - (268 + rise + 0.7 * wave), np.float32)


def lobe_of(x: Volume, oblique: Volume, horizontal: Volume) -> NDArray[np.uint8]:
    """Return the lobe of each point, as an index into `findings.LOBES`."""
    right = np.where(oblique < 0, 4, np.where(horizontal < 0, 3, 2))
    return np.where(x < 0, np.where(oblique < 0, 1, 0), right).astype(np.uint8)


def effusion(depth_mm: float, x: Volume, y: Volume, z: Volume) -> NDArray[np.bool_]:
    """Return a mask of a pleural effusion of this depth on both sides: at the back and the bottom of the chest."""
    side = np.sqrt(np.clip(1 - (x / 134) ** 2, 0.04, 1))
    back = y + 87 * side  # from the back wall
    return np.asarray(back + 0.22 * np.clip(z - 170, 0, None) < depth_mm)
