"""TotalSegmentator's data sets, v1, v2 and with label maps."""

from pathlib import Path

import numpy as np
import pytest

from tests.train.data.data_files import box, hounsfield, save, totalsegmentator
from train.data.cases import DataError
from train.data.dataset import open_dataset, read_case, read_labels
from train.data.layout_totalsegmentator import V1_STRUCTURES, V2_STRUCTURES


def test_totalsegmentator_v2_by_its_structures_with_its_split(tmp_path: Path) -> None:
    totalsegmentator(
        tmp_path,
        {"s0002": {"liver": box(2, 5), "spleen": box(4, 6), "heart": box(6, 8)}, "s0001": {"my_lesion": box(2, 3)}},
    )
    (tmp_path / "meta.csv").write_text("image_id;age;split\ns0001;60;train\ns0002;61;test\n")
    dataset = open_dataset(tmp_path)
    assert dataset.layout == "totalsegmentator-v2"
    assert [(case.id, case.patient, case.split) for case in dataset.cases] == [
        ("s0001", "s0001", "train"),
        ("s0002", "s0002", "test"),
    ]
    assert dataset.structures == {"spleen": (1,), "liver": (5,), "heart": (51,), "my_lesion": (118,)}
    case = dataset.cases[1]
    labels = read_labels(case, dataset, read_case(case))
    assert labels.dtype == np.int16
    assert labels[4, 4, 4] == 5, "the liver is painted after the spleen"
    assert {1, 5, 51} == set(np.unique(labels)) - {0}


def test_totalsegmentator_v1_has_its_own_ids(tmp_path: Path) -> None:
    totalsegmentator(tmp_path, {"s0001": {"face": box(2, 4), "aorta": box(5, 7), "liver": box(4, 6)}})
    dataset = open_dataset(tmp_path)
    assert dataset.layout == "totalsegmentator-v1"
    assert dataset.structures["aorta"] == (V1_STRUCTURES.index("aorta") + 1,) != (V2_STRUCTURES.index("aorta") + 1,)
    assert len(V1_STRUCTURES) == 104 and len(V2_STRUCTURES) == 117


def test_what_cannot_be_used_is_a_problem_not_a_case(tmp_path: Path) -> None:
    totalsegmentator(tmp_path, {"s0001": {"liver": box(2, 5)}, "s0002": {}})
    (tmp_path / "s0003" / "segmentations").mkdir(parents=True)
    (tmp_path / "s0001" / "segmentations" / "._liver.nii.gz").write_bytes(b"macOS")
    dataset = open_dataset(tmp_path)
    assert [case.id for case in dataset.cases] == ["s0001"]
    assert {problem.case_id: problem.reason for problem in dataset.problems} == {
        "s0002": "no masks in segmentations/",
        "s0003": "segmentations/ without ct.nii.gz",
    }


def test_mirror_with_label_maps(tmp_path: Path) -> None:
    save(tmp_path / "Images" / "s1.nii.gz", hounsfield())
    save(tmp_path / "Images" / "s2.nii.gz", hounsfield())
    save(tmp_path / "Masks" / "s1.nii.gz", box(2, 5, 117))
    dataset = open_dataset(tmp_path)
    assert (dataset.layout, len(dataset.structures)) == ("totalsegmentator-maps", 117)
    assert [problem.case_id for problem in dataset.problems] == ["s2"]
    assert read_labels(dataset.cases[0], dataset, read_case(dataset.cases[0])).max() == 117


def test_blank_rows_and_rows_without_a_split_say_nothing(tmp_path: Path) -> None:
    totalsegmentator(tmp_path, {f"s{number}": {"liver": box(2, 4)} for number in range(3)})
    (tmp_path / "meta.csv").write_text("image_id;split\ns0;train\ns1;\ns2;val\n;\n\n;\n")
    assert [case.split for case in open_dataset(tmp_path).cases] == ["train", None, "val"]
    for rows, message in ((";test", "line 2: a split 'test' without an image_id"), ("s0;a", "line 2: s0: split 'a'")):
        (tmp_path / "meta.csv").write_text(f"image_id;split\n{rows}\n")
        with pytest.raises(DataError, match=message):
            open_dataset(tmp_path)
    (tmp_path / "meta.csv").write_text("image_id;split\ns0;train\ns0;val\n")
    with pytest.raises(DataError, match="line 3: s0 is in val, but in train above"):
        open_dataset(tmp_path)


def test_two_scans_of_one_case_are_refused(tmp_path: Path) -> None:
    totalsegmentator(tmp_path, {"s0": {"liver": box(2, 4)}, "s1": {"liver": box(2, 4)}})
    save(tmp_path / "s1" / "ct.nii", hounsfield())
    with pytest.raises(DataError, match=r"s1/ct\.nii\.gz and ct\.nii are two scans of one case"):
        open_dataset(tmp_path)
