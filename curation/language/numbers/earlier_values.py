"""Which measures are those of an earlier day: "previously 9 mm", "9 mm on 1/2/20", "9 mm, now 12 mm"."""

from __future__ import annotations

from collections.abc import Sequence

from curation.language.tokens import Token
from curation.language.word_lists import (
    ARTICLES,
    CLAUSE_ENDS,
    EARLIER_BY_A_NUMBER,
    EXAMINATION_STEMS,
    REPORTING_STEMS,
)

from .measure import Measure
from .measurement_words import (
    AGO,
    ARROWS,
    CHANGE,
    FILLERS_BEFORE_A_NUMBER,
    FILLERS_BEHIND_A_DATE,
    FILLERS_BEHIND_A_NUMBER,
    FILLERS_BEHIND_TODAY,
    FIRST_OF_ARROWS,
    SINCE,
    STILL_SO,
    TODAY,
)

_WITHOUT_UNIT = ("number", "dimensions")
_REACH_BEFORE = 8
"""Tokens before a number within which a word may tie it to a day."""
_REACH_BEHIND = 5
_REACH_OF_SIGHTING = 6
_REACH_OF_REPORT = 3
_REACH_OF_CHANGE = 14
"""Tokens before "from" and a number within which a verb of change stands."""
_LONGEST_WAY = 10
"""Tokens between the sizes of two days: "9 mm on 3/4/2020, now measuring 12 mm"."""


def begins_a_change(tokens: Sequence[Token], at: int) -> bool:
    """Tell whether the number is where a change began ("has shrunk from 3.1 cm to 1.8 cm"), not the end of a range."""
    if not at or tokens[at - 1].word != "from":
        return False
    return any(CHANGE.match(token.word) for token in tokens[max(0, at - _REACH_OF_CHANGE) : at - 1])


def arrow_behind(tokens: Sequence[Token], at: int) -> int:
    """Return the index behind an arrow at ``at`` ("9 -> 12 mm"), or 0 where there is none."""
    if at >= len(tokens) or tokens[at].word not in FIRST_OF_ARROWS:
        return 0
    for arrow in ARROWS:
        if tuple(token.word for token in tokens[at : at + len(arrow)]) == arrow:
            return at + len(arrow)
    return 0


def with_days(measures: Sequence[Measure], tokens: Sequence[Token]) -> list[Measure]:
    """Return the measures of a statement, those of an earlier day with the role "earlier" and the unit they share."""
    dated = [
        measure._replace(role="earlier") if measure.kind == "date" and _is_of_sighting(measure, tokens) else measure
        for measure in measures
    ]
    for index, measure in enumerate(dated):
        if measure.kind in _WITHOUT_UNIT or measure.has_unit:
            if _is_of_earlier_day(measure, index, dated, tokens):
                dated[index] = _with_unit_of_another(measure, index, dated)._replace(role="earlier")
    for index, measure in enumerate(dated):
        if measure.has_unit and not measure.role and _is_of_today(measure, tokens):
            before = dated[index - 1] if index else None
            if before is not None and _are_two_days_of_one(before, measure, tokens):
                dated[index - 1] = before._replace(role="earlier")
    return dated


def _is_of_earlier_day(measure: Measure, index: int, measures: Sequence[Measure], tokens: Sequence[Token]) -> bool:
    before = measures[index - 1] if index else None
    free_from = before.end if before is not None else 0
    if _is_of_today(measure, tokens):
        return False
    if _is_earlier_by_words_before(tokens, measure.start, free_from):
        return True
    if _is_earlier_by_words_behind(tokens, measure.end) or _is_ago(measures, index, tokens):
        return True
    if before is not None and before.kind == measure.kind and _is_compared(tokens, before.end, measure.start):
        return True
    return measure.has_unit and _has_a_date(measures, index, tokens)


def _is_earlier_by_words_before(tokens: Sequence[Token], at: int, free_from: int) -> bool:
    """Tell whether words before a number tie it to the past: "previously 5 cm", "compared to 5 cm", ", was 5 cm"."""
    if at and tokens[at - 1].word == "was" and free_from and at - 2 >= free_from and tokens[at - 2].word in ",([":
        return True
    for index in range(at - 1, max(free_from, at - _REACH_BEFORE - 1) - 1, -1):
        word = tokens[index].word
        if word in EARLIER_BY_A_NUMBER:
            return True
        if word not in FILLERS_BEFORE_A_NUMBER:
            return False
    return False


def _is_earlier_by_words_behind(tokens: Sequence[Token], at: int) -> bool:
    """Tell whether words behind a number tie it to the past: "5 cm previously", "5 cm on the prior CT"."""
    for index in range(at, min(at + _REACH_BEHIND, len(tokens))):
        word = tokens[index].word
        if word in EARLIER_BY_A_NUMBER:
            return word != "compared" and not _is_followed_by_number(tokens, index)
        if word not in FILLERS_BEHIND_A_NUMBER or (word in "[(" and index > at):
            return False
    return False


def _is_followed_by_number(tokens: Sequence[Token], at: int) -> bool:
    """Tell whether the next number belongs to the word at ``at``: "12 mm (previously 9 mm)", "12 mm [prior: 9]"."""
    following = [token.word for token in tokens[at + 1 : at + 4]]
    return any(word[0].isdigit() for word in following[:1]) or (
        following[:1] in ([":"], ["was"], ["measured"]) and any(word[0].isdigit() for word in following[1:2])
    )


def _is_ago(measures: Sequence[Measure], index: int, tokens: Sequence[Token]) -> bool:
    """Tell whether the distance of an earlier day follows: "9 mm three months ago"."""
    if index + 1 >= len(measures) or measures[index + 1].kind != "duration":
        return False
    duration, way = measures[index + 1], tokens[measures[index].end : measures[index + 1].start]
    is_near = all(token.word in FILLERS_BEHIND_A_NUMBER for token in way)
    return is_near and duration.end < len(tokens) and tokens[duration.end].word in AGO


def _is_compared(tokens: Sequence[Token], start: int, end: int) -> bool:
    """Tell whether the words between two sizes compare the first with the second: "14 mm versus 9 mm"."""
    words = [token.word for token in tokens[start:end] if token.word not in (",", "(", "[")]
    return len(words) == 1 and words[0] in ("versus", "vs")


def _has_a_date(measures: Sequence[Measure], index: int, tokens: Sequence[Token]) -> bool:
    """Tell whether a date stands right behind or before a size, as that of its day: "9 mm on 1/2/20", "2019: 9 mm"."""
    measure = measures[index]
    if index + 1 < len(measures) and measures[index + 1].kind == "date":
        way = tokens[measure.end : measures[index + 1].start]
        if all(token.word in FILLERS_BEHIND_A_NUMBER for token in way) and len(way) <= _REACH_BEHIND:
            return True
    if not index or measures[index - 1].kind != "date":
        return False
    date = measures[index - 1]
    way = tokens[date.end : measure.start]
    if _opens_clause(tokens, date.start) and CLAUSE_ENDS.isdisjoint(token.word for token in way[1:]):
        return True
    if len(way) > _REACH_BEHIND or not all(token.word in FILLERS_BEHIND_A_DATE for token in way):
        return False
    return (SINCE | STILL_SO).isdisjoint(
        token.word for token in tokens[max(0, date.start - _REACH_OF_SIGHTING) : date.start]
    )


def _is_of_sighting(date: Measure, tokens: Sequence[Token]) -> bool:
    """Tell whether a date is that of an earlier look: "seen in 2019", "the CT of 2019 showed", not "also seen in"."""
    before = list(tokens[max(0, date.start - _REACH_OF_SIGHTING) : date.start])
    words = {token.word for token in before}
    if not SINCE.isdisjoint(words) or not STILL_SO.isdisjoint(words):
        return False
    while before and before[-1].word in FILLERS_BEFORE_A_NUMBER and before[-1].stem not in EXAMINATION_STEMS:
        before.pop()
    if before and before[-1].stem in REPORTING_STEMS:
        return True
    behind = tokens[date.end : date.end + _REACH_OF_REPORT]
    is_examination = any(token.stem in EXAMINATION_STEMS for token in (*before[-1:], *behind[:1]))
    return is_examination and any(token.stem in REPORTING_STEMS for token in behind)


def _opens_clause(tokens: Sequence[Token], at: int) -> bool:
    """Tell whether a date opens a clause that says how something was on that day: "On 3/4/2020, a node of 9 mm"."""
    before = [token.word for token in tokens[max(0, at - 3) : at] if token.word not in ARTICLES]
    return before[-1:] in (["on"], ["in"]) and (len(before) == 1 or before[-2] in CLAUSE_ENDS)


def _is_of_today(measure: Measure, tokens: Sequence[Token]) -> bool:
    """Tell whether a word of today stands right beside a measure: "now 12 mm", "12 mm today"."""
    at = measure.start - 1
    while at >= 0 and measure.start - at <= _REACH_BEFORE and tokens[at].word in FILLERS_BEHIND_TODAY:
        at -= 1
    if at >= 0 and tokens[at].word in TODAY:
        return True
    return any(token.word in TODAY for token in tokens[measure.end : measure.end + 1])


def _are_two_days_of_one(before: Measure, today: Measure, tokens: Sequence[Token]) -> bool:
    """Tell whether the measure before one of today is that of the same thing on another day."""
    if before.kind != today.kind or before.role or today.start - before.end > _LONGEST_WAY:
        return False
    return not _is_of_today(before, tokens)


def _with_unit_of_another(measure: Measure, index: int, measures: Sequence[Measure]) -> Measure:
    """Return an earlier value; without a unit of its own it has that of the size before it: "14 mm (prior: 9)"."""
    before = measures[index - 1] if index else None
    if measure.kind not in _WITHOUT_UNIT or before is None or not before.has_unit or before.kind == "duration":
        return measure
    values = tuple(round(value * before.factor, 4) for value in measure.values)
    return measure._replace(kind=before.kind, values=values, factor=before.factor)
