"""Broken cases that are found by their headers."""

import gzip
from pathlib import Path

import numpy as np
import pytest
import SimpleITK

from tests.train.data.data_files import SHAPE, box, hounsfield, save, totalsegmentator
from train.data.cases import Case, CaseProblem, DataError, raise_for_problems
from train.data.checks import find_problems
from train.data.dataset import open_dataset, read_case


def checked(root: Path) -> tuple[list[Case], list[CaseProblem]]:
    """The usable cases of a folder, and the problems of the others."""
    dataset = open_dataset(root)
    problems = find_problems(dataset.cases, dataset)
    broken = {problem.case_id for problem in problems}
    return [case for case in dataset.cases if case.id not in broken], problems


def test_broken_cases_are_found_by_their_headers(tmp_path: Path) -> None:
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
    usable, problems = checked(tmp_path)
    assert [case.id for case in usable] == ["s1"]
    messages = {problem.case_id: str(problem) for problem in problems}
    expected = {
        "empty": "empty",
        "flat": "is no volume, but 14 x 12 x 1",
        "four": "holds 2 volumes (14 x 12 x 10 x 2)",
        "mask": "liver.nii.gz: the file is empty",
        "shape": "liver.nii.gz is 13 x 12 x 10, but its scan",
    }
    assert all(text in messages[name] for name, text in expected.items())
    assert {"html", "nan"} < messages.keys()
    assert "not a number" in messages["nan"] and str(tmp_path / "html") in messages["html"]
    with pytest.raises(DataError, match="7 of 8 cases cannot be used"):
        raise_for_problems(tmp_path, problems, len(usable) + len(problems))


def test_up_to_ten_problems_are_listed(tmp_path: Path) -> None:
    for number in range(13):
        (tmp_path / f"{number:02}.nii.gz").write_bytes(b"")
    usable, problems = checked(tmp_path)
    assert not usable
    with pytest.raises(DataError) as error:
        raise_for_problems(tmp_path, problems, 13)
    assert str(error.value).count("the file is empty") == 10 and "and 3 more" in str(error.value)


def test_misnamed_and_other_formats_pass_the_check(tmp_path: Path) -> None:
    save(tmp_path / "plain.nii", hounsfield()).rename(tmp_path / "plain.nii.gz")
    SimpleITK.WriteImage(SimpleITK.GetImageFromArray(hounsfield()), tmp_path / "meta.mha")
    SimpleITK.WriteImage(SimpleITK.GetImageFromArray(hounsfield()), tmp_path / "near.nrrd")
    (tmp_path / "broken.mha").write_text("ObjectType = Image\nNDims = x")
    usable, _ = checked(tmp_path)
    assert [case.id for case in usable] == ["meta", "near", "plain"]
    assert read_case(usable[2]).voxels.shape == SHAPE
