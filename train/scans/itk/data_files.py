"""The files of voxels that a MetaImage or NRRD header names: each lies below the header's folder, or is refused.

A header comes with its volume, from elsewhere: a name in it that is absolute or leads upward would have any file of
this machine read as voxels.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from curation.runtime.errors import InputError
from curation.runtime.names import path_within

from ..errors import ScanError

NRRD = b"NRRD"
TEXT_HEADER_BYTES = 1 << 16
# A list of files, one for each slice, is read to here.
LIST_BYTES = 1 << 22
MOST_FILES = 100_000
# As MetaIO and Teem find it: MetaIO takes a colon too, and white space and line ends before either.
META_FIELD = re.compile(rb"ElementDataFile\s*[=:][ \t]*([^\r\n]*)")
NRRD_FIELD = re.compile(rb"(?:^|[\r\n])data ?file:[ \t]*([^\r\n]*)", re.IGNORECASE)
# One number in the name, such as `slice-%03d.raw 1 40 1`; another format would be filled with whatever memory holds.
PATTERN = re.compile(r"([^%]*%0?\d{0,2}d[^%]*?)\s+(-?\d{1,6})\s+(-?\d{1,6})\s+(-?\d{1,6})(?:\s+\d)?")
LOCAL, LIST = "LOCAL", "LIST"


def data_files(path: Path) -> list[Path] | None:
    """Return the files that hold the voxels of a MetaImage or NRRD file; None where they are in the file itself.

    Raises:
        ScanError: the header names a file outside its folder, or one that is not there, or two sets of them.
    """
    with path.open("rb") as file:
        head = file.read(LIST_BYTES)
    is_nrrd = head.startswith(NRRD)
    fields = list((NRRD_FIELD if is_nrrd else META_FIELD).finditer(head, 0, TEXT_HEADER_BYTES))
    if len(fields) > 1:
        raise ScanError(f"{path}: its header names the file of its voxels twice. Export it once more")
    if not fields:
        ends = re.search(rb"\n\r?\n", head[:TEXT_HEADER_BYTES]) if is_nrrd else None
        if len(head) > TEXT_HEADER_BYTES and ends is None:
            raise ScanError(
                f"{path}: its header does not end, or does not say where its voxels are, within {TEXT_HEADER_BYTES:,} "
                "bytes. Export it once more"
            )
        return None
    value = fields[0][1].decode("utf-8", "surrogateescape").strip()
    if not is_nrrd and value.upper() == LOCAL:
        return None
    names = _listed(path, head[fields[0].end() :]) if value.startswith(LIST) else _numbered(path, value)
    return [_beside(path, name) for name in names]


def _listed(path: Path, lines: bytes) -> Iterator[str]:
    """Yield the names of a list, which stand in the lines below the field."""
    if len(lines) >= LIST_BYTES - TEXT_HEADER_BYTES:
        raise ScanError(f"{path}: its list of files is longer than {LIST_BYTES:,} bytes. Export it once more")
    names = (line.strip().decode("utf-8", "surrogateescape") for line in re.split(rb"[\r\n]+", lines))
    yield from (name for name in names if name)


def _numbered(path: Path, value: str) -> Iterator[str]:
    """Yield the names of a pattern, or the one name that stands there."""
    if "%" not in value:
        yield value
        return
    match = PATTERN.fullmatch(value)
    if match is None or int(match[4]) == 0:
        raise ScanError(
            f"{path}: {value!r} in its header is no pattern of files, such as 'slice-%03d.raw 1 40 1'. Export it once "
            "more, as one file"
        )
    first, last, step = int(match[2]), int(match[3]), int(match[4])
    numbers = range(first, last + (1 if step > 0 else -1), step)
    if len(numbers) > MOST_FILES:
        raise ScanError(f"{path}: {value!r} in its header names {len(numbers):,} files. Export it once more")
    yield from (match[1] % number for number in numbers)


def _beside(path: Path, name: str) -> Path:
    try:
        file = path_within(path.parent, name, str(path))
    except InputError:
        raise ScanError(
            f"{path}: its header names {name!r} as the file of its voxels, which is not below its own folder: it is "
            "not read. Put that file beside the header, and its plain name into it"
        ) from None
    try:
        is_there = file.is_file()
    except OSError:  # a name that is too long
        is_there = False
    if not is_there:
        raise ScanError(
            f"{path}: its header names {name!r} as the file of its voxels, which is not there. Copy it too, or export "
            "the scan once more"
        )
    return file
