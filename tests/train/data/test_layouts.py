import csv
import json
from pathlib import Path

import numpy as np
import pytest

from tests.train.data.data_files import AFFINE, box, hounsfield, save, totalsegmentator, with_json
from train.data.cases import DataError
from train.data.checks import checked
from train.data.dataset import open_dataset, read_case, read_labels
from train.data.layout_totalsegmentator import V1, V2
from train.data.volume_names import patient_and_scan, stem


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
    assert dataset.structures["aorta"] == (V1.index("aorta") + 1,) != (V2.index("aorta") + 1,)
    assert len(V1) == 104 and len(V2) == 117


def test_what_cannot_be_used_is_a_problem_not_a_case(tmp_path: Path) -> None:
    totalsegmentator(tmp_path, {"s0001": {"liver": box(2, 5)}, "s0002": {}})
    (tmp_path / "s0003" / "segmentations").mkdir(parents=True)
    (tmp_path / "s0001" / "segmentations" / "._liver.nii.gz").write_bytes(b"macOS")
    dataset = open_dataset(tmp_path)
    assert [case.id for case in dataset.cases] == ["s0001"]
    assert {problem.case: problem.what for problem in dataset.problems} == {
        "s0002": "no masks in segmentations/",
        "s0003": "segmentations/ without ct.nii.gz",
    }


def test_mirror_with_label_maps(tmp_path: Path) -> None:
    save(tmp_path / "Images" / "s1.nii.gz", hounsfield())
    save(tmp_path / "Images" / "s2.nii.gz", hounsfield())
    save(tmp_path / "Masks" / "s1.nii.gz", box(2, 5, 117))
    dataset = open_dataset(tmp_path)
    assert (dataset.layout, len(dataset.structures)) == ("totalsegmentator-maps", 117)
    assert [problem.case for problem in dataset.problems] == ["s2"]
    assert read_labels(dataset.cases[0], dataset, read_case(dataset.cases[0])).max() == 117


def test_msd_reads_what_its_json_lists(tmp_path: Path) -> None:
    root = with_json(
        tmp_path / "Task09_Spleen",
        modality={"0": "CT"},
        labels={"0": "background", "1": "spleen", "2": "spleen tumour"},
        training=[
            {"image": "./imagesTr/spleen_2.nii.gz", "label": "./labelsTr/spleen_2.nii.gz"},
            {"image": "./imagesTr/._spleen_2.nii.gz", "label": "./labelsTr/._spleen_2.nii.gz"},
            {"image": "./imagesTr/gone.nii.gz", "label": "./labelsTr/gone.nii.gz"},
        ],
    )
    save(root / "imagesTr" / "spleen_2.nii.gz", hounsfield())
    save(root / "labelsTr" / "spleen_2.nii.gz", box(2, 5, 2))
    dataset = open_dataset(root)
    assert (dataset.layout, [case.id for case in dataset.cases]) == ("msd", ["spleen_2"])
    assert dataset.structures == {"spleen": (1,), "spleen tumour": (2,)}
    assert [problem.case for problem in dataset.problems] == ["gone"]
    with pytest.raises(DataError, match=r"holds 1; name one of them: .*Task09_Spleen \(msd\)"):
        open_dataset(tmp_path)


@pytest.mark.parametrize(
    ("described", "structures", "ignored"),
    [
        (
            {"modality": {"0": "CT"}, "labels": {"0": "background", "1": "liver", "2": "tumour"}},
            {"liver": (1,), "tumour": (2,)},
            (),
        ),
        (
            {
                "channel_names": {"0": "CT"},
                "labels": {"background": 0, "whole liver": [1, 2], "tumour": 2, "ignore": 3},
                "file_ending": ".nii.gz",
            },
            {"whole liver": (1, 2), "tumour": (2,)},
            (3,),
        ),
    ],
    ids=["v1", "v2 with regions"],
)
def test_nnunet(
    tmp_path: Path,
    described: dict[str, object],
    structures: dict[str, tuple[int, ...]],
    ignored: tuple[int, ...],
) -> None:
    root = with_json(tmp_path, **described)
    for folder, name in (("Tr", "liver_1"), ("Tr", "liver_2"), ("Ts", "liver_3")):
        save(root / f"images{folder}" / f"{name}_0000.nii.gz", hounsfield())
        save(root / f"labels{folder}" / f"{name}.nii.gz", box(2, 5, 2))
    save(root / "imagesTr" / "unlabelled_0000.nii.gz", hounsfield())
    (root / "splits_final.json").write_text(json.dumps([{"train": ["liver_1"], "val": ["liver_2"]}, {}]))
    dataset = open_dataset(root)
    assert (dataset.layout, dataset.structures, dataset.ignored) == ("nnunet", structures, ignored)
    assert {case.id: case.split for case in dataset.cases} == {"liver_1": "train", "liver_2": "val", "liver_3": "test"}
    assert [problem.what for problem in dataset.problems] == ["no label map for it"]


def test_nnunet_that_lists_its_cases(tmp_path: Path) -> None:
    save(tmp_path / "elsewhere" / "a.nii.gz", hounsfield())
    save(tmp_path / "elsewhere" / "a_seg.nii.gz", box(2, 5))
    listed = {"a": {"images": ["../elsewhere/a.nii.gz"], "label": "../elsewhere/a_seg.nii.gz"}}
    root = with_json(tmp_path / "D", channel_names={"0": "CT"}, labels={"background": 0, "liver": 1}, dataset=listed)
    dataset = open_dataset(root)
    assert (dataset.layout, [case.id for case in dataset.cases]) == ("nnunet", ["a"])
    assert read_labels(dataset.cases[0], dataset, read_case(dataset.cases[0])).sum() == 27


def test_one_case_is_no_data_set(tmp_path: Path) -> None:
    totalsegmentator(tmp_path, {"s1": {"liver": box(2, 5)}})
    with pytest.raises(DataError, match="s1 is one case of a data set; name the folder above it"):
        open_dataset(tmp_path / "s1")


def test_nnunet_with_several_channels_is_refused(tmp_path: Path) -> None:
    root = with_json(tmp_path, channel_names={"0": "T1", "1": "FLAIR"}, labels={"background": 0, "tumour": 1})
    save(root / "imagesTr" / "a_0000.nii.gz", hounsfield())
    with pytest.raises(DataError, match=r"2 channels \(T1, FLAIR\)"):
        open_dataset(root)


def test_label_map_of_another_set_is_refused(tmp_path: Path) -> None:
    root = with_json(tmp_path, channel_names={"0": "CT"}, labels={"background": 0, "liver": 1})
    save(root / "imagesTr" / "a_0000.nii.gz", hounsfield())
    save(root / "labelsTr" / "a.nii.gz", box(2, 5, 7))
    dataset = open_dataset(root)
    with pytest.raises(DataError, match=r"a\.nii\.gz holds label 7, which .* does not name"):
        read_labels(dataset.cases[0], dataset, read_case(dataset.cases[0]))


@pytest.mark.parametrize(
    ("content", "told"),
    [("{", "is no JSON"), ("[]", "expected an object"), ("{}", "no `labels`"), ('{"labels": {"liver": "x"}}', "'x'")],
)
def test_broken_dataset_json_is_named(tmp_path: Path, content: str, told: str) -> None:
    (tmp_path / "dataset.json").write_text(content)
    with pytest.raises(DataError, match=told):
        open_dataset(tmp_path)


def ct_rate_metadata(path: Path, *names: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(
            "VolumeName Manufacturer RescaleSlope RescaleIntercept XYSpacing ZSpacing ImageOrientationPatient "
            "ImagePositionPatient".split()
        )
        for name in names:
            rows.writerow(
                [name, "x", "1", "-1024.0", "[0.8, 0.7]", "1.5", "[1.0, 0.0, 0.0, 0.0, 1.0, 0.0]", "[-100, -90, 50]"]
            )


def test_ct_rate_names_patient_scan_and_split(tmp_path: Path) -> None:
    for split, name in (("train", "train_1_a_1"), ("train", "train_1_a_2"), ("valid", "valid_7_b_1")):
        patient, scan = patient_and_scan(name)
        save(tmp_path / f"{split}_fixed" / patient / scan / f"{name}.nii.gz", hounsfield())
    dataset = open_dataset(tmp_path)
    assert (dataset.layout, dataset.structures) == ("ct-rate", {})
    assert [(case.patient, case.scan, case.split) for case in dataset.cases] == [
        ("train_1", "train_1_a", "train"),
        ("train_1", "train_1_a", "train"),
        ("valid_7", "valid_7_b", "val"),
    ]
    assert not checked(dataset).problems


def test_ct_rates_original_release_gets_its_table_applied_once(tmp_path: Path) -> None:
    stored = hounsfield().astype(np.int32) + 1024
    blank = np.eye(4)
    root = tmp_path / "dataset" / "train"
    save(root / "train_1" / "train_1_a" / "train_1_a_1.nii.gz", stored.astype(np.int16), blank)
    save(root / "train_2" / "train_2_a" / "train_2_a_1.nii.gz", hounsfield())
    ct_rate_metadata(
        tmp_path / "dataset" / "metadata" / "train_metadata.csv", "train_1_a_1.nii.gz", "train_2_a_1.nii.gz"
    )
    original, mended = open_dataset(root).cases
    scan = read_case(original)
    assert np.array_equal(scan.voxels, hounsfield())
    expected = np.array([[-0.8, 0, 0, 100], [0, -0.7, 0, 90], [0, 0, 1.5, 50], [0, 0, 0, 1]])
    assert np.allclose(scan.affine, expected)
    with_header = read_case(mended)
    assert np.array_equal(with_header.voxels, hounsfield()), "a volume with a header is in HU: nothing is applied to it"
    assert np.allclose(with_header.affine, AFFINE)


def test_ct_rate_in_both_releases_is_taken_once(tmp_path: Path) -> None:
    for release in ("train", "train_fixed"):
        save(tmp_path / release / "train_1" / "train_1_a" / "train_1_a_1.nii.gz", hounsfield())
    (case,) = open_dataset(tmp_path).cases
    assert "train_fixed" in case.image.parts


def test_ct_rates_original_release_without_its_table_is_named(tmp_path: Path) -> None:
    save(tmp_path / "a" / "b" / "c" / "d" / "train_1_a_1.nii.gz", hounsfield() + 1024, np.eye(4))
    save(tmp_path / "a" / "b" / "c" / "d" / "train_2_a_1.nii.gz", hounsfield())
    dataset = checked(open_dataset(tmp_path / "a" / "b" / "c" / "d"))
    assert [case.id for case in dataset.cases] == ["train_2_a_1"]
    assert "original release" in str(dataset.problems[0]) and "metadata CSV" in str(dataset.problems[0])


def test_a_row_of_the_table_that_is_wrong_is_named(tmp_path: Path) -> None:
    save(tmp_path / "train_1_a_1.nii.gz", hounsfield(), np.eye(4))
    (tmp_path / "m.csv").write_text(
        "VolumeName,RescaleSlope,RescaleIntercept,XYSpacing,ZSpacing\ntrain_1_a_1.nii.gz,0,-1024,[1, 1],1\n"
    )
    with pytest.raises(DataError, match=r"m\.csv: the row of train_1_a_1\.nii\.gz"):
        open_dataset(tmp_path)


def test_any_folder_of_volumes(tmp_path: Path) -> None:
    save(tmp_path / "siteA" / "0001.nii.gz", hounsfield())
    save(tmp_path / "siteB" / "0001.nii", hounsfield())
    (tmp_path / "siteB" / "notes.txt").write_text("x")
    dataset = open_dataset(tmp_path)
    assert (dataset.layout, [case.id for case in dataset.cases]) == ("volumes", ["siteA/0001", "siteB/0001"])
    with pytest.raises(DataError, match="has no labels"):
        read_labels(dataset.cases[0], dataset, read_case(dataset.cases[0]))
    (tmp_path / "patients.csv").write_text("id,patient\nsiteA/0001.nii.gz,P7\nsiteB/0001,P7\n")
    assert {case.patient for case in open_dataset(tmp_path).cases} == {"P7"}
    (tmp_path / "patients.csv").write_text("id,patient\nother,P7\n")
    with pytest.raises(DataError, match="names none of the volumes"):
        open_dataset(tmp_path)


def test_links_that_lead_in_circles_end(tmp_path: Path) -> None:
    save(tmp_path / "a" / "1.nii.gz", hounsfield())
    (tmp_path / "a" / "up").symlink_to(tmp_path)
    assert [case.id for case in open_dataset(tmp_path).cases] == ["a/1"]


def test_folders_that_are_no_data_set_say_what_is_expected(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="not there"):
        open_dataset(tmp_path / "nowhere")
    with pytest.raises(DataError, match=r"Expected one of\n  totalsegmentator: <id>/ct"):
        open_dataset(tmp_path)
    with pytest.raises(DataError, match=r"layout 'nnunet2' is not known; there are .*nnunet"):
        open_dataset(tmp_path, "nnunet2")
    totalsegmentator(tmp_path, {"s1": {"liver": box(2, 5)}})
    with_json(tmp_path, labels={"1": "liver"}, training=[])
    with pytest.raises(DataError, match="2 ways; say which: --layout totalsegmentator or --layout msd"):
        open_dataset(tmp_path)
    assert open_dataset(tmp_path, "totalsegmentator").cases
    with pytest.raises(DataError, match="no case that can be used"):
        open_dataset(tmp_path, "msd")


def test_names() -> None:
    assert stem("a/b/train_1_a_1.NII.GZ") == "train_1_a_1"
    assert stem(r"C:\scans\x.nrrd ") == "x"
    assert stem("notes.txt") == "notes.txt"
    assert patient_and_scan("x/valid_12_ab_3") == ("valid_12", "valid_12_ab")
    assert patient_and_scan("s0001") == ("s0001", "s0001")
