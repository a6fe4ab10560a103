"""A statement of a report that is in another language than English, and says nothing here."""

from __future__ import annotations

from typing import NamedTuple


class ForeignStatement(NamedTuple):
    """The passage ``text[start:end]`` of a report that is not English, but in the language with the code ``language``.

    ``names_organ``: read as English it would say something of an organ.
    """

    start: int
    end: int
    section: str
    words: str
    names_organ: bool
    language: str
