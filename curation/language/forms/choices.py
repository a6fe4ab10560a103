"""Several values of one label, such as the cells of a row or the boxes that are ticked: which of them say something."""

from __future__ import annotations

from collections.abc import Iterable

from curation.language.parser import StatementParser

from .answers import FieldAnswer, read_reply
from .findings import is_listed_finding

_DENIED = frozenset((FieldAnswer.NO, FieldAnswer.NEGATIVE, FieldAnswer.ABSENT))


def consistent(parser: StatementParser, values: Iterable[str], *, is_organ: bool) -> tuple[str, ...]:
    """Return the values that say something of a label, each once; none where they contradict each other.

    ``is_organ``: the label is an organ, of which "seen" says nothing beside another value.
    """
    values = tuple(dict.fromkeys(value.strip() for value in values if value.strip()))
    kept = [value for value in values if _answer(value) is not FieldAnswer.EMPTY]
    silent = {FieldAnswer.MINUS, FieldAnswer.YES} if is_organ else {FieldAnswer.MINUS}
    if len(kept) > 1:
        kept = [value for value in kept if _answer(value) not in silent or has_rest(value)]
    if len(kept) > 1 and any(_answer(value) in _DENIED for value in kept):
        return ()
    normal = any(_answer(value) is FieldAnswer.NORMAL or calls_normal(parser, value) for value in kept)
    if normal and any(_calls_abnormal(parser, value) for value in kept):
        return ()
    return tuple(value for value in kept if value.lower() != "abnormal") or tuple(kept)


def calls_normal(parser: StatementParser, value: str) -> bool:
    """Tell whether a value calls something normal."""
    return any(term.is_normality and not term.polarity for term in parser.parse(value).terms)


def has_rest(value: str) -> bool:
    """Tell whether something stands behind the answer of a value."""
    reply = read_reply(value)
    return reply is not None and bool(reply.rest)


def _answer(value: str) -> FieldAnswer | None:
    reply = read_reply(value)
    return reply.answer if reply else None


def _calls_abnormal(parser: StatementParser, value: str) -> bool:
    if _answer(value) is not None:
        return _answer(value) is FieldAnswer.YES
    return any(is_listed_finding(term) and not term.polarity for term in parser.parse(value).terms)
