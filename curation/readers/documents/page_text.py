"""Lines of text from the marks of a page: cells of a table, white space and empty lines, the same for all documents."""

from __future__ import annotations

import re

# Stand in a text that is being put together; both are control characters that no document has as text.
CELL_END = "\x07"
ROW_END = "\x1e"
CELL_JOINT = " | "

SPACES = re.compile(r"[ \xa0\u2002-\u200a\u202f]+")
LINE_END_SPACES = re.compile(r" *\n *")
EMPTY_LINES = re.compile(r"\n{3,}")
SURROGATE = re.compile("[\ud800-\udfff]")


def tidy(text: str) -> str:
    """Return a text with tables as lines of ``cell | cell``, single spaces, and one empty line at most in a row.

    >>> tidy("Liver\\x07 normal\\x07\\x1eSpleen\\x07\\x07\\x1e\\n\\n\\nEnd")
    'Liver | normal\\nSpleen\\nEnd'
    """
    before, *rows = text.replace("\r\n", "\n").replace("\r", "\n").split(ROW_END)
    text = "\n".join((_row(before), *(_row(row.lstrip("\n ")) if CELL_END in row else row for row in rows)))
    text = LINE_END_SPACES.sub("\n", SPACES.sub(" ", text))
    return EMPTY_LINES.sub("\n\n", text).strip()


def _row(text: str) -> str:
    """Return a row of a table on its lines, without the empty cells at its end; text before it stays as it is."""
    if CELL_END not in text:
        return text
    first, *others = text.split(CELL_END)
    cells = [first.rstrip(), *map(str.strip, others)]
    while len(cells) > 1 and not cells[-1]:
        cells.pop()
    return CELL_JOINT.join(cells)


def join_surrogates(text: str) -> str:
    """Return a text whose characters beyond U+FFFF are one character each, not two halves; half a one is U+FFFD."""
    if not SURROGATE.search(text):
        return text
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
