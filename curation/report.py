"""A report and its sections: the record that every reader yields and every engine takes."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Report:
    """One report.

    Section spans count characters of ``text``, which is the cell as it was read, or, where findings and impression
    have columns of their own, both with a blank line between them. ``source`` has all other columns. ``row`` is the
    data row that it stood in, counted from 1.
    """

    report_id: str
    text: str
    sections: tuple[Section, ...]
    source: dict[str, str]
    row: int


@dataclass(frozen=True, slots=True)
class RowProblem:
    """What was wrong with a row: it could not be used or, where ``kept`` is true, it was used all the same.

    ``row`` counts data rows from 1, the header apart; None speaks of the whole file.
    """

    file: str
    row: int | None
    problem: str
    kept: bool = False


READ_SECTIONS = frozenset({"findings", "impression", "addendum"})


@dataclass(frozen=True, slots=True)
class Section:
    """A part of a report: ``text[start:end]`` is its body, without the heading."""

    name: str
    start: int
    end: int
