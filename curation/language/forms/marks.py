"""Tick boxes and signs: "[x] Gallstones", "Spleen: ☐ normal ☑ enlarged", "Gallstones (+), ascites (-)"."""

from __future__ import annotations

import re
from enum import Enum, auto
from typing import NamedTuple

from .answers import is_answer


class Mark(Enum):
    """What stands beside an item. A box that is not ticked says nothing of it."""

    TICKED = auto()
    UNTICKED = auto()
    PLUS = auto()
    MINUS = auto()
    UNCLEAR = auto()


class MarkedItem(NamedTuple):
    """An item ``text`` with its mark (None: it has none); ``start`` and ``end`` count characters of the statement."""

    text: str
    mark: Mark | None
    start: int
    end: int
    remark: str = ""  # what is said behind the mark: "in the neck" of "gallstones (+) in the neck"

    @property
    def value(self) -> str:
        """What an item says of the label before it; "" where it was not chosen."""
        if self.mark is Mark.TICKED:
            return self.text or "yes"
        if self.mark in (Mark.PLUS, Mark.MINUS):
            answer = "yes" if self.mark is Mark.PLUS else "no"
            return f"{answer}, {self.text}" if self.text else answer
        return ""


class MarkedLine(NamedTuple):
    """A line of marked items, and the label before them, "" for none."""

    label: str
    items: tuple[MarkedItem, ...]


_TICKED = r"\[\s*(?:[xX✓✔✗✘☑☒×√]|\*)\s*\]|\((?:[xX✓✔×√])\)|\{\s*[xX✓✔×√]\s*\}|[☑☒✓✔🗹🗸⊠]"
_UNTICKED = r"\[\s*_*\s*\]|\(\s*_*\s*\)|\{\s*_*\s*\}|[☐□❏❑]"
_PLUS = r"[(\[]\s*(?:\+{1,4}|\+ve|pos(?:itive)?|yes|y|present)\s*[)\]]"
_MINUS = r"[(\[]\s*(?:[-–—−]{1,2}|[-−–]ve|neg(?:ative)?|no|n|none|absent)\s*[)\]]"
_UNCLEAR = r"[(\[]\s*(?:\+\s?/?\s?[-−–]|±|[-−–]\s?/\s?\+)\s*[)\]]|[✗✘]"
_MARK = re.compile(
    rf"(?P<TICKED>{_TICKED})|(?P<UNTICKED>{_UNTICKED})|(?P<PLUS>{_PLUS})|(?P<MINUS>{_MINUS})|(?P<UNCLEAR>{_UNCLEAR})",
    re.IGNORECASE,
)
_BARE_SIGN = re.compile(r"(?:(?P<PLUS>\+ve\b|\+{1,4})|(?P<MINUS>[-–−](?:ve\b)?))(?=\s*(?:[,;.]|\Z))")
_SIGNED_LIST = re.compile(r"(?:[^,;:+]{3,60}?\s*(?:\+ve|\+{1,4}|[-–−](?:ve)?)\s*(?:[,;.]\s*(?:and\s+)?|\Z)){2,30}")
_EDGE = " \t\r\n,;.|*•·"
_LABEL_END = (":", "?", "|", "=", "\t")
_SEPARATOR = re.compile(r"\s*[,;.|\n]\s*(?:and\s+)?|\s+and\s+")


def read_marks(text: str) -> MarkedLine | None:
    """Return the items of a line that has tick boxes or signs; None for one that has none."""
    marks = list(_MARK.finditer(text)) or _bare_signs(text)
    if not marks:
        return None
    before = text[: marks[0].start()]
    is_form = before.strip(_EDGE) == "" or before.rstrip().endswith(_LABEL_END)
    if is_form or (_is_tick(marks[0]) and text[marks[-1].end() :].strip(_EDGE)):
        return MarkedLine(before.strip(_EDGE).rstrip(":?|= "), tuple(_items_behind(text, marks)))
    return _with_label(_items_before(text, marks))


def _bare_signs(text: str) -> list[re.Match[str]]:
    """Return the signs of a list that has them without brackets: "cardiomegaly +, emphysema -"."""
    return list(_BARE_SIGN.finditer(text)) if "+" in text and _SIGNED_LIST.fullmatch(text) else []


def _with_label(items: list[MarkedItem]) -> MarkedLine:
    """Return marked items without the label in the first of them: "Ascites: yes [ ] no [x]"."""
    first = items[0]
    label, colon, text = first.text.partition(":")
    if not colon and len(items) > 1 and all(is_answer(item.text) for item in items[1:]):
        label, colon, text = first.text.rpartition(" ")
        colon = colon if is_answer(text) else ""
    if not colon or (len(items) == 1 and not text.strip()):
        return MarkedLine("", tuple(items))
    return MarkedLine(label.strip(_EDGE), (first._replace(text=text.strip(_EDGE)), *items[1:]))


def _is_tick(match: re.Match[str]) -> bool:
    return _kind(match) in (Mark.TICKED, Mark.UNTICKED)


def _kind(match: re.Match[str]) -> Mark:
    return Mark[match.lastgroup or ""]


def _items_behind(text: str, marks: list[re.Match[str]]) -> list[MarkedItem]:
    """Return what stands behind each mark, up to the next one."""
    ends = [mark.start() for mark in marks[1:]] + [len(text)]
    items = []
    for mark, end in zip(marks, ends, strict=True):
        item = text[mark.end() : end]
        end -= len(item) - len(item.rstrip(_EDGE))
        items.append(MarkedItem(item.strip(_EDGE), _kind(mark), mark.start(), max(end, mark.end())))
    return items


def _items_before(text: str, marks: list[re.Match[str]]) -> list[MarkedItem]:
    """Return what stands before each mark. What is between an item and the mark before goes with the latter.

    "Gallstones (+) in the neck, ascites (-)": the neck is that of the gallstones.
    """
    items: list[MarkedItem] = []
    begin = 0
    for number, mark in enumerate(marks):
        start, between = begin, text[begin : mark.start()]
        separators = list(_SEPARATOR.finditer(between))
        if number and separators:
            if separators[0].start() > 0 and between[: separators[0].start()].strip():
                items[-1] = _longer(items[-1], between[: separators[0].start()], begin + separators[0].start())
            start += separators[0].end()
            separators = separators[1:]
        origin = begin
        for separator in separators:
            piece = text[start : origin + separator.start()]
            if piece.strip(_EDGE):
                items.append(MarkedItem(piece.strip(_EDGE), None, start, start + len(piece)))
            start = origin + separator.end()
        piece = text[start : mark.start()]
        start += len(piece) - len(piece.lstrip(_EDGE))
        items.append(MarkedItem(piece.strip(_EDGE), _kind(mark), start, mark.end()))
        begin = mark.end()
    rest = text[begin:].strip(_EDGE)
    if rest:
        first, *others = [piece for piece in _SEPARATOR.split(text[begin:])]
        if first.strip(_EDGE):
            items[-1] = _longer(items[-1], first, begin + len(first))
        end = begin + len(text[begin:].rstrip(_EDGE))
        items.extend(MarkedItem(piece.strip(_EDGE), None, begin, end) for piece in others if piece.strip(_EDGE))
    return items


def _longer(item: MarkedItem, text: str, end: int) -> MarkedItem:
    return item._replace(remark=text.strip(_EDGE), end=end)
