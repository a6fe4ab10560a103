"""Files of a segmentation: what is written, that nothing is replaced unasked, and that all are there or none."""

from pathlib import Path

import nibabel
import numpy as np
import pydicom
import pytest
import torch

from tests.train.inference.segment_cases import affine_of, ball, dicom_series, hounsfield, nifti, result_of, scan_of
from train.inference import outputs as module
from train.inference.errors import SegmentError
from train.inference.label_table import LabelTable
from train.inference.outputs import Outputs
from train.inference.prompts import SegmentPrompt
from train.inference.result import SegmentationResult
from train.scans.scan import read_scan

SHAPE = (16, 15, 14)
NAMES = ["left kidney", "renal organ", "Ω/..", "spleen"]

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def result() -> SegmentationResult:
    left, right = ball(SHAPE, (4, 7, 6), 2.6), ball(SHAPE, (11, 7, 6), 2.6)
    logits = torch.stack([left, torch.maximum(left, right) + 1, right - 1, right - 9])
    return result_of(logits, NAMES, scan_of(hounsfield(SHAPE), np.diag([-1.0, -1, 2, 1])))


def prompts_of(result: SegmentationResult) -> list[SegmentPrompt]:
    return [SegmentPrompt(row.name, row.prompt) for row in result.table]


def array(path: Path) -> np.ndarray:
    return np.asarray(nibabel.load(path).dataobj)  # type: ignore[attr-defined]


def test_one_file_with_its_table_beside_it(result: SegmentationResult, tmp_path: Path) -> None:
    outputs = Outputs(tmp_path / "a.b" / "mask.nii.gz", preview=True, probabilities=True)
    outputs.prepare(Path("ct.nii.gz"), prompts_of(result))
    outputs.write(result)
    names = ["left_kidney", "renal_organ", "spleen", "Ω"]
    inside = {f"mask_probabilities/{name}.nii.gz" for name in names}
    written = {str(path.relative_to(tmp_path / "a.b")) for path in (tmp_path / "a.b").rglob("*") if path.is_file()}
    assert written == {"mask.nii.gz", "mask.json", "mask.png", *inside}
    assert np.array_equal(array(outputs.out), result.labels)
    assert LabelTable.model_validate_json((tmp_path / "a.b" / "mask.json").read_bytes()) == result.record
    maps = outputs.probability_maps(prompts_of(result))
    assert np.array_equal(array(maps["renal organ"]), result.probability("renal organ"))
    assert (tmp_path / "a.b" / "mask.png").read_bytes().startswith(b"\x89PNG")


def test_separate_masks_are_whole(result: SegmentationResult, tmp_path: Path) -> None:
    outputs = Outputs(tmp_path / "masks", separate=True)
    outputs.prepare(Path("ct.nii.gz"), prompts_of(result))
    outputs.write(result)
    for name, path in outputs.masks(prompts_of(result)).items():
        assert np.array_equal(array(path), result.mask(name)), name
        assert array(path).dtype == np.uint8
    comment, caret = nibabel.load(tmp_path / "masks" / "renal_organ.nii.gz").header.extensions  # type: ignore[attr-defined]
    (row,) = LabelTable.model_validate_json(comment.get_content()).labels
    assert row.name == "renal organ" and row.label == 1
    assert caret.get_code() == 30 and b'<Label Key="1"' in caret.content
    assert outputs.finished(prompts_of(result)) == result.record
    (tmp_path / "masks" / "spleen.nii.gz").unlink()
    assert outputs.finished(prompts_of(result)) is None


def test_names_that_files_cannot_have_do_not_meet() -> None:
    prompts = [SegmentPrompt(name, "x") for name in ("a/b", "a b", "A_B", "..", "", "x" * 300)]
    names = [path.name for path in module._files(Path(), prompts).values()]
    assert names[:5] == ["a_b.nii.gz", "a_b_2.nii.gz", "A_B_3.nii.gz", "prompt.nii.gz", "prompt_2.nii.gz"]
    assert len(names[5]) < 120


def test_what_is_there_is_not_replaced_unasked(result: SegmentationResult, tmp_path: Path) -> None:
    (tmp_path / "mask.json").write_text("mine")
    with pytest.raises(SegmentError, match=r"mask\.json is there already: .*--overwrite"):
        Outputs(tmp_path / "mask.nii.gz").prepare(Path("ct.nii.gz"), prompts_of(result))
    outputs = Outputs(tmp_path / "mask.nii.gz", preview=True, overwrite=True)
    with pytest.raises(SegmentError, match=r"mask\.json is there already, and was not written by `ovct segment`"):
        outputs.prepare(Path("ct.nii.gz"), prompts_of(result))
    assert (tmp_path / "mask.json").read_text() == "mine"
    (tmp_path / "mask.json").unlink()
    for _ in range(2):
        outputs.prepare(Path("ct.nii.gz"), prompts_of(result))
        outputs.write(result)
    (tmp_path / "mask.json").unlink()  # as a kill leaves them that comes before the table has its name
    Outputs(tmp_path / "mask.nii.gz", preview=True).prepare(Path("ct.nii.gz"), prompts_of(result))
    (tmp_path / "mask.png").write_bytes(b"a picture of mine")
    with pytest.raises(SegmentError, match=r"mask\.png is there already"):
        outputs.prepare(Path("ct.nii.gz"), prompts_of(result))


def test_the_scan_itself_is_never_replaced(tmp_path: Path) -> None:
    ct = nifti(tmp_path / "mask.nii.gz", hounsfield(SHAPE), np.eye(4))
    with pytest.raises(SegmentError, match="is the scan itself"):
        Outputs(ct, overwrite=True).prepare(ct, [SegmentPrompt("a", "a")])


def test_a_file_that_fails_leaves_the_others(
    result: SegmentationResult, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise KeyError("a tag")

    outputs = Outputs(tmp_path / "mask.nii.gz", preview=True)
    (tmp_path / "mask.png").write_text("of other masks")
    with monkeypatch.context() as patched:
        patched.setattr(module, "draw_preview", broken)
        assert outputs.write(result) == ([], {tmp_path / "mask.png": "'a tag' (KeyError)"})
    assert {path.name for path in tmp_path.iterdir()} == {"mask.nii.gz", "mask.json"}
    assert np.array_equal(array(outputs.out), result.labels)
    assert LabelTable.model_validate_json(outputs.table.read_bytes()).failed == ("mask.png",)
    assert outputs.finished(prompts_of(result)) is None
    outputs.prepare(Path("ct.nii.gz"), prompts_of(result))  # it may be made again, without --overwrite
    assert outputs.write(result) == ([], {}) and outputs.finished(prompts_of(result)) == result.record


def test_where_nothing_can_be_written_all_stays(
    result: SegmentationResult, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError("disk")

    (tmp_path / "mask.nii.gz").write_text("an older one")
    monkeypatch.setattr(SegmentationResult, "save", full)
    with pytest.raises(OSError, match="disk"):
        Outputs(tmp_path / "mask.nii.gz", overwrite=True).write(result)
    assert [path.name for path in tmp_path.iterdir()] == ["mask.nii.gz"]
    assert (tmp_path / "mask.nii.gz").read_text() == "an older one"


@pytest.mark.parametrize(
    ("out", "separate", "message"),
    [
        ("mask.mha", False, r"--out mask\.mha: a mask ends in \.nii\.gz, \.nii, \.seg\.nrrd, \.dcm"),
        (".nii.gz", False, "a mask ends in"),
        ("mask.nii.gz", True, "--separate writes a folder of masks: --out mask, not"),
    ],
)
def test_a_wrong_out_is_told(out: str, separate: bool, message: str) -> None:
    with pytest.raises(SegmentError, match=message):
        Outputs(Path(out), separate)


def test_a_nifti_scan_has_no_dicom_seg(result: SegmentationResult) -> None:
    with pytest.raises(SegmentError, match="is no DICOM series"):
        Outputs(Path("mask.dcm")).check_scan(result.scan, prompts_of(result))


def test_a_series_has_an_rtstruct_beside_its_mask(tmp_path: Path) -> None:
    scan = read_scan(dicom_series(tmp_path / "ct", hounsfield(SHAPE), affine_of((2, 2, 2), "LPS")))
    result = result_of(ball(SHAPE, [size // 2 for size in SHAPE], 3)[None], ["spleen"], scan)
    outputs = Outputs(tmp_path / "mask.nii.gz", rtstruct=True)
    outputs.prepare(scan.path, prompts_of(result))
    assert outputs.check_scan(scan, prompts_of(result)) == []
    assert outputs.write(result) == ([], {})
    written = tmp_path / "mask.rtstruct.dcm"
    assert written in outputs.main_paths() and pydicom.dcmread(written).Modality == "RTSTRUCT"
    # A second run knows it as its own; a file of another program stays.
    Outputs(tmp_path / "mask.nii.gz", rtstruct=True, overwrite=True).prepare(scan.path, prompts_of(result))
    written.write_bytes(bytes(200))
    with pytest.raises(SegmentError, match="was not written by `ovct segment`"):
        Outputs(tmp_path / "mask.nii.gz", rtstruct=True, overwrite=True).prepare(scan.path, prompts_of(result))


def test_no_mask_at_all_is_a_picture_too(tmp_path: Path) -> None:
    empty = result_of(torch.full((1, *SHAPE), -1.0), ["spleen"], scan_of(hounsfield(SHAPE)))
    outputs = Outputs(tmp_path / "mask.nii.gz", preview=True)
    outputs.write(empty)
    assert not array(outputs.out).any() and (tmp_path / "mask.png").stat().st_size > 1000
