"""One case: ignored voxels, and prompts that a model leaves out."""

from pathlib import Path

import pytest

from tests.train.evaluation.evaluations import STRUCTURE_PROMPTS, WHOLE, Oracle, data_set
from train.data.cases import DataSet
from train.data.dataset import read_case, read_labels
from train.evaluation.case import References, measure
from train.evaluation.questions import build_questions
from train.evaluation.record import EvaluationError


@pytest.fixture
def dataset(tmp_path: Path) -> DataSet:
    return data_set(tmp_path / "set", {"s1": WHOLE})


def test_unknown_voxels_do_not_count(dataset: DataSet) -> None:
    scan = read_case(dataset.cases[0])
    labels = read_labels(dataset.cases[0], dataset, scan)
    unknown = 200
    labels[2:4, 2:8, 2:8] = unknown
    references = References(labels, scan.spacing_mm, dataset.structures, [unknown])
    row = measure(
        scan, references, build_questions(("liver",), STRUCTURE_PROMPTS, ["name"]).questions, Oracle(dataset), 3.0
    )[0]
    assert row.dice == 1.0 and row.reference_ml == pytest.approx(144 * 1.5**3 / 1000)


def test_a_model_that_leaves_a_prompt_out_is_told(dataset: DataSet) -> None:
    scan = read_case(dataset.cases[0])
    references = References(read_labels(dataset.cases[0], dataset, scan), scan.spacing_mm, dataset.structures)
    with pytest.raises(EvaluationError, match="no mask for liver"):
        measure(scan, references, build_questions(("liver",), STRUCTURE_PROMPTS).questions, lambda *_: iter(()), 3.0)
