"""Dates, times of day and telephone numbers in a statement: numbers that neither count nor measure anything."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import takewhile
from typing import NamedTuple

from curation.language.tokens import Token

_MONTH_NAMES = "january february march april may june july august september october november december".split()
# Month names and their short forms, with the number of the month.
MONTHS = {name: number for number, name in enumerate(_MONTH_NAMES, 1)}
MONTHS |= {name[:3]: number for name, number in MONTHS.items()} | {"sept": 9}
_YEAR = re.compile(r"(?:19|20)\d\d$")
_DAY = re.compile(r"(?:0?[1-9]|[12]\d|3[01])$")
_DATE_IN_ONE_TOKEN = re.compile(r"(\d{1,4})[.](\d{1,2})[.](\d{2,4})$")
_NUMBER_OR_MARK = re.compile(r"\d+$|[-/:]$")
_SLASHED = re.compile(r"(\d{1,4})([-/])(\d{1,2})\2(\d{2,4})$")
_MONTH_AND_YEAR = re.compile(r"(0?[1-9]|1[0-2])[-/]((?:19|20)\d\d)$")
_DAY_AND_MONTH = re.compile(r"(0?[1-9]|[12]\d|3[01])/(0?[1-9]|[12]\d|3[01])$")
_TIME = re.compile(r"(\d{1,2}):(\d{2})(?::\d{2})?$")
_PHONE = re.compile(r"(?:\d{3}-)?(\d{3})-(\d{4})$")
_BEFORE_A_DAY = frozenset(("on", "dated", "since", "from", "of"))
_BEFORE_A_MONTH = frozenset(("in", "since", "from", "of", "last"))
_PARTS_OF_MONTHS = frozenset(("early", "mid", "late", "-"))
_DAY_ENDINGS = frozenset(("st", "nd", "rd", "th", "of", ".", ","))
_LONGEST_RUN = 9


class WrittenDate(NamedTuple):
    """Tokens up to ``end`` are a "date", "time" or "phone number" with these values."""

    kind: str
    values: tuple[float, ...]
    end: int


def date_at(tokens: Sequence[Token], at: int) -> WrittenDate | None:
    """Return the date, time or telephone number that begins at ``at``; None where none does."""
    word = tokens[at].word
    if word in MONTHS:
        return _from_month(tokens, at)
    if not word[0].isdigit():
        return None
    if "." in word:
        match = _DATE_IN_ONE_TOKEN.match(word)
        return _date(at + 1, *match.groups()) if match else None
    has_marks = at + 1 < len(tokens) and tokens[at + 1].word in "-/:"
    return (_in_marks(tokens, at) if has_marks else None) or _from_day(tokens, at) or _year(tokens, at)


def _in_marks(tokens: Sequence[Token], at: int) -> WrittenDate | None:
    """Return a date, time or telephone number of digits and marks without white space: "3/4/2020", "10:30"."""
    run = [tokens[at]]
    for token in tokens[at + 1 : at + _LONGEST_RUN]:
        if token.start != run[-1].end or not _NUMBER_OR_MARK.match(token.word):
            break
        run.append(token)
    if len(run) > 2 and not run[-1].word.isdigit():
        run.pop()
    text, end = "".join(token.word for token in run), at + len(run)
    if match := _SLASHED.match(text):
        return _date(end, match[1], match[3], match[4]) if _is_date(match[1], match[3], match[4]) else None
    if match := _MONTH_AND_YEAR.match(text):
        return _date(end, match[1], match[2])
    if match := _TIME.match(text):
        return WrittenDate("time", (float(match[1]), float(match[2])), end)
    if match := _PHONE.match(text):
        return WrittenDate("phone number", (float(match[1]), float(match[2])), end)
    if at and tokens[at - 1].word in _BEFORE_A_DAY and (match := _DAY_AND_MONTH.match(text)):
        return _date(end, match[1], match[2])
    return None


def _is_date(*parts: str) -> bool:
    """Tell whether three numbers may be a date: two small ones, and a year that may have two digits."""
    first, second, last = parts
    has_year = bool(_YEAR.match(first) or _YEAR.match(last)) or (len(last) == 2 and len(first) <= 2)
    return has_year and bool(_DAY.match(second)) and bool(_DAY.match(first) or _DAY.match(last))


def _from_month(tokens: Sequence[Token], at: int) -> WrittenDate | None:
    """Return a date that begins with its month: "May 2019", "March 4, 2020", "Sept. 4th"."""
    alone = _month_alone(tokens, at)
    end = at + 1
    if end < len(tokens) and tokens[end].word in (".", ",", "of") and len(tokens[at].word) <= 4:
        end += 1
    if end >= len(tokens):
        return alone
    month = str(MONTHS[tokens[at].word])
    if _YEAR.match(tokens[end].word):
        return _date(end + 1, month, tokens[end].word)
    year = _behind_day(tokens, end)
    if year is not None and _DAY.match(tokens[end].word):
        return _date(year + 1, tokens[end].word, month, tokens[year].word)
    return alone


def _month_alone(tokens: Sequence[Token], at: int) -> WrittenDate | None:
    """Return a month without day and year, as a preposition shows it: "since May", "in early February"."""
    before = at - 1
    while before > 0 and tokens[before].word in _PARTS_OF_MONTHS:
        before -= 1
    is_named = before >= 0 and tokens[before].word in _BEFORE_A_MONTH
    return _date(at + 1, str(MONTHS[tokens[at].word])) if is_named else None


def _from_day(tokens: Sequence[Token], at: int) -> WrittenDate | None:
    """Return a date that begins with its day: "4 March 2020", "4th of March"."""
    if not _DAY.match(tokens[at].word):
        return None
    month = at + 1 + len(list(takewhile(lambda token: token.word in _DAY_ENDINGS, tokens[at + 1 : at + 3])))
    if month >= len(tokens) or tokens[month].word not in MONTHS or tokens[month - 1].word == ",":
        return None
    day, number = tokens[at].word, str(MONTHS[tokens[month].word])
    year = _behind_day(tokens, month)
    if year is not None:
        return _date(year + 1, day, number, tokens[year].word)
    is_verb = tokens[month].word == "may" and month + 1 < len(tokens) and tokens[month + 1].word[0].isalpha()
    return None if is_verb else _date(month + 1, day, number)


def _behind_day(tokens: Sequence[Token], at: int) -> int | None:
    """Return the index of the year that stands behind the day or month at ``at``."""
    end = at + 1
    while end < min(len(tokens), at + 3) and tokens[end].word in _DAY_ENDINGS:
        end += 1
    return end if end < len(tokens) and _YEAR.match(tokens[end].word) else None


def _year(tokens: Sequence[Token], at: int) -> WrittenDate | None:
    return _date(at + 1, tokens[at].word) if _YEAR.match(tokens[at].word) else None


def _date(end: int, *parts: str) -> WrittenDate:
    values = [float(part) for part in parts]
    if len(values) == 3 and values[-1] < 100 and values[0] <= 31:
        values[-1] += 2000
    return WrittenDate("date", tuple(values), end)
