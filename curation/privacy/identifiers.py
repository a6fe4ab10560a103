"""The kinds of identifiers, and where they stand in a text."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple


class IdentifierKind(StrEnum):
    """What kind of thing could tell who somebody is. ``BLANKED`` is none any more: it was blanked by ``--drop-phi``."""

    NAME = "name"
    DATE = "date"
    PHONE = "phone"
    RECORD = "record_number"
    EMAIL = "email"
    URL = "url"
    ADDRESS = "address"
    AGE = "age"
    BLANKED = "blanked"


class Identifier(NamedTuple):
    """A passage that may tell who somebody is: ``text[start:end]``, without the title or label before it."""

    start: int
    end: int
    kind: IdentifierKind


KIND_WORDS = {
    IdentifierKind.NAME: ("a name", "names"),
    IdentifierKind.DATE: ("a date", "dates"),
    IdentifierKind.PHONE: ("a telephone number", "telephone numbers"),
    IdentifierKind.RECORD: ("a record number", "record numbers"),
    IdentifierKind.EMAIL: ("an e-mail address", "e-mail addresses"),
    IdentifierKind.URL: ("a web address", "web addresses"),
    IdentifierKind.ADDRESS: ("a postal address", "postal addresses"),
    IdentifierKind.AGE: ("an age above 89", "ages above 89"),
    IdentifierKind.BLANKED: ("a blanked passage", "blanked passages"),
}
"""Each kind in words: one of it, and several."""
