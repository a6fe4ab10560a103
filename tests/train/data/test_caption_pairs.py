"""Reports paired with volumes by paths, ids and names."""

from pathlib import Path

import pytest

from tests.train.data.data_files import REPORT, box, caption_set, hounsfield, save, totalsegmentator
from train.data.caption_pairs import CaptionPairs, read_pairs
from train.data.cases import DataError, split_cases
from train.data.dataset import open_dataset


def joined_ids(pairs: CaptionPairs) -> list[tuple[str, str]]:
    return [(pair.report_id, pair.case.id) for pair in pairs.pairs]


def test_pairs_by_volume_name(tmp_path: Path) -> None:
    for name in ("train_1_a_1", "train_1_a_2", "valid_2_a_1"):
        split, number, scan, _ = name.split("_")
        save(
            tmp_path / "v" / f"{split}_fixed" / f"{split}_{number}" / f"{split}_{number}_{scan}" / f"{name}.nii.gz",
            hounsfield(),
        )
    captions = caption_set(
        tmp_path, ["VolumeName"], ["train_1_a_1.nii.gz"], ["train_1_a_2.nii.gz"], ["train_9_a_1.nii.gz"]
    )
    dataset = open_dataset(tmp_path / "v")
    pairs = read_pairs(captions, dataset)
    assert joined_ids(pairs) == [("train_1_a_1.nii.gz", "train_1_a_1"), ("train_1_a_2.nii.gz", "train_1_a_2")]
    first = pairs.pairs[0]
    assert first.text.startswith(REPORT)
    assert ("liver", "abnormal") in {(caption.organ, caption.status) for caption in first.captions}
    assert ("pleura", "normal") in {(caption.organ, caption.status) for caption in first.captions}
    assert pairs.reports_without_volume == ("train_9_a_1.nii.gz",)
    assert pairs.volumes_without_report == ("valid_2_a_1",)
    summary = "\n".join(pairs.summary())
    assert "2 reports with" in summary and "1 reports without a volume: train_9_a_1.nii.gz" in summary
    assert "1 volumes without a report: valid_2_a_1" in summary
    assert len(pairs.for_cases(split_cases(dataset)["train"])) == 2 and not pairs.for_cases(split_cases(dataset)["val"])


def test_scan_without_reconstruction_means_all_of_it(tmp_path: Path) -> None:
    for name in ("train_1_a_1", "train_1_a_2", "train_1_b_1"):
        save(tmp_path / "v" / f"{name}.nii.gz", hounsfield())
    captions = caption_set(tmp_path, ["AccessionNo"], ["train_1_a"])
    assert joined_ids(read_pairs(captions, open_dataset(tmp_path / "v"))) == [
        ("train_1_a", "train_1_a_1"),
        ("train_1_a", "train_1_a_2"),
    ]


def test_pairs_by_case_and_by_path(tmp_path: Path) -> None:
    root = totalsegmentator(tmp_path / "v", {name: {"liver": box(2, 5)} for name in ("s1", "s2", "s3")})
    rows = (["r1", str(root / "s1" / "ct.nii.gz")], ["r2", "/old/place/v/s2/ct.nii.gz"], ["s3.nii.gz", ""])
    pairs = read_pairs(caption_set(tmp_path, ["report_id", "image_path"], *rows), open_dataset(root))
    assert joined_ids(pairs) == [("r1", "s1"), ("r2", "s2"), ("s3.nii.gz", "s3")]


def test_a_files_name_that_others_have_is_none(tmp_path: Path) -> None:
    root = totalsegmentator(tmp_path / "v", {"s1": {"liver": box(2, 5)}})
    rows = (["r1", "x/s1/ct.nii.gz"], ["r2", "x/s2/ct.nii.gz"])
    pairs = read_pairs(caption_set(tmp_path, ["report_id", "image"], *rows), open_dataset(root))
    assert joined_ids(pairs) == [("r1", "s1")] and pairs.reports_without_volume == ("r2",)
    for site in ("a", "b"):
        save(tmp_path / "w" / site / "scan.nii.gz", hounsfield())
    rows = (["r1", "scan.nii.gz"], ["r2", "b/scan.nii.gz"])
    pairs = read_pairs(caption_set(tmp_path, ["report_id", "image"], *rows), open_dataset(tmp_path / "w"))
    assert joined_ids(pairs) == [("r2", "b/scan")] and pairs.ambiguous == ("r1",)
    assert "1 reports whose name several volumes have" in "\n".join(pairs.summary())


def test_volumes_that_the_reports_name(tmp_path: Path) -> None:
    save(tmp_path / "scans" / "one.nii.gz", hounsfield())
    save(tmp_path / "more" / "one.nii.gz", hounsfield())
    rows = (["r1", "scans/one.nii.gz"], ["r2", "more/one.nii.gz"], ["r3", "scans/none.nii.gz"])
    captions = caption_set(tmp_path, ["report_id", "image_path"], *rows)
    pairs = read_pairs(captions)
    assert [(pair.report_id, pair.case.image.parent.name) for pair in pairs.pairs] == [("r1", "scans"), ("r2", "more")]
    assert len({pair.case.id for pair in pairs.pairs}) == 2 and pairs.dataset.layout == "reports"
    captions = caption_set(tmp_path / "none", ["report_id"], ["r1"])
    with pytest.raises(DataError, match=r"'r1' and all others name no file .*--volumes DIR"):
        read_pairs(captions)


def test_two_reports_on_one_volume(tmp_path: Path) -> None:
    save(tmp_path / "v" / "s1.nii.gz", hounsfield())
    pairs = read_pairs(caption_set(tmp_path, ["report_id"], ["s1"], ["s1"]), open_dataset(tmp_path / "v"))
    assert joined_ids(pairs) == [("s1", "s1"), ("s1#2", "s1")]


def test_nothing_joined_shows_both_names(tmp_path: Path) -> None:
    save(tmp_path / "v" / "s1.nii.gz", hounsfield())
    captions = caption_set(tmp_path, ["report_id"], ["chest-01"])
    with pytest.raises(DataError, match=r"(?s)'chest-01'.*'s1'.*s1\.nii\.gz.*--volumes DIR"):
        read_pairs(captions, open_dataset(tmp_path / "v"))


@pytest.mark.parametrize("name", ["../../v/a.nii.gz", "in/../../v/a.nii.gz", "OUT/in/../v/a.nii.gz", "..\\v\\a.nii.gz"])
def test_a_volumes_name_that_leads_upward_is_refused(name: str, tmp_path: Path) -> None:
    save(tmp_path / "v" / "a.nii.gz", hounsfield())
    (tmp_path / "in").mkdir()
    captions = caption_set(tmp_path / "in", ["report_id", "image_path"], ["r1", name.replace("OUT", str(tmp_path))])
    with pytest.raises(DataError, match=r"the report 'r1' names .* which leads out of the folder and is not read"):
        read_pairs(captions)
