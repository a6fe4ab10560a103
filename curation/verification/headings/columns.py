"""Tables whose header says what their columns hold: "| RIGHT | LEFT", "Nodule | Location | Size", "… | Prior | Now".

A row below such a header is written as the field that it is: "Frontal sinus | clear | polyp" as "Frontal sinus: right
clear; left polyp", and "1 | RUL | 5 mm" as "Nodule: RUL, 5 mm".
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from curation.language.forms.answers import FieldAnswer, read_reply

_UNIT = re.compile(r"\s*[(\[](mm|cm)[)\]]")
_DAY = re.compile(r"^(?:\d{1,2}[./-])?(?:\d{1,2}[./-])?(?:19|20)\d\d$")
_SIZE = re.compile(r"(?<=\w) (?:sizes?|diameters?|measurements?|study|exam|ct|scan)$")
_CELL = re.compile(r"\s*[|\t]\s*")
_SIDES = {"right": "right", "left": "left", "r": "right", "l": "left", "rt": "right", "lt": "left"}
_EARLIER = frozenset("baseline previous prior prev before earlier last".split())
_NOW = frozenset(("current", "today", "now", "present", "follow-up", "this"))
_TELLING = frozenset(
    "location site lobe position side laterality segment size diameter dimension dimensions type kind character "
    "density attenuation morphology composition margin margins change comparison interval status appearance "
    "description".split()
)
_SILENT = frozenset(
    "no # nr number item id image images series slice lung-rads rads category score comment comments remark remarks "
    "recommendation % volume".split()
)
_NOUNS = re.compile(
    r"(?:pulmonary |lung |liver |hepatic |renal |bone |target |index )?"
    r"(?P<noun>nodule|lesion|mass|cyst|metastasis|stone|calculus|aneurysm|fracture|tumou?r|observation|node|polyp)(?:s|e?s)?",
    re.IGNORECASE,
)
_CODE = re.compile(r"\A(?:[A-Za-z]{0,2}\d{1,2}[.):]?\s+)(?=[A-Za-z])")
_ITEM = re.compile(r"#?[A-Za-z]?\d{0,2}[.)]?")
_LONGEST_NAME = 4


@dataclass(slots=True)
class TableColumns:
    """What the header of the table says in whose reach the next row may stand; ``names`` is empty without one."""

    names: tuple[str, ...] = ()
    unit: str = ""

    def take_in(self, text: str, *, paragraph: bool) -> str | None:
        """Take in a statement: return a row as a field, "" for a header, and None where it is read as it stands.

        ``paragraph``: a blank line stands before it.
        """
        cells = _cells(text)
        if paragraph or len(cells) < 2:
            self.names = ()
        if len(cells) < 2:
            return None
        names = tuple(
            _DAY.sub("prior", cell)
            for cell in (_SIZE.sub("", _UNIT.sub("", cell.lower()).strip(" .:*_")) for cell in cells)
        )
        if _is_header(names):
            self.names, self.unit = names, next((unit[1] for cell in cells if (unit := _UNIT.search(cell.lower()))), "")
            return ""
        return self._field(cells) if self.names else None

    def _field(self, cells: Sequence[str]) -> str | None:
        label, colon, value = cells[0].partition(":")
        sides = [_SIDES[name] for name in self.names if name in _SIDES]
        if len(sides) == 2 and sides[0] != sides[1]:
            values = [value.strip(), *cells[1:]] if colon and value.strip() else list(cells[1:])
            return _of_sides(label, sides, values) if len(values) == 2 else None
        if len(cells) != len(self.names):
            return None
        earlier = [cell for name, cell in zip(self.names, cells, strict=True) if name in _EARLIER and _is_told(cell)]
        now = [cell for name, cell in zip(self.names, cells, strict=True) if name in _NOW and _is_told(cell)]
        now, earlier = [self._measured(cell) for cell in now], [self._measured(cell) for cell in earlier]
        earlier = [cell for cell in earlier if any(map(str.isdigit, cell))]
        noun = _NOUNS.fullmatch(self.names[0])
        if now and not _ITEM.fullmatch(cells[0]):
            description = _CODE.sub("", cells[0], count=1)
            return f"{description}: {now[0]}" + (f", previously {earlier[-1]}" if earlier else "")
        noun = noun or next((found for name in self.names[1:] if (found := _NOUNS.fullmatch(name))), None)
        if not _ITEM.fullmatch(cells[0]):
            return None
        if noun is None:
            return ""  # of what it is a list, the header does not say
        told = [
            cell for name, cell in zip(self.names, cells, strict=True) if name in _TELLING | _NOW and _is_told(cell)
        ]
        told += [f"previously {earlier[-1]}"] if earlier else []
        return f"{noun['noun'].capitalize()}: {', '.join(told)}" if told else None

    def _measured(self, cell: str) -> str:
        """Return a bare number with the unit of the header."""
        return f"{cell} {self.unit}" if self.unit and cell.isdigit() else cell


def _cells(text: str) -> list[str]:
    return _CELL.split(text.strip().strip("|").strip()) if "|" in text or "\t" in text else []


def _is_header(names: Sequence[str]) -> bool:
    """Tell whether all cells but the first are names of columns, and one of them says how rows are read."""
    known = _SIDES.keys() | _EARLIER | _NOW | _TELLING | _SILENT
    behind = names[1:] if names[0] not in _SIDES else names
    if not all(name in known or _NOUNS.fullmatch(name) or not name for name in behind):
        return False
    if len(names[0].split()) > _LONGEST_NAME:
        return False
    sides = {_SIDES[name] for name in behind if name in _SIDES}
    has_noun = any(_NOUNS.fullmatch(name) for name in names)
    has_days = not _EARLIER.isdisjoint(behind) and not _NOW.isdisjoint(behind)
    return len(sides) == 2 or has_days or (has_noun and not _TELLING.union(_NOW).isdisjoint(behind))


def _of_sides(label: str, sides: Sequence[str], values: Sequence[str]) -> str | None:
    told = [f"{side} {value}" for side, value in zip(sides, values, strict=True) if _is_told(value)]
    return f"{label.strip()}: {'; '.join(told)}" if told else None


def _is_told(value: str) -> bool:
    """Tell whether a cell is filled in."""
    reply = read_reply(value) if value else None
    return bool(value) and not (reply and reply.answer in (FieldAnswer.EMPTY, FieldAnswer.MINUS))
