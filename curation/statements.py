"""Cut report text into statements: the sentences, list items and headed lines that evidence is snapped to.

Offsets always count characters of the whole text that was given, never of a part of it.
"""

from __future__ import annotations

import re
from typing import NamedTuple

LONGEST_STATEMENT = 1500
"""Characters after which a run of text without any sentence end is cut at white space, so that work stays linear."""


class Span(NamedTuple):
    """Half-open character range of the text."""

    start: int
    end: int


# A period after one of these does not end a sentence.
_ABBREVIATION = frozenset(
    "dr mr mrs ms prof st vs approx ca fig e.g i.e eg ie cf al resp incl max min dia diam inf sup ant post lat med "
    "lt rt seg vert no nr".split()
)
# After a unit the period is a habit of dictation, and only a capital or a new line makes it an end.
_UNIT = frozenset("mm cm m ml cc l hu sec min".split())
_JOINING = frozenset(
    "a an the of in on at to and or with without from by for is are was were no not into within between both "
    "left right upper lower middle ct t l c s segment level measuring approximately about than which that".split()
)
_BOUNDARY = re.compile(
    r"""
      \n[ \t]*(?:\n\s*)+                                   # paragraph
    | (?P<line>\r?\n|\r)
    | (?P<stop>[.!?]+["”')\]]*)(?=\s|$)
    | (?<=[a-z)])(?P<glued>\.)(?=[A-Z][a-z])               # "preserved.No mass"
    | (?P<semi>;)(?=\s|$)
    | (?:(?<=\s)|^)["“”](?=\s|$)                           # a lone quote mark sets list items apart in CT-RATE
    | (?:(?<=\s)|^)[•◦▪●·](?=\s|\w)
    """,
    re.VERBOSE,
)
_LEAD = re.compile(r"""(?:[\s"“”•◦▪●·*>#]+|[-–—]+(?=\s)|\(?\d{1,2}[.):](?=\s|[A-Z])(?!\s*\d)|\(?[a-hA-H]\)(?=\s)|;)+""")
_TRAIL = re.compile(r"[\s\"“”•◦▪●·*]+$")
_LAST_WORD = re.compile(r"([A-Za-z][A-Za-z.]*|\d+)$")
_ITEM = re.compile(r"\s*(?:[-–—•◦▪●·*]|\(?\d{1,2}[.):](?!\d))")


def split_statements(text: str, start: int = 0, end: int | None = None) -> list[Span]:
    """Statements of ``text[start:end]`` in order, without list markers and the white space around them.

    The sentence end belongs to its statement. A statement holds at least one letter or digit.
    """
    end = len(text) if end is None else end
    spans: list[Span] = []
    begin = start
    for match in _BOUNDARY.finditer(text, start, end):
        if match.start() < begin or not _ends_statement(text, begin, match, end):
            continue
        keeps_mark = match["stop"] or match["glued"]
        _add(spans, text, begin, match.end() if keeps_mark else match.start())
        begin = match.end()
    _add(spans, text, begin, end)
    return spans


def _ends_statement(text: str, begin: int, match: re.Match[str], end: int) -> bool:
    if match["line"]:
        return _line_ends_statement(text, begin, match, end)
    if not match["stop"]:
        return True
    following = text[match.end() : match.end() + 40].lstrip()
    if match["stop"][0] != ".":  # "(small vessel disease? small airway disease?)" is one statement
        return not following[:1].islower()
    word = _LAST_WORD.search(text, max(begin, match.start() - 20), match.start())
    if word is None:
        return True
    last = word[1].lower()
    if last.isdigit():  # "2." opens a list item unless it stands alone behind a sentence
        return text[begin : word.start()].strip() != "" or not following[:1].isalpha()
    if last in ("no", "nr"):
        return not following[:1].isdigit()
    if last in _ABBREVIATION:
        return False
    return not (last in _UNIT and following[:1].islower())


def _line_ends_statement(text: str, begin: int, match: re.Match[str], end: int) -> bool:
    """A line break ends a statement unless the sentence plainly runs on into the next line."""
    rest = text[match.end() : min(end, match.end() + 80)]
    if _ITEM.match(rest):
        return True
    following = rest.lstrip()
    if not following or following[0].islower() or following[0] in ",)":
        return not following
    before = _LAST_WORD.search(text, max(begin, match.start() - 20), match.start())
    return before is None or before[1].lower() not in _JOINING


def _add(spans: list[Span], text: str, start: int, end: int) -> None:
    lead = _LEAD.match(text, start, end)
    start = lead.end() if lead else start
    while start < end and text[start].isspace():
        start += 1
    trail = _TRAIL.search(text[max(start, end - 200) : end])
    if trail:
        end -= len(trail[0])
    while end - start > LONGEST_STATEMENT:
        cut = text.rfind(" ", start + LONGEST_STATEMENT // 2, start + LONGEST_STATEMENT)
        cut = start + LONGEST_STATEMENT if cut < 0 else cut
        _keep(spans, text, start, cut)
        start = cut + 1
    _keep(spans, text, start, end)


def _keep(spans: list[Span], text: str, start: int, end: int) -> None:
    if any(character.isalnum() for character in text[start:end]):
        spans.append(Span(start, end))
