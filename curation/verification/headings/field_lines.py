"""Lines that are read as fields with what stands above them: the header of their table, the noun of their heading."""

from __future__ import annotations

from curation.language.parser import StatementParser

from .columns import TableColumns
from .label_nouns import LabelNouns
from .sub_headings import is_line_of_heading


class FieldLines:
    """Reads the statements of one report in their order; ``preamble`` is its text before the first of them."""

    def __init__(self, parser: StatementParser, preamble: str) -> None:
        self._columns = TableColumns()
        self._nouns = LabelNouns(parser)
        self._opens = True
        self._last_end = 0
        for line in preamble.splitlines():
            self._nouns.completed(line.strip(), opens=True, alone=True, line=True)

    def take_in(self, text: str, first: int, last: int, section_end: int) -> str:
        """Take in the statement ``text[first:last]`` of a clean text, and return it as the field that it is.

        That is the statement itself where nothing above it says more, and "" for the header of a table. ``section_end``
        is the end of the section.
        """
        statement, between, begins_text = text[first:last], text[self._last_end : first], not self._last_end
        self._last_end = last
        above = between.rstrip(" ").removesuffix("\n").rpartition("\n")[2]
        if above.strip():
            self._columns.take_in(above, paragraph=True)  # a header that no section of findings holds
        field = self._columns.take_in(statement, paragraph="\n\n" in between and not above.strip())
        if field == "":
            return ""
        alone = is_line_of_heading(text, first, last, section_end)
        self._opens = self._opens and alone
        return self._nouns.completed(
            field or statement, opens=self._opens, alone=alone, line=begins_text or "\n" in between
        )
