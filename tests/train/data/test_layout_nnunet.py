"""Data sets with a `dataset.json`: of the Medical Segmentation Decathlon and of nnU-Net."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.train.data.data_files import box, hounsfield, save, with_json
from train.data.cases import DataError
from train.data.dataset import open_dataset, read_case, read_labels


def test_images_of_one_name_in_several_folders_are_cases_of_their_own(tmp_path: Path) -> None:
    listed = [
        {"image": f"case_{number}/imaging.nii.gz", "label": f"case_{number}/segmentation.nii.gz"} for number in range(3)
    ] + [{"image": "other/alone.nii.gz", "label": "other/mask.nii.gz"}]
    for entry in listed:
        save(tmp_path / entry["image"], hounsfield())
        save(tmp_path / entry["label"], box(2, 4))
    with_json(tmp_path, labels={"0": "background", "1": "liver"}, training=listed)
    dataset = open_dataset(tmp_path)
    assert [case.id for case in dataset.cases] == ["alone", *(f"case_{number}/imaging" for number in range(3))]
    assert [case.labels.map for case in dataset.cases if case.labels] == [
        tmp_path / "other" / "mask.nii.gz",
        *(tmp_path / f"case_{number}" / "segmentation.nii.gz" for number in range(3)),
    ]
    with_json(tmp_path, labels={"0": "background", "1": "liver"}, training=[*listed, listed[0]])
    with pytest.raises(DataError, match=r"lists .*case_0/imaging\.nii\.gz twice in `training`, with one label map"):
        open_dataset(tmp_path)
    clash = {"image": listed[0]["image"], "label": listed[1]["label"]}
    with_json(tmp_path, labels={"0": "background", "1": "liver"}, training=[*listed, clash])
    with pytest.raises(DataError, match=r"lists .*case_0/imaging\.nii\.gz twice"):
        open_dataset(tmp_path)


def test_a_name_that_stands_twice_in_the_json_is_refused(tmp_path: Path) -> None:
    (tmp_path / "dataset.json").write_text('{"labels": {"liver": 1, "liver": 2}, "training": []}')
    with pytest.raises(DataError, match=r"dataset\.json: the name 'liver' stands twice"):
        open_dataset(tmp_path, "msd")


def test_what_is_not_named_by_its_channel_or_has_no_image_is_named(tmp_path: Path) -> None:
    for name in ("a_0000", "plain"):
        save(tmp_path / "imagesTr" / f"{name}.nii.gz", hounsfield())
    for name in ("a", "lone"):
        save(tmp_path / "labelsTr" / f"{name}.nii.gz", box(2, 4))
    with_json(tmp_path, labels={"background": 0, "liver": 1}, channel_names={"0": "CT"})
    dataset = open_dataset(tmp_path)
    assert [case.id for case in dataset.cases] == ["a"]
    assert {problem.case_id: problem.reason.split(",")[0] for problem in dataset.problems} == {
        "plain": "not named by its channel",
        "lone": "a label map without an image lone_0000 in imagesTr",
    }


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
    assert [problem.case_id for problem in dataset.problems] == ["gone"]
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
    assert [problem.reason for problem in dataset.problems] == ["no label map for it"]


def test_nnunet_that_lists_its_cases(tmp_path: Path) -> None:
    save(tmp_path / "elsewhere" / "a.nii.gz", hounsfield())
    save(tmp_path / "elsewhere" / "a_seg.nii.gz", box(2, 5))
    image, label = (str(tmp_path / "elsewhere" / name) for name in ("a.nii.gz", "a_seg.nii.gz"))
    listed = {"a": {"images": [image], "label": label}}
    root = with_json(tmp_path / "D", channel_names={"0": "CT"}, labels={"background": 0, "liver": 1}, dataset=listed)
    dataset = open_dataset(root)
    assert (dataset.layout, [case.id for case in dataset.cases]) == ("nnunet", ["a"])
    assert read_labels(dataset.cases[0], dataset, read_case(dataset.cases[0])).sum() == 27


def test_nnunet_with_several_channels_is_refused(tmp_path: Path) -> None:
    root = with_json(tmp_path, channel_names={"0": "T1", "1": "FLAIR"}, labels={"background": 0, "tumour": 1})
    save(root / "imagesTr" / "a_0000.nii.gz", hounsfield())
    with pytest.raises(DataError, match=r"2 channels \(T1, FLAIR\)"):
        open_dataset(root)


@pytest.mark.parametrize(
    ("content", "message"),
    [("{", "is no JSON"), ("[]", "expected an object"), ("{}", "no `labels`"), ('{"labels": {"liver": "x"}}', "'x'")],
)
def test_broken_dataset_json_is_named(tmp_path: Path, content: str, message: str) -> None:
    (tmp_path / "dataset.json").write_text(content)
    with pytest.raises(DataError, match=message):
        open_dataset(tmp_path)


LIVER = {"labels": {"0": "background", "1": "liver"}}


@pytest.mark.parametrize(
    ("described", "message"),
    [
        (
            {**LIVER, "training": [{"image": "a.nii"}, "b.nii"]},
            r'`training`\[1\] is "b.nii"; expected an object such as',
        ),
        ({**LIVER, "training": [None]}, r"`training`\[0\] is null; expected an object such as"),
        ({**LIVER, "training": [{"label": "a.nii"}]}, r"`training`\[0\] is .*; expected an object such as"),
        ({"labels": {"1": "lung", "2": "lung"}, "training": []}, "name 'lung' stands twice, for the ids 1 and 2"),
        ({"labels": {"one": "lung"}, "training": []}, "the id 'one' of the label 'lung' is no number; expected an id"),
        ({**LIVER, "training": [{"image": r"a\b.nii"}]}, r"parts of a path are parted by `/`, as in 'a/b.nii'"),
    ],
)
def test_an_entry_that_cannot_be_read_is_named_with_what_was_expected(
    described: dict[str, object], message: str, tmp_path: Path
) -> None:
    with pytest.raises(DataError, match=message):
        open_dataset(with_json(tmp_path, **described), "msd")


CASE: dict[str, object] = {"images": ["a_0000.nii.gz"], "label": "a.nii.gz"}
NO_OBJECT: list[object] = [None, 3, True, "x", [], [CASE]]
NO_IMAGES: list[object] = [
    *(None, 3, "a.nii.gz", [], [None], [3], [{}], [""]),
    ["a_0000.nii.gz", "a_0001.nii.gz"],
]
NO_LABEL: list[object] = [3, True, [], {}, ["a"]]
NO_ID: list[object] = [-1, 1.5, True, None, {}, [[1]], [1, None], "one", "²", 10**30]
ODD: list[tuple[Any, str]] = [
    ({"dataset": {}}, r"`dataset` is \{\}; expected an object such as"),
    *(({"dataset": odd}, r"`dataset` is .*; expected an object") for odd in NO_OBJECT),
    *(({"dataset": {"a": odd}}, r"`dataset`\['a'\] is .*; expected") for odd in [*NO_OBJECT, {}]),
    *(({"dataset": {"b": CASE, "a": CASE | {"images": odd}}}, r"`dataset`\['a'\] is ") for odd in NO_IMAGES),
    *(({"dataset": {"a": CASE | {"label": odd}}}, r"`dataset`\['a'\] is ") for odd in NO_LABEL),
    ({"dataset": {"": CASE}}, r"`dataset`\[''\] is "),
    *(({"training": [{"image": odd}]}, r"`training`\[0\] is ") for odd in [*NO_LABEL, None]),
    *(({"training": [{"image": "a.nii.gz", "label": odd}]}, r"`training`\[0\] is ") for odd in NO_LABEL),
    *(({"dataset": {"a": CASE}, "channel_names": odd}, r"`channel_names` is ") for odd in [3, True, 2.5]),
    *(({"training": [], "labels": {"liver": odd}}, "label 'liver' is|the id 'liver' of") for odd in NO_ID),
    ({"training": [], "labels": {"²": "liver"}}, "the id '²' of the label 'liver' is no number"),
]


@pytest.mark.parametrize(("described", "message"), ODD)
def test_an_odd_entry_is_named_with_its_value(described: dict[str, object], message: str, tmp_path: Path) -> None:
    root = with_json(tmp_path, **{**LIVER, **described})
    for name in ("a_0000.nii.gz", "a.nii.gz"):
        save(root / name, hounsfield())
    with pytest.raises(DataError, match=rf"dataset\.json.*{message}"):
        open_dataset(root)


def test_what_msd_calls_dataset_is_no_list_of_cases_and_a_modality_may_be_a_word(tmp_path: Path) -> None:
    root = with_json(
        tmp_path / "a", **LIVER, dataset={"name": "Liver"}, training=[{"image": "ct.nii.gz", "label": "l.nii.gz"}]
    )
    for name in ("ct.nii.gz", "l.nii.gz"):
        save(root / name, hounsfield())
    assert open_dataset(root).layout == "msd"
    root = with_json(tmp_path / "b", **LIVER, modality="CT", dataset={"a": CASE})
    for name in ("a_0000.nii.gz", "a.nii.gz"):
        save(root / name, hounsfield())
    assert [case.id for case in open_dataset(root).cases] == ["a"]


def test_json_that_nests_too_deep_and_odd_folds_are_refused(tmp_path: Path) -> None:
    root = with_json(tmp_path, **LIVER, dataset={"a": CASE})
    (root / "splits_final.json").write_text('[{"train": [3], "val": ["a"]}]')
    with pytest.raises(DataError, match=r"splits_final\.json is no list of folds .*`train` is \[3\]"):
        open_dataset(root)
    (root / "dataset.json").write_text("[" * 100_000)
    with pytest.raises(DataError, match=r"dataset\.json is no JSON"):
        open_dataset(root)


OUTSIDE = [
    "../other.nii.gz",
    "imagesTr/../../other.nii.gz",
    "..\\other.nii.gz",
    "C:/other.nii.gz",
    "OUT/in/../other.nii.gz",
]
NO_VOLUME = ["/etc/passwd", "notes.txt", "imagesTr", 3]


@pytest.mark.parametrize("name", [*OUTSIDE, *NO_VOLUME])
@pytest.mark.parametrize("layout", ["msd image", "msd label", "nnunet image", "nnunet label"])
def test_a_list_names_volumes_below_its_folder_or_by_their_whole_path(
    layout: str, name: object, tmp_path: Path
) -> None:
    image, label = ("scan.nii.gz", name) if layout.endswith("label") else (name, "scan.nii.gz")
    name = name.replace("OUT", str(tmp_path)) if isinstance(name, str) else name
    image, label = (str(value).replace("OUT", str(tmp_path)) for value in (image, label))
    listed: dict[str, object] = {"training": [{"image": image, "label": label}]}
    if layout.startswith("nnunet"):
        listed = {"dataset": {"a": {"images": [image], "label": label}}}
    root = with_json(tmp_path / "in", labels={"liver": 1}, channel_names={"0": "CT"}, **listed)
    save(root / "scan.nii.gz", hounsfield())
    save(tmp_path / "other.nii.gz", hounsfield())
    expected = "which is no volume" if name in NO_VOLUME else "which is not below its folder"
    with pytest.raises(DataError, match=rf"in/dataset\.json lists .*{expected}"):
        open_dataset(root)


@pytest.mark.parametrize("layout", ["msd", "nnunet"])
def test_a_list_may_name_volumes_by_their_whole_path(layout: str, tmp_path: Path) -> None:
    paths = [str(tmp_path / "elsewhere" / name) for name in ("ct.nii.gz", "labels.nii.gz")]
    listed: dict[str, object] = {"training": [{"image": paths[0], "label": paths[1]}]}
    if layout == "nnunet":
        listed = {"dataset": {"a": {"images": paths[:1], "label": paths[1]}}}
    root = with_json(tmp_path / "in", labels={"liver": 1}, channel_names={"0": "CT"}, **listed)
    save(Path(paths[0]), hounsfield())
    save(Path(paths[1]), box(2, 5, 2))
    assert [str(case.image) for case in open_dataset(root).cases] == paths[:1]
