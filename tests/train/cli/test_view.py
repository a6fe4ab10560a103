"""`ovct view` from its command line: pages as files, what is served, and what is refused."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from pydicom.dataset import FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, SegmentationStorage, generate_uid
from typer.testing import CliRunner, Result

from ovct import app
from tests.train.inference.segment_cases import affine_of, hounsfield, nifti, tiny_checkpoint
from tests.train.viewer.view_cases import block_mask, hounsfield_blocks, oblique_affine, write_case
from train.scans.saving import save_nifti


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, ["view", *map(str, arguments)])


def test_a_page_is_written_whole_and_its_size_told(tmp_path: Path) -> None:
    scan, mask = write_case(tmp_path)
    result = run(scan, mask, "--out", tmp_path / "page.html")
    assert result.exit_code == 0, result.output
    assert result.stdout.startswith(f"In {tmp_path / 'page.html'}: ct.nii.gz, ")
    page = (tmp_path / "page.html").read_text()
    assert '"name": "spleen"' in page and 'id="labels-file"' in page
    assert sorted(path.name for path in tmp_path.iterdir()) == ["ct.nii.gz", "mask.nii.gz", "page.html"]


def test_masks_in_a_folder_and_a_mask_that_knows_its_scan(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[dict[str, Any]] = []

    def served(app: object, listener: object, page: str | None) -> None:
        assert page is None
        shown.append(app.state.description)  # type: ignore[attr-defined]

    monkeypatch.setattr("train.viewer.server.serve", served)
    scan, mask = write_case(tmp_path)
    (tmp_path / "masks").mkdir()
    for name in ("spleen", "liver"):
        save_nifti(tmp_path / "masks" / f"{name}.nii.gz", block_mask(name), oblique_affine())
    for arguments in ((scan, tmp_path / "masks"), (mask,), (scan,)):
        result = run(*arguments, "--no-browser", "--port", "0")
        assert result.exit_code == 0, result.output
        assert "http://127.0.0.1:" in result.stdout and "Ctrl-C ends the view." in result.stdout
    assert [[one["name"] for one in told["structures"]] for told in shown] == [
        ["liver", "spleen"], ["liver", "spleen", "nodule", "left kidney"], [],
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["ct.nii.gz", "--out", "page.txt"], "the page is one HTML file; give a name that ends in .html"),
        (["ct.nii.gz", "--out", "p.html", "--port", "1"], "one at a time"),
        (["gone.nii.gz"], "gone.nii.gz: no such file"),
        (["ct.nii.gz", "gone.nii.gz"], "gone.nii.gz: no such file"),
        (["ct.nii.gz", "ct.nii.gz"], "ct.nii.gz: values from -1,000 to 300 are no labels: is it an image?"),
        (["ct.nii.gz", "far.nii.gz"], "far.nii.gz: lies nowhere on "),
        (["ct.nii.gz", "far.nii.gz"], "Name the scan that it was made of"),
        (["ct.nii.gz", "empty"], "no masks in this folder"),
        (["ct.nii.gz", "notes.txt"], "notes.txt: no mask: one is .nii, .nii.gz, .mha, .mhd, .nrrd, .nhdr, a DICOM SEG"),
        (["notes.txt"], "notes.txt: not a format that is known here. A CT volume is .nii"),
        (["seg.dcm"], "seg.dcm is a mask, a DICOM SEG: name the scan first, `ovct view SCAN seg.dcm`"),
        (["seg.dcm", "ct.nii.gz"], "seg.dcm is a mask, a DICOM SEG: name the scan first"),
    ],
)
def test_what_cannot_be_shown_is_refused_by_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], message: str
) -> None:
    save_nifti(tmp_path / "ct.nii.gz", hounsfield_blocks(), oblique_affine())
    far = oblique_affine()
    far[:3, 3] += 1000
    save_nifti(tmp_path / "far.nii.gz", np.ones((4, 4, 4), np.uint8), far)
    (tmp_path / "empty").mkdir()
    (tmp_path / "notes.txt").write_text("no volume")
    header = pydicom.Dataset()
    header.SOPClassUID, header.SOPInstanceUID = SegmentationStorage, generate_uid()
    header.file_meta = FileMetaDataset()
    header.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    pydicom.dcmwrite(tmp_path / "seg.dcm", header, enforce_file_format=True)
    monkeypatch.chdir(tmp_path)
    result = run(*arguments)
    assert result.exit_code == 2, result.output
    assert message in " ".join(result.stderr.split())
    assert not list(tmp_path.glob("*.html"))


@pytest.mark.usefixtures("one_thread")
def test_masks_are_looked_at_once_they_are_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[dict[str, Any]] = []
    monkeypatch.setattr("train.viewer.server.serve", lambda app, *_: shown.append(app.state.description))
    tiny_checkpoint(tmp_path)
    nifti(tmp_path / "ct.nii.gz", hounsfield((14, 12, 10)), affine_of((2, 2, 3), "LAS"))
    asked = ["--checkpoint", str(tmp_path / "mlp"), "--device", "cpu", "--prompt", "left kidney", "--view"]
    asked += ["--presence-threshold", "0", "--threshold", "0.1", "--no-browser", "--json"]
    one = ["segment", str(tmp_path / "ct.nii.gz"), *asked, "--out", str(tmp_path / "mask.nii.gz")]
    result = CliRunner().invoke(app, one)
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["labels"][0]["prompt"] == "left kidney"
    assert "http://127.0.0.1:" in result.stderr
    assert [one["name"] for one in shown[0]["structures"]] == ["left kidney"] and shown[0]["scan"] == "ct.nii.gz"
    many = CliRunner().invoke(app, ["segment", *asked, "--jobs", str(tmp_path / "jobs.csv")])
    assert many.exit_code == 2 and "--view shows one scan" in many.stderr and len(shown) == 1
