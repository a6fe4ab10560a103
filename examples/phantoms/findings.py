"""What can be wrong with a phantom: each finding has a kind, a place, and a size where it has one."""

from dataclasses import dataclass

import numpy as np

LOBES = (
    "lung_upper_lobe_left",
    "lung_lower_lobe_left",
    "lung_upper_lobe_right",
    "lung_middle_lobe_right",
    "lung_lower_lobe_right",
)
SIDES = ("left", "right")


@dataclass(frozen=True)
class Finding:
    """One finding. `structure` is its organ by TotalSegmentator's name, or `pleura`, `pericardium`, `peritoneum`."""

    kind: str
    structure: str
    side: str = ""  # left or right, where the organ comes in two
    size_mm: float = 0.0  # diameter, or depth of fluid; 0 where there is none to tell
    factor: float = 1.0  # of the organ's usual volume, radius or height
    direction: tuple[float, float, float] = (0.0, 0.0, 0.0)  # from the organ's middle to a lesion, unit length


def draw_findings(rng: np.random.Generator) -> tuple[Finding, ...]:
    """Several findings, two or three on average; never two of one organ that exclude each other."""
    found: list[Finding] = []
    _liver(rng, found)
    _spleen(rng, found)
    _gallbladder(rng, found)
    _kidneys(rng, found)
    _pancreas_and_belly(rng, found)
    _chest(rng, found)
    _spine_and_vessels(rng, found)
    return tuple(found)


def _direction(
    rng: np.random.Generator, towards: tuple[float, float, float], spread: float
) -> tuple[float, float, float]:
    vector = np.array(towards) + rng.uniform(-spread, spread, size=3)
    x, y, z = vector / np.linalg.norm(vector)
    return float(x), float(y), float(z)


def _size(rng: np.random.Generator, low: int, high: int) -> float:
    return float(rng.integers(low, high + 1))


def _liver(rng: np.random.Generator, found: list[Finding]) -> None:
    size = rng.random()
    if size < 0.12:
        found.append(Finding("enlarged_liver", "liver", factor=float(rng.uniform(1.3, 1.55))))
    elif size < 0.18:
        found.append(Finding("small_liver", "liver", factor=float(rng.uniform(0.55, 0.7))))
    if rng.random() < 0.14:
        found.append(Finding("fatty_liver", "liver"))
    lesion = rng.random()
    if lesion < 0.22:
        kind = "liver_cyst" if lesion < 0.12 else "liver_mass"
        found.append(Finding(kind, "liver", size_mm=_size(rng, 20, 48), direction=_direction(rng, (0.3, 0, 0.2), 1.0)))


def _spleen(rng: np.random.Generator, found: list[Finding]) -> None:
    draw = rng.random()
    if draw < 0.14:
        found.append(Finding("splenomegaly", "spleen", factor=float(rng.uniform(1.7, 2.3))))
    elif draw < 0.21:
        found.append(Finding("absent_spleen", "spleen"))


def _gallbladder(rng: np.random.Generator, found: list[Finding]) -> None:
    draw = rng.random()
    if draw < 0.14:
        found.append(Finding("absent_gallbladder", "gallbladder"))
    elif draw < 0.28:
        found.append(Finding("gallstone", "gallbladder", size_mm=_size(rng, 10, 18)))


def _kidneys(rng: np.random.Generator, found: list[Finding]) -> None:
    absent = str(rng.choice(SIDES)) if rng.random() < 0.09 else ""
    for side in SIDES:
        kidney = f"kidney_{side}"
        if side == absent:
            found.append(Finding("absent_kidney", kidney, side))
            continue
        outwards = 1.0 if side == "right" else -1.0
        if rng.random() < 0.16:
            way = _direction(rng, (outwards, 0.1, 0.0), 0.6)
            found.append(Finding("renal_cyst", kidney, side, _size(rng, 18, 46), direction=way))
        if rng.random() < 0.09:
            found.append(Finding("kidney_stone", kidney, side, _size(rng, 8, 14), direction=(0.0, 0.0, -0.45)))
        elif rng.random() < 0.09:
            found.append(Finding("hydronephrosis", kidney, side))


def _pancreas_and_belly(rng: np.random.Generator, found: list[Finding]) -> None:
    if rng.random() < 0.09:
        found.append(Finding("pancreatic_mass", "pancreas", size_mm=_size(rng, 24, 40)))
    if rng.random() < 0.12:
        found.append(Finding("ascites", "peritoneum"))
    if rng.random() < 0.14:
        found.append(Finding("distended_bladder", "urinary_bladder", factor=float(rng.uniform(1.4, 1.6))))


def _chest(rng: np.random.Generator, found: list[Finding]) -> None:
    for side in SIDES:
        if rng.random() < 0.15:
            large = rng.random() < 0.45
            found.append(Finding("pleural_effusion", "pleura", side, _size(rng, *((48, 62) if large else (20, 28)))))
    if rng.random() < 0.22:
        lobe = str(rng.choice(LOBES))
        way = _direction(rng, (0.0, 0.0, 0.0), 0.6)
        found.append(Finding("lung_nodule", lobe, lobe.rsplit("_", 1)[1], _size(rng, 12, 26), direction=way))
    if rng.random() < 0.18:
        lobe = str(rng.choice(LOBES))
        way = _direction(rng, (0.0, 0.0, 0.0), 0.5)
        found.append(Finding("consolidation", lobe, lobe.rsplit("_", 1)[1], _size(rng, 44, 64), direction=way))
    if rng.random() < 0.13:
        found.append(Finding("cardiomegaly", "heart", factor=float(rng.uniform(1.17, 1.25))))
    if rng.random() < 0.1:
        found.append(Finding("pericardial_effusion", "pericardium", size_mm=_size(rng, 10, 14)))


def _spine_and_vessels(rng: np.random.Generator, found: list[Finding]) -> None:
    if rng.random() < 0.16:
        bone = str(rng.choice(["T12", "L1", "L2", "L3", "L4"]))
        found.append(Finding("compression_fracture", f"vertebrae_{bone}", factor=float(rng.uniform(0.6, 0.68))))
    if rng.random() < 0.13:
        found.append(Finding("aortic_aneurysm", "aorta", size_mm=_size(rng, 38, 54)))
