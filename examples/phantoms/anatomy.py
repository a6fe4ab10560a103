"""The organs of the model torso as shapes, in mm: x grows to the patient's right, y to the front, z upwards.

The origin is in the middle of the body at the height of L5. Names are those of TotalSegmentator v2.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from examples.phantoms.patient import Patient, Variation
from examples.phantoms.shapes import Cut, Ellipsoid, Field, Shape, Tube, Union
from examples.phantoms.space import Volume, rotation

CAVITY = (136.0, 92.0)  # half axes of the body cavity
WALL_MM = 13.0  # muscle around it
LEVELS = {"T12": 170.0, "L1": 136.0, "L2": 102.0, "L3": 68.0, "L4": 34.0, "L5": 0.0}
THORACIC = (204.0, 238.0, 272.0, 306.0, 340.0, 374.0)
BODY_HALF_HEIGHT = 13.0


@dataclass(frozen=True, eq=False)
class TorsoOrgan:
    """A structure with the fat around it, `clearance` in mm. A name of None is for tissue without a label."""

    name: str | None
    shape: Shape
    clearance: float = 3.0
    tissue: str = ""


def diaphragm(x: Volume, y: Volume, z: Volume) -> Volume:
    """Return a field below zero under the diaphragm: two domes, the right one higher, lower between them."""
    right = np.where(x > 75, (x - 75) / 74, (x - 75) / 112)
    left = np.where(x < -75, (x + 75) / 74, (x + 75) / 112)
    front = ((y - 8) / 92) ** 2
    height = np.maximum(226 - 70 * (right * right + front), 214 - 70 * (left * left + front))
    return np.asarray(z - np.maximum(height, np.float32(146)), np.float32)


def cavity(margin: float) -> Field:
    """Return a field below zero within the body cavity, at least `margin` mm from its wall."""

    def level(x: Volume, y: Volume, z: Volume) -> Volume:
        u, v = (x / CAVITY[0]) ** 2, (y / CAVITY[1]) ** 2
        return np.asarray((np.sqrt(u + v - np.float32(0.25) * np.minimum(u * v, 1)) - 1) * 100 + margin, np.float32)

    return level


def _below_diaphragm(x: Volume, y: Volume, z: Volume) -> Volume:
    return np.maximum(diaphragm(x, y, z) + 5, cavity(3.0)(x, y, z))


def _above_diaphragm(x: Volume, y: Volume, z: Volume) -> Volume:
    return -diaphragm(x, y, z) + 2


def _vary(shape: Ellipsoid, variation: Variation, factor: float = 1.0) -> Ellipsoid:
    x, y, z = (c + s for c, s in zip(shape.centre, variation.shift, strict=True))
    a, b, c = (r * s * factor for r, s in zip(shape.radii, variation.scale, strict=True))
    return Ellipsoid((x, y, z), (a, b, c), shape.turn, shape.square)


def _tube(points: Sequence[tuple[float, float, float]], radii: Sequence[float], variation: Variation) -> Tube:
    x, y, z = variation.shift
    moved = tuple((a + 0.5 * x, b + 0.5 * y, c + 0.5 * z) for a, b, c in points)
    return Tube(moved, tuple(r * variation.scale[0] for r in radii))


def organs(patient: Patient) -> tuple[TorsoOrgan, ...]:
    """Return all structures but the lungs, in the order of painting: a later one does not cover an earlier one."""
    return tuple(
        organ
        for organ in (
            *_skeleton(patient),
            *_vessels(patient),
            *_chest(patient),
            *_retroperitoneum(patient),
            *_abdomen(patient),
        )
        if organ is not None
    )


def vertebra(height: float, half: float, drop: float = 0.0) -> Shape:
    """Return a vertebra, a body and an arch around the canal; `drop` mm are lost at the top of the body."""
    body = Ellipsoid((0, -45, height - drop / 2), (26, 18, half - drop / 2), square=True)
    arch = Ellipsoid((0, -68, height - 2), (24, 14, 11.5), square=True)
    spine = Ellipsoid((0, -83, height - 5), (10.5, 15, 10.5), square=True)
    return Union((body, Cut(Union((arch, spine)), _around_canal)))


def _around_canal(x: Volume, y: Volume, z: Volume) -> Volume:
    return np.asarray(7 - np.hypot(x, y + 70), np.float32)


def _skeleton(patient: Patient) -> list[TorsoOrgan]:
    skeleton = []
    for name, height in LEVELS.items():
        fracture = patient.finding("compression_fracture", f"vertebrae_{name}")
        drop = 2 * BODY_HALF_HEIGHT * (1 - fracture.factor) if fracture else 0.0
        skeleton.append(TorsoOrgan(f"vertebrae_{name}", vertebra(height, BODY_HALF_HEIGHT, drop), 1.0, "bone"))
    skeleton += [TorsoOrgan(None, vertebra(height, BODY_HALF_HEIGHT), 1.0, "bone") for height in THORACIC]
    sacrum = Ellipsoid((0, -62, -64), (46, 19, 42), rotation(-18, 0, 0), square=True)
    skeleton.append(TorsoOrgan("sacrum", sacrum, 3.0, "bone"))
    for side, sign in (("left", -1), ("right", 1)):
        wing = Ellipsoid((sign * 88, -14, -52), (10.5, 56, 52), rotation(0, sign * 12, -sign * 24), square=True)
        socket = Ellipsoid((sign * 92, 2, -98), (26, 28, 30))
        skeleton.append(TorsoOrgan(f"hip_{side}", Union((wing, socket)), 3.0, "bone"))
    return skeleton


def _vessels(patient: Patient) -> list[TorsoOrgan]:
    v = patient.variations
    aneurysm = patient.finding("aortic_aneurysm")
    points = [
        (2, 34, 260),
        (6, 40, 288),
        (-10, 36, 305),
        (-27, 12, 308),
        (-33, -14, 300),
        (-32, -25, 284),
        (-30, -24, 230),
    ]
    points += [(-20, -16, 180), (-15, -12, 120), (-15, -12, 88), (-14, -11, 62), (-12, -11, 26)]
    radii = [14.0, 14, 13.5, 13, 13, 13, 12.5, 12.5, 12.5, 12.5, 12.5, 12]
    aorta: Shape = _tube(points, radii, Variation(v["aorta"].shift, (1.0, 1.0, 1.0)))
    if aneurysm:
        radius = aneurysm.size_mm / 2 / patient.body.scale
        x, y, z = v["aorta"].shift
        # The sac grows to the front and to the left, away from the spine.
        sac = Ellipsoid(
            (-14 + x / 2 - (radius - 12), -25 + y / 2 + radius + 1, 72 + z / 2), (radius, radius, radius * 1.3)
        )
        aorta = Union((aorta, sac))
    cava = _tube(
        [(16, -11, 24), (20, -11, 60), (22, -8, 130), (24, -2, 178), (14, 8, 212)],
        [12, 12.5, 13, 13, 13],
        Variation(v["inferior_vena_cava"].shift, (1.0, 1.0, 1.0)),
    )
    return [TorsoOrgan("aorta", aorta, 2.0, "aorta"), TorsoOrgan("inferior_vena_cava", cava, 2.0, "inferior_vena_cava")]


def _chest(patient: Patient) -> list[TorsoOrgan | None]:
    v = patient.variations
    cardiomegaly = patient.finding("cardiomegaly")
    heart = Ellipsoid((-24, 28, 238), (50, 43, 38), rotation(0, -18, 0))
    unscaled = (1.0, 1.0, 1.0)
    trachea = _tube([(6, 10, 352), (6, 9, 310), (5, 6, 276)], [12, 12, 12.5], Variation(v["trachea"].shift, unscaled))
    esophagus = _tube(
        [(-1, -15, 352), (1, -15, 300), (0, -13, 250), (-8, -5, 214), (-22, 8, 192)],
        [11, 11, 11.5, 11.5, 12],
        Variation(v["trachea"].shift, unscaled),
    )
    root = Ellipsoid((-6, 22, 282), (22, 16, 12))
    return [
        TorsoOrgan("trachea", trachea, 1.5, "trachea"),
        TorsoOrgan("esophagus", esophagus, 1.5, "esophagus"),
        TorsoOrgan(
            "heart",
            Cut(_vary(heart, v["heart"], cardiomegaly.factor if cardiomegaly else 1.0), _above_diaphragm),
            4.0,
            "heart",
        ),
        TorsoOrgan(None, root, 2.0, "heart"),
    ]


def _retroperitoneum(patient: Patient) -> list[TorsoOrgan | None]:
    v = patient.variations
    organs: list[TorsoOrgan | None] = []
    for side, sign in (("left", -1), ("right", 1)):
        psoas = Tube(
            (
                (sign * 37, -44, 140),
                (sign * 46, -38, 60),
                (sign * 52, -26, 0),
                (sign * 56, 4, -60),
                (sign * 62, 18, -112),
            ),
            (9.5, 15, 18, 18, 16),
        )
        back = Ellipsoid((sign * 34, -84, 130), (23, 15, 225), square=True)
        organs += [
            TorsoOrgan(f"iliopsoas_{side}", psoas, 2.0, "muscle"),
            TorsoOrgan(f"autochthon_{side}", back, 4.0, "muscle"),
        ]
        buttock = Ellipsoid((sign * 78, -78, -96), (52, 22, 52))
        organs.append(TorsoOrgan(None, buttock, 2.0, "muscle"))
        if patient.finding("absent_kidney", f"kidney_{side}") is None:
            organs.append(TorsoOrgan(f"kidney_{side}", kidney(patient, side), 4.0, "kidney"))
    head = Ellipsoid((30, 18, 108), (17, 16, 20))
    body = Tube(((28, 20, 112), (4, 27, 126), (-22, 14, 134), (-56, -6, 144)), (14, 12, 11.5, 11.5))
    x, y, z = v["pancreas"].shift
    moved = Tube(tuple((a + x, b + y, c + z) for a, b, c in body.points), body.radii)
    organs.append(TorsoOrgan("pancreas", Union((_vary(head, v["pancreas"]), moved)), 3.0, "pancreas"))
    return organs


def kidney(patient: Patient, side: str) -> Ellipsoid:
    """Return a kidney, its upper end nearer to the spine."""
    sign, height = (-1, 114) if side == "left" else (1, 100)
    shape = Ellipsoid((sign * 79, -37, height), (25, 24, 50), rotation(0, -sign * 10, 0))
    return _vary(shape, patient.variations[f"kidney_{side}"])


def liver(patient: Patient) -> Ellipsoid:
    """Return the right lobe. It gains or loses volume at its lower end, since the diaphragm bounds the upper one."""
    factor = next((f.factor for f in patient.findings if f.kind in ("enlarged_liver", "small_liver")), 1.0)
    shape = _vary(Ellipsoid((74, 6, 162), (66, 80, 68)), patient.variations["liver"])
    (x, y, z), (a, b, c) = shape.centre, shape.radii
    grown = factor**0.5 if factor > 1 else factor**0.6
    return Ellipsoid((x, y, z - c * (grown**1.6 - 1)), (a * min(grown, 1.05), b * min(grown, 1.1), c * grown**1.6))


def _abdomen(patient: Patient) -> list[TorsoOrgan | None]:
    v = patient.variations
    splenomegaly, distension = patient.finding("splenomegaly"), patient.finding("distended_bladder")
    growth = splenomegaly.factor ** (1 / 3) if splenomegaly else 1.0
    spleen = Ellipsoid((-100, -34, 170 - 40 * (growth - 1)), (27, 44, 46), rotation(12, 0, 0))
    gallbladder = Ellipsoid((50, 46, 104), (16.5, 17, 27), rotation(-20, 0, 0))
    left_lobe = Ellipsoid((6, 42, 186), (66, 36, 32))
    stomach = Union((
        _vary(Ellipsoid((-66, 34, 160), (35, 31, 48)), v["stomach"]),
        Tube(((-58, 42, 128), (-34, 54, 104), (-6, 54, 104)), (22, 19, 16)),
    ))  # fmt: skip
    bladder = Ellipsoid((0, 28, -86), (34, 29, 25))
    left_lobe = _vary(left_lobe, v["liver"])
    filling = distension.factor if distension else 1.0
    return [
        None if patient.finding("absent_spleen") else
        TorsoOrgan("spleen", Cut(_vary(spleen, v["spleen"], growth), _below_diaphragm), 3.0, "spleen"),
        None if patient.finding("absent_gallbladder") else
        TorsoOrgan("gallbladder", _vary(gallbladder, v["gallbladder"]), 2.5, "gallbladder"),
        TorsoOrgan("liver", Cut(Union((liver(patient), left_lobe)), _below_diaphragm), 3.0, "liver"),
        TorsoOrgan("stomach", Cut(stomach, _below_diaphragm), 3.0, "stomach"),
        TorsoOrgan("urinary_bladder", _vary(bladder, v["urinary_bladder"], filling), 3.0, "urinary_bladder"),
    ]  # fmt: skip
