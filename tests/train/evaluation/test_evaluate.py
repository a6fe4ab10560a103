"""Evaluating a data set: measured against models that know the answer, and going on after an interruption."""

import dataclasses
import errno
from pathlib import Path

import nibabel
import numpy as np
import pytest

import train.evaluation.previews
from curation.runtime.errors import Interrupted
from curation.runtime.progress import Progress
from tests.train.evaluation.evaluations import (
    AFFINE,
    STRUCTURE_PROMPTS,
    WHOLE,
    Oracle,
    all_of,
    corner,
    cube,
    data_set,
    header_of,
    nothing,
    shifted,
)
from train.data.cases import DataSet
from train.evaluation.evaluate import measure_cases
from train.evaluation.metrics import Mask
from train.evaluation.previews import Previews
from train.evaluation.questions import build_questions
from train.evaluation.record import CASES_FILE, CaseResult, prepare_folder, read_cases
from train.prompting.nonsense_words import ASKED_NONSENSE


class CaseProgress(Progress):
    """Keeps messages, and stops a run after so many cases."""

    def __init__(self, stop_after: int | None = None) -> None:
        self.messages: list[str] = []
        self.left = stop_after

    def message(self, text: str) -> None:
        self.messages.append(text)

    def raise_if_interrupted(self) -> None:
        if self.left == 0:
            raise Interrupted
        if self.left is not None:
            self.left -= 1


def run(dataset: DataSet, predict: Oracle, folder: Path, progress: Progress | None = None) -> list[CaseResult]:
    header = header_of(dataset)
    folder.mkdir(exist_ok=True)
    finished = prepare_folder(folder, header, False)
    return measure_cases(dataset, all_of(dataset), header, predict, finished, folder, progress or Progress()).cases


@pytest.fixture
def dataset(tmp_path: Path) -> DataSet:
    return data_set(tmp_path / "set", {"s1": WHOLE, "s2": ("liver", "kidney_left"), "s3": WHOLE})


def test_a_perfect_model_scores_one_everywhere(dataset: DataSet, tmp_path: Path) -> None:
    oracle = Oracle(dataset)
    cases = run(dataset, oracle, tmp_path / "out")
    rows = [row for case in cases for row in case.rows]
    assert {row.kind for row in rows} == {"name", "synonym", "group", "nonsense"}
    assert {(row.dice, row.nsd) for row in rows if row.present} == {(1.0, 1.0)}
    assert not any(row.false_mask or row.missed for row in rows)
    assert {row.subject for row in rows if not row.present} == {"spleen", "kidney_right", *ASKED_NONSENSE}
    assert next(row.reference_ml for row in rows if row.subject == "liver") == pytest.approx(216 * 1.5**3 / 1000)
    assert oracle.history == [
        (case, build_questions(tuple(dataset.structures), STRUCTURE_PROMPTS).prompts) for case in ("s1", "s2", "s3")
    ]


def test_what_is_wrong_is_measured(dataset: DataSet, tmp_path: Path) -> None:
    changes = {("s1", "liver"): shifted, ("s2", "liver"): nothing, ("s2", "spleen"): corner}
    first, second, _ = run(dataset, Oracle(dataset, changes), tmp_path / "out")
    liver = {case.case: next(row for row in case.rows if row.prompt == "liver") for case in (first, second)}
    assert liver["s1"].dice == pytest.approx(2 / 3) and liver["s1"].nsd == 1.0
    assert (liver["s2"].dice, liver["s2"].nsd, liver["s2"].missed) == (0.0, 0.0, True)
    spleen = next(row for row in second.rows if row.prompt == "spleen")
    assert spleen.dice is None and spleen.nsd is None and spleen.false_mask
    assert spleen.predicted_ml == pytest.approx(8 * 1.5**3 / 1000)


def test_a_group_is_all_of_its_members(dataset: DataSet, tmp_path: Path) -> None:
    case = run(dataset, Oracle(dataset, {("s1", "kidneys"): half}), tmp_path / "out")[0]
    kidneys = next(row for row in case.rows if row.prompt == "kidneys")
    assert kidneys.kind == "group" and kidneys.dice == pytest.approx(2 / 3)
    assert kidneys.reference_ml == pytest.approx(432 * 1.5**3 / 1000)


def half(mask: Mask) -> Mask:
    return mask & cube("kidney_left")


def test_what_was_not_looked_for_is_not_asked(dataset: DataSet, tmp_path: Path) -> None:
    partly_labelled = dataclasses.replace(dataset.cases[0], labelled=("liver", "kidney_left"))
    cases = run(dataclasses.replace(dataset, cases=(partly_labelled,)), Oracle(dataset), tmp_path / "out")
    assert {row.subject for row in cases[0].rows} == {"liver", "kidney_left", *ASKED_NONSENSE}


def test_what_a_label_map_does_not_hold_is_not_asked_where_only_what_is_present_was_looked_for(
    dataset: DataSet, tmp_path: Path
) -> None:
    cases = tuple(dataclasses.replace(case, labelled_if_present=True) for case in dataset.cases)
    _, second, _ = run(dataclasses.replace(dataset, cases=cases), Oracle(dataset), tmp_path / "out")
    assert {row.subject for row in second.rows} == {"liver", "kidney_left", *ASKED_NONSENSE}
    assert not any(row.false_mask or row.present == (row.kind == "nonsense") for row in second.rows)
    # A case of which nothing is known costs no run of the model.
    nothing_known = dataclasses.replace(dataset.cases[1], labelled=("spleen",), labelled_if_present=True)
    oracle = Oracle(dataset)
    (case,) = run(dataclasses.replace(dataset, cases=(nothing_known,)), oracle, tmp_path / "other")
    assert not case.rows and not oracle.history


def test_a_stopped_run_goes_on_where_it_was(dataset: DataSet, tmp_path: Path) -> None:
    out, first, second = tmp_path / "out", Oracle(dataset), Oracle(dataset)
    with pytest.raises(Interrupted):
        run(dataset, first, out, CaseProgress(stop_after=2))
    with (out / CASES_FILE).open("a") as file:
        file.write('{"case": "s3", "pat')
    cases = run(dataset, second, out)
    assert [case for case, _ in second.history] == ["s3"]
    assert [case.case for case in cases] == ["s1", "s2", "s3"]
    assert [case.case for case in read_cases(out)] == ["s1", "s2", "s3"]
    at_once = run(dataset, Oracle(dataset), tmp_path / "other")
    assert [case.rows for case in cases] == [case.rows for case in at_once]


def test_a_broken_case_is_named_and_left_out(dataset: DataSet, tmp_path: Path) -> None:
    path = tmp_path / "set" / "s2" / "ct.nii.gz"
    content = path.read_bytes()
    path.write_bytes(content[:300])
    progress, header, out = CaseProgress(), header_of(dataset), tmp_path / "out"
    out.mkdir()
    measured = measure_cases(
        dataset, all_of(dataset), header, Oracle(dataset), prepare_folder(out, header, False), out, progress
    )
    assert [case.case for case in measured.cases] == ["s1", "s3"]
    assert [skipped.case for skipped in measured.left_out] == ["s2"] and str(path) in measured.left_out[0].what
    assert len(progress.messages) == 1 and "s2" in progress.messages[0]
    path.write_bytes(content)
    assert len(run(dataset, Oracle(dataset), out)) == 3


def test_labels_on_another_grid_are_a_broken_case(dataset: DataSet, tmp_path: Path) -> None:
    path = tmp_path / "set" / "s1" / "segmentations" / "liver.nii.gz"
    nibabel.save(nibabel.Nifti1Image(np.ones((5, 5, 5), np.uint8), AFFINE), path)
    assert [case.case for case in run(dataset, Oracle(dataset), tmp_path / "out")] == ["s2", "s3"]


def test_a_picture_is_on_the_list_before_it_is_drawn(
    dataset: DataSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A kill while it is drawn then leaves nothing that --overwrite takes for somebody's."""
    out, oracle = tmp_path / "out", Oracle(dataset, {("s1", "liver"): shifted})

    def killed(path: Path, *arguments: object, **options: object) -> None:
        path.with_name(f".{path.name}.tmp").touch()
        raise SystemExit

    with monkeypatch.context() as patch, pytest.raises(SystemExit):
        patch.setattr(train.evaluation.previews, "save_masks", killed)
        run(dataset, oracle, out)
    left = {path.name for path in (out / "previews").iterdir()}
    assert any(name.endswith(".png") for name in left) and any(name.endswith(".tmp") for name in left)
    prepare_folder(out, header_of(dataset), True)
    assert not (out / "previews").exists()


def test_a_full_disk_ends_the_run_and_leaves_no_case_out(
    dataset: DataSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(self: Previews, scan: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch, pytest.raises(OSError, match=r"No space left on device: .*out/previews"):
        patch.setattr(Previews, "draw", full)
        run(dataset, Oracle(dataset), tmp_path / "out")
    assert [case.case for case in run(dataset, Oracle(dataset), tmp_path / "out")] == ["s1", "s2", "s3"]
