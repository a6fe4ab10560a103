"""No stage takes longer for its input than its input is long: what once grew with the square, and a share of all."""

import pytest

from tests.faults.growth import STAGES, pieces, seconds_of
from tests.faults.trials import ALL, Trials, share

LIMIT = 10.0
"""Seconds of CPU time within which each ends, on a busy machine: what grew with the square took more."""
SIZE = 100_000
BY_NAME = {piece.name: piece.of_size for piece in pieces()}
ONCE_SQUARE = [
    ("sections", "character '\"'"),
    ("sections", "character '\u2022'"),
    ("cleaning", "word '<script>'"),
    ("examination column", "character '_'"),
    ("examination column", "white space before a word"),
    ("caption", "character '?'"),
    ("organ", "organs with and"),
    ("caption as long as is read", "word 'may'"),
    ("caption of a report as long", "character '½'"),
    ("reading", "character '\\\\'"),
]
LISTS = [
    "sentence of organs",
    "organs with and",
    "organs without a mark",
    "organs, one a line",
    "word 'Liver ..... no'",
]
"""Of captions made of a report: 10,000 organs in a sentence, and lines of a form that run into each other."""


@pytest.mark.parametrize(("stage", "piece"), ONCE_SQUARE)
def test_what_grew_with_the_square_does_no_more(stage: str, piece: str) -> None:
    assert seconds_of(STAGES[stage], BY_NAME[piece](SIZE), LIMIT) < LIMIT


@pytest.mark.parametrize("piece", LISTS)
def test_lists_of_organs_grow_as_they_are_long(piece: str) -> None:
    size = SIZE if ALL else SIZE // 2
    assert seconds_of(STAGES["captions"], BY_NAME[piece](size), LIMIT) < LIMIT * size / SIZE


def test_no_piece_takes_a_stage_long(trials: Trials) -> None:
    cells = [(stage, piece) for stage in STAGES for piece in BY_NAME]
    for number in share(of_all=len(cells), of_every_run=20):
        stage, piece = cells[number]
        trial = trials[
            f"a hundred thousand characters of one piece: {stage}" if ALL else "20,000 characters of one piece"
        ]
        trial.tried += 1
        trial.survived += seconds_of(STAGES[stage], BY_NAME[piece](SIZE if ALL else SIZE // 5), LIMIT) < LIMIT
