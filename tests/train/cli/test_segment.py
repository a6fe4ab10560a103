"""`ovct segment` from end to end, with a tiny model that was never trained."""

import json
from pathlib import Path

import nibabel
import numpy as np
import pytest
from typer.testing import CliRunner, Result

from ovct import app
from tests.json_schemas import checked
from tests.train.inference.engines import stand_in
from tests.train.inference.engines.made_weights import box, published_file, scan_file
from tests.train.inference.segment_cases import affine_of, hounsfield, nifti, tiny_checkpoint

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("command")
    tiny_checkpoint(folder)
    nifti(folder / "ct.nii.gz", hounsfield((14, 12, 10)), affine_of((2, 2, 3), "LAS"))
    nifti(folder / "bright.nii.gz", (hounsfield((14, 12, 10)) // 10 + 110).astype(np.int16), affine_of((2, 2, 3)))
    return folder


def run(folder: Path, *arguments: str, ct: str = "ct.nii.gz") -> Result:
    given = [str(folder / ct)] if ct else []
    return CliRunner().invoke(
        app, ["segment", *given, "--checkpoint", str(folder / "mlp"), "--device", "cpu", *arguments]
    )


def test_a_label_map_a_table_and_a_picture(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "new" / "mask.nii.gz"
    arguments = [
        "--prompt",
        "left kidney",
        "--prompt",
        "renal organ",
        "--presence-threshold",
        "0",
        "--threshold",
        "0.1",
    ]
    result = run(folder, *arguments, "--out", str(out), "--preview")
    assert result.exit_code == 0, result.output
    assert "left kidney" in result.stdout and "mean HU" in result.stdout and f"In {out}" in result.stdout
    table = json.loads((tmp_path / "new" / "mask.json").read_text())
    labels, scan = nibabel.load(out), nibabel.load(folder / "ct.nii.gz")
    assert np.array_equal(labels.affine, scan.affine) and labels.shape == scan.shape  # type: ignore[attr-defined]
    counted = np.bincount(np.asarray(labels.dataobj).ravel(), minlength=3)  # type: ignore[attr-defined]
    for row in table["labels"]:
        assert row["in_label_map_ml"] == pytest.approx(counted[row["label"]] * 0.012)
    assert [row["prompt"] for row in table["labels"]] == ["left kidney", "renal organ"]
    assert (tmp_path / "new" / "mask.png").exists()
    again = run(folder, *arguments, "--out", str(out))
    assert again.exit_code == 2 and "is there already: name another --out, or say --overwrite" in again.stderr
    assert run(folder, *arguments, "--out", str(out), "--overwrite").exit_code == 0


def test_all_structures_and_a_file_of_prompts(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "prompts.txt").write_text("extra: a structure\n")
    out = tmp_path / "masks"
    result = run(folder, "--all", "--prompts", str(tmp_path / "prompts.txt"), "--separate", "--out", str(out))
    assert result.exit_code == 0, result.output
    names = {path.name for path in out.iterdir()}
    assert len(names) == 119 and {"extra.nii.gz", "kidney_left.nii.gz", "mask.json"} <= names


def test_jobs_end_with_1_where_one_failed(folder: Path, tmp_path: Path) -> None:
    rows = [f"{folder}/{name}.nii.gz,{tmp_path}/{name}.nii.gz" for name in ("ct", "none")]
    (tmp_path / "jobs.csv").write_text("\n".join(["ct,out", *rows]))
    result = run(folder, "--jobs", str(tmp_path / "jobs.csv"), "--prompt", "liver", ct="")
    assert result.exit_code == 1 and "1 scans segmented, 0 were there, 1 failed." in result.stdout
    assert "none.nii.gz: no such file" in result.stderr and (tmp_path / "ct.json").exists()


def test_what_is_no_hu_is_told(folder: Path, tmp_path: Path) -> None:
    result = run(folder, "--prompt", "liver", "--out", str(tmp_path / "m.nii.gz"), ct="bright.nii.gz")
    assert result.exit_code == 0 and f"{folder / 'bright.nii.gz'}: " in result.stderr
    assert json.loads((tmp_path / "m.json").read_text())["warnings"]


@pytest.mark.parametrize(
    ("ct", "arguments", "told"),
    [
        ("ct.nii.gz", [], "nothing to segment: --prompt"),
        ("", ["--prompt", "liver"], "segment needs a CT"),
        ("ct.nii.gz", ["--prompt", " "], "prompt 1 is empty"),
        ("none.nii.gz", ["--prompt", "liver"], "none.nii.gz: no such file"),
        ("ct.nii.gz", ["--prompt", "liver", "--dicom-seg"], "is no DICOM series"),
        ("ct.nii.gz", ["--prompt", "liver", "--rtstruct"], "is no DICOM series, and an RTSTRUCT refers to one"),
        ("ct.nii.gz", ["--prompt", "liver", "--checkpoint", "/none"], "a checkpoint is a folder that holds"),
        ("ct.nii.gz", ["--prompt", "liver", "--engine", "nnunet"], "--engine nnunet: checkpoint, totalsegmentator"),
        ("ct.nii.gz", ["--prompt", "liver", "--device", "toaster"], "--device toaster: no such device"),
        ("ct.nii.gz", ["--prompt", "liver", "--separate", "--out", "m.nii.gz"], "--separate writes a folder"),
    ],
)
def test_what_is_wrong_is_told_and_ends_with_2(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ct: str, arguments: list[str], told: str
) -> None:
    monkeypatch.chdir(tmp_path)
    result = run(folder, *arguments, ct=ct)
    assert result.exit_code == 2 and told in result.stderr, result.output
    assert list(tmp_path.iterdir()) == []


def test_the_report_of_a_scan_is_one_json_object(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "mask.nii.gz"
    result = run(folder, "--prompt", "left kidney", "--presence-threshold", "0", "--out", str(out), "--json")
    assert result.exit_code == 0, result.output
    report = checked("segment", result.stdout)
    assert report["files"] == [str(out), str(tmp_path / "mask.json")] or str(out) in report["files"]
    assert [row["prompt"] for row in report["labels"]] == ["left kidney"]
    quiet = run(folder, "--prompt", "left kidney", "--out", str(out), "--overwrite", "--quiet")
    assert quiet.exit_code == 0 and quiet.stdout == ""


def test_the_report_of_many_scans_is_one_json_object(folder: Path, tmp_path: Path) -> None:
    rows = [f"{folder}/{name}.nii.gz,{tmp_path}/{name}.nii.gz" for name in ("ct", "none")]
    (tmp_path / "jobs.csv").write_text("\n".join(["ct,out", *rows]))
    result = run(folder, "--jobs", str(tmp_path / "jobs.csv"), "--prompt", "liver", "--json", ct="")
    report = checked("segment-jobs", result.stdout)
    assert result.exit_code == 1
    assert [len(report[name]) for name in ("segmented", "skipped", "failed")] == [1, 0, 1]
    assert report["failed"][0]["source"].endswith("jobs.csv, line 3")


def test_a_quiet_run_still_names_what_failed(folder: Path, tmp_path: Path) -> None:
    rows = [f"{folder}/{name}.nii.gz,{tmp_path}/{name}.nii.gz" for name in ("bright", "none")]
    (tmp_path / "jobs.csv").write_text("\n".join(["ct,out", *rows]))
    result = run(folder, "--jobs", str(tmp_path / "jobs.csv"), "--prompt", "liver", "--quiet", ct="")
    assert result.exit_code == 1 and result.stdout == ""
    assert "jobs.csv, line 3" in result.stderr and "none.nii.gz: no such file" in result.stderr
    assert "HU" in result.stderr, "a warning of the scan that was segmented"


def test_published_weights_segment_without_any_training(tmp_path: Path) -> None:
    weights, ct, out = published_file(tmp_path), scan_file(tmp_path), tmp_path / "mask.nii.gz"
    arguments = ["segment", str(ct), "--checkpoint", str(weights), "--out", str(out), "--device", "cpu"]
    done = CliRunner().invoke(app, [*arguments, "--prompt", "renal organs", "--json"])
    assert done.exit_code == 0, done.output
    (row,) = checked("segment", done.stdout)["labels"]
    assert row["volume_ml"] == pytest.approx(2 * 7**3 * 1.5**3 / 1000) and row["presence"] is None
    assert "'renal organs' was taken as left kidney + right kidney" in done.stderr
    labels = np.asarray(nibabel.load(out).dataobj)  # type: ignore[attr-defined]
    assert np.array_equal(labels > 0, box("kidney_left") | box("kidney_right"))
    unknown = CliRunner().invoke(app, [*arguments, "--prompt", "banana", "--overwrite"])
    assert unknown.exit_code == 2 and "'banana' is unknown. --list-prompts shows" in unknown.stderr


def test_what_a_checkpoint_knows_is_listed(folder: Path, tmp_path: Path) -> None:
    listed = CliRunner().invoke(app, ["segment", "--list-prompts", "--checkpoint", str(published_file(tmp_path))])
    assert listed.exit_code == 0 and "left kidney" in listed.stdout and "lumbar spine" in listed.stdout
    silent = run(folder, "--list-prompts", ct="")
    assert silent.exit_code == 0 and "does not record what it was trained on" in " ".join(silent.stdout.split())
    known = checked("segment-prompts", run(folder, "--list-prompts", "--json", ct="").stdout)
    assert (known["kind"], known["structures"]) == ("text", [])


def test_a_folder_of_scans_goes_on_after_one_that_fails_and_leaves_what_is_done(folder: Path, tmp_path: Path) -> None:
    scans, out = tmp_path / "scans", tmp_path / "masks"
    for name in ("a", "c"):
        nifti(scans / f"{name}.nii.gz", hounsfield((12, 11, 10)), affine_of((2, 2, 2)))
    (scans / "b.nii.gz").write_bytes(b"no scan")
    arguments = ["--prompt", "liver", "--out", str(out), "--json"]
    report = checked("segment-jobs", run(folder, *arguments, ct=str(scans)).stdout)
    assert [len(report[name]) for name in ("segmented", "skipped", "failed")] == [2, 0, 1]
    assert report["failed"][0]["scan"] == str(scans / "b.nii.gz")
    assert {path.name for path in out.iterdir()} == {"a.nii.gz", "a.json", "c.nii.gz", "c.json"}
    again = run(folder, *arguments, ct=str(scans))
    assert again.exit_code == 1 and len(checked("segment-jobs", again.stdout)["skipped"]) == 2
    for other, told in ((scans, "is the folder of the scans"), (tmp_path / "m.nii.gz", "is a folder of 3 scans")):
        refused = run(folder, "--prompt", "liver", "--out", str(other), ct=str(scans))
        assert refused.exit_code == 2 and told in refused.stderr


def test_totalsegmentator_has_to_be_installed(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    arguments = ["segment", str(folder / "ct.nii.gz"), "--engine", "totalsegmentator", "--prompt", "renal organs"]
    arguments += ["--device", "cpu", "--out", str(tmp_path / "m.nii.gz")]
    stand_in.install(monkeypatch, tmp_path, stand_in.by_intensity({}))
    done = CliRunner().invoke(app, arguments)
    assert done.exit_code == 0 and "anonymous statistics" in done.stderr, done.output
    refused = CliRunner().invoke(app, [*arguments, "--probabilities", "--overwrite"])
    assert refused.exit_code == 2 and "come without them" in refused.stderr
    monkeypatch.undo()
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    missing = CliRunner().invoke(app, [*arguments, "--overwrite"])
    assert missing.exit_code == 2 and "pip install TotalSegmentator" in missing.stderr


def test_a_file_that_fails_ends_with_1_and_leaves_the_mask(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise TypeError("no such colour")

    monkeypatch.setattr("train.inference.outputs.draw_preview", broken)
    out = tmp_path / "mask.nii.gz"
    arguments = ("--prompt", "liver", "--presence-threshold", "0", "--out", str(out), "--preview", "--json")
    result = run(folder, *arguments)
    assert result.exit_code == 1 and f"{tmp_path / 'mask.png'}: no such colour (TypeError)" in result.stderr
    report = checked("segment", result.stdout)
    assert report["failed"] == [f"{tmp_path / 'mask.png'}: no such colour (TypeError)"]
    assert report["files"] == [str(out), str(tmp_path / "mask.json")] and out.exists()
