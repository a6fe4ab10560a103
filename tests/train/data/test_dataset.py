import gzip
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import SimpleITK

from tests.train.data.data_files import SHAPE, box, hounsfield, save, totalsegmentator
from train.data.cases import Case, DataError, DataSet, Split, share_of, split_cases
from train.data.checks import checked
from train.data.dataset import open_dataset, read_case, read_labels
from train.scans.formats import ScanError


def cases(count: int, split: Split | None = None, start: int = 0) -> list[Case]:
    return [Case(f"c{n:04}", f"p{n // 2}", f"s{n}", Path(f"c{n}.nii.gz"), split) for n in range(start, start + count)]


def dataset(*found: Case) -> DataSet:
    return DataSet(Path("set"), "volumes", found)


def ids(split: list[Case]) -> set[str]:
    return {case.id for case in split}


def test_split_is_by_patient_and_about_as_asked() -> None:
    parts = split_cases(dataset(*cases(2000)), validation=0.1, test=0.2, seed=3)
    patients = {name: {case.patient for case in part} for name, part in parts.items()}
    assert not patients["train"] & patients["val"] and not patients["test"] & (patients["train"] | patients["val"])
    assert sum(map(len, parts.values())) == 2000
    assert 0.07 < len(patients["val"]) / 1000 < 0.13 and 0.16 < len(patients["test"]) / 1000 < 0.24


def test_split_stays_when_cases_come_and_changes_with_the_seed() -> None:
    few, many = split_cases(dataset(*cases(400))), split_cases(dataset(*cases(600)))
    assert all(ids(few[name]) <= ids(many[name]) for name in ("train", "val"))
    assert ids(split_cases(dataset(*cases(400)), seed=1)["val"]) != ids(few["val"])
    assert share_of("p1", 0) == pytest.approx(0.91560, abs=1e-5), "another hash would move patients between splits"


def test_small_set_has_something_in_each_part() -> None:
    parts = split_cases(dataset(*cases(6)), validation=0.01, test=0.01)
    assert [len({case.patient for case in parts[name]}) for name in ("train", "val", "test")] == [1, 1, 1]
    assert len(split_cases(dataset(*cases(2)))["train"]) == 2, "a single patient is trained on"


def test_own_split_is_kept() -> None:
    own = dataset(*cases(4, "train"), *cases(4, "val", 4), *cases(4, "test", 8), *cases(2, None, 12))
    parts = split_cases(own, validation=0.5, test=0.4)
    assert [len(parts[name]) for name in ("train", "val", "test")] == [6, 4, 4]
    without = dataset(*cases(40, "train"), *cases(4, "test", 40))
    parts = split_cases(without, validation=0.2)
    assert ids(parts["test"]) == ids(cases(4, "test", 40)) and 0 < len(parts["val"]) < 40


def test_patient_in_two_own_splits_is_refused() -> None:
    first, second = cases(2, "train")
    with pytest.raises(DataError, match="patient p0 is in train and, with c0001, in test"):
        split_cases(dataset(first, replace(second, split="test")))
    with pytest.raises(DataError, match="leave something to train on"):
        split_cases(dataset(first), validation=0.6, test=0.4)


def test_two_volumes_of_one_name_are_refused() -> None:
    (case,) = cases(1)
    with pytest.raises(DataError, match=r"two volumes are called c0000: c0\.nii\.gz and other\.nii"):
        dataset(case, replace(case, image=Path("other.nii")))


def test_headers_tell_broken_cases(tmp_path: Path) -> None:
    good = {"liver": box(2, 5)}
    totalsegmentator(tmp_path, {name: good for name in ("s1", "empty", "flat", "four", "html", "mask", "shape", "nan")})
    (tmp_path / "empty" / "ct.nii.gz").write_bytes(b"")
    save(tmp_path / "flat" / "ct.nii.gz", hounsfield()[:, :, :1])
    save(tmp_path / "four" / "ct.nii.gz", np.stack([hounsfield(), hounsfield(1)], axis=-1))
    (tmp_path / "html" / "ct.nii.gz").write_text("<html>not found</html>")
    (tmp_path / "mask" / "segmentations" / "liver.nii.gz").write_bytes(b"")
    save(tmp_path / "shape" / "segmentations" / "liver.nii.gz", box(2, 5)[1:])
    header = bytearray(gzip.decompress((tmp_path / "nan" / "ct.nii.gz").read_bytes()))
    header[280:284] = np.float32(np.nan).tobytes()
    (tmp_path / "nan" / "ct.nii.gz").write_bytes(gzip.compress(bytes(header)))
    found = checked(open_dataset(tmp_path))
    assert [case.id for case in found.cases] == ["s1"]
    told = {problem.case: str(problem) for problem in found.problems}
    expected = {
        "empty": "empty",
        "flat": "is no volume, but 14 x 12 x 1",
        "four": "holds 2 volumes (14 x 12 x 10 x 2)",
        "mask": "liver.nii.gz: the file is empty",
        "shape": "liver.nii.gz is 13 x 12 x 10, but its scan",
    }
    assert all(text in told[name] for name, text in expected.items())
    assert {"html", "nan"} < told.keys() and "not a number" in told["nan"] and str(tmp_path / "html") in told["html"]
    with pytest.raises(DataError, match="7 of 8 cases cannot be used"):
        checked(open_dataset(tmp_path), "refuse")


def test_up_to_ten_problems_are_told(tmp_path: Path) -> None:
    for number in range(13):
        (tmp_path / f"{number:02}.nii.gz").write_bytes(b"")
    with pytest.raises(DataError) as error:
        checked(open_dataset(tmp_path))
    assert str(error.value).count("the file is empty") == 10 and "and 3 more" in str(error.value)


def test_misnamed_and_other_formats_pass_the_check(tmp_path: Path) -> None:
    save(tmp_path / "plain.nii", hounsfield()).rename(tmp_path / "plain.nii.gz")
    SimpleITK.WriteImage(SimpleITK.GetImageFromArray(hounsfield()), tmp_path / "meta.mha")
    SimpleITK.WriteImage(SimpleITK.GetImageFromArray(hounsfield()), tmp_path / "near.nrrd")
    (tmp_path / "broken.mha").write_text("ObjectType = Image\nNDims = x")
    found = checked(open_dataset(tmp_path))
    assert [case.id for case in found.cases] == ["meta", "near", "plain"]
    assert read_case(found.cases[2]).voxels.shape == SHAPE


def test_mask_on_another_grid_names_both_files(tmp_path: Path) -> None:
    totalsegmentator(tmp_path, {"s1": {"liver": box(2, 5)}})
    save(tmp_path / "s1" / "segmentations" / "spleen.nii.gz", box(2, 5), np.diag([2.0, 2, 3, 1]))
    found = open_dataset(tmp_path)
    with pytest.raises(ScanError, match=r"spleen\.nii\.gz.*ct\.nii\.gz"):
        read_labels(found.cases[0], found, read_case(found.cases[0]))
