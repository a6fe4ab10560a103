"""Write HTML as the text that it shows: entities, line ends, paragraphs, list items and cells."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator

from .edits import Edit

_ENTITY = re.compile(r"&(?:amp;)?(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")
_BLOCKS = "table|section|article|header|footer|blockquote|pre|h[1-6]|hr|form|html|body|head|title"
# "p" and "div" are lines: exports wrap every line of a report in one.
_LINES = "p|div|br|ul|ol|dl|tr|dt|dd|thead|tbody|tfoot|caption|option|center|address"
_CELLS = "td|th"
_INLINE = (
    "b|i|u|s|em|strong|span|font|small|big|sub|sup|tt|code|a|img|label|input|col|colgroup|mark|strike|del|ins|abbr|"
    "meta|link|nobr|wbr|o:p"
)
_TAG = re.compile(
    rf"<(?P<close>/?)(?:(?P<block>{_BLOCKS})|(?P<line>{_LINES})|(?P<item>li)|(?P<cell>{_CELLS})|(?P<inline>{_INLINE}))"
    r"(?:\s[^<>]{0,2000})?/?>",
    re.IGNORECASE,
)
_BOX = re.compile(r"\btype\s*=\s*[\"']?(?:checkbox|radio)\b", re.IGNORECASE)
_CHECKED = re.compile(r"\schecked\b(?!\s*=\s*[\"']?false)", re.IGNORECASE)
# What a browser does not show: marks that stand alone, and passages up to the mark that closes them.
_UNSEEN = re.compile(
    r"<!\[CDATA\[|\]\]>|<!DOCTYPE[^<>]*>|<\?xml[^<>]*>|<!--|<(?P<element>style|script)\b", re.IGNORECASE
)
_CLOSING = {
    "style": re.compile(r"</style\s*>", re.IGNORECASE),
    "script": re.compile(r"</script\s*>", re.IGNORECASE),
    "<!--": re.compile("-->"),
}


def entity_edits(text: str) -> Iterator[Edit]:
    """Yield the edits that write entities as their characters; those that HTML has no name for stay."""
    if "&" not in text:
        return
    for match in _ENTITY.finditer(text):
        character = html.unescape(html.unescape(match[0]))
        if "&" not in character or character == "&":
            yield Edit(match.start(), match.end(), character, "markup")


def tag_edits(text: str) -> Iterator[Edit]:
    """Yield the edits that take tags out. Only names of HTML count: "<5 mm" and "<PERSON>" are no tags."""
    if "<" not in text or ">" not in text:
        return
    yield from _unseen_edits(text)
    last_break, opened = -1, False
    for match in _TAG.finditer(text):
        shown = _shown(match)
        if shown == "\n":
            # "</p><p>" ends one line; "<p></p>" between two is an empty one, and so is a second "<br>"
            if last_break == match.start() and match["line"].lower() != "br":
                shown = "\n" if opened and match["close"] else ""
            opened, last_break = not match["close"], _end_of_space(text, match.end())
            yield Edit(match.start(), last_break, shown, "markup")
        else:
            yield Edit(match.start(), match.end(), shown, "markup")


def _unseen_edits(text: str) -> Iterator[Edit]:
    """Yield the edits that take out what is not shown; a passage that is never closed is none.

    What closes a kind of passage is looked for once where there is none any more.
    """
    place, unclosed = 0, set[str]()
    for match in _UNSEEN.finditer(text):
        if match.start() < place:
            continue
        place = match.end()
        kind = (match["element"] or match[0]).lower()
        if kind in _CLOSING:
            closing = None if kind in unclosed else _CLOSING[kind].search(text, match.end())
            if closing is None:
                unclosed.add(kind)
                continue
            place = closing.end()
        yield Edit(match.start(), place, "", "markup")


def _end_of_space(text: str, place: int) -> int:
    """Return where white space behind a line end ends: a line feed there only keeps the markup readable."""
    while place < len(text) and text[place].isspace():
        place += 1
    return place


def _shown(match: re.Match[str]) -> str:
    if match["inline"] and match["inline"].lower() == "input" and _BOX.search(match[0]):
        return "[x] " if _CHECKED.search(match[0]) else "[ ] "
    if match["block"]:
        return "\n\n"
    if match["line"]:
        return "\n"
    if match["item"]:
        return "" if match["close"] else "\n• "
    if match["cell"]:
        return "\t" if match["close"] else ""
    return ""
