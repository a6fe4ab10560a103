"""Where the lines of a form end: before the next label or tick box, and not between a question and its answer."""

from __future__ import annotations

import re

from .answers import is_answer

_SHORT_ANSWER = r"(?:yes|no|none|nil|y|n|present|absent|pos(?:itive)?|neg(?:ative)?|\(?\+{1,3}\)?|\(?[-–−]\)?|not seen)"
_SIDE_WORD = r"(?:left|right|both|bilateral|[LR])"
_ANSWER_BEHIND = re.compile(
    rf"\s*(?:{_SHORT_ANSWER}|{_SIDE_WORD})(?=[ \t]*(?:[.,;\n]|\Z|-\s|\([^()\n]*\)))", re.IGNORECASE
)
_ANSWER_LINE = re.compile(rf"[ \t]*{_SHORT_ANSWER}[ \t]*\.?[ \t]*(?=\n|\Z)", re.IGNORECASE)
_LABEL_LINE = re.compile(r"[A-Za-z][\w /,()&'-]{1,60}[:?]?[ \t]*\Z")
_BOX = r"[\[(][ xX_✓✔]?[\])]|[☐☑☒✓✔✗✘□]"
_FIELD_START = re.compile(rf"[ \t]*(?:{_BOX}|[A-Za-z][\w /,()&'-]{{0,60}}?(?:[ \t]*[:|](?!\d)|\t|\?[ \t]*\S|\s[\[(]))")
_MARK = re.compile(rf"[:|\t?]|\.{{3,}}|{_BOX}")
_SIDE_OPENS = re.compile(r"[ \t]+(?P<side>left|right|lt|rt|[LR])\b(?!\s*[<>/])", re.IGNORECASE)
_FIELD_OF_A_SIDE = re.compile(
    r"[^:;\n]{2,60}:\s*(?P<side>left|right|lt|rt|[LR])\b(?!\s*[<>/])[^:;.\n]*(?:\.\d[^:;.\n]*)*\Z", re.IGNORECASE
)
_ROW = re.compile(r"[ \t]*[A-Z0-9#][^|\n]{0,60}\|")
_NOUN_AT_END = re.compile(r"[a-z].*\b(?:left|right|upper|lower|middle|segment|level|[CLST])[ \t]*\Z")
_CAPITALS = re.compile(r"[ \t]*[A-Z][A-Za-z0-9]")
_SIDE = re.compile(rf"{_SIDE_WORD}\W*", re.IGNORECASE)


def is_answered(text: str, at: int, end: int) -> bool:
    """Tell whether what stands behind the question mark before ``at`` answers it: "Pneumothorax? N"."""
    return _ANSWER_BEHIND.match(text, at, end) is not None


def is_side(value: str) -> bool:
    """Tell whether a value is nothing but a side."""
    return _SIDE.fullmatch(value) is not None


def is_answer_of_line(line: str, following: str) -> bool:
    """Tell whether the line that ``following`` begins with is nothing but the answer to the label in ``line``."""
    return _ANSWER_LINE.match(following) is not None and _LABEL_LINE.match(line) is not None


def parts_sides(text: str, begin: int, at: int, end: int) -> bool:
    """Tell whether a mark at ``at`` parts the values of a field's two sides: "Effusion: R small; L none"."""
    side = _SIDE_OPENS.match(text, at + 1, end)
    field = _FIELD_OF_A_SIDE.match(text, begin, at) if side else None
    return side is not None and field is not None and side["side"][0].lower() != field["side"][0].lower()


def side_cut(text: str) -> int:
    """Return where a statement that was kept whole for its two sides parts, should it be no field; 0 for others."""
    return next((at for at, mark in enumerate(text) if mark in ";." and parts_sides(text, 0, at, len(text))), 0)


def field_ends(line: str, following: str) -> bool:
    """Tell whether ``line`` is a field that ends with it, whatever its last word is: "Hydronephrosis: left"."""
    if _ROW.match(following):
        return True
    if _NOUN_AT_END.search(line) and _CAPITALS.match(following) and _FIELD_START.match(following):
        return True  # "… deviated to the left" above "Lymph nodes: …"
    marks = list(_MARK.finditer(line))
    if not marks:
        return _ANSWER_LINE.fullmatch(line) is not None and following.lstrip()[:1].isupper()
    value = line[marks[-1].end() :].strip()
    complete = not value or is_answer(value) or is_side(value)
    begins_field = _FIELD_START.match(following) is not None
    if following.lstrip()[:1].islower() or not complete:
        return begins_field and (complete or len(value.split()) < 3 or _is_box(marks[-1][0]))
    return True


def _is_box(mark: str) -> bool:
    return mark not in (":", "|", "\t", "?") and mark[0] != "."
