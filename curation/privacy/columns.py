"""Identifiers in the columns of a table: a column that is called "PatientName" holds names, whatever they look like."""

from __future__ import annotations

import re
from functools import lru_cache

from .identifiers import Identifier, IdentifierKind
from .name_words import may_be_name
from .scan import blanked, identifiers_in

_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_PERSON = (
    r"physician|doctor|radiologist|provider|clinician|surgeon|consultant|technologist|technician|resident|fellow|attending"
    r"|reader|author|operator|reporter|referrer|nurse"
)
# The words of a column's name without what stands between them, in small letters.
_COLUMNS = (
    (
        IdentifierKind.NAME,
        r"(?:patient|pt|subject|person|client|mother|father)?s?(?:full|last|first|middle|family|given|maiden|sur)?names?"
        rf"|(?:\w*ing|primarycare)?(?:{_PERSON})s?(?:full|last|first)?(?:names?)?"
        r"|(?:electronically)?(?:signed|dictated|verified|approved|reported|read|ordered|requested|transcribed|performed"
        r"|finalized|finalised|reviewed|authorized|authorised|referred)by(?:name)?|pcp|patient",
    ),
    (
        IdentifierKind.DATE,
        r"(?:\w*(?:birth|study|exam|examination|report|scan|acquisition|admission|discharge|visit|order|service|series"
        r"|content|result|signed|death|procedure|collection|creation))?(?:date|datetime|timestamp)(?:time|of\w+)?"
        r"|dob|dod|birthday|patientdob",
    ),
    (
        IdentifierKind.RECORD,
        r"(?:patient)?mrn|(?:patient|pt|p|person|hospital|visit|encounter|account|acct|insurance|member|policy"
        r"|requisition|order|registration|accession|medicalrecord|nhs|national)(?:id|no|nr|num|number|identifier)"
        r"|accession|ssn|socialsecurity(?:no|number)?|empi|uhid|npi|(?:study|series|sop)(?:instance)?uid",
    ),
    (IdentifierKind.PHONE, r"\w*(?:phone|telephone|fax|mobile|pager)(?:no|number)?|tel"),
    (
        IdentifierKind.ADDRESS,
        r"(?:patient|home|postal|mailing|street)?address\d?|street|zip(?:code)?|post(?:al)?code|city|town",
    ),
)  # fmt: skip
_COLUMN_PATTERNS = tuple((kind, re.compile(pattern)) for kind, pattern in _COLUMNS)
_RECORD = re.compile(r"[A-Za-z]{0,5}[- /]?\d[A-Za-z\d./ -]*")
_MONTH = re.compile(r"jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec", re.IGNORECASE)
_WORD = re.compile(r"[^\W\d_]+")
LEAST_DIGITS = {IdentifierKind.DATE: 5, IdentifierKind.RECORD: 4, IdentifierKind.PHONE: 4}


@lru_cache(maxsize=1024)
def kind_of_column(name: str) -> IdentifierKind | None:
    """Return what the cells of a column are by its name, None for a column of any other content."""
    plain = "".join(_WORDS.findall(name)).lower()
    return next((kind for kind, pattern in _COLUMN_PATTERNS if pattern.fullmatch(plain)), None)


def identifiers_in_cell(column: str, cell: str) -> list[Identifier]:
    """Return the identifiers of a cell: the whole cell in a column of identifiers, else what its text shows."""
    kind = kind_of_column(column)
    if kind is not None and _is_of(kind, cell):
        return [Identifier(0, len(cell), kind)]
    return identifiers_in(cell)


@lru_cache(maxsize=20_000)
def blanked_cell(column: str, cell: str) -> str:
    """Return a cell with a mark for each character of an identifier."""
    return blanked(cell, identifiers_in_cell(column, cell))


def _is_of(kind: IdentifierKind, cell: str) -> bool:
    """Return whether a cell can be what its column is called after: "train_12" is no record number, "n/a" no name."""
    digits = sum(map(str.isdigit, cell))
    if kind == IdentifierKind.NAME:
        return not digits and any(len(word) > 1 and may_be_name(word) for word in _WORD.findall(cell))
    if kind == IdentifierKind.DATE:
        return digits >= LEAST_DIGITS[kind] or bool(digits and _MONTH.search(cell))
    if kind == IdentifierKind.RECORD:
        return digits >= LEAST_DIGITS[kind] and _RECORD.fullmatch(cell.strip()) is not None
    if kind == IdentifierKind.PHONE:
        return digits >= LEAST_DIGITS[kind]
    return any(may_be_name(word) for word in _WORD.findall(cell)) or digits > 0
