"""Values that grade a finding place by place: "Coronary calcification: LAD moderate / LCX none / RCA mild"."""

from __future__ import annotations

import re

from curation.language.parsed_statement import ParsedStatement
from curation.language.parser import StatementParser

from .answers import FieldAnswer, bare, read_reply
from .labels import Label
from .wording import capital, lowered

_PIECES = re.compile(r"\s*[,;/]\s*")
_DENIALS = (FieldAnswer.NO, FieldAnswer.NEGATIVE, FieldAnswer.ABSENT)
_GRADES = ("severity:", "size:", "quantity:", "extent:", "completeness:")


def of_places(parser: StatementParser, label: Label, value: str) -> tuple[str, ...] | None:
    """Return what a value says of the finding of ``label`` at each of several places; None where it does not go so.

    Every piece begins with a place and ends with an answer or a grade. An "other" without a grade is no such value.
    """
    pieces = [piece for piece in _PIECES.split(bare(value)) if piece]
    if len(pieces) < 2 or len(label.parts) > 1 or label.organ:
        return None
    sentences = [_of_place(label, parser.parse(piece)) for piece in pieces]
    return tuple(sentence for sentence in sentences if sentence) if all(sentences) else None


def answers_places(parser: StatementParser, value: str) -> bool:
    """Tell whether a value answers place by place what its label does not name: "RUL no / RLL yes"."""
    pieces = [piece for piece in _PIECES.split(bare(value)) if piece]
    if len(pieces) < 2:
        return False
    replies = [_place_and_rest(parser.parse(piece)) for piece in pieces]
    return sum(reply is not None and read_reply(reply[1]) is not None for reply in replies) > 1


def _of_place(label: Label, statement: ParsedStatement) -> str:
    """Return what one piece says; "" where it is not understood."""
    parts = _place_and_rest(statement)
    if parts is None:
        return ""
    place, rest = parts
    reply = read_reply(rest)
    if reply is not None and not reply.rest:
        if reply.answer in _DENIALS:
            return f"No {lowered(label.text)} in {place}"
        return f"{capital(label.text)} in {place}" if reply.answer is FieldAnswer.YES else ""
    grades = [term for term in statement.terms if not term.mention and term.kind != "side"]
    if not grades or not all(term.kind == "modifier" and term.key.startswith(_GRADES) for term in grades):
        return ""
    return f"{capital(rest)} {lowered(label.text)} in {place}"


def _place_and_rest(statement: ParsedStatement) -> tuple[str, str] | None:
    """Return the place that a piece begins with, and what stands behind it."""
    places = [term for term in statement.terms if term.mention and not term.mention.place]
    if len(places) != 1 or places[0].end >= len(statement.tokens):
        return None
    if any(term.end <= places[0].start and term.kind != "side" for term in statement.terms):
        return None
    at = statement.tokens[places[0].end].start
    return statement.text[:at].rstrip(" :-"), statement.text[at:].strip()
