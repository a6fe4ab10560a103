"""Masks of several kinds, and where the names of their labels come from."""

import gzip
from pathlib import Path

import nibabel
import numpy as np
import pytest
import torch
from nibabel.nifti1 import Nifti1Extension

from tests.train.inference.segment_cases import affine_of, ball, dicom_series, hounsfield, result_of, scan_of
from tests.train.viewer.view_cases import label_map, oblique_affine, table, write_case
from train.inference.files.dicom_seg import write_dicom_seg
from train.inference.files.label_names import colours_of
from train.inference.files.seg_nrrd import write_seg_nrrd
from train.scans.errors import ScanError
from train.scans.saving import save_nifti
from train.scans.scan import read_scan
from train.viewer.errors import ViewError
from train.viewer.mask_files import CARET, file_stem, mask_paths, mask_record, read_mask
from train.viewer.structures import StructureMap


def names(path: Path) -> list[str]:
    (mask,) = read_mask(path)
    return [mask.name_of(label).name for label in np.unique(mask.labels) if label]


def write_caret(path: Path, xml: str) -> None:
    image = nibabel.Nifti1Image(label_map(), oblique_affine())
    image.header.extensions.append(Nifti1Extension(CARET, xml.encode()))
    nibabel.save(image, path)


def test_the_table_of_segment_names_labels_and_scan(tmp_path: Path) -> None:
    scan, path = write_case(tmp_path)
    (mask,) = read_mask(path)
    assert names(path) == ["liver", "spleen", "nodule"]
    assert mask.scan == scan and mask.name_of(1).prompt == "the liver"
    assert np.array_equal(mask.labels, label_map()) and np.allclose(mask.affine, oblique_affine(), atol=1e-4)


def test_the_table_beside_a_file_of_another_format(tmp_path: Path) -> None:
    import SimpleITK

    SimpleITK.WriteImage(SimpleITK.GetImageFromArray(label_map().transpose()), tmp_path / "mask.nrrd")
    assert names(tmp_path / "mask.nrrd") == ["label 1", "label 2", "label 3"]
    (tmp_path / "mask.json").write_bytes(table(tmp_path / "ct.nii.gz").json_bytes())
    assert names(tmp_path / "mask.nrrd") == ["liver", "spleen", "nodule"]


def test_a_carets_label_table(tmp_path: Path) -> None:
    labels = (
        '<Label Key="1" Red="1"><![CDATA[liver & co]]></Label><Label Key="3">nodule</Label><Label Key="x">no</Label>'
    )
    write_caret(tmp_path / "mask.nii.gz", f"<CaretExtension><LabelTable>{labels}</LabelTable></CaretExtension>\0\0")
    assert names(tmp_path / "mask.nii.gz") == ["liver & co", "label 2", "nodule"]


@pytest.mark.parametrize(
    "xml",
    [
        "",
        "not XML",
        "<a><Label Key='1'>",
        '<!DOCTYPE a [<!ENTITY e SYSTEM "file:///etc/passwd">]><Label Key="1">&e;</Label>',
    ],
)
def test_a_label_table_that_says_nothing_is_no_harm(tmp_path: Path, xml: str) -> None:
    write_caret(tmp_path / "mask.nii.gz", xml)
    assert names(tmp_path / "mask.nii.gz") == ["label 1", "label 2", "label 3"]


def test_a_file_of_one_structure_has_its_name(tmp_path: Path) -> None:
    save_nifti(tmp_path / "left_kidney.nii.gz", (label_map() == 2), oblique_affine())
    save_nifti(tmp_path / "liver.nii", (label_map() == 1), oblique_affine())
    (tmp_path / "notes.txt").write_text("no mask")
    save_nifti(tmp_path / "mask.nii", label_map(), oblique_affine())
    (tmp_path / "mask.nii").rename(tmp_path / "mask.seg.nrrd")  # what 3D Slicer reads, beside them
    (tmp_path / "seg.dcm").write_bytes(b"no DICOM")
    files = mask_paths(tmp_path)
    assert [names(file) for file in files] == [["left_kidney"], ["liver"]]


def test_what_is_no_mask_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(ViewError, match=r"no masks in this folder"):
        mask_paths(tmp_path)
    save_nifti(tmp_path / "ct.nii.gz", label_map().astype(np.int16) * 500 - 1000, oblique_affine())
    with pytest.raises(ViewError, match=r"ct\.nii\.gz: values from -1,000 to 500 are no labels"):
        list(read_mask(tmp_path / "ct.nii.gz"))
    save_nifti(tmp_path / "share.nii.gz", label_map() * np.float32(0.3), oblique_affine())
    with pytest.raises(ScanError, match=r"share\.nii\.gz: labels are whole numbers"):
        list(read_mask(tmp_path / "share.nii.gz"))
    with pytest.raises(ScanError, match=r"gone\.nii\.gz"):
        list(read_mask(tmp_path / "gone.nii.gz"))


@pytest.mark.parametrize("name", ["mask.seg.nrrd", "raw.nrrd"])
@pytest.mark.usefixtures("one_thread")
def test_segments_of_slicer_have_their_names_and_colours_and_overlap(tmp_path: Path, name: str) -> None:
    shape, affine = (14, 12, 10), affine_of((1.5, 2, 3), "LPS")
    left, right = ball(shape, (4, 6, 3), 2.2), ball(shape, (10, 6, 6), 2.2)
    logits = torch.stack([left, torch.maximum(left, right) + 1, left - 9])
    scan = scan_of(hounsfield(shape), affine)
    result = result_of(logits, ["left kidney", "renal organ", "a\\b: c"], scan)
    write_seg_nrrd(result, tmp_path / name)
    if name == "raw.nrrd":
        head, _, data = (tmp_path / name).read_bytes().partition(b"\n\n")
        plain = head.replace(b"encoding: gzip", b"encoding: raw")
        (tmp_path / name).write_bytes(plain + b"\n\n" + gzip.decompress(data))
    masks = list(read_mask(tmp_path / name))
    found = {named.name: (mask.labels == named.label, named.colour) for mask in masks for named in mask.named}
    assert len(masks) == 2 and found.keys() == set(result.names)
    for row in result.table:
        assert np.array_equal(found[row.name][0], result.mask(row.name)), row.name
        assert found[row.name][1] == colours_of(result.table)[row.name]
    assert all(np.allclose(mask.affine, affine) for mask in masks)
    with pytest.raises(ScanError, match="several volumes in one file"):
        read_scan(tmp_path / name)


@pytest.mark.usefixtures("one_thread")
def test_a_cut_off_file_of_layers_is_refused_and_odd_pairs_are_no_harm(tmp_path: Path) -> None:
    shape = (14, 12, 10)
    balls = torch.stack([ball(shape, (4, 6, 3), 2.2), ball(shape, (5, 6, 3), 3.2)])
    path = tmp_path / "mask.seg.nrrd"
    write_seg_nrrd(result_of(balls, ["liver", "spleen"], scan_of(hounsfield(shape))), path)
    content = path.read_bytes()
    for old, new in ((b"_Color:=", b"_Color:=x "), (b"Segment1_LabelValue:=2", b"Segment1_LabelValue:=two")):
        assert old in content
        path.write_bytes(content.replace(old, new))
        assert [mask.named[0].name for mask in read_mask(path) if mask.named][:1] == ["liver"]
    path.write_bytes(content[:-20])
    with pytest.raises(ScanError, match=r"mask\.seg\.nrrd"):
        list(read_mask(path))


def test_the_table_beside_slicers_file_knows_the_scan(tmp_path: Path) -> None:
    assert file_stem(tmp_path / "mask.SEG.nrrd") == "mask"
    (tmp_path / "mask.seg.nrrd").write_bytes(b"NRRD0004\n")
    (tmp_path / "mask.json").write_bytes(table(tmp_path / "ct.nii.gz").json_bytes())
    record = mask_record(tmp_path / "mask.seg.nrrd")
    assert record is not None and record.scan == str(tmp_path / "ct.nii.gz")


@pytest.mark.parametrize("axes", ["LPS", "LPI"])
@pytest.mark.usefixtures("one_thread")
def test_a_dicom_seg_shows_what_the_other_files_of_the_same_masks_do(tmp_path: Path, axes: str) -> None:
    shape = (14, 12, 10)
    scan = read_scan(dicom_series(tmp_path / "series", hounsfield(shape), affine_of((1.5, 2, 3), axes)))
    logits = torch.stack([ball(shape, (4, 6, 3), 2.2), ball(shape, (4, 6, 3), -9), ball(shape, (10, 3, 6), 1.5)])
    result = result_of(logits, ["left kidney", "spleen", "odd thing"], scan)
    write_dicom_seg(result, tmp_path / "mask.dcm")
    write_seg_nrrd(result, tmp_path / "mask.seg.nrrd")
    result.save(tmp_path / "mask.nii.gz")
    for name in ("mask.dcm", "mask.seg.nrrd", "mask.nii.gz"):
        shown = StructureMap(scan)
        for mask in read_mask(tmp_path / name):
            shown.add(mask)
        found = {one.name: (shown.labels == one.label, one.volume_ml) for one in shown.structures}
        assert found.keys() - {"spleen"} == {"left kidney", "odd thing"} and shown.notices == [], name
        for row in (result.row("left kidney"), result.row("odd thing")):
            assert np.array_equal(found[row.name][0], result.mask(row.name)), name
            assert found[row.name][1] == pytest.approx(row.volume_ml), name
