"""Labels of a level of the spine, under which sentences go on: "L4-5: Disc bulge. The canal is narrow."

A caption about the canal or the foramina says at which level, as the report does by the label alone.
"""

from __future__ import annotations

import re

from curation.language.parsed_statement import ParsedStatement
from curation.language.word_senses import LEVEL
from curation.verification.report_statements import ReadReport, ReportStatement
from prompts.vocabulary import Vocabulary

from .agreement import with_label

_LEVEL = re.compile(r"^[CTLS]\d{1,2}\b.*\b(?:disc|vertebra)$")
_OPENING = re.compile(r"^at (?:the )?([CTLS]\d{1,2}\s?[-/]\s?[CTLS]?\d{1,2})\b", re.IGNORECASE)
_LABEL = re.compile(r"^\s*([^:\n]{2,24}):\s")


def level_label(report: ReadReport, statement: ReportStatement) -> str:
    """Return the label of the level that a statement stands under or begins with; "" where there is none."""
    opening = _OPENING.match(statement.parse.text)
    if opening and _names_level(statement.parse, 4):
        return opening[1]
    if statement.anchor is None or not any(map(_LEVEL.match, statement.context)):
        return ""
    labelled = report.statements[statement.anchor]
    if labelled is not statement and ":" in report.text[labelled.end : statement.end]:
        return ""  # it has a label of its own: "Sacroiliac joints: normal"
    since = report.statements[labelled.number + 1 : statement.number + 1]
    levels = {level for name in statement.context for level in LEVEL.findall(name)}
    if any(not levels.issuperset(_levels(later.parse)) for later in since):
        return ""  # "L3-4: bulge. At L4-5 the canal is narrow. The foramina are patent."
    between = report.text[labelled.end : statement.start] if labelled is not statement else ""
    label = _LABEL.match(labelled.parse.text)
    is_level = bool(labelled.parse.segments) and _names_level(labelled.parse, labelled.parse.segments[0].end)
    return label[1] if label and is_level and "\n" not in between else ""


def part_label(report: ReadReport, statement: ReportStatement, vocabulary: Vocabulary) -> str:
    """Return the label of a part of an organ, behind which a statement goes on: "Lung bases" of "No nodule"; or ""."""
    if statement.anchor is None or statement.anchor == statement.number or statement.organs:
        return ""
    labelled = report.statements[statement.anchor]
    segments = labelled.parse.segments
    if len(segments) < 2 or segments[1].joiner != ":" or report.text[labelled.end : statement.end].count("\n"):
        return ""
    names = [name for term in segments[0].terms if term.mention for name in term.mention.names]
    is_part = bool(names) and all(vocabulary.filed_under(name) != name for name in names)
    others = set(statement.context).difference(names)
    if (
        not is_part
        or any(other not in vocabulary.ancestors(names[0]) for other in others)
        or ":" in report.text[labelled.end : statement.end]
    ):
        return ""
    return labelled.parse.text_between(segments[0].start, segments[0].end)


def at_level(label: str, organ: str, caption: str, parse: ParsedStatement) -> str:
    """Return a caption with the label of its level before it; as it is where it names one itself."""
    if _names_level(parse, len(parse.tokens)):
        return caption
    return with_label(label, organ, caption)


def _names_level(statement: ParsedStatement, end: int) -> bool:
    mentions = (term.mention for term in statement.terms if term.mention and term.end <= end)
    return any(_LEVEL.match(name) for mention in mentions for name in mention.names)


def _levels(statement: ParsedStatement) -> set[str]:
    """Return the levels that a statement names: L4 and L5, of "L4-5"."""
    mentions = (term.mention for term in statement.terms if term.mention)
    return {level for m in mentions for name in m.names if _LEVEL.match(name) for level in LEVEL.findall(name)}
