from __future__ import annotations

from dataclasses import replace

import nibabel
import numpy as np
import pytest

from examples.phantoms.canvas import LABELS, STRUCTURES
from examples.phantoms.findings import Finding
from examples.phantoms.lesions import lesion_centre
from examples.phantoms.painting import paint
from examples.phantoms.patient import draw_patient
from tests.examples.phantoms.builders import centre_of, patient, points, volume_ml

LUNGS = [LABELS[name] for name in STRUCTURES if name.startswith("lung_")]


@pytest.mark.parametrize(("stored", "tilt"), [("RAS", 0), ("LPI", 0), ("PIR", 0), ("SAL", 6)])
def test_organs_lie_where_they_belong_however_the_array_is_stored(stored: str, tilt: float) -> None:
    who = patient(stored=stored, tilt=tilt)
    phantom = paint(who)
    assert "".join(nibabel.aff2axcodes(who.acquisition.affine)) == stored
    centres = {name: centre_of(who, phantom, name) for name in STRUCTURES}
    assert all(np.isfinite(centre).all() for centre in centres.values())
    spine = centres["vertebrae_L1"]
    assert centres["liver"][0] > spine[0] + 30 and centres["spleen"][0] < spine[0] - 60
    for name in STRUCTURES:
        if name.endswith(("_left", "_right")):
            assert (centres[name][0] > spine[0]) == name.endswith("_right"), name
    assert all(
        centres[name][1] > spine[1] for name in ("liver", "aorta", "stomach", "pancreas", "heart", "urinary_bladder")
    )
    assert centres["autochthon_left"][1] < spine[1]
    levels = [f"vertebrae_{level}" for level in ("L5", "L4", "L3", "L2", "L1", "T12")]
    upwards = ["urinary_bladder", *levels[:2], "kidney_left", "spleen", "heart", "trachea"]
    for order in (
        ["sacrum", *levels],
        upwards,
        ["kidney_right", "liver", "lung_lower_lobe_right", "lung_upper_lobe_right"],
    ):
        heights = [centres[name][2] for name in order]
        assert heights == sorted(heights), order


def test_the_same_body_in_another_array_is_the_same_body() -> None:
    first, second = patient(), patient(stored="LIP", tilt=5)
    a, b = paint(first), paint(second)
    for name in ("liver", "spleen", "kidney_left", "aorta", "vertebrae_L3", "lung_middle_lobe_right"):
        assert np.abs(centre_of(first, a, name) - centre_of(second, b, name)).max() < 2, name
        assert volume_ml(first, a, name) == pytest.approx(volume_ml(second, b, name), rel=0.06), name


@pytest.mark.parametrize(
    ("finding", "low", "high"),
    [
        (Finding("enlarged_liver", "liver", factor=1.3), 1.25, 1.8),
        (Finding("small_liver", "liver", factor=0.7), 0.45, 0.8),
        (Finding("splenomegaly", "spleen", factor=1.7), 1.4, 2.0),
        (Finding("cardiomegaly", "heart", factor=1.17), 1.25, 1.8),
        (Finding("distended_bladder", "urinary_bladder", factor=1.4), 1.9, 3.2),
        (Finding("compression_fracture", "vertebrae_L2", factor=0.62), 0.5, 0.9),
        (Finding("absent_spleen", "spleen"), 0, 0),
        (Finding("absent_gallbladder", "gallbladder"), 0, 0),
        (Finding("absent_kidney", "kidney_left", "left"), 0, 0),
        (Finding("pleural_effusion", "pleura", "left", 55), 0.2, 0.85),
    ],
    ids=lambda value: value.kind if isinstance(value, Finding) else None,
)
def test_a_finding_changes_the_volume_of_its_organ(finding: Finding, low: float, high: float) -> None:
    organ = "lung_lower_lobe_left" if finding.structure == "pleura" else finding.structure
    for number in (0, 1):
        with_it, without = patient(finding, number=number), patient(number=number)
        ratio = volume_ml(with_it, paint(with_it), organ) / volume_ml(without, paint(without), organ)
        assert low <= ratio <= high


ROUND = [
    (Finding("liver_cyst", "liver", size_mm=40, direction=(0.6, 0.0, -0.8)), 6),
    (Finding("renal_cyst", "kidney_right", "right", 36, direction=(1.0, 0.0, 0.0)), 6),
    (Finding("lung_nodule", "lung_upper_lobe_left", "left", 26, direction=(0.0, 1.0, 0.0)), 55),
    (Finding("pancreatic_mass", "pancreas", size_mm=30), 48),
    (Finding("gallstone", "gallbladder", size_mm=18), 620),
]


@pytest.mark.parametrize(("finding", "hu"), ROUND, ids=[finding.kind for finding, _ in ROUND])
def test_a_lesion_has_its_size_in_true_millimetres_and_belongs_to_its_organ(finding: Finding, hu: float) -> None:
    who = patient(finding, spacing=4.0)
    phantom = paint(who)
    centre = who.body.to_world(lesion_centre(who, finding)[None])[0]
    mask = phantom.labels == LABELS[finding.structure]
    like = mask & (np.abs(phantom.hu - hu) < 14)
    voxels_mm = points(who.acquisition.affine, like)
    ball = voxels_mm[np.linalg.norm(voxels_mm - centre, axis=1) < finding.size_mm * 0.75]
    assert np.linalg.norm(ball.mean(0) - centre) < 4
    diameter = 2 * (len(ball) * 4.0**3 * 3 / 4 / np.pi) ** (1 / 3)
    assert diameter == pytest.approx(finding.size_mm, rel=0.14)
    assert phantom.shares[finding] == pytest.approx(1, abs=0.2)


def test_an_aneurysm_has_its_diameter() -> None:
    who = patient(Finding("aortic_aneurysm", "aorta", size_mm=48), spacing=4.0)
    phantom = paint(who)
    voxels_mm = points(who.acquisition.affine, phantom.labels == LABELS["aorta"])
    sac = voxels_mm[np.abs(voxels_mm[:, 2] - centre_of(who, phantom, "vertebrae_L3")[2]) < 15]
    areas = [float(np.sum(sac[:, 2] == height)) * 16 for height in np.unique(sac[:, 2])]
    assert 2 * np.sqrt(max(areas) / np.pi) == pytest.approx(48, abs=5)


def test_an_effusion_is_water_at_the_back_of_its_own_side_and_has_no_label() -> None:
    dry, wet = patient(), patient(Finding("pleural_effusion", "pleura", "right", 52))
    before, after = paint(dry), paint(wet)
    lost = np.isin(before.labels, LUNGS) & ~np.isin(after.labels, LUNGS)
    assert (after.labels[lost] == 0).all() and np.abs(after.hu[lost].mean() - 10) < 6
    assert before.hu[lost].mean() < -700
    voxels_mm, lung = (points(dry.acquisition.affine, mask) for mask in (lost, np.isin(before.labels, LUNGS)))
    spine = centre_of(dry, before, "vertebrae_T12")
    assert (voxels_mm[:, 0] > spine[0]).all() and voxels_mm[:, 1].mean() < lung[:, 1].mean() - 20


def test_ascites_and_pericardial_fluid_lie_outside_all_organs() -> None:
    for finding in (Finding("ascites", "peritoneum"), Finding("pericardial_effusion", "pericardium", size_mm=14)):
        dry, wet = patient(), patient(finding)
        before, after = paint(dry), paint(wet)
        fluid = (np.abs(after.hu - 9) < 14) & (np.abs(before.hu.astype(int) - after.hu) > 40)
        assert fluid.sum() > 150 and (after.labels[fluid] == 0).mean() > 0.97


def test_water_in_a_kidney_and_fat_in_a_liver_show() -> None:
    plain, abnormal = (
        patient(),
        patient(Finding("hydronephrosis", "kidney_left", "left"), Finding("fatty_liver", "liver")),
    )
    before, after = paint(plain), paint(abnormal)
    kidney, liver = (before.labels == LABELS[name] for name in ("kidney_left", "liver"))
    assert (after.labels[kidney] == LABELS["kidney_left"]).all()
    assert 0.1 < (np.abs(after.hu[kidney] - 8) < 14).mean() < 0.5
    assert before.hu[liver].mean() - after.hu[liver].mean() == pytest.approx(48, abs=3)


def test_scans_differ_in_direction_size_and_noise() -> None:
    scans = [draw_patient(0, number, STRUCTURES).acquisition for number in range(60)]
    codes = {"".join(nibabel.aff2axcodes(scan.affine)) for scan in scans}
    assert len(codes) >= 5
    spacings = [np.linalg.norm(scan.affine[:3, :3], axis=0) for scan in scans]
    assert all(((spacing > 2.9) & (spacing < 5.1)).all() for spacing in spacings)
    tilted = [
        np.sort(np.abs(scan.affine[:3, :3] / spacing), axis=0)[-1].min() < 0.9999
        for scan, spacing in zip(scans, spacings, strict=True)
    ]
    assert 4 <= sum(tilted) <= 24
    assert len({scan.field for scan in scans}) == 5 and len({round(scan.noise_hu) for scan in scans}) > 8


def test_a_scan_of_the_chest_shows_no_pelvis() -> None:
    phantom = paint(patient(field="chest"))
    present = {name for name, label in LABELS.items() if (phantom.labels == label).any()}
    assert {"heart", "trachea", "lung_upper_lobe_left"} <= present
    assert not present & {"urinary_bladder", "sacrum", "hip_left", "vertebrae_L3"}


def test_noise_is_the_patients_own() -> None:
    someone = patient()
    assert (paint(someone).hu == paint(someone).hu).all()
    assert (paint(someone).hu != paint(replace(someone, seed=(3, 1))).hu).mean() > 0.5
