"""What was looked for in each case: said in a file, taken from the labels, or all."""

import json
from pathlib import Path

import numpy as np
import pytest

from tests.train.data.data_files import box, hounsfield, save, totalsegmentator, with_json
from train.config.options import LabelledBy
from train.data.cases import DataError, DataSet
from train.data.dataset import open_dataset
from train.data.labelling.labelled import labelled_fingerprint, labelled_names

LABELS = {"background": 0, "liver": 1, "spleen": 2, "tumour": 3}


@pytest.fixture
def nnunet(tmp_path: Path) -> Path:
    root = with_json(tmp_path / "Dataset001_Made", labels=LABELS, channel_names={"0": "CT"}, numTraining=3)
    for seed, case in enumerate(("a", "b", "c")):
        save(root / "imagesTr" / f"{case}_0000.nii.gz", hounsfield(seed))
        save(root / "labelsTr" / f"{case}.nii.gz", box(3, 6) if case == "a" else np.maximum(box(3, 6), box(7, 9, 2)))
    return root


@pytest.fixture
def masks(tmp_path: Path) -> Path:
    cases = {"s1": {"liver": box(2, 4), "spleen": box(5, 7)}, "s2": {"liver": box(2, 4), "spleen": box(0, 0)}}
    return totalsegmentator(tmp_path / "masks", {**cases, "s3": {"liver": box(2, 4)}})


def said(root: Path, content: object) -> Path:
    (root / "labelled.json").write_text(content if isinstance(content, str) else json.dumps(content))
    return root


def labelled(dataset: DataSet) -> dict[str, tuple[str, ...] | None]:
    return {case.id: case.labelled for case in dataset.cases}


def opened(root: Path, by: LabelledBy = "auto") -> DataSet:
    return open_dataset(root, labelled=by)


def test_where_nothing_is_said_every_structure_was_looked_for(nnunet: Path, masks: Path) -> None:
    ways: tuple[LabelledBy, ...] = ("auto", "all")
    for root in (nnunet, masks):
        for by in ways:
            dataset = opened(root, by)
            assert dataset.labelled_by == by and set(labelled(dataset).values()) == {None}
            assert labelled_names(dataset.cases[0], dataset.structures) == set(dataset.structures)
            assert labelled_fingerprint(dataset) == ""


@pytest.mark.parametrize("by", ["auto", "file"])
def test_a_file_says_it_by_case_and_for_all_others(nnunet: Path, by: LabelledBy) -> None:
    said(nnunet, {"b": ["spleen", "liver"], "*": ["liver"]})
    dataset = opened(nnunet, by)
    assert dataset.labelled_by == "file"
    assert labelled(dataset) == {"a": ("liver",), "b": ("liver", "spleen"), "c": ("liver",)}
    assert set(labelled(opened(nnunet, "all")).values()) == {None}
    assert set(labelled(opened(said(nnunet, ["tumour"]))).values()) == {("tumour",)}


def test_a_case_in_which_nothing_was_looked_for_has_no_labels(nnunet: Path) -> None:
    dataset = opened(said(nnunet, {"a": [], "*": ["liver"]}))
    assert [case.id for case in dataset.cases if case.labels is None] == ["a"]


def test_each_layout_with_labels_has_it(nnunet: Path, masks: Path, tmp_path: Path) -> None:
    assert labelled(opened(said(masks, {"*": ["spleen"]})))["s3"] == ("spleen",)
    listed = {"image": str(nnunet / "imagesTr" / "a_0000.nii.gz"), "label": str(nnunet / "labelsTr" / "a.nii.gz")}
    msd = with_json(tmp_path / "msd", labels={"0": "background", "1": "liver"}, training=[listed])
    assert labelled(opened(said(msd, ["liver"]))) == {"a_0000": ("liver",)}
    save(tmp_path / "maps" / "Images" / "m.nii.gz", hounsfield())
    save(tmp_path / "maps" / "Masks" / "m.nii.gz", box(2, 4))
    assert labelled(opened(said(tmp_path / "maps", {"m": ["aorta"]}))) == {"m": ("aorta",)}
    save(tmp_path / "plain" / "v.nii.gz", hounsfield())
    assert opened(said(tmp_path / "plain", "of something else")).cases[0].labelled is None


def test_what_the_labels_hold_is_what_was_looked_for(nnunet: Path, masks: Path) -> None:
    dataset = opened(nnunet, "present")
    assert all(case.labelled is None and case.labelled_if_present for case in dataset.cases)
    assert labelled_names(dataset.cases[0], dataset.structures, {1, 3}) == {"liver", "tumour"}
    assert labelled_names(dataset.cases[0], {"whole": (1, 3), "core": (3,)}, {1}) == {"whole"}
    # Of masks, an empty one says that the structure was looked for; no mask, that it was not.
    dataset = opened(masks, "present")
    assert labelled(dataset) == {"s1": ("spleen", "liver"), "s2": ("spleen", "liver"), "s3": ("liver",)}
    assert not any(case.labelled_if_present for case in dataset.cases)
    # The file is not read then.
    assert opened(said(masks, "no JSON"), "present").labelled_by == "present"


def test_the_hash_changes_with_what_was_looked_for(nnunet: Path) -> None:
    hashes = [labelled_fingerprint(opened(said(nnunet, names))) for names in (["liver"], ["spleen"], {"*": ["liver"]})]
    assert hashes[0] != hashes[1] and hashes[0] == hashes[2]
    assert len({*hashes, labelled_fingerprint(opened(nnunet, "present")), ""}) == 4


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ({"A1": ["liver"], "*": []}, r"has no case 'A1' \(there are a, b, c\); correct or delete it"),
        ({"*": ["livr"]}, r"'\*' names 'livr', which .* has no label for \(nearest: liver\)"),
        (["kidney"], r"the list names 'kidney', which .* has no label for \(there are liver, spleen, tumour\)"),
        ({"a": ["liver"]}, r"does not name b and 1 more of 3 cases; add each with its list .*'\*'"),
        ({"a": "liver", "*": []}, r"""'a' is "liver"; expected a list of structures, such as \["liver"\]"""),
        ({"a": [1], "*": []}, r"'a' is \[1\]; expected a list"),
        ("liver", r"cannot be read as JSON .*expected a list of structures for all cases"),
        ("3", r"expected a list of structures for all cases, or .*, not 3"),
        ('{"a": [], "a": ["liver"], "*": []}', r"the case 'a' stands twice"),
    ],
)
def test_an_entry_that_does_not_fit_is_named(nnunet: Path, content: object, text: str) -> None:
    with pytest.raises(DataError, match=rf"labelled\.json:? .*{text}|labelled\.json:? ?{text}"):
        opened(said(nnunet, content))


def test_the_file_has_to_be_there_where_it_is_asked_for(nnunet: Path) -> None:
    with pytest.raises(DataError, match=r"has no labelled\.json; write it"):
        opened(nnunet, "file")


def test_a_case_that_cannot_be_used_may_be_named(nnunet: Path) -> None:
    (nnunet / "labelsTr" / "c.nii.gz").unlink()
    dataset = opened(said(nnunet, {"a": ["liver"], "b": ["liver"], "c": ["liver"]}))
    assert list(labelled(dataset)) == ["a", "b"]
