"""A zip of a series is read as its folder is; one that leads out, is damaged or unpacks to too much is refused."""

import gc
import stat
import struct
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tests.train.inference.segment_cases import affine_of, dicom_series, hounsfield, nifti
from train.scans.errors import ScanError
from train.scans.scan import read_scan

VOXELS, AFFINE = hounsfield((12, 11, 8)), affine_of((3, 3, 4), "LPS")


def zipped(folder: Path, source: Path, named: Callable[[str], str] = lambda name: name) -> Path:
    path = folder / "series.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(source.rglob("*")):
            if file.is_file():
                archive.writestr(named(file.relative_to(source).as_posix()), file.read_bytes())
    return path


def test_a_zip_of_a_series_or_of_a_volume_is_read(tmp_path: Path) -> None:
    dicom_series(tmp_path / "study" / "ct", VOXELS, AFFINE)
    path = zipped(tmp_path, tmp_path / "study", lambda name: f"export/{name}")
    scan = read_scan(path)
    assert np.array_equal(scan.voxels, VOXELS) and scan.path == path and scan.warnings == ()
    folder = scan.dicom_files[0].parents[2]
    assert all(file.is_file() for file in scan.dicom_files), "kept while the scan is"
    del scan
    gc.collect()
    assert not folder.exists()
    nifti(tmp_path / "one" / "ct.nii.gz", VOXELS, AFFINE)
    assert read_scan(zipped(tmp_path, tmp_path / "one")).kind == "nifti"


@pytest.mark.parametrize("names", [["a.nii.gz"], ["a.nii.gz", "b.nii.gz"], ["inner.zip"]])
def test_several_volumes_are_listed_in_a_folder_as_in_a_zip(tmp_path: Path, names: list[str]) -> None:
    study = tmp_path / "study"
    study.mkdir()
    for name in names:
        (study / name).write_bytes(b"what it holds does not matter")
    if names == ["a.nii.gz"]:
        dicom_series(study / "ct", VOXELS, AFFINE)
        names = [*names, "000.dcm (DICOM)"]
    for path, way_out in ((study, "Give the one"), (zipped(tmp_path, study), "Unpack it, and give the one")):
        with pytest.raises(ScanError) as error:
            read_scan(path)
        assert all(name in str(error.value) for name in (f"{path}: ", *names, way_out))


def test_the_only_volume_of_a_folder_is_read_as_that_of_a_zip(tmp_path: Path) -> None:
    nifti(tmp_path / "one" / "ct.nii.gz", VOXELS, AFFINE)
    assert read_scan(tmp_path / "one").path == tmp_path / "one" / "ct.nii.gz"


@pytest.mark.parametrize("name", ["../a", "/etc/a", "a/../../b", "C:\\a", "a\\..\\..\\b"])
def test_a_name_that_leads_out_is_refused(tmp_path: Path, name: str) -> None:
    dicom_series(tmp_path / "ct", VOXELS, AFFINE)
    path = zipped(tmp_path, tmp_path / "ct", lambda plain: name if plain == "000.dcm" else plain)
    with pytest.raises(ScanError, match=r"series\.zip: the zip names .* which leads out of its folder"):
        read_scan(path)


@pytest.mark.parametrize("name", ["000.dcm", "000.dcm/deeper", "a" * 300, "a/" * 400 + "a"])
def test_a_name_that_would_replace_another_or_is_none_is_refused(tmp_path: Path, name: str) -> None:
    dicom_series(tmp_path / "ct", VOXELS, AFFINE)
    path = zipped(tmp_path, tmp_path / "ct")
    with zipfile.ZipFile(path, "a") as archive, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        archive.writestr(name, (tmp_path / "ct" / "000.dcm").read_bytes())
    with pytest.raises(ScanError, match=r"series\.zip: the zip (holds '000\.dcm.* twice|names 'a.* which is too long)"):
        read_scan(path)


def test_links_in_a_zip_are_not_followed(tmp_path: Path) -> None:
    """A member that says it is a link is a file of the text that the link would lead to."""
    dicom_series(tmp_path / "ct", VOXELS, AFFINE)
    dicom_series(tmp_path / "outside", VOXELS + 1, AFFINE)
    path = zipped(tmp_path, tmp_path / "ct")
    with zipfile.ZipFile(path, "a") as archive:
        member = zipfile.ZipInfo("link")
        member.create_system, member.external_attr = 3, (stat.S_IFLNK | 0o777) << 16
        archive.writestr(member, str(tmp_path / "outside"))
    scan = read_scan(path)
    assert np.array_equal(scan.voxels, VOXELS) and scan.warnings == ()
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("link/written.dcm", (tmp_path / "ct" / "000.dcm").read_bytes())
    with pytest.raises(ScanError, match=r"holds 'link/written\.dcm' twice, or as a file and as a folder"):
        read_scan(path)
    assert not (tmp_path / "outside" / "written.dcm").exists()


@pytest.mark.parametrize(("place", "value", "message"), [(8, 1, "an encrypted zip"), (10, 99, "cannot be unpacked")])
def test_a_member_that_is_encrypted_is_refused(tmp_path: Path, place: int, value: int, message: str) -> None:
    dicom_series(tmp_path / "ct", VOXELS, AFFINE)
    path = zipped(tmp_path, tmp_path / "ct")
    content = bytearray(path.read_bytes())
    content[content.rfind(b"PK\x01\x02") + place] = value
    path.write_bytes(content)
    with pytest.raises(ScanError, match=rf"series\.zip: .*{message}"):
        read_scan(path)


def test_the_same_bytes_many_times_over_are_counted_as_often(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A zip whose list names one member again and again says small, and unpacks to much."""
    monkeypatch.setenv("OVCT_MOST_ZIP_BYTES", "3000000")
    path = tmp_path / "series.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("000.dcm", bytes(1 << 20))
    content, times = path.read_bytes(), 5
    start, end = content.rfind(b"PK\x01\x02"), content.rfind(b"PK\x05\x06")
    entry, last = content[start:end], bytearray(content[end:])
    last[8:16] = struct.pack("<HHI", times, times, times * len(entry))
    path.write_bytes(content[:start] + entry * times + bytes(last))
    with pytest.raises(ScanError, match=r"a zip that unpacks to 5,242,880 bytes"):
        read_scan(path)


def test_a_zip_that_is_damaged_too_large_or_without_a_scan_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dicom_series(tmp_path / "ct", VOXELS, AFFINE)
    path = zipped(tmp_path, tmp_path / "ct")
    whole = path.read_bytes()
    path.write_bytes(whole[:300] + bytes([whole[300] ^ 255]) + whole[301:])
    with pytest.raises(ScanError, match=r"series\.zip: a zip that is damaged"):
        read_scan(path)
    # The place of the list of members, so that the first one would lie before the file.
    path.write_bytes(whole[:-6] + (int.from_bytes(whole[-6:-2], "little") + 9).to_bytes(4, "little") + whole[-2:])
    with pytest.raises(ScanError, match=r"series\.zip: a zip that is damaged"):
        read_scan(path)
    path.write_bytes(whole)
    monkeypatch.setenv("OVCT_MOST_ZIP_BYTES", "5000")
    with pytest.raises(ScanError, match=r"a zip that unpacks to .*set OVCT_MOST_ZIP_BYTES"):
        read_scan(path)
    monkeypatch.delenv("OVCT_MOST_ZIP_BYTES")
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "a.txt").write_text("nothing")
    with pytest.raises(ScanError, match=r"series\.zip: no DICOM image here"):
        read_scan(zipped(tmp_path, tmp_path / "notes"))
