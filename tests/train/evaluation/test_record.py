"""The folder of an evaluation: whose cases may be mixed, and what is never written over."""

from pathlib import Path

import pytest

from curation.runtime.progress import Progress
from tests.train.evaluation.evaluations import STRUCTURE_PROMPTS, WHOLE, Oracle, all_of, data_set, header_of
from train.data.cases import DataSet
from train.evaluation.evaluate import measure_cases
from train.evaluation.questions import build_questions
from train.evaluation.record import EvaluationError, prepare_folder, read_cases


@pytest.fixture
def dataset(tmp_path: Path) -> DataSet:
    return data_set(tmp_path / "set", {"s1": WHOLE, "s2": ("liver", "kidney_left"), "s3": WHOLE})


def run(dataset: DataSet, predict: Oracle, folder: Path) -> None:
    header = header_of(dataset)
    folder.mkdir()
    finished = prepare_folder(folder, header, False)
    measure_cases(dataset, all_of(dataset), header, predict, finished, folder, Progress())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"weights": "weights-1"}, "another model"),
        ({"text": "text-1"}, "another model"),
        ({"dataset": "elsewhere"}, "another data set"),
        ({"questions": build_questions(("liver",), STRUCTURE_PROMPTS).questions}, "other prompts"),
    ],
)
def test_another_models_cases_are_not_mixed_in(
    dataset: DataSet, tmp_path: Path, change: dict[str, object], message: str
) -> None:
    out = tmp_path / "out"
    run(dataset, Oracle(dataset), out)
    with pytest.raises(EvaluationError, match=message):
        prepare_folder(out, header_of(dataset, **change), overwrite=False)
    assert len(read_cases(out)) == 3
    assert prepare_folder(out, header_of(dataset, checkpoint="moved"), overwrite=False)
    assert prepare_folder(out, header_of(dataset, **change), overwrite=True) == []


def test_nothing_that_is_not_ours_is_written_over(dataset: DataSet, tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("")
    with pytest.raises(EvaluationError, match="is not empty and holds no evaluation"):
        prepare_folder(tmp_path, header_of(dataset), overwrite=True)
