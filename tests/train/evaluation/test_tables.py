"""The tables of an evaluation on a terminal."""

import io

from rich.console import Console

from tests.train.evaluation.scored_cases import CASES, header_of_questions, mean
from train.evaluation.summary import summarise
from train.evaluation.tables import format_score, print_summary


def test_the_terminal_shows_the_tables() -> None:
    console = Console(record=True, width=160, file=io.StringIO())
    summary = summarise(header_of_questions(), CASES, "test")
    print_summary(summary, console)
    text = console.export_text()
    for title in ("Overall", "By prevalence", "Absent structures", "Names, lowest Dice first"):
        assert title in text
    assert format_score(mean(summary, "lost").score.dice) in text and "4 cases of 4 patients, split test" in text
