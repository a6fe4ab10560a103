from __future__ import annotations

import csv
import json
from pathlib import Path

import nibabel
import numpy as np
import pytest

from examples.phantoms.__main__ import main
from examples.phantoms.canvas import STRUCTURES
from examples.phantoms.files import draw_splits
from examples.phantoms.painting import paint
from examples.phantoms.patient import draw_patient


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("phantoms")
    assert main([str(out), "--count", "3", "--seed", "4", "--jobs", "1"]) == 0
    return out


def rows(path: Path, delimiter: str = ",") -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter=delimiter))


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def test_the_layout_is_totalsegmentators(written: Path) -> None:
    meta = rows(written / "dataset" / "meta.csv", ";")
    assert list(meta[0]) == ["image_id", "age", "gender", "institute", "study_type", "split"]
    assert [row["image_id"] for row in meta] == ["s0001", "s0002", "s0003"]
    assert sorted(row["split"] for row in meta) == ["test", "train", "val"]
    for row in meta:
        folder = written / "dataset" / row["image_id"]
        assert sorted(path.name for path in (folder / "segmentations").iterdir()) == sorted(
            f"{n}.nii.gz" for n in STRUCTURES
        )
        scan = nibabel.nifti1.Nifti1Image.from_filename(folder / "ct.nii.gz")
        assert np.asanyarray(scan.dataobj).dtype == np.int16
        for name in ("liver", "trachea", "hip_left"):
            mask = nibabel.nifti1.Nifti1Image.from_filename(folder / "segmentations" / f"{name}.nii.gz")
            assert mask.shape == scan.shape and np.array_equal(mask.affine, scan.affine)
            assert set(np.unique(mask.dataobj)) <= {0, 1}


def test_the_files_hold_what_was_painted_and_where(written: Path) -> None:
    who = draw_patient(4, 0, STRUCTURES)
    phantom, folder = paint(who), written / "dataset" / "s0001"
    scan = nibabel.nifti1.Nifti1Image.from_filename(folder / "ct.nii.gz")
    assert np.array_equal(scan.dataobj, phantom.hu)
    np.testing.assert_array_equal(scan.affine, who.acquisition.affine)
    assert np.abs(scan.get_qform() - who.acquisition.affine).max() < 1e-3
    for label, name in enumerate(STRUCTURES, start=1):
        mask = nibabel.nifti1.Nifti1Image.from_filename(folder / "segmentations" / f"{name}.nii.gz")
        assert np.array_equal(mask.dataobj, phantom.labels == label), name


def test_reports_and_truth_have_a_row_for_each_phantom(written: Path) -> None:
    reports, truth = rows(written / "reports.csv"), rows(written / "truth.csv")
    assert [row["VolumeName"] for row in reports] == ["s0001.nii.gz", "s0002.nii.gz", "s0003.nii.gz"]
    assert all(row["Findings_EN"] and row["Impressions_EN"] for row in reports)
    for row in truth:
        volumes = json.loads(row["volumes_ml"])
        assert list(volumes) == list(STRUCTURES)
        for finding in json.loads(row["findings"]):
            if finding["kind"].startswith("absent_"):
                assert volumes[finding["structure"]] == 0


def test_the_same_seed_gives_the_same_bytes_whatever_the_jobs(written: Path, tmp_path: Path) -> None:
    assert main([str(tmp_path), "--count", "3", "--seed", "4", "--jobs", "2"]) == 0
    assert contents(tmp_path) == contents(written)


def test_more_phantoms_begin_with_the_same_ones_and_another_seed_gives_others() -> None:
    a, b, c = draw_patient(4, 1, STRUCTURES), draw_patient(4, 1, STRUCTURES), draw_patient(5, 1, STRUCTURES)
    assert a.findings == b.findings and np.array_equal(a.acquisition.affine, b.acquisition.affine)
    assert not np.array_equal(a.acquisition.affine, c.acquisition.affine)


def test_existing_files_are_kept_unless_overwritten(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    assert main([str(tmp_path), "--count", "1"]) == 2
    assert "is not empty" in capsys.readouterr().err
    assert main([str(tmp_path), "--count", "1", "--jobs", "1", "--overwrite"]) == 2
    out = tmp_path / "out"
    assert main([str(out), "--count", "2", "--jobs", "1"]) == 0
    (out / "mine.txt").write_text("mine")
    (out / "dataset" / "s0002" / "segmentations" / "mine.nii.gz").write_text("mine")
    assert main([str(out), "--count", "1", "--jobs", "1"]) == 2
    assert main([str(out), "--count", "1", "--jobs", "1", "--overwrite"]) == 2  # not ours is never taken away
    assert "s0002" in capsys.readouterr().err
    (out / "dataset" / "s0002" / "segmentations" / "mine.nii.gz").unlink()
    assert main([str(out), "--count", "1", "--jobs", "1", "--overwrite"]) == 0
    assert (out / "mine.txt").exists() and not (out / "dataset" / "s0002").exists()


def test_overwriting_takes_only_phantoms_away(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "dataset" / "patient7").mkdir(parents=True)
    assert main([str(tmp_path), "--count", "1", "--jobs", "1", "--overwrite"]) == 2
    assert "dataset" in capsys.readouterr().err and (tmp_path / "dataset" / "patient7").exists()
    (tmp_path / "file").write_text("")
    assert main([str(tmp_path / "file"), "--overwrite"]) == 2
    assert "is a file" in capsys.readouterr().err


@pytest.mark.parametrize("count", [1, 2, 3, 10, 300])
def test_splits_are_shares_of_the_whole(count: int) -> None:
    names = list(draw_splits(0, count))
    assert len(names) == count and (count < 3 or set(names) == {"train", "val", "test"})
    if count >= 10:
        assert names.count("test") == round(count * 0.2) and names.count("val") == round(count * 0.1)


@pytest.mark.parametrize("wrong", [["--count", "0"], ["--seed", "-1"], ["--jobs", "none"]])
def test_a_wrong_number_is_refused(tmp_path: Path, wrong: list[str]) -> None:
    with pytest.raises(SystemExit) as error:
        main([str(tmp_path), *wrong])
    assert error.value.code == 2
