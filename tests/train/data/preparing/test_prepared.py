"""Prepared cases, in the cache and in memory."""

import os
import pickle
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import torch

from curation.runtime.progress import Progress
from models.preprocessing import Preprocessing
from tests.train.data.data_files import box, hounsfield, save, totalsegmentator, with_json
from train.data.cases import Case, DataError, DataSet
from train.data.dataset import open_dataset, read_case
from train.data.preparing import prepared
from train.data.preparing.prepared import PreparedCases
from train.data.preparing.prepared_file import MAX_POSITIONS, read_prepared
from train.scans.grid import to_network
from train.scans.scan import Scan

SAME = Preprocessing(spacing_mm=(3, 2, 2), orientation="SAR", normalisation="zscore")
COARSE = Preprocessing(spacing_mm=(4, 4, 4), orientation="SAR", normalisation="zscore")

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture
def data(tmp_path: Path) -> DataSet:
    masks = {"liver": box(2, 5), "spleen": box(6, 8)}
    return open_dataset(totalsegmentator(tmp_path / "set", {"s1": masks, "s2": {"spleen": box(3, 9)}}))


def cache_files(cache: Path) -> list[Path]:
    return sorted(cache.iterdir())


def test_case_is_what_the_network_sees(data: DataSet, tmp_path: Path) -> None:
    cases = PreparedCases(data, data.cases, SAME, tmp_path / "cache")
    for _ in range(2):
        case = cases[0]
        volume, grid = to_network(read_case(data.cases[0]), SAME)
        assert case.volume.dtype == torch.float32 and case.volume.shape == volume.shape
        assert torch.allclose(case.volume, volume, rtol=1e-3, atol=1e-3), "half precision"
        assert np.array_equal(case.grid.affine, grid.affine) and case.grid.scan_shape == grid.scan_shape
        assert case.labels is not None and case.labels.dtype == torch.int16
        # The stored axes run left, front, up; the network's up, front, right.
        assert (case.labels == 5).nonzero().tolist() == (
            torch.from_numpy(box(2, 5)).permute(2, 1, 0).flip(1, 2) == 1
        ).nonzero().tolist()
        cases = PreparedCases(data, data.cases, SAME, tmp_path / "cache")


def test_second_reading_comes_from_the_cache(data: DataSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = PreparedCases(data, data.cases, COARSE, tmp_path / "cache")[0]
    monkeypatch.setattr(prepared, "read_case", lambda case: pytest.fail("read again"))
    again = PreparedCases(data, data.cases, COARSE, tmp_path / "cache")
    assert torch.equal(again[0].volume, first.volume)
    assert torch.equal(again[0].volume, again[0].volume)
    with pytest.raises(pytest.fail.Exception):
        PreparedCases(data, data.cases, SAME, tmp_path / "cache")[0]


def test_changed_files_and_other_labels_are_made_anew(data: DataSet, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    PreparedCases(data, data.cases, SAME, cache)[0]
    only = PreparedCases(data, data.cases, SAME, cache, structures=["spleen"])
    assert only.label_index(0).keys() == {1}
    assert only.structures == {"spleen": (1,)}
    path = data.cases[0].image
    save(path, hounsfield(9))
    os.utime(path, ns=(1, 1))
    fresh = PreparedCases(data, data.cases, SAME, cache)[0]
    assert torch.allclose(fresh.volume, to_network(read_case(data.cases[0]), SAME)[0], atol=1e-2)
    assert len(cache_files(cache)) == 3
    os.utime(path, ns=(2, 2))
    PreparedCases(data, data.cases, SAME, cache)[0]
    assert len(cache_files(cache)) == 4, "of the same size, but of another time"
    with pytest.raises(DataError, match="no labels of kidney"):
        PreparedCases(data, data.cases, SAME, cache, structures=["kidney"])


@pytest.mark.parametrize("keep", [0, 9, 500, -1])
def test_cut_off_file_is_made_anew(data: DataSet, tmp_path: Path, keep: int) -> None:
    first = PreparedCases(data, data.cases, SAME, tmp_path / "cache")[0]
    (file,) = cache_files(tmp_path / "cache")
    content = file.read_bytes()
    file.write_bytes(content[:keep])
    assert read_prepared(file) is None
    again = PreparedCases(data, data.cases, SAME, tmp_path / "cache")[0]
    assert torch.equal(again.volume, first.volume)
    assert cache_files(tmp_path / "cache") == [file] and len(file.read_bytes()) == len(content)


def test_an_interrupted_write_leaves_nothing(data: DataSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    cases = PreparedCases(data, data.cases, SAME, tmp_path / "cache")
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(os, "replace", stop)
        cases[0]
    assert cache_files(tmp_path / "cache") == []
    assert cases[0].volume.shape[0] == 1


def test_crop_is_part_of_the_whole_and_padded_as_its_edge(data: DataSet, tmp_path: Path) -> None:
    cases = PreparedCases(data, data.cases, SAME, tmp_path / "cache")
    case = cases[0]
    assert case.labels is not None
    volume, labels = cases.crop(0, (2, 3, 4), (5, 6, 7))
    assert torch.equal(volume, case.volume[:, 2:7, 3:9, 4:11])
    assert labels is not None and torch.equal(labels, case.labels[2:7, 3:9, 4:11])
    depth, height, width = cases.grid(0).shape
    volume, labels = cases.crop(0, (-2, 1, -1), (depth + 4, height, width + 1))
    assert labels is not None
    assert torch.equal(volume[:, 2 : 2 + depth, : height - 1, 1 : 1 + width], case.volume[:, :, 1:])
    assert (volume[:, :2] == case.volume.min()).all() and (volume[:, :, -1] == case.volume.min()).all()
    assert (labels[:2] == 0).all() and int((labels > 0).sum()) == int((case.labels[:, 1:] > 0).sum())
    outside, labels = cases.crop(0, (depth + 5, -40, 0), (3, 3, 3))
    assert (outside == case.volume.min()).all()


def test_what_is_given_out_can_be_changed(data: DataSet, tmp_path: Path) -> None:
    cases = PreparedCases(data, data.cases, SAME, tmp_path / "cache")
    case = cases[0]
    assert case.labels is not None
    before = case.labels.clone()
    case.labels.zero_()
    case.volume.zero_()
    again = cases[0]
    assert again.labels is not None and torch.equal(again.labels, before) and again.volume.any()


def test_memory_keeps_what_fits(data: DataSet, monkeypatch: pytest.MonkeyPatch) -> None:
    read_ids = list[str]()

    def read_and_note(case: Case) -> Scan:
        read_ids.append(case.id)
        return read_case(case)

    monkeypatch.setattr(prepared, "read_case", read_and_note)
    roomy = PreparedCases(data, data.cases, SAME)
    for index in (0, 1, 0, 1):
        roomy[index]
    assert read_ids == ["s1", "s2"]
    tight = PreparedCases(data, data.cases, SAME, keep_gb=0)
    for index in (0, 0, 1, 0):
        tight[index]
    assert read_ids[2:] == ["s1", "s2", "s1"]


def test_label_index_finds_every_label(data: DataSet, tmp_path: Path) -> None:
    cases = PreparedCases(data, data.cases, SAME, tmp_path / "cache")
    for _ in range(2):
        for index in (0, 1):
            labels = cases[index].labels
            assert labels is not None
            label_index = cases.label_index(index)
            assert label_index.keys() == set(labels.flatten().tolist()) - {0}
            for label, indexed in label_index.items():
                voxels = (labels == label).nonzero()
                assert indexed.count == len(voxels) and len(indexed.positions) == min(MAX_POSITIONS, len(voxels))
                assert indexed.box == (tuple(voxels.amin(0).tolist()), tuple((voxels.amax(0) + 1).tolist()))
                assert indexed.positions.dtype == np.int16
                assert (labels[tuple(indexed.positions.T.astype(int))] == label).all()
                assert len(np.unique(indexed.positions, axis=0)) == len(indexed.positions)
        cases = PreparedCases(data, data.cases, SAME, tmp_path / "cache")


def test_voxels_of_which_nothing_is_known_are_kept_but_not_sought(tmp_path: Path) -> None:
    root = with_json(tmp_path / "set", channel_names={"0": "CT"}, labels={"background": 0, "liver": 1, "ignore": 2})
    save(root / "imagesTr" / "a_0000.nii.gz", hounsfield())
    save(root / "labelsTr" / "a.nii.gz", box(2, 5) + box(6, 8, 2))
    dataset = open_dataset(root)
    cases = PreparedCases(dataset, dataset.cases, SAME, tmp_path / "cache")
    labels = cases[0].labels
    assert labels is not None and set(labels.flatten().tolist()) == {0, 1, 2}
    assert cases.label_index(0).keys() == {1}


def test_broken_case_is_left_out_or_ends_it(data: DataSet, tmp_path: Path) -> None:
    content = data.cases[0].image.read_bytes()
    data.cases[0].image.write_bytes(content[: len(content) // 2])
    data.cases[1].image.unlink()
    good = open_dataset(totalsegmentator(tmp_path / "other", {"s3": {"liver": box(2, 4)}})).cases
    cases = PreparedCases(data, [*data.cases, *good], SAME, tmp_path / "cache")
    with pytest.raises(DataError, match=r"s1 cannot be used: .*ct\.nii\.gz"):
        cases[0]
    with pytest.raises(DataError, match=r"2 of 3 cases cannot be used:\n  s1.*\n  s2.*ct\.nii\.gz is not there"):
        cases.prepare()
    assert len(cases) == 3
    cases.prepare(on_problem="skip")
    assert [case.id for case in cases.cases] == ["s3"] and cases[0].case.id == "s3"
    assert [problem.case_id for problem in cases.problems] == ["s1", "s2"]
    with pytest.raises(DataError, match="no case is left, for none of 2 can be used"):
        PreparedCases(data, data.cases, SAME, tmp_path / "cache").prepare(on_problem="skip")


def test_other_processes_fill_the_cache(data: DataSet, tmp_path: Path) -> None:
    class Count(Progress):
        done = 0

        def advance(self) -> None:
            self.done += 1

    progress = Count()
    # One case: a second process would take seconds to start.
    cases = PreparedCases(data, data.cases[:1], SAME, tmp_path / "cache")
    cases.prepare(jobs=2, progress=progress)
    assert progress.done == 1 and len(cache_files(tmp_path / "cache")) == 1
    assert torch.equal(cases[0].volume, PreparedCases(data, data.cases, SAME)[0].volume)


def test_several_fill_one_cache_at_once(data: DataSet, tmp_path: Path) -> None:
    def volume(_: int) -> torch.Tensor:
        prepared_volume: torch.Tensor = PreparedCases(data, data.cases, SAME, tmp_path / "cache")[0].volume
        return prepared_volume

    with ThreadPoolExecutor(4) as pool:
        first, *others = pool.map(volume, range(8))
    assert all(torch.equal(first, other) for other in others)
    assert len(cache_files(tmp_path / "cache")) == 1


def test_another_process_maps_the_files_itself(data: DataSet, tmp_path: Path) -> None:
    cases = PreparedCases(data, data.cases, SAME, tmp_path / "cache")
    volume = cases[0].volume
    sent = pickle.dumps(cases)
    assert len(sent) < 20_000, "no volume is sent"
    assert torch.equal(pickle.loads(sent)[0].volume, volume)


def test_the_label_ids_of_a_case_are_read_from_its_index_alone(
    data: DataSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cases = PreparedCases(data, data.cases, SAME, tmp_path / "cache")
    expected = [frozenset(cases.label_index(index)) for index in range(2)]
    assert expected[0] > expected[1] > set()
    again = PreparedCases(data, data.cases, SAME, tmp_path / "cache")
    assert [again.label_ids(index) for index in range(2)] == expected  # of files that are not checked yet
    monkeypatch.setattr(again, "_stored", None)
    assert [again.label_ids(index) for index in range(2)] == expected
    save(tmp_path / "plain" / "1.nii.gz", hounsfield())
    plain = open_dataset(tmp_path / "plain")
    without = PreparedCases(plain, plain.cases, SAME, tmp_path / "cache")
    without.prepare()
    assert without.label_ids(0) == set()


def test_volume_without_labels(tmp_path: Path) -> None:
    save(tmp_path / "set" / "1.nii.gz", hounsfield() // 4)
    dataset = open_dataset(tmp_path / "set")
    cases = PreparedCases(dataset, dataset.cases, SAME, tmp_path / "cache")
    assert cases[0].labels is None and cases.label_index(0) == {} and cases.crop(0, (0, 0, 0), (2, 2, 2))[1] is None
    for _ in range(2):
        assert all("1.nii.gz" in warning for warning in cases.warnings(0)) and cases.warnings(0), (
            "the intensities are no HU"
        )
        cases = PreparedCases(dataset, dataset.cases, SAME, tmp_path / "cache")


@pytest.mark.parametrize(
    "error", [ValueError("w2 should be positive"), ZeroDivisionError("x"), PermissionError(13, "no")]
)
def test_whatever_is_raised_for_one_case_names_it_and_obeys_on_problem(
    data: DataSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def read(case: Case) -> Scan:
        if case.id == "s1":
            raise error
        return read_case(case)

    monkeypatch.setattr(prepared, "read_case", read)
    cases = PreparedCases(data, data.cases, SAME, tmp_path / "cache")
    with pytest.raises(DataError, match=r"1 of 2 cases cannot be used:\n  s1: /.*ct\.nii\.gz"):
        cases.prepare()
    cases.prepare(on_problem="skip")
    assert [case.id for case in cases.cases] == ["s2"] and "s1" in str(cases.problems[0])
