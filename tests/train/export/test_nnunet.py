"""Data sets as nnU-Net's raw data: read again by ovct with the same masks, and valid by nnU-Net's rules."""

import csv
import json
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest
from typer.testing import CliRunner, Result

from ovct import app
from tests.train.inference.segment_cases import affine_of, hounsfield, nifti
from train.data.dataset import open_dataset, read_case, read_labels
from train.data.labelling.labelled import labelled_names
from train.export.nnunet_case import region_order

SHAPE = (12, 11, 10)
AFFINE = affine_of((1.5, 1.5, 3), "LAS")


def export(source: Path, out: Path, *arguments: str) -> Result:
    return CliRunner().invoke(app, ["export", "nnunet", str(source), "--out", str(out), "--workers", "1", *arguments])


def exported(source: Path, out: Path, *arguments: str) -> Result:
    result = export(source, out, *arguments)
    assert result.exit_code == 0, result.output
    check_as_nnunet_does(out)
    return result


def block(low: int, high: int) -> np.ndarray:
    mask = np.zeros(SHAPE, np.uint8)
    mask[low:high, low:high, low:high] = 1
    return mask


def masks_folder(root: Path, cases: dict[str, dict[str, np.ndarray]]) -> Path:
    """A data set with a mask file for each structure."""
    for number, (case, masks) in enumerate(cases.items()):
        nifti(root / case / "ct.nii.gz", hounsfield(SHAPE, number), AFFINE)
        for name, mask in masks.items():
            nifti(root / case / "segmentations" / f"{name}.nii.gz", mask, AFFINE)
    return root


def nnunet_folder(root: Path, labels: dict[str, Any], maps: dict[str, np.ndarray]) -> Path:
    root.mkdir(parents=True)
    for number, (case, label_map) in enumerate(maps.items()):
        nifti(root / "imagesTr" / f"{case}_0000.nii.gz", hounsfield(SHAPE, number), AFFINE)
        nifti(root / "labelsTr" / f"{case}.nii.gz", label_map, AFFINE)
    content = {"channel_names": {"0": "CT"}, "labels": labels, "numTraining": len(maps), "file_ending": ".nii.gz"}
    (root / "dataset.json").write_text(json.dumps(content))
    return root


def check_as_nnunet_does(folder: Path) -> None:
    """Hold a folder against the rules of nnU-Net's `verify_dataset_integrity`, which is not installed for the tests."""
    content = json.loads((folder / "dataset.json").read_text())
    labels = content["labels"]
    assert labels["background"] == 0 and content["file_ending"] == ".nii.gz" and content["channel_names"] == {"0": "CT"}
    listed = {number for value in labels.values() for number in (value if isinstance(value, list) else [value])}
    assert sorted(listed) == list(range(len(listed)))
    assert "ignore" not in labels or labels["ignore"] == max(listed)
    regions = [name for name in labels if name not in ("background", "ignore")]
    if any(isinstance(value, list) for value in labels.values()):
        assert len(content["regions_class_order"]) == len(regions)
    images = sorted((folder / "imagesTr").iterdir())
    assert len(images) == content["numTraining"] == len(list((folder / "labelsTr").iterdir()))
    for image in images:
        scan, label = nibabel.load(image), nibabel.load(folder / "labelsTr" / image.name.replace("_0000", ""))
        assert scan.shape == label.shape and np.allclose(scan.affine, label.affine)  # type: ignore[attr-defined]
        assert {*np.unique(np.asarray(label.dataobj)).tolist()} <= listed  # type: ignore[attr-defined]


def same_masks(source: Path, out: Path, labelled: Any = "auto") -> None:
    """Hold the masks of each structure and the HU of each scan, as ovct reads both data sets, against each other."""
    before, after = open_dataset(source, labelled=labelled), open_dataset(out)
    assert {*before.structures} == {*after.structures}
    cases = {case.id: case for case in after.cases}
    for case in before.cases:
        again = cases[case.id]
        assert (again.patient, again.split) == (case.patient, case.split)
        scan, scan_again = read_case(case), read_case(again)
        assert np.array_equal(scan.voxels, scan_again.voxels) and np.allclose(scan.affine, scan_again.affine)
        labels, labels_again = read_labels(case, before, scan), read_labels(again, after, scan_again)
        for name, ids in before.structures.items():
            assert np.array_equal(np.isin(labels, ids), np.isin(labels_again, after.structures[name])), name
        ids_there = set(np.unique(labels).tolist())
        assert labelled_names(case, before.structures, ids_there) == labelled_names(again, after.structures)


def test_masks_are_the_same_when_read_again_and_overlaps_are_named(tmp_path: Path) -> None:
    cases = {
        "a": {"liver": block(1, 6), "kidney_left": block(5, 8), "zz": block(9, 10)},
        "b": {"liver": block(2, 4), "kidney_left": block(7, 9), "zz": block(0, 0)},
    }
    source = masks_folder(tmp_path / "set", cases)
    (source / "meta.csv").write_text("image_id;split\na;train\nb;val\n")
    result = exported(source, tmp_path / "Dataset101_Set")
    same_masks(source, tmp_path / "Dataset101_Set")
    assert "2 training cases, 3 structures" in result.stdout
    # The ids of TotalSegmentator begin with the left kidney.
    assert "masks that overlap: kidney_left and liver in 1 (1 voxels)" in result.stderr
    assert json.loads((tmp_path / "Dataset101_Set" / "splits_final.json").read_text()) == [
        {"train": ["a"], "val": ["b"]}
    ]
    image = nibabel.load(tmp_path / "Dataset101_Set" / "imagesTr" / "a_0000.nii.gz")
    assert image.get_data_dtype() == np.int16  # type: ignore[attr-defined]


def test_what_was_not_looked_for_makes_background_unannotated(tmp_path: Path) -> None:
    cases = {"a": {"liver": block(1, 4), "spleen": block(5, 8)}, "b": {"liver": block(2, 4)}}
    source = masks_folder(tmp_path / "set", cases)
    result = exported(source, tmp_path / "Dataset102_Set", "--labelled", "present")
    same_masks(source, tmp_path / "Dataset102_Set", "present")
    assert "not looked for: spleen in 1; background of 1 cases has nnU-Net's label `ignore`" in result.stderr
    labels = json.loads((tmp_path / "Dataset102_Set" / "dataset.json").read_text())["labels"]
    label_map = np.asarray(nibabel.load(tmp_path / "Dataset102_Set/labelsTr/b.nii.gz").dataobj)  # type: ignore[attr-defined]
    assert labels["ignore"] == 3 and {*np.unique(label_map).tolist()} == {labels["liver"], 3}
    told = exported(source, tmp_path / "Dataset103_Set", "--labelled", "present", "--unknown", "background")
    assert "their background says that they are absent" in told.stderr
    assert "ignore" not in json.loads((tmp_path / "Dataset103_Set" / "dataset.json").read_text())["labels"]
    refused = export(source, tmp_path / "Dataset104_Set", "--labelled", "present", "--unknown", "refuse")
    assert refused.exit_code == 2 and "b: spleen was not looked for there" in refused.stderr
    assert not (tmp_path / "Dataset104_Set").exists()


def test_regions_ignored_voxels_and_gaps_between_ids(tmp_path: Path) -> None:
    label_map = block(1, 8) * 2
    label_map[block(3, 6) == 1] = 5
    label_map[block(4, 5) == 1] = 9
    label_map[block(10, 12) == 1] = 11
    labels = {"background": 0, "core": [5, 9], "whole": [2, 5, 9], "tip": 9, "ignore": 11}
    source = nnunet_folder(tmp_path / "set", labels, {"a": label_map, "b": block(1, 3) * 2})
    exported(source, tmp_path / "Dataset105_Set")
    same_masks(source, tmp_path / "Dataset105_Set")
    content = json.loads((tmp_path / "Dataset105_Set" / "dataset.json").read_text())
    assert content["labels"] == {"background": 0, "whole": [1, 2, 3], "core": [2, 3], "tip": 3, "ignore": 4}
    assert content["regions_class_order"] == [1, 2, 3]
    after = open_dataset(tmp_path / "Dataset105_Set")
    again = read_labels(after.cases[0], after, read_case(after.cases[0]))
    assert np.array_equal(again == 4, label_map == 11)


def test_a_region_that_its_parts_fill_is_painted_over() -> None:
    assert region_order([[1, 2], [1], [2]]) == [1, 1, 2]
    assert region_order([[1, 2, 3], [2, 3], [3]]) == [1, 2, 3]


def test_test_cases_patients_and_odd_names(tmp_path: Path) -> None:
    source = tmp_path / "set"
    for number in range(3):
        nifti(source / f"part {number}" / "a.nii.gz", hounsfield(SHAPE, number), AFFINE)
        nifti(source / f"part {number}" / "seg" / "a.nii.gz", block(number, 5), AFFINE)
    listed = [{"image": f"part {n}/a.nii.gz", "label": f"part {n}/seg/a.nii.gz"} for n in range(3)]
    (source / "dataset.json").write_text(json.dumps({"labels": {"0": "background", "4": "liver"}, "training": listed}))
    for path in source.glob("*/seg/a.nii.gz"):
        label_map = np.asarray(nibabel.load(path).dataobj) * 4  # type: ignore[attr-defined]
        nifti(path, label_map.astype(np.uint8), AFFINE)
    with (source / "patients.csv").open("w", newline="") as file:
        csv.writer(file).writerows([("id", "patient"), ("part 0/a", "p"), ("part 1/a", "p")])
    result = exported(source, tmp_path / "Dataset106_Set")
    assert "part 0/a as part_0_a" in result.stderr
    after = open_dataset(tmp_path / "Dataset106_Set")
    assert {case.id: case.patient for case in after.cases} == {"part_0_a": "p", "part_1_a": "p", "part_2_a": "part 2/a"}


def test_processes_write_the_same_as_this_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cases = {name: {"liver": block(number, 6)} for number, name in enumerate("abc")}
    source = masks_folder(tmp_path / "set", cases)
    monkeypatch.setattr("train.export.nnunet.ALONE_SECONDS", -1)
    exported(source, tmp_path / "Dataset107_Set", "--workers", "2")
    same_masks(source, tmp_path / "Dataset107_Set")


def test_what_cannot_be_written_is_told(tmp_path: Path) -> None:
    source = masks_folder(tmp_path / "set", {"a": {"liver": block(1, 4)}, "b": {"liver": block(1, 4)}})
    named = export(source, tmp_path / "liver")
    assert named.exit_code == 2 and "nnUNet_raw/Dataset123_Name" in named.stderr
    (source / "b" / "ct.nii.gz").write_bytes(b"")
    broken = export(source, tmp_path / "Dataset108_Set")
    assert broken.exit_code == 2 and "1 of 2 cases cannot be used" in broken.stderr
    assert not (tmp_path / "Dataset108_Set").exists()
    skipped = exported(source, tmp_path / "Dataset108_Set", "--on-problem", "skip")
    assert "left out: b" in skipped.stderr and "1 training cases" in skipped.stdout
    nifti(tmp_path / "plain" / "x.nii.gz", hounsfield(SHAPE), AFFINE)
    plain = export(tmp_path / "plain", tmp_path / "Dataset109_Set")
    assert plain.exit_code == 2 and "has no labels" in plain.stderr


def test_a_tilted_gantry_is_refused_by_name(tmp_path: Path) -> None:
    source = masks_folder(tmp_path / "set", {"a": {"liver": block(1, 4)}})
    tilted = AFFINE.copy()
    tilted[1, 2] = 0.8
    nifti(source / "a" / "ct.nii.gz", hounsfield(SHAPE), tilted)
    nifti(source / "a" / "segmentations" / "liver.nii.gz", block(1, 4), tilted)
    result = export(source, tmp_path / "Dataset110_Set")
    assert result.exit_code == 2 and "slices are tilted by" in result.stderr
