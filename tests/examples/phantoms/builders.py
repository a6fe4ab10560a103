"""Patients with the findings that a test names, scanned coarsely."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import nibabel
import numpy as np
from numpy.typing import NDArray

from examples.phantoms.canvas import LABELS, STRUCTURES
from examples.phantoms.findings import Finding
from examples.phantoms.painting import Phantom
from examples.phantoms.patient import FIELDS, Patient, draw_patient

WHOLE = "chest abdomen pelvis"


def patient(
    *findings: Finding,
    number: int = 0,
    field: str = WHOLE,
    stored: str = "RAS",
    tilt: float = 0.0,
    spacing: float = 6.0,
) -> Patient:
    """Return the patient with this number, with these findings only; noise is low, and the phase portal venous."""
    drawn = draw_patient(3, number, STRUCTURES)
    low, high = FIELDS[field][0]
    ends = drawn.body.to_world(np.array([[0.0, -8.0, low], [0.0, -8.0, high]]))
    extent = np.array([400.0, 310.0, ends[1, 2] - ends[0, 2]])
    counts = np.round(extent / spacing).astype(int)
    affine = np.diag([spacing, spacing, spacing, 1.0])
    affine[:3, 3] = ends.mean(0) - (counts - 1) / 2 * spacing
    image = nibabel.nifti1.Nifti1Image(np.zeros(counts, np.int8), affine)
    codes = nibabel.orientations.axcodes2ornt(tuple(stored))
    turned = image.as_reoriented(nibabel.orientations.ornt_transform(nibabel.io_orientation(affine), codes))
    affine_stored = np.array(turned.affine)
    if tilt:
        a, centre = np.deg2rad(tilt), ends.mean(0)
        turn = np.array([[1, 0, 0], [0, np.cos(a), -np.sin(a)], [0, np.sin(a), np.cos(a)]])
        affine_stored[:3, :3], affine_stored[:3, 3] = (
            turn @ affine_stored[:3, :3],
            turn @ (affine_stored[:3, 3] - centre) + centre,
        )
    shape = (int(turned.shape[0]), int(turned.shape[1]), int(turned.shape[2]))
    scan = replace(drawn.acquisition, field=field, shape=shape, affine=affine_stored, noise_hu=3.0, blur_voxels=0.1)
    return replace(drawn, findings=findings, acquisition=scan, phase="portal venous")


def points(affine: NDArray[np.float64], mask: NDArray[Any]) -> NDArray[np.float64]:
    """Return the voxels of a mask in RAS mm, (N, 3)."""
    return np.asarray(np.argwhere(mask) @ affine[:3, :3].T + affine[:3, 3], np.float64)


def centre_of(who: Patient, phantom: Phantom, structure: str) -> NDArray[np.float64]:
    """Return the centre of a structure in RAS mm."""
    return np.asarray(points(who.acquisition.affine, phantom.labels == LABELS[structure]).mean(0), np.float64)


def volume_ml(who: Patient, phantom: Phantom, structure: str) -> float:
    voxel = abs(float(np.linalg.det(who.acquisition.affine[:3, :3]))) / 1000
    return float((phantom.labels == LABELS[structure]).sum()) * voxel
