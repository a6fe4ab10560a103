"""Cut report text into statements: the sentences, list items and headed lines that evidence is snapped to.

Offsets always count characters of the whole text that was given, never of a part of it.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from .forms.lines import field_ends, is_answer_of_line, is_answered, parts_sides
from .word_lists import ABBREVIATED_UNITS, ABBREVIATIONS, NUMBER_ABBREVIATIONS, RUN_ON_WORDS

LONGEST_STATEMENT = 1500
"""Characters after which a run of text without any sentence end is cut at white space, so that work stays linear."""

LONGEST_BRACKET = 200
"""Characters within which the bracket around a question has to close."""


class Span(NamedTuple):
    """A half-open range of characters of the text."""

    start: int
    end: int


_LONGEST_SHORT_WORD = 1 + max(map(len, ABBREVIATIONS | ABBREVIATED_UNITS))
_MARK = re.compile(r"[.!?;\n\r\"“”•◦▪●·]")
_STOP = re.compile(r"[.!?]+[\"”')\]]*")
_OPENING = re.compile(r"(?<=[a-z0-9)]) +(?=(?:The|There|No|Both|This|These|Multiple|Bilateral) [a-z])")
_BULLETS = frozenset("•◦▪●·")
_LEAD = re.compile(
    r"""(?:[\s"“”•◦▪●·*>#]+|[-–—]+(?=\s)|\(?\d{1,2}[.):](?=\s|[A-Z])|(?:\([a-hA-H]|[a-zA-Z])\)(?=\s)|\[\d{1,2}\](?=\s)|;)+"""
)
_TRAIL = frozenset('"“”•◦▪●·*')
_TITLE_CASE = re.compile(r"[A-Z]\S* [A-Z]")
_CLOSING = re.compile(r"[()\n\r]")
_LAST_WORD = re.compile(r"([A-Za-z][A-Za-z.]*|\d+)$")
_BLANK_LINE = re.compile(r"[ \t\r]*\n")
_ITEM = re.compile(r"\s*(?:[-–—•◦▪●·*]|\(?\d{1,2}[.):](?!\d)|(?:\([a-hA-H]|[a-zA-Z])\)\s|\[\d{1,2}\]\s)")


def split_statements(text: str, start: int = 0, end: int | None = None) -> list[Span]:
    """Return the statements of ``text[start:end]`` in order, without list markers and the white space around them.

    The sentence end belongs to its statement. A statement holds at least one letter or digit.
    """
    end = len(text) if end is None else end
    spans: list[Span] = []
    begin = start
    for match in _MARK.finditer(text, start, end):
        at = match.start()
        if at < begin:
            continue
        last, following = _boundary(text, begin, at, end)
        if following:
            _add(spans, text, begin, last)
            begin = following
    _add(spans, text, begin, end)
    return spans


def _boundary(text: str, begin: int, at: int, end: int) -> tuple[int, int]:
    """Return the end of the statement that the mark at ``at`` closes and the start of the next; zeros for none."""
    mark = text[at]
    after = text[at + 1] if at + 1 < end else " "
    if mark == ".":
        if after.isspace() and text[at - 1 : at].isalnum() and not _is_open(text, begin, at, at + 1):
            return (0, 0) if parts_sides(text, begin, at, end) else (at + 1, at + 1)
        if after.isalpha():  # "preserved.No mass"
            glued = text[at - 1 : at].islower() and after.isupper() and text[at + 2 : at + 3].islower()
            return (at + 1, at + 1) if glued and at > begin else (0, 0)
    if mark == "." and text[at - 1 : at] == "." and at > begin:
        return 0, 0  # the first of several dots has decided
    if mark == "?" and not any(map(str.isalnum, text[begin:at])):
        return 0, 0  # "? Adenomyosis" is in doubt
    if mark in ".!?":
        stop = _STOP.match(text, at, end)
        last = stop.end() if stop else at + 1
        if last < end and not text[last].isspace():
            return 0, 0
        is_open = _is_open(text, begin, at, last) or (
            (mark == "?" or last - at > 2) and is_answered(text, last, end)  # "Ascites? N", "Ascites ..... no"
        )
        return (0, 0) if is_open else (last, last)
    if mark == ";":
        return (at, at + 1) if after.isspace() and not parts_sides(text, begin, at, end) else (0, 0)
    if mark in "\n\r":
        return (at, at + 1) if _line_ends_statement(text, begin, at, end) else (0, 0)
    alone = at == begin or text[at - 1].isspace()
    if mark in _BULLETS:
        return (at, at + 1) if alone else (0, 0)
    return (at, at + 1) if alone and after.isspace() else (0, 0)  # a lone quote mark sets items apart in CT-RATE


def _is_open(text: str, begin: int, at: int, last: int) -> bool:
    """Tell whether the sentence goes on behind the stop at ``at``: after an abbreviation, a list number, a unit."""
    if text[at] == "." and at - _LONGEST_SHORT_WORD > begin and text[at - _LONGEST_SHORT_WORD : at].isalpha():
        return False  # no abbreviation or unit is that long
    following = text[last : last + 40].lstrip()
    if text[at] != ".":  # "(small vessel disease? Small airway disease?)" is one statement, and so is "cyst? (stable)"
        title = text[last - 1] == ")" and _TITLE_CASE.match(
            following
        )  # "(Cyst?) In The Liver", not "(cyst?) The liver"
        if following and text[max(begin, at - 3) : at].rstrip()[-1:] in ("-", "–", "—", ":", ","):
            return True  # "thickening of the cecum - ? Tuberculosis" asks of what follows
        return bool(title) or following.lstrip("(")[:1].islower() or _in_brackets(text, begin, last)
    following = following[:1]
    word = _LAST_WORD.search(text, max(begin, at - 20), at)
    if word is None:
        return False
    previous = word[1].lower()
    if previous.isdigit():  # "2." opens a list item unless it stands alone behind a sentence
        return not text[begin : word.start()].strip() and following.isalnum()
    if previous in NUMBER_ABBREVIATIONS:
        is_answer = text[max(begin, word.start() - 2) : word.start()].rstrip()[-1:] in (":", "?")
        return following.isdigit() and not is_answer
    return previous in ABBREVIATIONS or (previous in ABBREVIATED_UNITS and following.islower())


def _in_brackets(text: str, begin: int, at: int) -> bool:
    """Tell whether ``at`` stands in brackets that its statement opens, and that close a little further on its line."""
    opening = text.rfind("(", begin, at)
    if opening < 0 or ")" in text[opening:at]:
        return False
    closing = _CLOSING.search(text, at, at + LONGEST_BRACKET)
    return closing is not None and closing[0] == ")"


def _line_ends_statement(text: str, begin: int, at: int, end: int) -> bool:
    """Tell whether a line break ends a statement: unless the sentence plainly runs on into the next line."""
    rest = text[at + 1 : min(end, at + 81)]
    if _BLANK_LINE.match(rest):
        return True
    if _ITEM.match(rest):
        return True
    following = rest.lstrip()
    if not following:
        return True
    line = text[max(begin, text.rfind("\n", begin, at) + 1) : at]
    if following[0].islower() or following[0] in ",)":
        return field_ends(line, rest)
    before = _LAST_WORD.search(text, max(begin, at - 20), at)
    if before is None or before[1].lower() not in RUN_ON_WORDS:
        return not is_answer_of_line(line, rest)
    return field_ends(line, rest)


def _add(spans: list[Span], text: str, start: int, end: int) -> None:
    """Append ``text[start:end]`` without markers and edges, cut where sentences run together or it is too long."""
    while start < end and text[start].isspace():
        start += 1
    if not text[start : start + 2].isalpha():
        lead = _LEAD.match(text, start, end)
        start = lead.end() if lead else start
    while end > start and (text[end - 1].isspace() or text[end - 1] in _TRAIL):
        end -= 1
    for opening in _OPENING.finditer(text, start + 12, end):  # sentences run together without a full stop
        _append(spans, text, start, opening.start())
        start = opening.end()
    while end - start > LONGEST_STATEMENT:
        cut = text.rfind(" ", start + LONGEST_STATEMENT // 2, start + LONGEST_STATEMENT)
        cut = start + LONGEST_STATEMENT if cut < 0 else cut
        _append(spans, text, start, cut)
        start = cut + text[cut].isspace()
    _append(spans, text, start, end)


def _append(spans: list[Span], text: str, start: int, end: int) -> None:
    """Append a span if it holds a letter or digit."""
    if start < end and (text[start].isalnum() or any(character.isalnum() for character in text[start:end])):
        spans.append(Span(start, end))
