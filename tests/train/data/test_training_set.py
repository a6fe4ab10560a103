"""Several data sets as one training set."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from curation.runtime.progress import Progress
from tests.train.data.data_files import save, with_json
from tests.train.training_worlds import AFFINE, PREPROCESSING, SHAPE, labelled
from train.config.options import Data
from train.data.cases import DataError
from train.data.training_set import CaseRef, TrainingSet, open_training_set

pytestmark = pytest.mark.usefixtures("one_thread")


def open_sets(tmp_path: Path, *roots: Path, data: Data | None = None) -> TrainingSet:
    return open_training_set(roots, data or Data(), PREPROCESSING, tmp_path / "cache")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sets")
    labelled(folder / "all", 5)
    labelled(folder / "few", 3, ("liver", "spleen"), first=10)
    return folder


def test_two_data_sets_and_what_each_labels(folder: Path, tmp_path: Path) -> None:
    data = open_sets(tmp_path, folder / "few", folder / "all")
    assert data.structures[:2] == ("spleen", "liver") and len(data.structures) == 4
    assert (
        data.labelled_structures(CaseRef(0, 0)) == {"liver", "spleen"}
        and len(data.labelled_structures(CaseRef(1, 0))) == 4
    )
    assert data.labelled_structures(CaseRef(1, 0), held_out=True) == data.labelled_structures(CaseRef(1, 0))
    trained = {data.case(case_ref).id for case_ref in data.case_refs()}
    held_out = {data.case(case_ref, held_out=True).id for case_ref in data.case_refs(held_out=True)}
    assert not trained & held_out and len(trained | held_out) == 8 and held_out
    assert len(set(data.scans())) == len(data.case_refs())
    recorded = data.describe()
    assert [source["structures"] for source in recorded] == [2, 4]  # type: ignore[index, call-overload]


def test_members_of_prompts_by_label(folder: Path, tmp_path: Path) -> None:
    data = open_sets(tmp_path, folder / "few", folder / "all")
    ids = {name: numbers[0] for name, numbers in data.sources[1].structures.items()}
    table = data.label_membership(1, [("liver",), ("liver", "kidney_left"), ("kidney_right",)])
    assert table.shape == (max(ids.values()) + 1, 3) and table.dtype == torch.bool
    assert table[ids["liver"]].tolist() == [True, True, False]
    assert table[ids["kidney_left"]].tolist() == [False, True, False]
    assert not table[0].any() and not table[ids["spleen"]].any()
    assert not data.label_membership(0, [("kidney_right",)]).any()


def test_one_structure_under_two_labels_is_one(tmp_path: Path) -> None:
    mask = np.zeros(SHAPE, np.uint8)
    mask[4:8, 4:8, 4:8] = 1
    for root, label in (("a", "kidney_left"), ("b", "left_kidney")):
        for case in ("x", "y"):
            save(tmp_path / root / f"{root}{case}" / "ct.nii.gz", mask.astype(np.int16), AFFINE)
            save(tmp_path / root / f"{root}{case}" / "segmentations" / f"{label}.nii.gz", mask, AFFINE)
    data = open_sets(tmp_path, tmp_path / "a", tmp_path / "b")
    assert data.structures == ("kidney_left",)
    assert data.labelled_structures(CaseRef(1, 0)) == {"kidney_left"}
    prepared = data.cases(1)[0]
    assert prepared.labels is not None
    assert int(data.label_membership(1, [("kidney_left",)])[prepared.labels.long()].sum()) == 64


def test_two_labels_of_one_data_set_that_mean_one_structure_are_both_it(tmp_path: Path) -> None:
    for case in ("x", "y"):
        save(tmp_path / "a" / case / "ct.nii.gz", np.arange(np.prod(SHAPE), dtype=np.int16).reshape(SHAPE), AFFINE)
        for number, label in enumerate(("gallbladder", "gall_bladder")):
            mask = np.zeros(SHAPE, np.uint8)
            mask[4 + 6 * number, 4:8, 4:8] = 1
            save(tmp_path / "a" / case / "segmentations" / f"{label}.nii.gz", mask, AFFINE)
    data = open_sets(tmp_path, tmp_path / "a")
    (name,) = data.structures
    labels = data.cases(0)[0].labels
    assert labels is not None and int(data.label_membership(0, [(name,)])[labels.long()].sum()) == 32


def test_what_was_looked_for_in_a_case_counts_by_the_structures_name(tmp_path: Path) -> None:
    mask = np.ones(SHAPE, np.uint8)
    for root, label in (("a", "kidney_left"), ("b", "left_kidney")):
        for case in ("x", "y"):
            save(tmp_path / root / f"{root}{case}" / "ct.nii.gz", mask.astype(np.int16), AFFINE)
            for structure in (label, "spleen"):
                save(tmp_path / root / f"{root}{case}" / "segmentations" / f"{structure}.nii.gz", mask, AFFINE)
    data = open_sets(tmp_path, tmp_path / "a", tmp_path / "b")
    cases = data.cases(1).cases
    cases[0] = replace(cases[0], labelled=("left_kidney",))
    assert data.labelled_structures(CaseRef(1, 0)) == {"kidney_left"}


def test_broken_cases_are_left_out_by_name_or_end_the_run(tmp_path: Path) -> None:
    root = labelled(tmp_path / "data", 4)
    volume = root / "s1" / "ct.nii.gz"
    volume.write_bytes(volume.read_bytes()[:2000])
    data = open_sets(tmp_path, root, data=Data(validation=0.0))
    data.prepare("skip", Progress())
    assert {data.case(case_ref).id for case_ref in data.case_refs()} == {"s0", "s2", "s3"}
    assert [problem.case_id for problem in data.cases(0).problems] == ["s1"]
    data = open_sets(tmp_path, root, data=Data(validation=0.0))
    with pytest.raises(DataError, match=r"(?s)1 of 4 training cases cannot be used.*s1.*ct\.nii\.gz"):
        data.prepare("refuse", Progress())


def test_a_limit_and_no_labels(folder: Path, tmp_path: Path) -> None:
    assert len(open_sets(tmp_path, folder / "all", data=Data(limit=2)).case_refs()) == 2
    for name in ("a", "b"):
        save(tmp_path / "plain" / f"{name}.nii.gz", np.zeros(SHAPE, np.int16), AFFINE)
    with pytest.raises(DataError, match=r"plain has no labelled case to train on"):
        open_sets(tmp_path, tmp_path / "plain")
    with pytest.raises(DataError, match="not there"):
        open_sets(tmp_path, tmp_path / "nowhere")


def test_no_held_out_case_left_is_said_as_such(tmp_path: Path) -> None:
    root = labelled(tmp_path / "data", 4)
    data = open_sets(tmp_path, root, data=Data(validation=0.3))
    for case in data.cases(0, held_out=True).cases:
        case.image.write_bytes(case.image.read_bytes()[:2000])
    with pytest.raises(DataError, match=r"(?s)no held-out case is left, for none of .* can be used.*--validation"):
        data.prepare("skip", Progress())


def test_what_the_data_set_lacks_obeys_on_problem(tmp_path: Path) -> None:
    root = labelled(tmp_path / "data", 4)
    for mask in (root / "s1" / "segmentations").iterdir():
        mask.unlink()
    said: list[str] = []
    progress = Progress()
    progress.warning = said.append  # type: ignore[method-assign, assignment]
    data = open_sets(tmp_path, root, data=Data(validation=0.0))
    data.prepare("skip", progress)
    assert len(said) == 1 and said[0].startswith("left out: s1 (") and len(data.case_refs()) == 3
    with pytest.raises(DataError, match=r"(?s)1 of 4 cases cannot be used.*s1 .*no masks"):
        open_sets(tmp_path, root, data=Data(validation=0.0)).prepare("refuse", Progress())


def maps(root: Path) -> Path:
    """nnU-Net's layout: x with the liver alone, y and z with the spleen too, and an id that no case has."""
    with_json(root, labels={"background": 0, "liver": 1, "spleen": 2, "aorta": 3}, channel_names={"0": "CT"})
    for number, case in enumerate("xyz"):
        mask = np.zeros(SHAPE, np.uint8)
        mask[4:8, 4:8, 4:8] = 1
        mask[12:16, 4:8, 4:8] = 2 if case != "x" else 0
        save(root / "imagesTr" / f"{case}_0000.nii.gz", mask.astype(np.int16) * 50 + number, AFFINE)
        save(root / "labelsTr" / f"{case}.nii.gz", mask, AFFINE)
    return root


def test_what_a_label_map_holds_is_what_was_looked_for(tmp_path: Path) -> None:
    root = maps(tmp_path / "maps")
    data = open_training_set([root], Data(validation=0.0), PREPROCESSING, tmp_path / "cache", labelled="present")
    assert [data.labelled_structures(CaseRef(0, index)) for index in range(3)] == [
        {"liver"}, {"liver", "spleen"}, {"liver", "spleen"}
    ]  # fmt: skip
    assert open_sets(tmp_path, root).labelled_structures(CaseRef(0, 0)) == {"liver", "spleen", "aorta"}


def test_what_was_looked_for_in_no_case_is_no_structure(tmp_path: Path) -> None:
    root = maps(tmp_path / "maps")
    (root / "labelled.json").write_text(json.dumps(["liver"]))
    data = open_sets(tmp_path, root, data=Data(validation=0.0))
    assert data.structures == ("liver",)
    # Voxels of the others are in the labels all the same.
    labels = data.cases(0)[1].labels
    assert labels is not None and int(labels.max()) == 2
    assert int(data.label_membership(0, [("liver",)])[labels.long()].sum()) == 64
    assert data.describe()[0]["labelled"] == "file"  # type: ignore[index, call-overload]


def test_prepared_cases_serve_whatever_was_looked_for(tmp_path: Path) -> None:
    root = maps(tmp_path / "maps")
    open_sets(tmp_path, root, data=Data(validation=0.0)).prepare("refuse", Progress())
    files = {path: path.stat().st_mtime_ns for path in (tmp_path / "cache").iterdir()}
    for content, known in (({"x": ["spleen"], "*": ["liver", "spleen"]}, {"spleen"}), (["liver"], {"liver"})):
        (root / "labelled.json").write_text(json.dumps(content))
        data = open_sets(tmp_path, root, data=Data(validation=0.0))
        data.prepare("refuse", Progress())
        assert data.labelled_structures(CaseRef(0, 0)) == known
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "cache").iterdir()} == files
