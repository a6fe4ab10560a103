"""Write runs of white space as one space, or as one tab where they part the columns of a table."""

from __future__ import annotations

import re
from collections.abc import Iterator

from .edits import Edit

_RUN = re.compile(r"[ \t]{2,}|\t|(?<=\n)[ \t]+|[ \t]+(?=\n)")
_BREAKS = re.compile(r"\n(?:[ \t]*\n){2,}")
_BEFORE_MARK = re.compile(r"(?<=\w) +(?=[,;.](?:\s|\Z))")
MOST_COLUMNS = 4
"""Wide gaps of a line beyond which they are those of justified print, not of a table."""
_WIDE = re.compile(r"(?<=[^\s.,;:?!]) {3,}(?=[^\s.,;:])|(?<=\S)[ ]*\t[ \t]*(?=[^\s.,;:])")
_TWO = re.compile(r"(?<=[^\s.,;:?!]) {2}(?=[^\s.,;:])")


def white_space_edits(text: str) -> Iterator[Edit]:
    """Yield the edits that leave single spaces, single tabs between columns, and no blank lines in a row."""
    if "\n\n\n" in text or "\n " in text:
        for match in _BREAKS.finditer(text):
            yield Edit(match.start(), match.end(), "\n\n", "white space")
    if "  " in text or "\t" in text or "\n " in text or " \n" in text:
        line_end, columns = 0, frozenset[int]()
        uneven = _is_uneven(text)
        for match in _RUN.finditer(text):
            if match.start() >= line_end:
                line_start = text.rfind("\n", 0, match.start()) + 1
                line_end = text.find("\n", match.start())
                line_end = len(text) if line_end < 0 else line_end
                columns = _column_gaps(text, line_start, line_end, uneven=uneven)
            yield Edit(match.start(), match.end(), _written(text, match, columns), "white space")
    if " ," in text or " ." in text or " ;" in text:
        for match in _BEFORE_MARK.finditer(text):
            yield Edit(match.start(), match.end(), "", "white space")


def _written(text: str, match: re.Match[str], columns: frozenset[int]) -> str:
    at_edge = match.start() == 0 or text[match.start() - 1] == "\n" or text[match.end() : match.end() + 1] in ("\n", "")
    if at_edge:
        return ""
    return "\t" if match.start() in columns else " "


def _is_uneven(text: str) -> bool:
    """Tell whether gaps of all widths stand between the words of a text, so that a wide one parts no columns."""
    twos = len(_TWO.findall(text))
    return twos > 1 and 3 * twos >= len(_WIDE.findall(text))


def _column_gaps(text: str, start: int, end: int, *, uneven: bool) -> frozenset[int]:
    """Return where the gaps between the columns of a line begin; none where too many gaps are wide to be columns."""
    gaps = [match.start() for match in _WIDE.finditer(text, start, end) if not uneven or "\t" in match[0]]
    words = text[start:end].split()
    if not gaps or len(gaps) > MOST_COLUMNS or (len(gaps) == len(words) - 1 and len(words) > 3):
        return frozenset()
    return frozenset(gaps)
