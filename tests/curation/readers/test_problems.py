"""Problems with rows, as they are shown."""

from curation.readers.problems import ProblemLog, problem_lines
from curation.report import RowProblem


def test_problem_lines() -> None:
    problems = [RowProblem("r.csv", 7, "no text", line=9), RowProblem("r.csv", None, "no id column")]
    assert problem_lines(problems, 1002) == [
        "r.csv: row 7 (line 9): no text",
        "r.csv: no id column",
        "… and 1,000 more",
    ]
    assert problem_lines([], 0) == []


def test_what_is_said_of_the_whole_file_is_not_crowded_out() -> None:
    log = ProblemLog()
    for row in (*range(1, 9), None):
        log(RowProblem("r.csv", row, f"problem {row}", kept=row is None))
    assert [problem.row for problem in log.first] == [None, 1, 2, 3, 4, 5]
    assert (log.skipped, log.warnings, len(list(log.lines()))) == (8, 1, 9)
    log.close()
