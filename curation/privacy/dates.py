"""Dates in a text: with a day or a month, in any of the notations of reports in English. A year alone is none."""

from __future__ import annotations

import re
from collections.abc import Iterator

from .identifiers import Identifier, IdentifierKind

YEARS = range(1900, 2100)
_YEAR = r"(?:19|20)\d\d"
_DAY = r"(?:0?[1-9]|[12]\d|3[01])"
_MONTH = (
    r"(?:Jan(?:uary)?|Feb(?:ruary)?|Mar(?:ch)?|Apr(?:il)?|May|June?|July?|Aug(?:ust)?|Sept?(?:ember)?|Oct(?:ober)?"
    r"|Nov(?:ember)?|Dec(?:ember)?)"
)
# Three numbers with the same sign between them, month and year, or a date without any sign, maybe with a time behind.
# What stands before is looked at behind the first digit: so a search skips all that is no digit at once.
_NUMERIC = re.compile(
    r"\d(?<![A-Z\d_./+-]\d)(?<!\d[,:]\d)(?:"
    r"\d{0,3}(?P<sign> ?[./-] ?)\d\d?(?P=sign)(?:\d{4}|\d\d)(?!\d)(?![./-]\d)"
    rf"|\d? ?[./-] ?{_YEAR}(?!\d)(?![./-]\d)"
    r"|\d{3}-(?:0[1-9]|1[0-2])(?!\d)(?![./-]\d)"
    r"|\d{7}(?:\d{4}(?:\d\d)?)?(?![\w]|[.-]\d))"
)
# Day and month, or month and year, of two digits: only behind a word that dates, as "3/44" is an image elsewhere.
_SHORT = re.compile(
    r"\b(?:dated|since|until|compar(?:ed (?:with|to)|ison(?: (?:with|to|is|of))?)|dob|born(?: on)?)[\s:]+"
    r"(?P<date>\d\d?/\d\d?)(?![\w/-]|\.\d|\s(?:mm|cm|of)\b)",
    re.IGNORECASE,
)
_NUMBER = re.compile(r"\d+")
_A_MONTH = re.compile(rf"(?<![^\W\d_]){_MONTH}(?![^\W\d_])", re.IGNORECASE)
_NAMED = re.compile(
    rf"(?<!\w)(?:(?:{_DAY})(?:st|nd|rd|th)?(?:\s{{1,3}}day)?(?:\s{{1,3}}of)?\s{{0,3}}[-/.,]?\s{{0,3}}(?P<day_first>{_MONTH})\b(?:\.?,?\s{{0,3}}[-/]?\s{{0,3}}"
    rf"(?:{_YEAR}\b|['’]\d\d\b)|[-/]\d\d\b)?"
    rf"|(?P<month_first>{_MONTH})\b\.?(?:\s{{0,3}}[-/,]?\s{{0,3}}(?:of\s{{1,3}})?{_YEAR}\b|\s?['’]\d\d\b"
    rf"|\s{{0,3}}[-/]?\s{{0,3}}(?:{_DAY})(?:st|nd|rd|th)?\b(?![.,:/-]?\d)(?:,?\s{{0,3}}[-/]?\s{{0,3}}(?:of\s{{1,3}})?{_YEAR}\b|\s?['’]\d\d\b)?))",
    re.IGNORECASE,
)
_MONTH_ALONE = re.compile(
    r"\b(?i:dated|in|since|until|from|during|last|early|late)\s+(?P<month>(?:January|February|March|April|May|June|July|August"
    r"|September|October|November|December)(?:(?:,|\s+and|\s+or)\s+(?:January|February|March|April|May|June|July|August"
    r"|September|October|November|December))*)(?!\w)"
)
_NAMED_RUN = re.compile(rf"(?<!\w)(?:0[1-9]|[12]\d|3[01]){_MONTH}(?:\d\d)?\d\d(?!\w)", re.IGNORECASE)
_ORDINAL = re.compile(r"\d(?:st|nd|rd|th)\b", re.IGNORECASE)
_YEAR_END = re.compile(rf"(?:{_YEAR}|['’]\d\d)$")
_UNIT = re.compile(r"\s?-?\s?(?:mm|cm|hu|ml|cc|mg|%|x(?=\s?\d)|×)", re.IGNORECASE)
# Numbers behind these words count or point to something: "segments 5/6/10", "image 3/4/20".
_COUNTING = re.compile(
    r"\b(?:segments?|levels?|images?|img|im|series|ser|se|slices?|grades?|stages?|scores?|ribs?|zones?|stations?"
    r"|discs?|disks?|vertebrae|phases?|frames?|version|section|chapter|table|ratio|measur\w*|sized?)\W{0,3}$",
    re.IGNORECASE,
)
_BEFORE_DATE = re.compile(
    r"\b(?:on|of|dated?|since|from|until|till|to|before|after|by|with|dob|born|(?:mon|tues|wednes|thurs|fri|satur|sun)day)"
    r"[\s:,]*$",
    re.IGNORECASE,
)


def dates_in(text: str) -> Iterator[Identifier]:
    """Yield the dates of a text; passages may overlap."""
    for match in _NUMERIC.finditer(text):
        if _is_numeric_date(match) and not _UNIT.match(text, match.end()):
            counted = _COUNTING.search(text, max(0, match.start() - 24), match.start())
            if not counted or _has_year(match[0]):
                yield Identifier(match.start(), match.end(), IdentifierKind.DATE)
    for match in _SHORT.finditer(text) if "/" in text else ():
        if any(1 <= int(number) <= 12 for number in _NUMBER.findall(match["date"])):
            yield Identifier(*match.span("date"), IdentifierKind.DATE)
    if not _A_MONTH.search(text):
        return
    for match in _NAMED.finditer(text):
        if _is_named_date(match) and not _UNIT.match(text, match.end()):
            yield Identifier(match.start(), match.end(), IdentifierKind.DATE)
    for match in _NAMED_RUN.finditer(text):
        yield Identifier(match.start(), match.end(), IdentifierKind.DATE)
    for match in _MONTH_ALONE.finditer(text):
        yield Identifier(*match.span("month"), IdentifierKind.DATE)


def _has_year(date: str) -> bool:
    return any(len(number) >= 4 for number in _NUMBER.findall(date))


def _is_numeric_date(match: re.Match[str]) -> bool:
    """Return whether the numbers can be a day, a month and a year: "10/45/20" are none, nor "5.6.7"."""
    numbers = _NUMBER.findall(match[0])
    if len(numbers) == 1:
        digits = numbers[0]
        return _is_date(digits[4:6], digits[6:8], digits[:4])
    if len(numbers) == 2:
        first, second = sorted(numbers, key=len)
        return 1 <= int(first) <= 12 and int(second) in YEARS
    first, second, third = numbers
    if len(first) == 4:
        return _is_date(second, third, first)
    if len(third) == 2:  # "1.2.13" may number a paragraph, so may "1-2-13"
        plain = match["sign"] == "/" or ((len(first), len(second)) == (2, 2) and " " not in match["sign"])
        if not plain and not _BEFORE_DATE.search(match.string, max(0, match.start() - 12), match.start()):
            return False
    return len(first) <= 2 and (_is_date(first, second, third) or _is_date(second, first, third))


def _is_date(month: str, day: str, year: str) -> bool:
    return 1 <= int(month) <= 12 and 1 <= int(day) <= 31 and (len(year) == 2 or int(year) in YEARS)


def _is_named_date(match: re.Match[str]) -> bool:
    """Return whether the name of the month is one: "may 5" is none, "May 5th" and "in may 2019" are."""
    month = match["day_first"] or match["month_first"]
    if _YEAR_END.search(match[0]):
        return True
    if not month[0].isupper():
        return False
    if month.lower() == "may" and not _ORDINAL.search(match[0]):
        return _BEFORE_DATE.search(match.string, max(0, match.start() - 10), match.start()) is not None
    return True
