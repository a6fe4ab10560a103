"""Files of a segmentation: what is written, that nothing is replaced unasked, and that all are there or none."""

from io import StringIO
from pathlib import Path

import nibabel
import numpy as np
import pytest
import torch
from rich.console import Console

from tests.train.inference.segment_cases import ball, found_of, hounsfield, nifti, scan_of
from train.inference import outputs as module
from train.inference.label_table import LabelTable, table_of
from train.inference.outputs import Outputs
from train.inference.preview import planes
from train.inference.prompts import Prompt, SegmentError
from train.inference.segmenting import Segmented

SHAPE = (16, 15, 14)
NAMES = ["left kidney", "renal organ", "Ω/..", "spleen"]

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def found() -> Segmented:
    left, right = ball(SHAPE, (4, 7, 6), 2.6), ball(SHAPE, (11, 7, 6), 2.6)
    logits = torch.stack([left, torch.maximum(left, right) + 1, right - 1, right - 9])
    return found_of(logits, NAMES, scan_of(hounsfield(SHAPE), np.diag([-1.0, -1, 2, 1])))


def prompts_of(found: Segmented) -> list[Prompt]:
    return [Prompt(row.name, row.prompt) for row in found.table]


def array(path: Path) -> np.ndarray:
    return np.asarray(nibabel.load(path).dataobj)  # type: ignore[attr-defined]


def test_one_file_with_its_table_beside_it(found: Segmented, tmp_path: Path) -> None:
    wanted = Outputs(tmp_path / "a.b" / "mask.nii.gz", preview=True, probabilities=True)
    wanted.prepare(Path("ct.nii.gz"), prompts_of(found))
    wanted.write(found)
    names = ["left_kidney", "renal_organ", "spleen", "Ω"]
    inside = {f"mask_probabilities/{name}.nii.gz" for name in names}
    written = {str(path.relative_to(tmp_path / "a.b")) for path in (tmp_path / "a.b").rglob("*") if path.is_file()}
    assert written == {"mask.nii.gz", "mask.json", "mask.png", *inside}
    assert np.array_equal(array(wanted.out), found.labels)
    assert LabelTable.model_validate_json((tmp_path / "a.b" / "mask.json").read_bytes()) == found.record
    maps = wanted.probability_maps(prompts_of(found))
    assert np.array_equal(array(maps["renal organ"]), found.probability("renal organ"))
    assert (tmp_path / "a.b" / "mask.png").read_bytes().startswith(b"\x89PNG")


def test_separate_masks_are_whole(found: Segmented, tmp_path: Path) -> None:
    wanted = Outputs(tmp_path / "masks", separate=True)
    wanted.prepare(Path("ct.nii.gz"), prompts_of(found))
    wanted.write(found)
    for name, path in wanted.masks(prompts_of(found)).items():
        assert np.array_equal(array(path), found.mask(name)), name
        assert array(path).dtype == np.uint8
    (extension,) = nibabel.load(tmp_path / "masks" / "renal_organ.nii.gz").header.extensions  # type: ignore[attr-defined]
    (row,) = LabelTable.model_validate_json(extension.get_content()).labels
    assert row.name == "renal organ" and row.label == 1
    assert wanted.finished(prompts_of(found)) == found.record
    (tmp_path / "masks" / "spleen.nii.gz").unlink()
    assert wanted.finished(prompts_of(found)) is None


def test_names_that_files_cannot_have_do_not_meet() -> None:
    asked = [Prompt(name, "x") for name in ("a/b", "a b", "A_B", "..", "", "x" * 300)]
    names = [path.name for path in module._files(Path(), asked).values()]
    assert names[:5] == ["a_b.nii.gz", "a_b_2.nii.gz", "A_B_3.nii.gz", "prompt.nii.gz", "prompt_2.nii.gz"]
    assert len(names[5]) < 120


def test_what_is_there_is_not_replaced_unasked(found: Segmented, tmp_path: Path) -> None:
    (tmp_path / "mask.json").write_text("mine")
    with pytest.raises(SegmentError, match=r"mask\.json is there already: .*--overwrite"):
        Outputs(tmp_path / "mask.nii.gz").prepare(Path("ct.nii.gz"), prompts_of(found))
    wanted = Outputs(tmp_path / "mask.nii.gz", overwrite=True)
    wanted.prepare(Path("ct.nii.gz"), prompts_of(found))
    wanted.write(found)
    assert (tmp_path / "mask.json").read_text() != "mine"


def test_the_scan_itself_is_never_replaced(tmp_path: Path) -> None:
    ct = nifti(tmp_path / "mask.nii.gz", hounsfield(SHAPE), np.eye(4))
    with pytest.raises(SegmentError, match="is the scan itself"):
        Outputs(ct, overwrite=True).prepare(ct, [Prompt("a", "a")])


def test_a_failure_leaves_nothing(found: Segmented, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise OSError("disk")

    (tmp_path / "mask.nii.gz").write_text("an older one")
    monkeypatch.setattr(module, "draw_preview", broken)
    with pytest.raises(OSError, match="disk"):
        Outputs(tmp_path / "mask.nii.gz", preview=True, overwrite=True).write(found)
    assert [path.name for path in tmp_path.iterdir()] == ["mask.nii.gz"]
    assert (tmp_path / "mask.nii.gz").read_text() == "an older one"


@pytest.mark.parametrize(
    ("out", "separate", "told"),
    [
        ("mask.mha", False, r"--out mask\.mha: a mask ends in \.nii\.gz, \.nii, \.dcm"),
        (".nii.gz", False, "a mask ends in"),
        ("mask.nii.gz", True, "--separate writes a folder of masks: --out mask, not"),
    ],
)
def test_a_wrong_out_is_told(out: str, separate: bool, told: str) -> None:
    with pytest.raises(SegmentError, match=told):
        Outputs(Path(out), separate)


def test_a_nifti_scan_has_no_dicom_seg(found: Segmented) -> None:
    with pytest.raises(SegmentError, match="is no DICOM series"):
        Outputs(Path("mask.dcm")).suit(found.scan)


def test_planes_show_the_patient_as_radiologists_do(found: Segmented) -> None:
    """Axes L P S: the left kidney has the lower x, and lies in the picture on the right."""
    left = scan_of(found.scan.voxels, np.diag([1.0, 1, 2, 1]))
    logits = ball(SHAPE, (4, 3, 10), 2.6)[None]
    for scan, flip in ((left, ()), (found.scan, (1, 2))):
        shown = found_of(torch.flip(logits, flip), ["left kidney"], scan)
        axial, coronal, sagittal = planes(shown)
        for plane, (x, y) in ((axial, (11, 3)), (coronal, (11, 10)), (sagittal, (11, 10))):
            rows, columns = np.nonzero(plane.masks["left kidney"])
            assert rows.mean() == pytest.approx(y, abs=0.6) and columns.mean() == pytest.approx(x, abs=0.6), plane.title
        assert [plane.mm for plane in (axial, coronal)] == [(1, 1), (1, 2)]
        assert axial.image.shape == (15, 16) and sagittal.image.shape == (14, 15)


def test_no_mask_at_all_is_a_picture_too(tmp_path: Path) -> None:
    empty = found_of(torch.full((1, *SHAPE), -1.0), ["spleen"], scan_of(hounsfield(SHAPE)))
    wanted = Outputs(tmp_path / "mask.nii.gz", preview=True)
    wanted.write(empty)
    assert not array(wanted.out).any() and (tmp_path / "mask.png").stat().st_size > 1000


def test_the_table_says_what_lies_in_what(found: Segmented) -> None:
    printed = StringIO()
    Console(width=140, file=printed).print(table_of(found.record))
    told = printed.getvalue()
    assert "100% in renal organ" in told and "no voxel" in told
