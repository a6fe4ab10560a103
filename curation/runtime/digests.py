"""Digests of files, by which a byte that has changed is noticed, and records that hold a digest of themselves."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

PIECE_BYTES = 1 << 20
SEAL = "sha256"
# At the end of a record, or of a line.
_SEAL = re.compile(rb',(?:\n | )"sha256": "([0-9a-f]{64})"\n?\}\n\Z')
_BEGINNINGS = (b'{\n "',)


def do_nothing(*_: object) -> None:
    """Do nothing: the default of callbacks."""


def file_digest(path: Path, check: Callable[[], None] = do_nothing) -> str:
    """Return the SHA-256 of a file, as hexadecimal digits. ``check`` is called for each piece and may raise to stop."""
    sha256 = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(PIECE_BYTES):
            check()
            sha256.update(piece)
    return sha256.hexdigest()


def sealed(record: Mapping[str, Any], indent: int | None = 1) -> str:
    """Return a record as JSON that ends with the SHA-256 of the text itself, in which its digits are zeros.

    Without ``indent`` it is one line.
    """
    text = json.dumps({**record, SEAL: "0" * 64}, indent=indent, ensure_ascii=False) + "\n"
    digest = hashlib.sha256(text.encode()).hexdigest()
    head, _, tail = text.rpartition("0" * 64)
    return f"{head}{digest}{tail}"


def unsealed(content: bytes) -> tuple[bytes, bool | None]:
    """Return a record's JSON without its seal, and whether the seal holds.

    None where it has none: it is of an earlier version, or was written anew by something else than ``sealed``, which
    shows in its layout. No single byte changes both its beginning and its end.
    """
    match = _SEAL.search(content)
    if match is None:
        return content, False if content.startswith(_BEGINNINGS) and SEAL.encode() in content[-100:] else None
    zeros = content[: match.start(1)] + b"0" * 64 + content[match.end(1) :]
    holds = hashlib.sha256(zeros).hexdigest().encode() == match[1]
    return content[: match.start()] + b"\n}\n", holds
