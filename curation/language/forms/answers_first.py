"""Lines that part label and value otherwise: "Absent: ascites" has the answer first, "Liver - cyst" a dash."""

from __future__ import annotations

from curation.language.parser import StatementParser

from .answers import FieldAnswer, read_reply
from .labels import Label, LabelKind, read_label
from .lines import is_side
from .wording import capital, lowered

_DENIALS = (FieldAnswer.NO, FieldAnswer.NEGATIVE, FieldAnswer.ABSENT)
_DASHES = frozenset("-–—")


def answer_first(parser: StatementParser, label: Label, value: str) -> tuple[str, ...] | None:
    """Return what a line says that names the answer first: "Absent: ascites", "Normal: liver, spleen"."""
    reply = read_reply(label.text)
    answer = FieldAnswer.NORMAL if label.text.lower() == "normal" else reply.answer if reply else None
    named = read_label(parser, value)
    if answer is None or named is None or (reply is not None and reply.rest):
        return None
    if value[:1].isdigit():
        return ()  # "No: 3 nodules" is a number
    if answer in _DENIALS and named.kind is LabelKind.FINDING:
        return (f"No {' or '.join(map(lowered, named.parts))}",)
    if answer is FieldAnswer.YES and named.kind is LabelKind.FINDING:
        return tuple(map(capital, named.parts))
    if answer is FieldAnswer.NORMAL and named.kind is LabelKind.ORGAN:
        return tuple(f"{capital(part)}: normal" for part in named.parts)
    return ()


def is_behind_dash(parser: StatementParser, label: Label, text: str, value: str) -> bool:
    """Tell whether a dash stands for the colon behind an organ: "Kidneys - left cyst", and not "T12 - L1 disc"."""
    if label.kind is not LabelKind.ORGAN or len(label.parts) > 1 or read_reply(value) or is_side(value):
        return False
    if text[: len(text) - len(value)].rstrip()[-1:] not in _DASHES:
        return False
    terms = parser.parse(value).terms
    return bool(terms) and not (terms[0].mention and terms[0].start == 0 and not terms[0].mention.adjective)
