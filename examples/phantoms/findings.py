"""Drawing the findings of a phantom: each has a kind, a structure, and a size where it has one."""

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
    """One finding of a phantom.

    `structure` is its organ by TotalSegmentator's name, or `pleura`, `pericardium`, `peritoneum`; `side` is left or
    right for paired organs. `size_mm` is a diameter, or the depth of fluid, 0 where reports give no size. `factor`
    multiplies the organ's usual volume, radius or height. `direction` points from the organ's centre to a lesion, unit
    length.
    """

    kind: str
    structure: str
    side: str = ""
    size_mm: float = 0.0
    factor: float = 1.0
    direction: tuple[float, float, float] = (0.0, 0.0, 0.0)


def draw_findings(rng: np.random.Generator) -> tuple[Finding, ...]:
    """Draw several findings, two or three on average; never two of one organ that exclude each other."""
    findings: list[Finding] = []
    _draw_liver(rng, findings)
    _draw_spleen(rng, findings)
    _draw_gallbladder(rng, findings)
    _draw_kidneys(rng, findings)
    _draw_pancreas_and_abdomen(rng, findings)
    _draw_chest(rng, findings)
    _draw_spine_and_vessels(rng, findings)
    return tuple(findings)


def _draw_direction(
    rng: np.random.Generator, towards: tuple[float, float, float], spread: float
) -> tuple[float, float, float]:
    vector = np.array(towards) + rng.uniform(-spread, spread, size=3)
    x, y, z = vector / np.linalg.norm(vector)
    return float(x), float(y), float(z)


def _draw_size(rng: np.random.Generator, low: int, high: int) -> float:
    return float(rng.integers(low, high + 1))


def _draw_liver(rng: np.random.Generator, findings: list[Finding]) -> None:
    size = rng.random()
    if size < 0.12:
        findings.append(Finding("enlarged_liver", "liver", factor=float(rng.uniform(1.3, 1.55))))
    elif size < 0.18:
        findings.append(Finding("small_liver", "liver", factor=float(rng.uniform(0.55, 0.7))))
    if rng.random() < 0.14:
        findings.append(Finding("fatty_liver", "liver"))
    lesion = rng.random()
    if lesion < 0.22:
        kind = "liver_cyst" if lesion < 0.12 else "liver_mass"
        findings.append(
            Finding(kind, "liver", size_mm=_draw_size(rng, 20, 48), direction=_draw_direction(rng, (0.3, 0, 0.2), 1.0))
        )


def _draw_spleen(rng: np.random.Generator, findings: list[Finding]) -> None:
    draw = rng.random()
    if draw < 0.14:
        findings.append(Finding("splenomegaly", "spleen", factor=float(rng.uniform(1.7, 2.3))))
    elif draw < 0.21:
        findings.append(Finding("absent_spleen", "spleen"))


def _draw_gallbladder(rng: np.random.Generator, findings: list[Finding]) -> None:
    draw = rng.random()
    if draw < 0.14:
        findings.append(Finding("absent_gallbladder", "gallbladder"))
    elif draw < 0.28:
        findings.append(Finding("gallstone", "gallbladder", size_mm=_draw_size(rng, 10, 18)))


def _draw_kidneys(rng: np.random.Generator, findings: list[Finding]) -> None:
    absent = str(rng.choice(SIDES)) if rng.random() < 0.09 else ""
    for side in SIDES:
        kidney = f"kidney_{side}"
        if side == absent:
            findings.append(Finding("absent_kidney", kidney, side))
            continue
        outwards = 1.0 if side == "right" else -1.0
        if rng.random() < 0.16:
            direction = _draw_direction(rng, (outwards, 0.1, 0.0), 0.6)
            findings.append(Finding("renal_cyst", kidney, side, _draw_size(rng, 18, 46), direction=direction))
        if rng.random() < 0.09:
            findings.append(Finding("kidney_stone", kidney, side, _draw_size(rng, 8, 14), direction=(0.0, 0.0, -0.45)))
        elif rng.random() < 0.09:
            findings.append(Finding("hydronephrosis", kidney, side))


def _draw_pancreas_and_abdomen(rng: np.random.Generator, findings: list[Finding]) -> None:
    if rng.random() < 0.09:
        findings.append(Finding("pancreatic_mass", "pancreas", size_mm=_draw_size(rng, 24, 40)))
    if rng.random() < 0.12:
        findings.append(Finding("ascites", "peritoneum"))
    if rng.random() < 0.14:
        findings.append(Finding("distended_bladder", "urinary_bladder", factor=float(rng.uniform(1.4, 1.6))))


def _draw_chest(rng: np.random.Generator, findings: list[Finding]) -> None:
    for side in SIDES:
        if rng.random() < 0.15:
            large = rng.random() < 0.45
            findings.append(
                Finding("pleural_effusion", "pleura", side, _draw_size(rng, *((48, 62) if large else (20, 28))))
            )
    if rng.random() < 0.22:
        lobe = str(rng.choice(LOBES))
        direction = _draw_direction(rng, (0.0, 0.0, 0.0), 0.6)
        findings.append(
            Finding("lung_nodule", lobe, lobe.rsplit("_", 1)[1], _draw_size(rng, 12, 26), direction=direction)
        )
    if rng.random() < 0.18:
        lobe = str(rng.choice(LOBES))
        direction = _draw_direction(rng, (0.0, 0.0, 0.0), 0.5)
        findings.append(
            Finding("consolidation", lobe, lobe.rsplit("_", 1)[1], _draw_size(rng, 44, 64), direction=direction)
        )
    if rng.random() < 0.13:
        findings.append(Finding("cardiomegaly", "heart", factor=float(rng.uniform(1.17, 1.25))))
    if rng.random() < 0.1:
        findings.append(Finding("pericardial_effusion", "pericardium", size_mm=_draw_size(rng, 10, 14)))


def _draw_spine_and_vessels(rng: np.random.Generator, findings: list[Finding]) -> None:
    if rng.random() < 0.16:
        bone = str(rng.choice(["T12", "L1", "L2", "L3", "L4"]))
        findings.append(Finding("compression_fracture", f"vertebrae_{bone}", factor=float(rng.uniform(0.6, 0.68))))
    if rng.random() < 0.13:
        findings.append(Finding("aortic_aneurysm", "aorta", size_mm=_draw_size(rng, 38, 54)))
