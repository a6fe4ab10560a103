"""A caption set in a store: made in a folder of this machine, and put there part by part.

The store's manifest decides what counts. A part's files are put before any manifest that names them, and dropped here,
so that the disk holds no more than the part that is being written. A run that goes on, here or on another machine,
begins with the store's manifest.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from pathlib import Path

from curation.runtime.errors import RunError
from curation.runtime.progress import Progress
from curation.runtime.stores import StoreLocation
from curation.runtime.urls import redact_url

from .manifest import FILE_NAME, FORMAT
from .shards import Table, part_path
from .writer import CARD_FILES, WORK, SetError, is_part


class StorePublisher:
    """Where a set goes. ``root`` is the folder of this machine in which it is made."""

    def __init__(self, url: str, root: Path, progress: Progress) -> None:
        self.place = StoreLocation(url, progress)
        self.root = root
        self._last: bytes | None = None
        self._sizes: dict[str, int] | None = None

    @property
    def shown(self) -> str:
        """The URL, for people to read."""
        return redact_url(self.place.url)

    def begin(self) -> None:
        """Have the folder here say what the store has. Raises ``SetError`` where the store has something else there."""
        self._last = self.place.read(FILE_NAME)
        if self._last is None:
            if self.place.stat() is not None:
                raise SetError(f"{self.shown} is a file; name a folder with --out")
            if others := [entry.name for entry in self.place.list_files() if is_part(entry.name) is None]:
                raise SetError(
                    f"{self.shown} is not empty and holds no caption set ({others[0]}): nothing is written there. Name "
                    "another with --out"
                )
            # What a run has left here of a set that the store does not have, or no longer has.
            for path in self.root.iterdir() if self.root.is_dir() else ():
                if path.is_dir() and path.name != WORK:
                    shutil.rmtree(path)
                elif path.name != WORK:
                    path.unlink()
            return
        if FORMAT.encode() not in self._last:
            raise SetError(f"{self.shown}/{FILE_NAME} is that of something else; name another folder with --out")
        self.root.mkdir(parents=True, exist_ok=True)
        (self.root / FILE_NAME).write_bytes(self._last)

    def size(self, path: Path) -> int | None:
        """Bytes that the store had of a file of the set when it was first asked: a list of all costs less than each."""
        if self._sizes is None:
            self._sizes = {entry.name: entry.bytes for entry in self.place.list_files()}
        return self._sizes.get(path.relative_to(self.root).as_posix())

    def part(self, index: int, tables: Iterable[Table]) -> None:
        """Put the files of a finished part."""
        for table in tables:
            self.put(part_path(self.root, table, index))

    def drop(self, index: int, tables: Iterable[Table]) -> None:
        """Drop the files of a part here, once the store has them."""
        for table in tables:
            part_path(self.root, table, index).unlink(missing_ok=True)

    def put(self, path: Path) -> None:
        """Put a file of the set, if it is there."""
        if path.exists():
            self.place.put(path, path.relative_to(self.root).as_posix())

    def manifest(self) -> None:
        """Put the manifest: from here on, what it names counts. Raises ``RunError`` where another run was faster."""
        if self.place.read(FILE_NAME) != self._last:
            raise RunError(
                f"{self.shown} was changed by another run: only one may write it. When the other is done, or dead, the "
                "same command goes on from what it left"
            )
        self._last = (self.root / FILE_NAME).read_bytes()
        self.place.write(FILE_NAME, self._last)

    def remove_leftovers(self, parts: int) -> None:
        """Remove files of ours that the store's manifest does not name."""
        names = [entry.name for entry in self.place.list_files()]
        gone = [name for name in names if (number := is_part(name)) is not None and number >= parts]
        self.place.remove([*gone, *(name for name in names if not parts and name in CARD_FILES)])
