"""What stands in a column, as its first cells show it: prose, labels, numbers, or ids."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from curation.readers.headings import find_headings
from curation.readers.rows import TableRow, is_empty

# Rows whose contents decide about columns; fewer where their texts are long.
SAMPLE_ROWS = 200
SAMPLE_CHARACTERS = 4_000_000
WORD = re.compile(r"[^\W\d_]{2,}")
# Scripts without spaces between words; so many characters of them are as good as a few words.
UNSPACED = re.compile("[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")
SENTENCE_END = re.compile(r"[.!?\u3002][\"')\]]*$")
INTEGER = re.compile(r"\s*\+?\d{1,9}(?:\.0+)?\s*$")
PROBABILITY = re.compile(r"\s*(?:0|1|0?[.,]\d+|1[.,]0+|\d(?:[.,]\d+)?e-\d+)\s*$", re.IGNORECASE)
NOT_ID = re.compile(r"\d+[.,]\d+$|\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}(?:$|[ T])|\d{1,2}:\d\d")
LONGEST_ID = 80
CODE = re.compile(r"[\d/\\_]")
NOT_WORD = re.compile(r"[\W_]+")
# What a label table holds of a finding: whether it is there. Compared in lower case, without white space around.
LABEL_VALUES = frozenset((
    "yes", "no", "y", "n", "true", "false", "t", "f", "0", "1", "-1", "2", "0.0", "1.0", "-1.0", "2.0", "present",
    "absent", "positive", "negative", "pos", "neg", "+", "-", "++", "?", "uncertain", "unclear", "equivocal",
    "possible", "unknown", "x", "ja", "nein", "oui", "non", "si", "s\u00ed",
))  # fmt: skip
HEADING_CHARACTERS = 4_000


@dataclass(frozen=True, slots=True)
class ColumnSample:
    """The first cells of a column, one for each row of the sample; what says that there is nothing is ""."""

    name: str
    cells: tuple[str, ...]

    @property
    def filled(self) -> list[str]:
        """The cells with something in them."""
        return [cell for cell in self.cells if cell]

    @property
    def length(self) -> int:
        """Characters of all cells."""
        return sum(map(len, self.cells))

    def share_filled(self) -> float:
        """Return which share of the cells has something in it."""
        return len(self.filled) / len(self.cells) if self.cells else 0.0

    def is_free_text(self) -> bool:
        """Return whether most cells are prose, and not the same few phrases over and over."""
        filled = self.filled
        if not filled or sum(map(is_prose, filled)) < 0.6 * len(filled):
            return False
        return len(filled) < 10 or len(set(filled)) >= 0.2 * len(filled)

    def is_headed(self) -> bool:
        """Return whether most cells have findings or an impression under a heading, as whole reports have."""
        filled = self.filled
        return bool(filled) and sum(map(_is_headed, filled)) >= 0.5 * len(filled)

    def is_label(self) -> bool:
        """Return whether the cells say yes or no, in one notation or another."""
        values = [cell.strip().casefold() for cell in self.cells if cell.strip()]
        return bool(values) and all(value in LABEL_VALUES for value in values)

    def is_probability(self) -> bool:
        """Return whether the cells are numbers from 0 to 1, such as a program gives for each finding."""
        return bool(self.filled) and all(PROBABILITY.match(cell) for cell in self.filled)

    def is_terms(self) -> bool:
        """Return whether the cells are names of things: a few words each, and no sentence."""
        return bool(self.filled) and all(
            len(cell.split()) <= 10 and "\n" not in cell and ":" not in cell and not SENTENCE_END.search(cell.strip())
            for cell in self.filled
        )

    def is_tokens(self) -> bool:
        """Return whether no cell has more than one word in it."""
        return bool(self.filled) and all(len(cell.split()) == 1 for cell in self.filled)

    def is_codes(self) -> bool:
        """Return whether the cells are numbers, codes or paths, and no words at all."""
        return self.is_tokens() and all(CODE.search(cell) for cell in self.filled)

    def could_be_id(self) -> bool:
        """Return whether all cells are filled with short values without spaces that are neither dates nor decimals."""
        return bool(self.cells) and all(
            0 < len(cell.strip()) <= LONGEST_ID
            and not re.search(r"\s", cell.strip())
            and not NOT_ID.match(cell.strip())
            for cell in self.cells
        )

    def is_distinct(self) -> bool:
        """Return whether hardly a cell is there twice."""
        return len(set(self.cells)) >= 0.95 * len(self.cells)

    def integers(self) -> list[int] | None:
        """Return the cells as whole numbers, None where they are not."""
        if not self.cells or not all(INTEGER.match(cell) for cell in self.cells):
            return None
        return [int(cell.strip().partition(".")[0]) for cell in self.cells]


def samples_of(columns: Sequence[str], rows: Sequence[TableRow]) -> dict[str, ColumnSample]:
    """Return a sample of each column, by its name."""
    return {
        name: ColumnSample(name, tuple("" if is_empty(cell := row.cells.get(name, "")) else cell for row in rows))
        for name in columns
    }


def is_prose(cell: str) -> bool:
    """Return whether a cell is running text: several words, or a short sentence."""
    words = len(WORD.findall(cell))
    if words >= 5 and len(cell) >= 25 and len(cell.split()) >= 5:
        return True
    return (words >= 3 and SENTENCE_END.search(cell.strip()) is not None) or len(UNSPACED.findall(cell)) >= 8


def plain_text(text: str) -> str:
    """Return the words of a text in one form, with a space at both ends, so that one text can be sought in another."""
    return f" {NOT_WORD.sub(' ', text.casefold()).strip()} "


def _is_headed(cell: str) -> bool:
    headings = find_headings(cell[:HEADING_CHARACTERS])
    if any(heading.note for heading in headings):
        return False
    return any(heading.section in {"findings", "impression"} and not heading.line for heading in headings)
