"""The files of a comparison say the same."""

import csv
import io
import re
from pathlib import Path

from rich.console import Console

from tests.train.evaluation.scored_cases import CASES, changed, evaluation_of
from train.evaluation.compare import Comparison, compare
from train.evaluation.comparison_report import print_comparison, write_comparison


def test_files_say_the_same(tmp_path: Path) -> None:
    comparison = compare(evaluation_of("one", CASES), evaluation_of("two", changed(CASES, 0.05)))
    write_comparison(tmp_path / "out", comparison)
    assert Comparison.model_validate_json((tmp_path / "out" / "comparison.json").read_bytes()) == comparison
    html = (tmp_path / "out" / "comparison.html").read_text()
    assert "+0.050 (+0.050 to +0.050)" in html and not re.search(r"(?:src|href)\s*=", html) and "http" not in html
    rows = list(csv.DictReader(io.StringIO((tmp_path / "out" / "comparison.csv").read_text())))
    assert len(rows) == len(comparison.means) + len(comparison.subjects)
    assert (
        float(rows[0]["dice_difference"]) == comparison.means[0].difference.dice.value and rows[0]["better"] == "second"
    )
    console = Console(record=True, width=160, file=io.StringIO())
    print_comparison(comparison, console)
    assert "+0.050 (+0.050 to +0.050)" in console.export_text()
