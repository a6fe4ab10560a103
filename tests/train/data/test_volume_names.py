"""Names of volume files, and the search for them."""

from pathlib import Path

from tests.train.data.data_files import hounsfield, save
from train.data.dataset import open_dataset
from train.data.volume_names import patient_and_scan, volume_stem


def test_names() -> None:
    assert volume_stem("a/b/train_1_a_1.NII.GZ") == "train_1_a_1"
    assert volume_stem(r"C:\scans\x.nrrd ") == "x"
    assert volume_stem("notes.txt") == "notes.txt"
    assert patient_and_scan("x/valid_12_ab_3") == ("valid_12", "valid_12_ab")
    assert patient_and_scan("s0001") == ("s0001", "s0001")


def test_links_that_lead_in_circles_end(tmp_path: Path) -> None:
    save(tmp_path / "a" / "1.nii.gz", hounsfield())
    (tmp_path / "a" / "up").symlink_to(tmp_path)
    assert [case.id for case in open_dataset(tmp_path).cases] == ["a/1"]
