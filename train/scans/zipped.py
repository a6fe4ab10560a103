"""Unpacks a zip of a DICOM series, or of one volume, to a temporary folder: only what is a scan, and within bounds."""

import errno
import shutil
import weakref
import zipfile
import zlib
from pathlib import Path, PurePosixPath
from tempfile import mkdtemp
from typing import BinaryIO

from curation.runtime.errors import InputError
from curation.runtime.limits import ZIP_BYTES, ZIP_MEMBERS
from curation.runtime.names import path_within

from .errors import ScanError

_AGAIN = "Unpack it, and give the folder"
ENCRYPTED = 1
HIDDEN = (".", "__MACOSX")
# Below the system's bounds on a path, and on how deep Python makes and removes folders.
LONGEST_NAME, DEEPEST_NAME = 1_000, 64


def is_zip(path: Path) -> bool:
    """Whether a file is a zip archive."""
    with path.open("rb") as file:
        return file.read(4) in (b"PK\x03\x04", b"PK\x05\x06")


class UnpackedZip:
    """A temporary folder for what was in a zip; it is removed when nothing refers to this any more."""

    def __init__(self) -> None:
        self.folder = Path(mkdtemp(prefix="ovct-zip-"))
        self.remove = weakref.finalize(self, shutil.rmtree, self.folder, ignore_errors=True)


def unpack_zip(path: Path) -> UnpackedZip:
    """Return a temporary folder with the files of a zip.

    Raises:
        ScanError: the zip is damaged or encrypted, it unpacks to too much, or a name in it leads out of its folder, is
            there twice, or cannot be that of a file.
    """
    unpacked = UnpackedZip()
    try:
        with zipfile.ZipFile(path) as archive:
            members = [member for member in archive.infolist() if not member.is_dir()]
            _check_members(path, members)
            targets = [(member, _target(path, unpacked.folder, member.filename)) for member in members]
            left = ZIP_BYTES.most
            for member, target in targets:
                if target is not None:
                    left -= _unpack(path, archive, member, target, left)
    except ScanError:
        raise
    # A place before the beginning of the file is an OSError (EINVAL), a name that is no UTF-8 a ValueError.
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError, OSError) as error:
        if isinstance(error, OSError) and error.errno != errno.EINVAL:
            raise
        raise ScanError(f"{path}: a zip that is damaged or cannot be unpacked ({error}). {_AGAIN}") from error
    return unpacked


def _check_members(path: Path, members: list[zipfile.ZipInfo]) -> None:
    if any(member.flag_bits & ENCRYPTED for member in members):
        raise ScanError(f"{path}: an encrypted zip. {_AGAIN}")
    total = sum(member.file_size for member in members)
    if len(members) > ZIP_MEMBERS.most:
        raise ScanError(f"{path}: a zip of {len(members):,} files; {ZIP_MEMBERS.reason}. {_AGAIN}")
    if total > ZIP_BYTES.most:
        raise ScanError(
            f"{path}: a zip that unpacks to {total:,} bytes, more than {ZIP_BYTES.most:,}; {ZIP_BYTES.reason}. "
            f"{_AGAIN}{ZIP_BYTES.way_out()}"
        )


def _target(path: Path, folder: Path, name: str) -> Path | None:
    """Return where a member goes, None for one that is hidden. Raises `ScanError` where it leads out of the folder."""
    if any(part.startswith(HIDDEN) and part not in (".", "..") for part in PurePosixPath(name).parts):
        return None
    if len(name) > LONGEST_NAME or name.count("/") > DEEPEST_NAME:
        raise _too_long(path, name)
    try:
        return path_within(folder, name, str(path))
    except InputError:
        raise ScanError(
            f"{path}: the zip names {name[:80]!r}, which leads out of its folder: nothing of it is unpacked. {_AGAIN} "
            "if you trust it"
        ) from None


def _unpack(path: Path, archive: zipfile.ZipFile, member: zipfile.ZipInfo, target: Path, left: int) -> int:
    """Write a member to its place; return its size. Raises `ScanError` beyond `left` bytes, whatever the zip says."""
    written = 0
    with archive.open(member) as packed, _new_file(path, member.filename, target) as file:
        while piece := packed.read(1 << 20):
            written += len(piece)
            if written > min(left, member.file_size):
                raise ScanError(f"{path}: a zip that unpacks to more than it says. {_AGAIN}")
            file.write(piece)
    return written


def _new_file(path: Path, name: str, target: Path) -> BinaryIO:
    """Open the place of a member. Raises `ScanError` where another of the same name is, or none can be."""
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        return target.open("xb")
    except (FileExistsError, NotADirectoryError):
        raise ScanError(
            f"{path}: the zip holds {name[:80]!r} twice, or as a file and as a folder (some file systems do not tell "
            f"capitals apart), and one would replace the other. {_AGAIN}"
        ) from None
    except OSError as error:
        if error.errno != errno.ENAMETOOLONG:
            raise
        raise _too_long(path, name) from None


def _too_long(path: Path, name: str) -> ScanError:
    return ScanError(f"{path}: the zip names {name[:80]!r} …, which is too long, or too deep, for a file. {_AGAIN}")
