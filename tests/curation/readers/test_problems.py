"""Problems with rows, as they are shown."""

from curation.readers.problems import problem_lines
from curation.report import RowProblem


def test_problem_lines() -> None:
    problems = [RowProblem("r.csv", 7, "no text"), RowProblem("r.csv", None, "no id column")]
    assert problem_lines(problems, 1002) == ["r.csv:7: no text", "r.csv: no id column", "… and 1,000 more"]
    assert problem_lines([], 0) == []
