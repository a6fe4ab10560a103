"""What a run came to, for the terminal."""

from rich.console import Console

from train.cli.train import outcome_table
from train.loop.task import TrainOutcome


def test_numbers_are_shown_and_what_was_not_measured_is_a_dash() -> None:
    console = Console(width=80)
    with console.capture() as shown:
        console.print(outcome_table(TrainOutcome(1200, {"dice_synonyms": 0.87654, "dice": float("nan")})))
        console.print(outcome_table(TrainOutcome(3, {"dice": None}, already_done=True)))
    text = shown.get()
    assert "1,200 steps" in text and "dice synonyms" in text and "0.8765" in text
    assert text.count("–") == 2 and "nan" not in text
