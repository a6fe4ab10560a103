"""A record as JSON that ends with the SHA-256 of itself, so that one changed byte is noticed; and digests of files."""

import hashlib
import re
from pathlib import Path

ZEROS = b"0" * 64
_SEAL = re.compile(rb',\n  "sha256": "([0-9a-f]{64})"\n\}\n\Z')
_BEGINNING = b'{\n  "'


def seal(record: bytes) -> bytes:
    """Return a JSON object, with any fields, sealed: its last field is the digest of the text, in which it is zeros."""
    text = record.rstrip().removesuffix(b"}").rstrip() + b',\n  "sha256": "' + ZEROS + b'"\n}\n'
    head, _, tail = text.rpartition(ZEROS)
    return head + hashlib.sha256(text).hexdigest().encode() + tail


def unseal(content: bytes) -> tuple[bytes, bool | None]:
    """Return the JSON object without its seal, and whether the seal holds.

    None where it has none: it is of an earlier version, or was written anew by something else than `seal`, which shows
    in its layout. No single byte changes both its beginning and its end.
    """
    match = _SEAL.search(content)
    if match is None:
        return content, False if content.startswith(_BEGINNING) and b"sha256" in content[-100:] else None
    text = content[: match.start(1)] + ZEROS + content[match.end(1) :]
    return content[: match.start()] + b"\n}\n", hashlib.sha256(text).hexdigest().encode() == match[1]


def digest_of(path: Path) -> str:
    """Return the SHA-256 of a file, as hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
