"""Drawing one patient, and one scan of the patient, from the seed.

Only texture, noise, bowel loops and the words of the report are drawn later, from the same seed.
"""

from dataclasses import dataclass

import numpy as np

from examples.phantoms.findings import Finding, draw_findings
from examples.phantoms.space import Array, Body, rotation

# Field of view -> its ends along the body, in mm of the model torso, and its probability.
FIELDS = {
    "chest abdomen pelvis": ((-116.0, 346.0), 0.38),
    "abdomen pelvis": ((-116.0, 232.0), 0.27),
    "chest upper abdomen": ((72.0, 348.0), 0.17),
    "abdomen": ((6.0, 236.0), 0.09),
    "chest": ((146.0, 350.0), 0.09),
}
ORIENTATIONS = ("RAS", "LPS", "LAS", "RPS", "LPI", "PIR", "ASL", "SAR")
# Contrast phase -> usual HU of the tissues that it changes.
PHASES = {
    "none": dict(aorta=42, inferior_vena_cava=38, heart=44, liver=58, spleen=48, kidney=33, pancreas=42, muscle=54),
    "arterial": dict(
        aorta=265, inferior_vena_cava=62, heart=205, liver=74, spleen=116, kidney=150, pancreas=98, muscle=58
    ),
    "portal venous": dict(
        aorta=155, inferior_vena_cava=138, heart=128, liver=112, spleen=124, kidney=178, pancreas=92, muscle=62
    ),
}


@dataclass(frozen=True)
class Variation:
    """How one organ differs from the model's: moved by `shift` mm, each radius times `scale`, brighter by `hu`."""

    shift: tuple[float, float, float]
    scale: tuple[float, float, float]
    hu: float = 0.0


@dataclass(frozen=True, eq=False)
class Acquisition:
    """How the patient was scanned: field of view, shape and affine of the array, noise.

    `affine` (4, 4): voxel index -> RAS mm. `table_mm`: from the model's origin down to the table's surface.
    """

    field: str
    shape: tuple[int, int, int]
    affine: Array
    noise_hu: float
    blur_voxels: float
    table_mm: float


@dataclass(frozen=True, eq=False)
class Patient:
    """Everything that determines what a phantom looks like."""

    seed: tuple[int, int]
    age: int
    gender: str
    body: Body
    fat_mm: float
    phase: str
    findings: tuple[Finding, ...]
    variations: dict[str, Variation]
    acquisition: Acquisition

    def finding(self, kind: str, structure: str = "") -> Finding | None:
        """Return the first finding of a kind, of one structure if it is named, or None."""
        for finding in self.findings:
            if finding.kind == kind and structure in ("", finding.structure):
                return finding
        return None


def draw_patient(seed: int, number: int, organs: tuple[str, ...]) -> Patient:
    """Draw the patient with this number: the same whatever was drawn before, and in whatever process."""
    rng = np.random.default_rng([seed, number])
    body, fat_mm = Body.draw(rng), float(rng.uniform(9, 24))
    return Patient(
        seed=(seed, number),
        age=int(rng.integers(24, 89)),
        gender=str(rng.choice(["m", "f"])),
        body=body,
        fat_mm=fat_mm,
        phase=str(rng.choice(list(PHASES), p=[0.3, 0.15, 0.55])),
        findings=draw_findings(rng),
        variations={organ: _draw_variation(rng) for organ in organs},
        acquisition=_draw_acquisition(rng, body, fat_mm),
    )


def _draw_variation(rng: np.random.Generator) -> Variation:
    x, y, z = np.clip(rng.normal(0, 2.5, size=3), -5, 5)
    a, b, c = rng.uniform(0.94, 1.06) * rng.uniform(0.96, 1.04, size=3)
    return Variation((float(x), float(y), float(z)), (float(a), float(b), float(c)), float(rng.normal(0, 4)))


def _draw_acquisition(rng: np.random.Generator, body: Body, fat_mm: float) -> Acquisition:
    field = str(rng.choice(list(FIELDS), p=[share for _, share in FIELDS.values()]))
    low, high = FIELDS[field][0]
    ends = body.to_world(np.array([[0, -30, low], [0, -30, high]]) + [0, 0, 1] * rng.uniform(-8, 8, size=(2, 1)))
    middle = body.to_world(np.array([[0.0, -8.0, 0.0]]))[0]
    extent = np.array([2 * (152 + fat_mm) * body.scale * 1.1, 2 * (116 + fat_mm) * body.scale * 1.1 + 14, 0.0])
    extent[2] = ends[1, 2] - ends[0, 2]
    centre = np.array([middle[0], middle[1], ends[:, 2].mean()]) + rng.uniform(-8, 8, size=3) * (1, 1, 0)
    in_plane = float(rng.choice([3.0, 3.4, 3.8, 4.2, 4.6]))
    spacing = np.array([in_plane, in_plane, float(rng.choice([3.0, 4.0, 5.0]))])
    counts = np.maximum(np.round(extent / spacing), 1).astype(int)
    oblique = rotation(*rng.uniform(-6, 6, size=3)) if rng.random() < 0.2 else np.eye(3)
    orientation = str(rng.choice(ORIENTATIONS, p=[0.3, 0.2, 0.14, 0.1, 0.08, 0.06, 0.06, 0.06]))
    shape, affine = _array_geometry(orientation, counts, spacing, centre, oblique)
    return Acquisition(field, shape, affine, float(rng.uniform(6, 24)), float(rng.uniform(0.35, 0.65)), fat_mm + 118)


def _array_geometry(
    orientation: str, counts: Array, spacing: Array, centre: Array, oblique: Array
) -> tuple[tuple[int, int, int], Array]:
    """Return shape and affine of an array whose axes run towards these letters, with its middle at `centre`."""
    columns, shape = [], []
    for letter in orientation:
        axis, towards = next((d, pair.index(letter)) for d, pair in enumerate(("LR", "PA", "IS")) if letter in pair)
        columns.append((1 if towards else -1) * spacing[axis] * oblique[:, axis])
        shape.append(int(counts[axis]))
    affine = np.eye(4)
    affine[:3, :3] = np.stack(columns, axis=1)
    affine[:3, 3] = centre - affine[:3, :3] @ ((np.array(shape) - 1) / 2)
    # NIfTI stores the affine in 32 bits: organs must be painted where a reader will find them.
    return (shape[0], shape[1], shape[2]), affine.astype(np.float32).astype(np.float64)
