"""What a phantom's scan shows: which structures and findings lie within its field of view, and how large they are."""

from dataclasses import dataclass

import numpy as np

from examples.phantoms import anatomy
from examples.phantoms.findings import Finding
from examples.phantoms.lesions import ROUND
from examples.phantoms.painting import LABELS, STRUCTURES, Phantom
from examples.phantoms.patient import Patient
from examples.phantoms.shapes import Shape

ENOUGH = 0.65  # of a structure's extent along the body must be in the scan before a report speaks of it
# Extent along the body in the model torso, mm, of what is no painted organ, or may be missing.
EXTENTS = {
    "lung_upper_lobe_left": (200.0, 340.0),
    "lung_lower_lobe_left": (150.0, 310.0),
    "lung_upper_lobe_right": (262.0, 340.0),
    "lung_middle_lobe_right": (205.0, 268.0),
    "lung_lower_lobe_right": (150.0, 310.0),
    "pleura": (150.0, 225.0),
    "pericardium": (200.0, 276.0),
    "peritoneum": (-75.0, 150.0),
    "spleen": (124.0, 216.0),
    "gallbladder": (77.0, 131.0),
    "kidney_left": (64.0, 164.0),
    "kidney_right": (50.0, 150.0),
}
SAC = (30.0, 114.0)  # where an aneurysm of the aorta lies


@dataclass(frozen=True, eq=False)
class Shown:
    """What the scan shows of a patient."""

    structures: frozenset[
        str
    ]  # with enough of them in the field of view to report on; absent organs too, and pleura ...
    findings: tuple[Finding, ...]
    volumes_ml: dict[str, float]  # of each structure, within the field of view
    length_mm: dict[str, float]  # extent along the body of the structures that do not touch the end of the scan


def shown(patient: Patient, phantom: Phantom) -> Shown:
    """Look at the label map and at the field of view."""
    field = _field(patient)
    extents = {organ.name: _extent(organ.shape) for organ in anatomy.organs(patient) if organ.name} | EXTENTS
    visible = frozenset(name for name, extent in extents.items() if _share(extent, field) >= ENOUGH)
    counts = np.bincount(phantom.labels.ravel(), minlength=len(STRUCTURES) + 1)
    voxel_ml = abs(float(np.linalg.det(patient.acquisition.affine[:3, :3]))) / 1000
    return Shown(
        structures=visible,
        findings=tuple(f for f in patient.findings if f.structure in visible and _told(phantom, f, field)),
        volumes_ml={name: round(float(counts[label]) * voxel_ml, 1) for name, label in LABELS.items()},
        length_mm={name: _length(patient, phantom, name) for name in ("liver", "spleen") if name in visible},
    )


def _field(patient: Patient) -> tuple[float, float]:
    """From where to where the scan reaches along the body, in the model torso."""
    scan = patient.acquisition
    middle, down = (np.array(scan.shape) - 1) / 2, int(np.argmax(np.abs(scan.affine[2, :3])))
    ends = []
    for index in (0, scan.shape[down] - 1):
        voxel = middle.copy()
        voxel[down] = index
        ends.append(float(patient.body.to_model((scan.affine[:3, :3] @ voxel + scan.affine[:3, 3])[None])[0, 2]))
    return min(ends), max(ends)


def _extent(shape: Shape) -> tuple[float, float]:
    low, high = shape.box()
    return float(low[2]), float(high[2])


def _share(extent: tuple[float, float], field: tuple[float, float]) -> float:
    overlap = min(extent[1], field[1]) - max(extent[0], field[0])
    return overlap / (extent[1] - extent[0])


def _told(phantom: Phantom, finding: Finding, field: tuple[float, float]) -> bool:
    """Whether all of a finding is to be seen: in the field of view, and not covered by something else."""
    if finding.kind in ROUND:
        return phantom.shares[finding] > 0.7
    if finding.kind == "aortic_aneurysm":
        return field[0] < SAC[0] and SAC[1] < field[1]
    return True


def _length(patient: Patient, phantom: Phantom, name: str) -> float:
    """Extent along the body in mm; 0 where the structure is not there or reaches the end of the scan."""
    affine = patient.acquisition.affine
    down = int(np.argmax(np.abs(affine[2, :3])))
    others = tuple(axis for axis in range(3) if axis != down)
    slices = np.flatnonzero((phantom.labels == LABELS[name]).any(axis=others))
    if not len(slices) or slices[0] == 0 or slices[-1] == phantom.labels.shape[down] - 1:
        return 0.0
    return round(float(len(slices) * np.linalg.norm(affine[:3, down])), 0)
