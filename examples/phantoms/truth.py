"""The content of a phantom's scan: the structures and findings in its field of view, and how large they are."""

from dataclasses import dataclass

import numpy as np

from examples.phantoms import anatomy
from examples.phantoms.canvas import LABELS, STRUCTURES
from examples.phantoms.findings import Finding
from examples.phantoms.lesions import ROUND
from examples.phantoms.painting import Phantom
from examples.phantoms.patient import Patient
from examples.phantoms.shapes import Shape

# A report mentions a structure if this share of its extent along the body is in the scan.
MIN_VISIBLE_SHARE = 0.65
# Extent along the body in the model torso, mm, of structures that are no painted organs or may be missing.
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
# Extent of an aneurysm of the aorta, likewise.
ANEURYSM_EXTENT = (30.0, 114.0)


@dataclass(frozen=True, eq=False)
class ScanContent:
    """What the scan shows of a patient.

    `structures` are those with enough of them in the field of view to report on, with absent organs, pleura,
    pericardium and peritoneum among them; `findings` are those that are fully visible. `volumes_ml` of each structure
    is that within the field of view; `length_mm` is the extent along the body, 0 where the scan's end cuts the organ.
    """

    structures: frozenset[str]
    findings: tuple[Finding, ...]
    volumes_ml: dict[str, float]
    length_mm: dict[str, float]


def scan_content(patient: Patient, phantom: Phantom) -> ScanContent:
    """Return what the scan shows, by its label map and its field of view."""
    field = _field_of_view(patient)
    extents = {organ.name: _extent(organ.shape) for organ in anatomy.organs(patient) if organ.name} | EXTENTS
    visible = frozenset(name for name, extent in extents.items() if _visible_share(extent, field) >= MIN_VISIBLE_SHARE)
    counts = np.bincount(phantom.labels.ravel(), minlength=len(STRUCTURES) + 1)
    voxel_ml = abs(float(np.linalg.det(patient.acquisition.affine[:3, :3]))) / 1000
    return ScanContent(
        structures=visible,
        findings=tuple(f for f in patient.findings if f.structure in visible and _is_fully_visible(phantom, f, field)),
        volumes_ml={name: round(float(counts[label]) * voxel_ml, 1) for name, label in LABELS.items()},
        length_mm={name: _length_mm(patient, phantom, name) for name in ("liver", "spleen") if name in visible},
    )


def _field_of_view(patient: Patient) -> tuple[float, float]:
    """Return from where to where the scan reaches along the body, in mm of the model torso."""
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


def _visible_share(extent: tuple[float, float], field: tuple[float, float]) -> float:
    overlap = min(extent[1], field[1]) - max(extent[0], field[0])
    return overlap / (extent[1] - extent[0])


def _is_fully_visible(phantom: Phantom, finding: Finding, field: tuple[float, float]) -> bool:
    """Whether a finding lies in the field of view and is not covered by something else."""
    if finding.kind in ROUND:
        return phantom.shares[finding] > 0.7
    if finding.kind == "aortic_aneurysm":
        return field[0] < ANEURYSM_EXTENT[0] and ANEURYSM_EXTENT[1] < field[1]
    return True


def _length_mm(patient: Patient, phantom: Phantom, name: str) -> float:
    """Return the extent along the body in mm; 0 where the structure is absent or reaches the end of the scan."""
    affine = patient.acquisition.affine
    down = int(np.argmax(np.abs(affine[2, :3])))
    others = tuple(axis for axis in range(3) if axis != down)
    slices = np.flatnonzero((phantom.labels == LABELS[name]).any(axis=others))
    if not len(slices) or slices[0] == 0 or slices[-1] == phantom.labels.shape[down] - 1:
        return 0.0
    return round(float(len(slices) * np.linalg.norm(affine[:3, down])), 0)
