"""Cuts a report into questions: the whole report, its sections, or a few statements at a time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, NamedTuple

from curation.cleaning.clean_text import clean_text
from curation.language.statements import Span, split_statements
from curation.report import READ_SECTIONS, Report, Section
from curation.report_language.reports import report_language

QuestionUnit = Literal["report", "section", "statement"]


class Question(NamedTuple):
    """A stretch of a report that one chat is about: sections, or parts of them, in order."""

    parts: tuple[Section, ...]

    @property
    def start(self) -> int:
        """Where it begins in the report's text, in characters."""
        return self.parts[0].start

    @property
    def end(self) -> int:
        """Where it ends in the report's text, in characters."""
        return self.parts[-1].end

    @property
    def section(self) -> str:
        """The name of its first section."""
        return self.parts[0].name

    def text(self, report: Report) -> str:
        """Return its clean text; sections get their name above them where there is more than one."""
        clean = clean_text(report.text)
        bodies = [clean.text[slice(*clean.clean_span(part.start, part.end))] for part in self.parts]
        if len(self.parts) == 1:
            return bodies[0]
        return "\n\n".join(f"{part.name.title()}:\n{body}" for part, body in zip(self.parts, bodies, strict=True))


def split_questions(report: Report, unit: QuestionUnit, window: int, any_language: bool = False) -> list[Question]:
    """Return the questions about a report, in its order. There are none about technique, history and the like.

    Nor are there any about a report that is not English, unless ``any_language``: its captions would be refused.
    ``window`` is the number of statements in a question of the unit ``statement``.
    """
    sections = [section for section in report.sections if section.name in READ_SECTIONS]
    if not sections:
        return []
    if not any_language and report_language(report.text, report.sections).is_foreign:
        return []
    if unit == "report":
        return [Question(tuple(sections))]
    if unit == "section":
        return [Question((section,)) for section in sections]
    return [question for section in sections for question in _windows(report, section, window)]


def _windows(report: Report, section: Section, window: int) -> Iterator[Question]:
    spans = _statements(report, section)
    for first in range(0, len(spans), window):
        last = spans[min(first + window, len(spans)) - 1]
        yield Question((Section(section.name, spans[first].start, last.end),))


def _statements(report: Report, part: Section) -> list[Span]:
    """Return the statements of a part, as spans of the report's text."""
    clean = clean_text(report.text)
    spans = split_statements(clean.text, *clean.clean_span(part.start, part.end))
    return [Span(*clean.source_span(*span)) for span in spans]


def halves(report: Report, question: Question) -> tuple[Question, Question] | None:
    """Return the question cut in two between statements, near its middle; None where it is a single statement."""
    ends = [(part, span.end) for part in question.parts for span in _statements(report, part)][:-1]
    if not ends:
        return None
    middle = (question.start + question.end) / 2
    cut_part, cut = min(ends, key=lambda end: abs(end[1] - middle))
    index = question.parts.index(cut_part)
    first = [*question.parts[:index], Section(cut_part.name, cut_part.start, cut)]
    second = [Section(cut_part.name, cut, cut_part.end), *question.parts[index + 1 :]]
    return (
        Question(tuple(first)),
        Question(tuple(part for part in second if report.text[part.start : part.end].strip())),
    )
