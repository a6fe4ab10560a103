import dataclasses
from pathlib import Path

import nibabel
import numpy as np
import pytest
from pydantic import JsonValue

from curation.runtime.errors import Interrupted
from curation.runtime.progress import Progress
from tests.train.evaluation.evaluations import (
    AFFINE,
    STRUCTURE_PROMPTS,
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
from train.data.dataset import read_case, read_labels
from train.data.structure_prompts import build_structure_prompts
from train.evaluation.case import References, measure
from train.evaluation.evaluate import choose, measure_cases
from train.evaluation.metrics import Mask, Part
from train.evaluation.previews import preview
from train.evaluation.questions import questions
from train.evaluation.record import CASES_FILE, CaseResult, EvaluationError, prepare_folder, read_cases
from train.scans.scan import Scan

WHOLE = ("liver", "spleen", "kidney_left", "kidney_right")


class Ear(Progress):
    """Hears what is said, and stops a run after so many cases."""

    def __init__(self, stop_after: int | None = None) -> None:
        self.said: list[str] = []
        self.left = stop_after

    def message(self, what: str) -> None:
        self.said.append(what)

    def raise_if_interrupted(self) -> None:
        if self.left == 0:
            raise Interrupted
        if self.left is not None:
            self.left -= 1


def run(dataset: DataSet, predict: Oracle, folder: Path, progress: Progress | None = None) -> list[CaseResult]:
    header = header_of(dataset)
    folder.mkdir(exist_ok=True)
    done = prepare_folder(folder, header, False)
    return measure_cases(dataset, all_of(dataset), header, predict, done, folder, progress or Progress()).cases


@pytest.fixture
def dataset(tmp_path: Path) -> DataSet:
    return data_set(tmp_path / "set", {"s1": WHOLE, "s2": ("liver", "kidney_left"), "s3": WHOLE})


def test_a_perfect_model_scores_one_everywhere(dataset: DataSet, tmp_path: Path) -> None:
    oracle = Oracle(dataset)
    cases = run(dataset, oracle, tmp_path / "out")
    rows = [row for case in cases for row in case.rows]
    assert {row.kind for row in rows} == {"name", "synonym", "group"}
    assert {(row.dice, row.nsd) for row in rows if row.present} == {(1.0, 1.0)}
    assert not any(row.false_mask or row.missed for row in rows)
    assert {row.subject for row in rows if not row.present} == {"spleen", "kidney_right"}
    assert next(row.reference_ml for row in rows if row.subject == "liver") == pytest.approx(216 * 1.5**3 / 1000)
    assert oracle.history == [
        (case, questions(tuple(dataset.structures), STRUCTURE_PROMPTS).prompts) for case in ("s1", "s2", "s3")
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
    known = dataclasses.replace(dataset.cases[0], labelled=("liver", "kidney_left"))
    cases = run(dataclasses.replace(dataset, cases=(known,)), Oracle(dataset), tmp_path / "out")
    assert {row.subject for row in cases[0].rows} == {"liver", "kidney_left"}


def test_unknown_voxels_do_not_count(dataset: DataSet) -> None:
    scan = read_case(dataset.cases[0])
    labels = read_labels(dataset.cases[0], dataset, scan)
    unknown = 200
    labels[2:4, 2:8, 2:8] = unknown
    references = References(labels, scan.spacing_mm, dataset.structures, [unknown])
    row = measure(scan, references, questions(("liver",), STRUCTURE_PROMPTS, ["name"]).asked, Oracle(dataset), 3.0)[0]
    assert row.dice == 1.0 and row.reference_ml == pytest.approx(144 * 1.5**3 / 1000)


def test_a_stopped_run_goes_on_where_it_was(dataset: DataSet, tmp_path: Path) -> None:
    out, first, second = tmp_path / "out", Oracle(dataset), Oracle(dataset)
    with pytest.raises(Interrupted):
        run(dataset, first, out, Ear(stop_after=2))
    with (out / CASES_FILE).open("a") as file:
        file.write('{"case": "s3", "pat')
    cases = run(dataset, second, out)
    assert [case for case, _ in second.history] == ["s3"]
    assert [case.case for case in cases] == ["s1", "s2", "s3"]
    assert [case.case for case in read_cases(out)] == ["s1", "s2", "s3"]
    at_once = run(dataset, Oracle(dataset), tmp_path / "other")
    assert [case.rows for case in cases] == [case.rows for case in at_once]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"weights": "weights-1"}, "another model"),
        ({"text": "text-1"}, "another model"),
        ({"dataset": "elsewhere"}, "another data set"),
        ({"questions": questions(("liver",), STRUCTURE_PROMPTS).asked}, "other prompts"),
    ],
)
def test_another_models_cases_are_not_mixed_in(
    dataset: DataSet, tmp_path: Path, change: dict[str, object], said: str
) -> None:
    out = tmp_path / "out"
    run(dataset, Oracle(dataset), out)
    with pytest.raises(EvaluationError, match=said):
        prepare_folder(out, header_of(dataset, **change), overwrite=False)
    assert len(read_cases(out)) == 3
    assert prepare_folder(out, header_of(dataset, checkpoint="moved"), overwrite=False)
    assert prepare_folder(out, header_of(dataset, **change), overwrite=True) == []


def test_nothing_that_is_not_ours_is_written_over(dataset: DataSet, tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("")
    with pytest.raises(EvaluationError, match="other files"):
        prepare_folder(tmp_path, header_of(dataset), overwrite=True)


def test_a_broken_case_is_named_and_left_out(dataset: DataSet, tmp_path: Path) -> None:
    path = tmp_path / "set" / "s2" / "ct.nii.gz"
    content = path.read_bytes()
    path.write_bytes(content[:300])
    ear, header, out = Ear(), header_of(dataset), tmp_path / "out"
    out.mkdir()
    found = measure_cases(
        dataset, all_of(dataset), header, Oracle(dataset), prepare_folder(out, header, False), out, ear
    )
    assert [case.case for case in found.cases] == ["s1", "s3"]
    assert [left.case for left in found.left_out] == ["s2"] and str(path) in found.left_out[0].what
    assert len(ear.said) == 1 and "s2" in ear.said[0]
    path.write_bytes(content)
    assert len(run(dataset, Oracle(dataset), out)) == 3


def test_labels_on_another_grid_are_a_broken_case(dataset: DataSet, tmp_path: Path) -> None:
    path = tmp_path / "set" / "s1" / "segmentations" / "liver.nii.gz"
    nibabel.save(nibabel.Nifti1Image(np.ones((5, 5, 5), np.uint8), AFFINE), path)
    assert [case.case for case in run(dataset, Oracle(dataset), tmp_path / "out")] == ["s2", "s3"]


def test_pictures_are_of_the_worst(dataset: DataSet, tmp_path: Path) -> None:
    changes = {("s1", "liver"): shifted, ("s2", "spleen"): corner}
    run(dataset, Oracle(dataset, changes), tmp_path / "out")
    pictures = sorted((tmp_path / "out" / "previews").glob("*.png"))
    assert any(path.name.startswith("s1-liver-") for path in pictures)
    assert any(path.name.startswith("s2-spleen-") for path in pictures)
    assert all(path.read_bytes()[:4] == b"\x89PNG" for path in pictures)


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 0, 1), (1, 2, 0)])
def test_a_picture_is_the_same_however_the_scan_is_stored(order: tuple[int, int, int]) -> None:
    voxels = np.random.default_rng(0).normal(0, 100, (24, 20, 16)).astype(np.float32)
    affine = np.diag([1.5, 2.0, 3.0, 1.0])
    drawn = [_drawn(Scan(Path("a"), voxels, affine, "nifti"), cube("liver"), cube("spleen"))]
    turn = np.zeros((4, 4))
    turn[[*order, 3], range(4)] = 1
    stored = voxels.transpose(order)
    masks = [cube(name).transpose(order) for name in ("liver", "spleen")]
    drawn.append(_drawn(Scan(Path("a"), stored, affine @ turn, "nifti"), *masks))
    for one, other in zip(*drawn, strict=True):
        np.testing.assert_array_equal(one, other)


def _drawn(scan: Scan, prediction: np.ndarray, reference: np.ndarray) -> list[np.ndarray]:
    figure = preview(scan, Part.of(prediction), Part.of(reference))
    return [np.asarray(axes.images[0].get_array()) for axes in figure.axes]


def test_questions_of_a_data_set_that_training_did_not_know() -> None:
    trained = build_structure_prompts(("liver", "spleen"))
    asked = questions(("liver", "kidney_left", "kidney_right", "tumour_x"), trained).asked
    known = {(one.kind, one.prompt): one.trained for one in asked}
    assert known["name", "liver"] is True and known["name", "left kidney"] is False
    assert known["name", "tumour x"] is False and known["group", "kidneys"] is False
    assert {one.trained for one in questions(("liver",), None).asked} == {None}
    assert not questions(("liver",), None).known


def test_a_trained_prompt_is_no_held_out_one() -> None:
    trained = dataclasses.replace(
        STRUCTURE_PROMPTS,
        trained={**STRUCTURE_PROMPTS.trained, "liver": (*STRUCTURE_PROMPTS.trained["liver"], "kidneys")},
    )
    prompts = {one.prompt for one in questions(WHOLE, trained).asked if one.kind == "group"}
    assert prompts and "kidneys" not in prompts


def test_the_cases_are_those_that_training_held_out(dataset: DataSet) -> None:
    record: dict[str, JsonValue] = {"data": [{"data": str(dataset.root)}], "options": {"validation": 0.4, "seed": 0}}
    assert choose(dataset, ()).split == "all" and len(choose(dataset, ()).cases) == 3
    held_out = choose(dataset, [record])
    assert held_out.split == "val" and 0 < len(held_out.cases) < 3
    assert not held_out.seen & {case.id for case in held_out.cases}
    assert choose(dataset, [record], "all").seen
    assert len(choose(dataset, (), limit=2).cases) == 2
    with pytest.raises(EvaluationError, match="--split all"):
        choose(dataset, (), "test")
    with pytest.raises(EvaluationError, match="--split best"):
        choose(dataset, (), "best")
    own = tuple(dataclasses.replace(case, split="test" if case.id == "s2" else "train") for case in dataset.cases)
    assert [case.id for case in choose(dataclasses.replace(dataset, cases=own), [record]).cases] == ["s2"]
    unlabelled = tuple(dataclasses.replace(case, labels=None) for case in dataset.cases)
    with pytest.raises(EvaluationError, match="no labelled case"):
        choose(dataclasses.replace(dataset, cases=unlabelled), ())


def test_a_model_that_leaves_a_prompt_out_is_told(dataset: DataSet) -> None:
    scan = read_case(dataset.cases[0])
    references = References(read_labels(dataset.cases[0], dataset, scan), scan.spacing_mm, dataset.structures)
    with pytest.raises(EvaluationError, match="no mask for liver"):
        measure(scan, references, questions(("liver",), STRUCTURE_PROMPTS).asked, lambda *_: iter(()), 3.0)
