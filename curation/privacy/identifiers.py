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
    IdentifierKind.NAME: "a name",
    IdentifierKind.DATE: "a date",
    IdentifierKind.PHONE: "a telephone number",
    IdentifierKind.RECORD: "a record number",
    IdentifierKind.EMAIL: "an e-mail address",
    IdentifierKind.URL: "a web address",
    IdentifierKind.ADDRESS: "a postal address",
    IdentifierKind.AGE: "an age above 89",
    IdentifierKind.BLANKED: "blanked passages",
}
"""One of each kind in words."""
