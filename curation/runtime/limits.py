"""The bounds on what an input may ask of this machine, each with its reason; some can be set where a user needs more.

A header, a number of a row or a nesting costs a few bytes to write and gigabytes or hours to follow. So what an input
announces is held against a bound, and against the bytes that are there, before anything is allocated. What goes beyond
is refused, and said; nothing is cut off in silence. Of a sentence with more hedges, lymph nodes or links than anybody
writes, the rest only counts for less: it is doubted, or no way of reading it is tried.
"""

from __future__ import annotations

import os
from dataclasses import dataclass

from .errors import InputError


@dataclass(frozen=True, slots=True)
class Limit:
    """At most ``default`` of something; ``reason`` says why more than that is no input of ours.

    ``variable`` is the environment variable that sets another number, "" where nobody can need more.
    """

    default: int
    reason: str
    variable: str = ""

    @property
    def most(self) -> int:
        """The bound that holds.

        Raises:
            InputError: the environment variable is set to something that is no positive whole number.
        """
        value = os.environ.get(self.variable, "").strip() if self.variable else ""
        if not value:
            return self.default
        if not value.isdecimal() or len(value) > 18 or int(value) < 1:
            raise InputError(f"{self.variable}={value[:40]}: expected a whole number from 1 on, or unset it")
        return int(value)

    def way_out(self) -> str:
        """Return how more is allowed, for the end of an error; "" where it cannot be."""
        return f"; if it is right, set {self.variable} to allow more" if self.variable else ""


SCAN_VOXELS = Limit(
    2**31,
    "a whole body in slices of 1024 x 1024 has some 2 billion voxels, 8 GB as they are read",
    "OVCT_MOST_VOXELS",
)
SLICE_PIXELS = Limit(2**26, "the finest CT slices have 2048 x 2048 pixels; this is sixteen times as much")
ORGANS_OF_STATEMENT = Limit(
    40, "the longest sentences of real reports name some twenty organs; a list of more says nothing of each"
)
HEDGES_OF_STATEMENT = Limit(
    40, "no sentence that people write has as many hedges; behind the last that is followed all is in doubt"
)
NODES_OF_STATEMENT = Limit(
    40, "no sentence that people write names lymph nodes, or their stations, as often; no more stations are looked for"
)
LINKS_OF_CAPTION = Limit(
    20, "no caption that people write has as many words of one kind at which it is cut; it is cut at the first of them"
)
HEADER_BYTES = Limit(2**24, "what stands between a NIfTI header and its voxels is notes, a few kB of them")
GZIP_RATIO = Limit(1032, "deflate cannot pack tighter, so a file that promises more does not hold it")
PACKED_RATIO = Limit(
    200,
    "reports are packed 3 to 20 to 1, the same short report a million times 60 to 1",
    "OVCT_MOST_PACKED",
)
REPORT_CHARACTERS = Limit(
    1_000_000,
    "the longest reports have some 20,000; a million characters are 300 pages",
    "OVCT_MOST_REPORT_CHARACTERS",
)
TABLE_COLUMNS = Limit(
    20_000, "a spreadsheet has 16,384 columns at most; more are a file with another delimiter", "OVCT_MOST_COLUMNS"
)
SHEET_ROWS = Limit(2**20, "a sheet has no more rows, by the standard and in every program that writes one")
SHARED_TEXT_BYTES = Limit(
    2**28,
    "the texts of a workbook are held while it is read, at several times their size",
    "OVCT_MOST_WORKBOOK_BYTES",
)
MARKS_OF_DOCUMENT = Limit(1_000_000, "of markup a thousand pages have fewer marks, and each costs many times its bytes")
ZIP_BYTES = Limit(
    2**33,
    "the largest studies of CT have some 4 GB, and all of a zip is written to the temporary folder",
    "OVCT_MOST_ZIP_BYTES",
)
ZIP_MEMBERS = Limit(100_000, "a study has some thousand slices")
