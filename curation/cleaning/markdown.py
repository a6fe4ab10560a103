"""Take the marks of Markdown out, and write what they say of the layout as plain text: headings, items, tables."""

from __future__ import annotations

import re
from collections.abc import Iterator

from .edits import Edit

_FENCE = re.compile(r"^[ \t]*(?:```+|~~~+)[^\n`]*$", re.M)
_RULE = re.compile(
    r"^[ \t]*(?:(?:-[ \t]*){3,}|(?:\*[ \t]*){3,}|(?:_[ \t]*){5,}|(?:=[ \t]*){3,}|(?:#[ \t]*){3,})$", re.M
)
_TABLE_RULE = re.compile(r"^[ \t]*\|?[ \t]*:?-{3,}:?[ \t]*(?:\|[ \t]*:?-{3,}:?[ \t]*)+\|?[ \t]*$", re.M)
_QUOTE = re.compile(r"^[ \t]*(?:>[ \t]?)+(?![ \t]*\d)", re.M)
_HEADING = re.compile(r"^(?P<mark>[ \t]*#{1,6}[ \t]+)(?P<title>[^\n]*?)(?P<closing>[ \t]*#*[ \t]*)$", re.M)
_STRONG_LINE = re.compile(
    r"^[ \t]*(?P<open>\*{2,3}|__)(?P<title>[^\n*_]+?)(?P<close>\*{2,3}|__)(?P<behind>:?)[ \t]*$", re.M
)
_STRONG = re.compile(
    r"(?<![\w*_])(?P<open>\*{2,3}|__)(?=[^\s*_])(?P<inside>[^\n]{1,400}?)(?<=[^\s*_])(?P<close>\*{2,3}|__)(?!_)"
)
_EMPHASIS = re.compile(r"(?<![\w*])(?P<open>\*)(?=[^\s*])(?P<inside>[^\n*]{1,400}?)(?<=[^\s*])(?P<close>\*)(?![\w*])")
# "_X_" is a box that is ticked.
_UNDERLINED = re.compile(r"(?<![\w_])(?P<open>_)(?=[^\s_])(?P<inside>[^\n_]{3,200})(?<=[^\s_])(?P<close>_)(?![\w_])")
_LEFT_OVER = re.compile(r"(?<!\*)\*{2,4}(?=\w)|(?<=[\w.,:;)])\*{2,4}(?!\*)")
# Two tildes on either side: what is struck out. Behind a sentence without a space they end a line, as escapes do.
_STRUCK = re.compile(r"(?<!\S)~~(?=[^\s~])[^~\n]{1,300}(?<=\S)~~(?:[ \t]+|(?!\S))")
_CODE = re.compile(r"`([^`\n]{1,200})`")
_BACKSLASH = re.compile(r"\\(?=[\\`*_{}\[\]()#+.!|<>~-])")
# What ends a line that is no heading, for all its bold print: a sentence.
_SENTENCE = re.compile(r"[.!?;:][\"')\]]?\s*$")
_LONGEST_TITLE = 60


def struck_edits(text: str) -> Iterator[Edit]:
    """Yield the edits that take out what is struck out."""
    if "~~" in text:
        for match in _STRUCK.finditer(text):
            yield Edit(match.start(), match.end(), "", "struck out")


def markdown_edits(text: str) -> Iterator[Edit]:
    """Yield the edits that take the marks of Markdown out; a heading without a colon gets one."""
    if "#" in text:
        for match in _HEADING.finditer(text):
            yield Edit(match.start("mark"), match.end("mark"), "", "markup")
            yield Edit(match.start("closing"), match.end("closing"), _colon_behind(match["title"]), "markup")
    if "*" in text or "_" in text:
        yield from _emphasis_edits(text)
    if "`" in text:
        for match in _CODE.finditer(text):
            yield from _without_marks(match.start(), match.start() + 1, match.end() - 1, match.end())
        for match in _FENCE.finditer(text):
            yield Edit(match.start(), match.end(), "", "markup")
    for pattern, sign in (
        (_RULE, "---"),
        (_RULE, "***"),
        (_RULE, "==="),
        (_TABLE_RULE, "|"),
        (_QUOTE, ">"),
        (_BACKSLASH, "\\"),
    ):
        if sign in text:
            for match in pattern.finditer(text):
                yield Edit(match.start(), match.end(), "", "markup")


def _emphasis_edits(text: str) -> Iterator[Edit]:
    for match in _STRONG_LINE.finditer(text):
        yield Edit(match.start("open"), match.end("open"), "", "markup")
        colon = "" if match["behind"] else _colon_behind(match["title"])
        yield Edit(match.start("close"), match.end("close"), colon, "markup")
    for pattern in (_STRONG, _EMPHASIS, _UNDERLINED):
        for match in pattern.finditer(text):
            yield from _without_marks(match.start(), match.end("open"), match.start("close"), match.end())
    for match in _LEFT_OVER.finditer(text):
        yield Edit(match.start(), match.end(), "", "markup")


def _without_marks(start: int, inside: int, inside_end: int, end: int) -> Iterator[Edit]:
    yield Edit(start, inside, "", "markup")
    yield Edit(inside_end, end, "", "markup")


def _colon_behind(title: str) -> str:
    """Return the colon that a title lacks: one that is short and no sentence."""
    bare = title.strip(" *_")
    return ":" if bare and len(bare) <= _LONGEST_TITLE and not _SENTENCE.search(bare) else ""
