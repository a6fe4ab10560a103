"""Lesions within the organs, and what lies around them: painted where their organ was found, and part of its label."""

from typing import TYPE_CHECKING

import numpy as np

from examples.phantoms import anatomy
from examples.phantoms.findings import Finding
from examples.phantoms.lungs import LOBE_MIDDLES
from examples.phantoms.patient import PHASES, Patient
from examples.phantoms.shapes import Ellipsoid
from examples.phantoms.space import Array, Block, Volume, block_around

if TYPE_CHECKING:
    from examples.phantoms.painting import Canvas

FAT_MASS = {"none": 12, "arterial": -22, "portal venous": -44}  # a mass against its organ, HU
STONE_HU = 620
HU_OF = {
    "liver_cyst": 6,
    "renal_cyst": 6,
    "gallstone": STONE_HU,
    "kidney_stone": STONE_HU,
    "lung_nodule": 55,
    "consolidation": 42,
}


def lesion_middle(patient: Patient, finding: Finding) -> Array:
    """The middle of a round finding in the model torso (3,), mm."""
    way = np.array(finding.direction)
    radius = finding.size_mm / 2 / patient.body.scale
    if finding.structure in LOBE_MIDDLES:
        return np.asarray(np.array(LOBE_MIDDLES[finding.structure]) + 12 * way, np.float64)
    if finding.structure.startswith("kidney_"):
        return _from_middle(anatomy.kidney(patient, finding.side), way, 0.8 if finding.kind == "renal_cyst" else 1.0)
    if finding.kind == "pancreatic_mass":
        return np.asarray(np.array([30.0, 18.0, 108.0]) + patient.variations["pancreas"].shift)
    if finding.kind == "gallstone":
        x, y, z = patient.variations["gallbladder"].shift
        return np.array([50 + x, 49 + y, 96 + z])
    liver = anatomy.liver(patient)
    inner = Ellipsoid(liver.centre, tuple(max(r - radius - 8, 1.0) for r in liver.radii))  # type: ignore[arg-type]
    return _from_middle(inner, way, 0.75)


def _from_middle(shape: Ellipsoid, way: Array, share: float) -> Array:
    along = way * np.array(shape.radii) * share
    return np.asarray(np.array(shape.centre) + (along if shape.turn is None else shape.turn @ along))


ROUND = (
    "liver_cyst",
    "liver_mass",
    "renal_cyst",
    "gallstone",
    "kidney_stone",
    "lung_nodule",
    "consolidation",
    "pancreatic_mass",
)


def paint_lesions(canvas: "Canvas", labels: dict[str, int]) -> dict[Finding, float]:
    """All findings that have a place of their own; back comes which share of each round one found room in the scan."""
    shares = {}
    for finding in canvas.patient.findings:
        if finding.kind in ROUND:
            shares[finding] = _paint_ball(canvas, finding, labels[finding.structure])
        elif finding.kind == "hydronephrosis":
            _paint_pelvis(canvas, finding, labels[finding.structure])
        elif finding.kind == "pericardial_effusion":
            _paint_pericardium(canvas, finding, labels)
    return shares


def _paint_ball(canvas: "Canvas", finding: Finding, label: int) -> float:
    """A ball of the finding's diameter in true millimetres, however the body is bent."""
    patient, scan = canvas.patient, canvas.patient.acquisition
    middle, radius = patient.body.to_world(lesion_middle(patient, finding)[None])[0], finding.size_mm / 2
    corners = middle + radius * np.array([[a, b, c] for a in (-1, 1) for b in (-1, 1) for c in (-1, 1)])
    block = block_around(corners, scan.affine, scan.shape)
    distance = _distance(middle, scan.affine, block)
    ball = distance < radius
    owner, hu = canvas.owner[block], canvas.hu[block]
    usual = PHASES[patient.phase].get(finding.structure, 40)
    value = HU_OF.get(finding.kind, usual + FAT_MASS[patient.phase])
    if finding.kind == "renal_cyst" or finding.kind == "pancreatic_mass":  # these bulge into the fat
        ball &= (owner == label) | (owner == 0) | (owner == 255)
        owner[ball] = label
    else:
        ball &= owner == label
    hu[ball] = value
    voxel = abs(float(np.linalg.det(scan.affine[:3, :3])))
    return float(ball.sum()) * voxel / (4 / 3 * np.pi * radius**3)


def _distance(middle: Array, affine: Array, block: Block) -> Volume:
    i, j, k = np.ogrid[block]
    parts = [affine[d, 0] * i + affine[d, 1] * j + affine[d, 2] * k + (affine[d, 3] - middle[d]) for d in range(3)]
    return np.asarray(np.sqrt(sum(part**2 for part in parts)), np.float32)


def _paint_pelvis(canvas: "Canvas", finding: Finding, label: int) -> None:
    """A wide, water-filled renal pelvis and calyces: within the kidney's label."""
    kidney = anatomy.kidney(canvas.patient, finding.side)
    a, b, c = kidney.radii
    inner = Ellipsoid(kidney.centre, (a * 0.6, b * 0.6, c * 0.6), kidney.turn)
    block = canvas.block(*inner.box())
    inside = (inner.level(*canvas.place[(slice(None), *block)]) < 0) & (canvas.owner[block] == label)
    canvas.hu[block][inside] = 8


def _paint_pericardium(canvas: "Canvas", finding: Finding, labels: dict[str, int]) -> None:
    """Fluid around the heart: it takes the place of fat and of lung, and has no label."""
    heart = next(organ.shape for organ in anatomy.organs(canvas.patient) if organ.name == "heart")
    depth = finding.size_mm / canvas.patient.body.scale
    low, high = heart.box()
    block = canvas.block(low - depth, high + depth)
    place = canvas.place[(slice(None), *block)]
    owner = canvas.owner[block]
    lungs = [labels[name] for name in LOBE_MIDDLES]
    level = heart.level(*place)
    wet = (level >= 0) & (level < depth) & ((owner == 0) | (owner == 255) | np.isin(owner, lungs))
    wet &= anatomy.diaphragm(*place) > 1
    owner[wet], canvas.hu[block][wet] = 254, 8
