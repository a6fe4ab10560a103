"""Painting a patient: a volume in HU and a label map on the same grid."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from examples.phantoms import anatomy
from examples.phantoms.canvas import FREE, LABELS, RESERVED, UNLABELLED, Canvas
from examples.phantoms.findings import LOBES, Finding
from examples.phantoms.lesions import paint_lesions
from examples.phantoms.lungs import LUNG_BOX, effusion, fissures, lobe_of, lung_region
from examples.phantoms.patient import PHASES, Patient
from examples.phantoms.space import Volume, Waves

HU = {"bone": 235, "trachea": -960, "esophagus": 30, "stomach": 28, "gallbladder": 8, "urinary_bladder": 4}
FAT, FLUID, AIR = -102, 10, -1000


@dataclass(frozen=True, eq=False)
class Phantom:
    """A volume (X, Y, Z) in HU, its label map with LABELS and 0 for the rest, and how much of each lesion is in it.

    `shares`: round finding -> share of its volume that was painted.
    """

    hu: NDArray[np.int16]
    labels: NDArray[np.uint8]
    shares: dict[Finding, float]


def paint(patient: Patient) -> Phantom:
    """Paint the tissues, then each organ where there is room, then the findings; add texture, blur and noise."""
    scan = patient.acquisition
    position = patient.body.on_grid(scan.affine, scan.shape)
    canvas = Canvas(patient, position, _paint_tissues(patient, position), np.zeros(scan.shape, np.uint8))
    for organ in anatomy.organs(patient):
        _paint_organ(canvas, organ)
    _paint_lungs(canvas)
    shares = paint_lesions(canvas)
    _paint_bowel(canvas)
    labels = np.where(canvas.owner >= UNLABELLED, 0, canvas.owner).astype(np.uint8)
    return Phantom(_simulate_scan(canvas), labels, shares)


def _paint_tissues(patient: Patient, position: Volume) -> Volume:
    """Return HU (X, Y, Z) of air, table, skin, fat, the muscle wall with ribs, and the fat within it."""
    x, y, z = position
    wall = anatomy.cavity(0.0)(x, y, z)  # mm outside the cavity
    edge = anatomy.WALL_MM + patient.fat_mm
    hu = np.full(x.shape, FAT, np.float32)
    muscle = (wall > 0) & (wall < anatomy.WALL_MM)
    hu[muscle] = PHASES[patient.phase]["muscle"]
    ribs = (
        muscle & (wall > 3) & (z > 120) & (np.cos((z + 0.35 * y - 0.1 * np.abs(x)) * np.float32(2 * np.pi / 27)) > 0.45)
    )
    hu[ribs & (np.abs(x) > 14)] = 330
    hu[(wall > edge - 3)] = 5
    table = (y < -patient.acquisition.table_mm) & (y > -patient.acquisition.table_mm - 9) & (np.abs(x) < 165)
    outside = wall > edge
    hu[outside] = AIR
    hu[outside & table] = -180
    return hu


def _paint_organ(canvas: Canvas, organ: anatomy.TorsoOrgan) -> None:
    """Paint an organ on free voxels, and reserve the fat around it."""
    low, high = organ.shape.box()
    block = canvas.block(low - organ.clearance, high + organ.clearance)
    x, y, z = canvas.positions_in(block)
    if not x.size:
        return
    level = organ.shape.level(x, y, z)
    owner, hu = canvas.owner[block], canvas.hu[block]
    free = owner == FREE
    inside = free & (level < 0)
    around = free & (level >= 0) & (level < organ.clearance)
    owner[inside] = LABELS[organ.name] if organ.name else UNLABELLED
    owner[around] = RESERVED
    hu[around] = FAT  # also in the wall of the body, or muscle could not be told from muscle
    hu[inside] = _organ_hu(canvas.patient, organ, x, y, z, level)[inside]


def _organ_hu(patient: Patient, organ: anatomy.TorsoOrgan, x: Volume, y: Volume, z: Volume, level: Volume) -> Volume:
    """Return the HU of an organ's voxels; `level` is that of its shape, in mm below zero inside."""
    tissue_hu = {**HU, **PHASES[patient.phase]}[organ.tissue]
    variation = patient.variations[organ.name].hu if organ.name else 0.0
    hu = np.full(level.shape, tissue_hu + variation, np.float32)
    if organ.tissue == "bone":
        hu[level > -4] += 160  # cortex
    elif organ.tissue == "kidney" and patient.phase != "none":
        hu[level < -9] -= 45 if patient.phase == "portal venous" else 80  # medulla
    elif organ.tissue == "stomach":
        hu[(y > 47) & (z > 140)] = -900  # gas, where it rises to
        hu[level > -4] = 48
    elif organ.tissue == "heart" and patient.phase != "none" and organ.name:
        hu[level > -9] = 95
    elif organ.tissue == "liver" and patient.finding("fatty_liver"):
        hu -= 48
    elif organ.tissue == "esophagus":
        hu[level < -6.5] = -500  # a little air
    return hu


def _paint_lungs(canvas: Canvas) -> None:
    """Paint the lobes with their fissures, and pleural effusions in the place of lung."""
    block = canvas.block(*LUNG_BOX)
    x, y, z = canvas.positions_in(block)
    if not x.size:
        return
    owner, hu, patient = canvas.owner[block], canvas.hu[block], canvas.patient
    lung = lung_region(x, y, z, anatomy.diaphragm(x, y, z)) & (owner == FREE)
    oblique, horizontal = fissures(patient, x, y, z)
    lobes = lobe_of(x, oblique, horizontal)
    names = np.array([LABELS[name] for name in LOBES], np.uint8)
    owner[lung] = names[lobes][lung]
    dependent = 45 * np.clip(-y / 80, -1, 1)  # denser where the patient lies on it
    hu[lung] = (-835 + dependent)[lung]
    fissure = (np.abs(oblique) < 2.2) | ((np.abs(horizontal) < 2.2) & (x > 0) & (oblique > 0))
    hu[lung & fissure] = -560
    for side, sign in (("left", -1), ("right", 1)):
        fluid = next((f for f in patient.findings if f.kind == "pleural_effusion" and f.side == side), None)
        if fluid:
            wet = lung & (x * sign > 0) & effusion(fluid.size_mm, x, y, z)
            owner[wet], hu[wet] = UNLABELLED, FLUID


def _paint_bowel(canvas: Canvas) -> None:
    """Paint bowel loops without a label in the lower abdomen, and free fluid where there is ascites."""
    patient, scan = canvas.patient, canvas.patient.acquisition
    block = canvas.block(np.array([-128.0, -30.0, -78.0]), np.array([128.0, 86.0, 225.0]))
    x, y, z = canvas.positions_in(block)
    if not x.size:
        return
    owner, hu = canvas.owner[block], canvas.hu[block]
    corner = scan.affine.copy()
    corner[:3, 3] += scan.affine[:3, :3] @ [part.start for part in block]
    rng = np.random.default_rng([*patient.seed, 1])
    loops = Waves.draw(rng, 9, (42.0, 75.0), 1.0, 1).on_grid(corner, (x.shape[0], x.shape[1], x.shape[2]))[0]
    inside = (anatomy.cavity(6.0)(x, y, z) < 0) & (anatomy.diaphragm(x, y, z) < -5)
    free = (owner == FREE) & inside & (z < 98) & (y > -22)
    hu[free & (loops > 0.9)] = 38
    hu[free & (loops > 3.6)] = -820
    if patient.finding("ascites"):
        wet = (owner == FREE) & inside & (loops <= 0.9) & ((anatomy.cavity(26.0)(x, y, z) > 0) | (z < -42)) & (y > -62)
        hu[wet] = FLUID


def _simulate_scan(canvas: Canvas) -> NDArray[np.int16]:
    """Return the HU (X, Y, Z) with texture, blur and noise."""
    scan = canvas.patient.acquisition
    rng = np.random.default_rng([*canvas.patient.seed, 2])
    hu = canvas.hu
    soft = (hu > -80) & (hu < 220)
    texture = Waves.draw(rng, 8, (30.0, 120.0), 2.0, 1).on_grid(scan.affine, scan.shape)[0]
    hu += texture * soft
    hu = gaussian_filter(hu, scan.blur_voxels, mode="nearest", truncate=3.0)
    noise = rng.standard_normal(hu.shape, dtype=np.float32)
    hu += np.float32(scan.noise_hu) * noise
    return np.asarray(np.clip(np.rint(hu), -1024, 2000), np.int16)
