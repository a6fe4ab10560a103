"""Where a field's label ends and its value begins, and where one field of a line ends and the next begins."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

from curation.language.parser import StatementParser

from .answers import is_answer
from .labels import LabelKind, read_label
from .lines import is_side

MOST_FIELDS = 40
"""Fields of one line beyond which it is no form."""


class Field(NamedTuple):
    """The characters of a statement that hold one label with its value."""

    start: int
    end: int


class Pair(NamedTuple):
    """A label and its values (several for the cells of a row).

    ``strict``: only a bare answer makes the text a field, since the mark between them may be a dash of a sentence.
    """

    label: str
    values: tuple[str, ...]
    strict: bool = False
    is_row: bool = False


_COLON = re.compile(r":(?!\d)|(?<=[A-Za-z)]):(?=\d)")
_BRACKETS = re.compile(r"[(\[][^()\[\]]*[)\]]")
_QUESTION = re.compile(r"\?+(?=\s*\S)")
_OTHER_MARK = re.compile(r"\s*(?:={1,2}>?|->|→|…|\.{3,})\s*|\s+[-–—]+\s+|\n\s*")
_CELL_MARK = re.compile(r"[|\t]")
_DELIMITER = re.compile(r"[,;|\n]\s*|\.\s+|\s{2,}|\s[-–—/]\s")
_TRAILING_ANSWER = re.compile(
    r"(?P<label>\S.*?)\s+(?P<value>yes|no|none|nil|neg(?:ative)?|pos(?:itive)?|nad|n\.a\.d|np|n\.p|ok|[YN]|\++|[-–−]|[+−–-]ve)"
    r"[\s.;,!]*",
    re.DOTALL,
)
_MOST_WORDS_OF_ANSWER = 3
_LONGEST_LABEL_BEFORE_ANSWER = 6


def pair_of(text: str) -> Pair | None:
    """Return a text as one label with its values; None where no mark parts them."""
    if _CELL_MARK.search(text):
        cells = [cell.strip() for cell in _CELL_MARK.split(text.strip().strip("|"))]
        while cells and re.fullmatch(r"\d*[.)]?", cells[0]):
            cells = cells[1:]
        return Pair(cells[0].rstrip(":"), tuple(cells[1:]), is_row=True) if len(cells) > 1 else None
    separator = next(_separators(text), None)
    if separator is not None:
        value = text[separator.end() :].strip()
        return Pair(text[: separator.start()], (value,), strict=separator[0][0] == "?") if value else None
    mark = _OTHER_MARK.search(text, 1)
    if mark is None or not text[mark.end() :].strip():
        return None
    return Pair(text[: mark.start()], (text[mark.end() :].strip(),), strict=True)


def trailing_answer(text: str) -> Pair | None:
    """Return a label and the answer behind it with no mark between them: "Ascites no", "Spleen NAD"."""
    match = _TRAILING_ANSWER.fullmatch(text) or _TRAILING_ANSWER.fullmatch(text.lower())
    if match is None or len(match["label"].split()) > _LONGEST_LABEL_BEFORE_ANSWER:
        return None
    return Pair(text[: match.end("label")], (text[match.start("value") : match.end("value")],), strict=True)


def fields_of(parser: StatementParser, text: str) -> list[Field]:
    """Return the fields of a line, in order; a line that cannot be cut for certain is one field."""
    whole = [Field(0, len(text))]
    if _CELL_MARK.search(text):
        return _fields_of_cells(parser, text) or whole
    separators = list(_separators(text))
    if not 1 < len(separators) <= MOST_FIELDS:
        return whole
    starts = [0]
    ends = []
    for before, separator in pairwise(separators):
        cut = _cut(parser, text, before.end(), separator.start())
        if cut is None and not text[before.end() : separator.start()].strip():
            return whole
        if cut is not None:
            ends.append(cut[0])
            starts.append(cut[1])
    return [Field(start, end) for start, end in zip(starts, [*ends, len(text)], strict=True)]


def _separators(text: str) -> Iterator[re.Match[str]]:
    """Yield the marks behind labels that stand outside of brackets: colons, and question marks with an answer."""
    masked = _BRACKETS.sub(lambda match: "_" * len(match[0]), text)
    at = 0
    while at < len(text):
        matches = [match for pattern in (_COLON, _QUESTION) if (match := pattern.search(masked, at))]
        if not matches:
            return
        match = min(matches, key=lambda match: match.start())
        at = match.end()
        if match[0][0] != "?" or _opens_with_answer(text, at):
            yield match


def _opens_with_answer(text: str, at: int) -> bool:
    """Tell whether what stands behind a question mark answers it."""
    words = re.split(r"[\s,;.]+", text[at : at + 40].strip())[:_MOST_WORDS_OF_ANSWER]
    return is_side(words[0]) or any(
        is_answer(" ".join(words[:count])) for count in range(1, len(words) + 1) if words[0]
    )


def _cut(parser: StatementParser, text: str, start: int, end: int) -> tuple[int, int] | None:
    """Return where the value that begins at ``start`` ends, and where the label that ends at ``end`` begins."""
    delimiters = list(_DELIMITER.finditer(text, start, end))
    if delimiters and delimiters[-1].end() < end:
        last = delimiters[-1]
        return (last.start(), last.end()) if _is_label(parser, text[last.end() : end]) else None
    words = list(re.finditer(r"\S+", text[start:end]))
    for count in range(min(_MOST_WORDS_OF_ANSWER, len(words) - 1), 0, -1):
        value_end, label_start = start + words[count - 1].end(), start + words[count].start()
        opens = text[label_start].isupper() or (not text[:end].isupper() and words[0][0].lower() != "no")
        if opens and is_answer(text[start:value_end]) and _is_label(parser, text[label_start:end]):
            return value_end, label_start  # "no pleural effusion: yes" could be cut on either side of "no"
    return None


def _is_label(parser: StatementParser, text: str) -> bool:
    label = read_label(parser, text)
    return label is not None and label.kind is not LabelKind.OTHER


def _is_organ(parser: StatementParser, text: str) -> bool:
    label = read_label(parser, text)
    return label is not None and label.kind is LabelKind.ORGAN


def _fields_of_cells(parser: StatementParser, text: str) -> list[Field]:
    """Return the fields of a row that holds several: "Liver | normal | Spleen | enlarged"."""
    cells, start = [], 0
    for mark in [*_CELL_MARK.finditer(text), None]:
        end = mark.start() if mark else len(text)
        if text[start:end].strip():
            cells.append(Field(start, end))
        start = mark.end() if mark else end
    if len(cells) > 1 and all(any(_separators(text[cell.start : cell.end])) for cell in cells):
        return cells
    labels = [_is_label(parser, text[cell.start : cell.end]) for cell in cells]
    names = [text[cell.start : cell.end] for cell in cells]
    if (
        len(cells) > 3
        and len(cells) % 2 == 0
        and all(labels[::2])
        and not any(_is_organ(parser, name) for name in names[1::2])
    ):
        return [Field(label.start, value.end) for label, value in zip(cells[::2], cells[1::2], strict=True)]
    return []
