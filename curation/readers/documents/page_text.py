"""Lines of text from the marks of a page: cells of a table, white space and empty lines, the same for all documents."""

from __future__ import annotations

import re

# Stand in a text that is being put together; both are control characters that no document has as text.
CELL_END = "\x07"
ROW_END = "\x1e"
CELL_JOINT = " | "

TRAILING_CELLS = re.compile(rf"[\s{CELL_END}]*{ROW_END}\s*")
CELL_ENDS = re.compile(rf"[ \t\n]*{CELL_END}[ \t\n]*(?!{CELL_END})|[ \t\n]*{CELL_END}")
SPACES = re.compile(r"[ \xa0\u2002-\u200a\u202f]+")
LINE_END_SPACES = re.compile(r" *\n *")
EMPTY_LINES = re.compile(r"\n{3,}")
SURROGATE = re.compile("[\ud800-\udfff]")


def tidy(text: str) -> str:
    """Return a text with tables as lines of ``cell | cell``, single spaces, and one empty line at most in a row.

    >>> tidy("Liver\\x07 normal\\x07\\x1eSpleen\\x07\\x07\\x1e\\n\\n\\nEnd")
    'Liver | normal\\nSpleen\\nEnd'
    """
    text = TRAILING_CELLS.sub("\n", text.replace("\r\n", "\n").replace("\r", "\n"))
    text = CELL_ENDS.sub(CELL_JOINT, text)
    text = LINE_END_SPACES.sub("\n", SPACES.sub(" ", text))
    return EMPTY_LINES.sub("\n\n", text).strip()


def join_surrogates(text: str) -> str:
    """Return a text whose characters beyond U+FFFF are one character each, not two halves; half a one is U+FFFD."""
    if not SURROGATE.search(text):
        return text
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
