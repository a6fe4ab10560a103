"""What ``ovct curate --drop-phi`` does: identifiers are blanked before anything reads a report, and in what is made.

Each character of an identifier becomes a mark, so offsets hold, and engine, prompts, verifier and tables see the same
text. A caption whose evidence holds a mark is refused (``Reason.PHI``). What a language model says on its own is looked
through as well.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import lru_cache
from typing import Any

from curation.caption import OutcomeColumns, Reason, RefusedCaption, accepted_caption
from curation.cleaning.redaction_marks import IDENTITY_MARK
from curation.report import Report, RowProblem

from .columns import blanked_cell
from .marks import PHI_DETAIL
from .scan import blanked

RECENT_TEXTS = 20_000
"""Short texts whose blanked form is kept: most come again and again."""

_blanked_again = lru_cache(RECENT_TEXTS)(blanked)


def blank_report(report: Report) -> Report:
    """Return a report with marks for the identifiers of its text and its source columns. Its id stays as it is."""
    source = {name: blanked_cell(name, cell) for name, cell in report.source.items()}
    return replace(report, text=blanked(report.text), source=source)


def blank_outcome(outcome: OutcomeColumns, text: str) -> OutcomeColumns:
    """Return the outcome of a report whose text was blanked, without captions that rest on a mark: they are refused.

    What captions, refusals and answers of a model hold of identifiers themselves is blanked.
    """
    accepted: list[tuple[Any, ...]] = []
    refused = [_blanked_row(row, _blanked_again) for row in zip(*outcome.refused, strict=True)]
    for row in zip(*outcome.accepted, strict=True):
        caption = accepted_caption(row)
        passages = [_blanked_again(text[start:end]) for start, end in caption.passages]
        evidence = next((passage for passage in passages if IDENTITY_MARK in passage), passages[0])
        words = _blanked_again(caption.caption)
        if IDENTITY_MARK in words or IDENTITY_MARK in evidence:
            refused.append(RefusedCaption(caption.organ, words, Reason.PHI, PHI_DETAIL, evidence))
        else:
            accepted.append(row)
    responses = [_blanked_row(row, blanked) for row in zip(*outcome.responses, strict=True)]
    return outcome._replace(accepted=_columns(accepted), refused=_columns(refused), responses=_columns(responses))


def blank_problems(note: Callable[[RowProblem], None]) -> Callable[[RowProblem], None]:
    """Return a function that notes a problem without the identifiers that its words may quote."""
    return lambda problem: note(replace(problem, problem=blanked(problem.problem)))


def _blanked_row(row: tuple[Any, ...], blank: Callable[[str], str]) -> tuple[Any, ...]:
    return tuple(blank(value) if isinstance(value, str) else value for value in row)


def _columns(rows: Iterable[tuple[Any, ...]]) -> list[list[Any]]:
    return [list(column) for column in zip(*rows, strict=True)]
