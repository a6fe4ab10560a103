"""Write characters that look or mean the same as one: full width, ligatures, unusual spaces, dashes and bullets."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

from .edits import Edit

# Nothing to be seen: control and format characters (zero width, direction, soft hyphen), variation selectors.
_INVISIBLE = re.compile(
    "[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180e\u200b-\u200f"
    "\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff\ufff9-\ufffb\U000e0000-\U000e0fff]"
)
_SPACES = re.compile(r"[^\S\t\n\r\x0b\x0c\x85\u2028\u2029 ]")
# Bullets of word processors, those of Symbol and Wingdings in the private use area among them. Squares are tick boxes.
_BULLETS = "\u2023\u2043\u204c\u204d\u2219\u25aa\u25ab\u25b6\u25b8\u25ba\u25c6\u25c7\u25cb\u25cf\u2756\u27a2\u27a4"
_SYMBOL_BULLETS = "\uf0b7\uf0a7\uf0d8\uf076\uf02d\uf0e0"
_UNUSUAL = {
    **dict.fromkeys("\x0b\x0c\x85\u2028\u2029", "\n"),
    **dict.fromkeys(_BULLETS + _SYMBOL_BULLETS, "\u2022"),
    **dict.fromkeys("\u2018\u2019\u201a\u201b\u2032\u02bc`\u00b4", "'"),
    **dict.fromkeys("\u201e\u201f\u2033\u00ab\u00bb", '"'),
    **dict.fromkeys("\u2010\u2011\u2212\ufe63\uff0d", "-"),
    **dict.fromkeys("\u2044\u2215", "/"),
    **{chr(0x2460 + number): f"({number + 1})" for number in range(20)},
    "\u3002": ". ",
    **dict.fromkeys("\u2715\u2716", "\u00d7"),
}
_BEYOND_ASCII = re.compile(r"[^\t\n\r -~]")
# A word that is broken at the end of a line; with the line end it is whole again.
_BROKEN_WORD = re.compile(r"\u00ad[ \t]*\r?\n[ \t]*(?=[^\W\d_])")
_ELLIPSIS = re.compile("(?<!\u2026)\u2026(?!\u2026)")
_BACKTICK_IN_WORD = re.compile(r"(?<=[a-z])`(?=[a-z])")
_DASH_OF_RANGE = re.compile(r"(?<=\d)\u2013(?=[A-Z]?\d)")
# Where the compatibility form of Unicode (NFKC) means the same: full width, ligatures, units in one character.
_COMPATIBLE = re.compile("[\ufb00-\ufb06\uff01-\uff5e\u3300-\u33ff\uffe0-\uffe6\u2100-\u214f\U0001d400-\U0001d7ff]")


def character_edits(text: str) -> Iterator[Edit]:
    """Yield the edits of single characters."""
    if "\u00ad" in text:
        for match in _BROKEN_WORD.finditer(text):
            yield Edit(match.start(), match.end(), "", "line end")
    for match in _BEYOND_ASCII.finditer(text):
        character = match[0]
        replacement = _replacement(character)
        if replacement != character:
            kind = "character" if replacement else "invisible character"
            yield Edit(match.start(), match.end(), replacement, kind)
    if "\u2026" in text:
        for match in _ELLIPSIS.finditer(text):
            yield Edit(match.start(), match.end(), "...", "character")
    if "`" in text:
        for match in _BACKTICK_IN_WORD.finditer(text):
            yield Edit(match.start(), match.end(), "'", "character")
    if "\u2013" in text:
        for match in _DASH_OF_RANGE.finditer(text):
            yield Edit(match.start(), match.end(), "-", "character")


def _replacement(character: str) -> str:
    if character in _UNUSUAL:
        return _UNUSUAL[character]
    if _INVISIBLE.match(character):
        return ""
    if _SPACES.match(character):
        return " "
    return unicodedata.normalize("NFKC", character) if _COMPATIBLE.match(character) else character
