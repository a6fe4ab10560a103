"""Which files beside a mask an earlier run has written: each says so itself, and no other is replaced."""

from __future__ import annotations

import gzip
import zlib
from pathlib import Path

from .label_table import LabelTable

MARK = b"ovct"
# Of a NIfTI file the header with its extension, of the others the beginning, which says what wrote them.
MARKED_BYTES = 200_000


def is_label_table(path: Path) -> bool:
    """Return whether a file is a label table of ours."""
    try:
        LabelTable.model_validate_json(path.read_bytes())
    except (OSError, ValueError):
        return False
    return True


def is_own_output(path: Path, table: Path) -> bool:
    """Return whether a run has written a file that lies beside the label table ``table``, or is it.

    Probabilities, and previews of earlier versions, do not say so: they count as ours where the table does.
    """
    if path == table:
        return is_label_table(path)
    if path.suffix == ".png":
        beginning = _beginning(path)
        return MARK in beginning or (b"Matplotlib" in beginning and is_label_table(table))
    if path.parent.name.endswith("_probabilities"):
        return is_label_table(table)
    return MARK in _beginning(path)


def _beginning(path: Path) -> bytes:
    try:
        with gzip.open(path) if path.name.lower().endswith(".gz") else path.open("rb") as file:
            return file.read(MARKED_BYTES)
    except (OSError, EOFError, zlib.error):
        return b""
