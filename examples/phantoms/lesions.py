"""Painting lesions and fluid into the organs. A lesion is part of the label of its organ."""

import numpy as np

from examples.phantoms import anatomy
from examples.phantoms.canvas import FREE, LABELS, RESERVED, UNLABELLED, Canvas
from examples.phantoms.findings import Finding
from examples.phantoms.lungs import LOBE_CENTRES
from examples.phantoms.patient import PHASES, Patient
from examples.phantoms.shapes import Ellipsoid
from examples.phantoms.space import Array, Block, Volume, block_around

# HU of a mass, less those of its organ, by contrast phase.
MASS_CONTRAST = {"none": 12, "arterial": -22, "portal venous": -44}
STONE_HU = 620
WATER_HU = 8
HU_OF = {
    "liver_cyst": 6,
    "renal_cyst": 6,
    "gallstone": STONE_HU,
    "kidney_stone": STONE_HU,
    "lung_nodule": 55,
    "consolidation": 42,
}


def lesion_centre(patient: Patient, finding: Finding) -> Array:
    """Return the centre of a round finding in the model torso, (3,) mm."""
    direction = np.array(finding.direction)
    radius = finding.size_mm / 2 / patient.body.scale
    if finding.structure in LOBE_CENTRES:
        return np.asarray(np.array(LOBE_CENTRES[finding.structure]) + 12 * direction, np.float64)
    if finding.structure.startswith("kidney_"):
        share = 0.8 if finding.kind == "renal_cyst" else 1.0
        return _from_centre(anatomy.kidney(patient, finding.side), direction, share)
    if finding.kind == "pancreatic_mass":
        return np.asarray(np.array([30.0, 18.0, 108.0]) + patient.variations["pancreas"].shift)
    if finding.kind == "gallstone":
        x, y, z = patient.variations["gallbladder"].shift
        return np.array([50 + x, 49 + y, 96 + z])
    liver = anatomy.liver(patient)
    inner = Ellipsoid(liver.centre, tuple(max(r - radius - 8, 1.0) for r in liver.radii))  # type: ignore[arg-type]
    return _from_centre(inner, direction, 0.75)


def _from_centre(shape: Ellipsoid, direction: Array, share: float) -> Array:
    """Return the point (3,) in this direction of the shape's axes, at a share of the way to the surface."""
    along = direction * np.array(shape.radii) * share
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


def paint_lesions(canvas: Canvas) -> dict[Finding, float]:
    """Paint all lesions and the fluids within organs; return which share of each round finding's volume was painted."""
    shares = {}
    for finding in canvas.patient.findings:
        if finding.kind in ROUND:
            shares[finding] = _paint_ball(canvas, finding, LABELS[finding.structure])
        elif finding.kind == "hydronephrosis":
            _paint_hydronephrosis(canvas, finding, LABELS[finding.structure])
        elif finding.kind == "pericardial_effusion":
            _paint_pericardial_effusion(canvas, finding)
    return shares


def _paint_ball(canvas: Canvas, finding: Finding, label: int) -> float:
    """Paint a ball of the finding's diameter in true millimetres, however it is bent; return the painted share."""
    patient, scan = canvas.patient, canvas.patient.acquisition
    centre, radius = patient.body.to_world(lesion_centre(patient, finding)[None])[0], finding.size_mm / 2
    corners = centre + radius * np.array([[a, b, c] for a in (-1, 1) for b in (-1, 1) for c in (-1, 1)])
    block = block_around(corners, scan.affine, scan.shape)
    distance = _distance(centre, scan.affine, block)
    ball = distance < radius
    owner, hu = canvas.owner[block], canvas.hu[block]
    organ_hu = PHASES[patient.phase].get(finding.structure, 40)
    value = HU_OF.get(finding.kind, organ_hu + MASS_CONTRAST[patient.phase])
    if finding.kind == "renal_cyst" or finding.kind == "pancreatic_mass":  # these bulge into the fat
        ball &= (owner == label) | (owner == FREE) | (owner == RESERVED)
        owner[ball] = label
    else:
        ball &= owner == label
    hu[ball] = value
    voxel = abs(float(np.linalg.det(scan.affine[:3, :3])))
    return float(ball.sum()) * voxel / (4 / 3 * np.pi * radius**3)


def _distance(centre: Array, affine: Array, block: Block) -> Volume:
    """Return the distance in mm of each voxel of the block to a point (3,) in RAS mm."""
    i, j, k = np.ogrid[block]
    parts = [affine[d, 0] * i + affine[d, 1] * j + affine[d, 2] * k + (affine[d, 3] - centre[d]) for d in range(3)]
    return np.asarray(np.sqrt(sum(part**2 for part in parts)), np.float32)


def _paint_hydronephrosis(canvas: Canvas, finding: Finding, label: int) -> None:
    """Paint a wide, water-filled renal pelvis with calyces, within the kidney's label."""
    kidney = anatomy.kidney(canvas.patient, finding.side)
    a, b, c = kidney.radii
    inner = Ellipsoid(kidney.centre, (a * 0.6, b * 0.6, c * 0.6), kidney.turn)
    block = canvas.block(*inner.box())
    inside = (inner.level(*canvas.positions_in(block)) < 0) & (canvas.owner[block] == label)
    canvas.hu[block][inside] = WATER_HU


def _paint_pericardial_effusion(canvas: Canvas, finding: Finding) -> None:
    """Paint fluid around the heart, in the place of fat and of lung, without a label."""
    heart = next(organ.shape for organ in anatomy.organs(canvas.patient) if organ.name == "heart")
    depth = finding.size_mm / canvas.patient.body.scale
    low, high = heart.box()
    block = canvas.block(low - depth, high + depth)
    position = canvas.positions_in(block)
    owner = canvas.owner[block]
    lungs = [LABELS[name] for name in LOBE_CENTRES]
    level = heart.level(*position)
    wet = (level >= 0) & (level < depth) & ((owner == FREE) | (owner == RESERVED) | np.isin(owner, lungs))
    wet &= anatomy.diaphragm(*position) > 1
    owner[wet], canvas.hu[block][wet] = UNLABELLED, WATER_HU
