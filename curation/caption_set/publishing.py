"""Put a caption set into a store: it is made in a folder of this machine, and put there part by part.

The store's manifest decides what counts. A part's files are put before any manifest that names them, and dropped here,
so that the disk holds no more than the part that is being written. A run that resumes, here or on another machine,
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
from .set_files import FILES_BESIDE_PARTS, WORK_FOLDER, TableName, part_number, part_path
from .work_folder import SetError


class StorePublisher:
    """Puts a caption set into a store. ``root`` is the folder of this machine in which it is made."""

    def __init__(self, url: str, root: Path, progress: Progress) -> None:
        self.place = StoreLocation(url, progress)
        self.root = root
        self._last_manifest: bytes | None = None
        self._sizes: dict[str, int] | None = None

    @property
    def shown(self) -> str:
        """The URL of the set, for people to read."""
        return redact_url(self.place.url)

    def begin(self) -> None:
        """Copy the store's manifest into the folder here, or empty the folder where the store has none.

        Raises:
            SetError: the store has something else at this place.
        """
        self._last_manifest = self.place.read(FILE_NAME)
        if self._last_manifest is None:
            self._check_unused()
            # What a run has left here of a set that the store does not have, or no longer has.
            for path in self.root.iterdir() if self.root.is_dir() else ():
                if path.is_dir() and path.name != WORK_FOLDER:
                    shutil.rmtree(path)
                elif path.name != WORK_FOLDER:
                    path.unlink()
            return
        if FORMAT.encode() not in self._last_manifest:
            raise SetError(f"{self.shown}/{FILE_NAME} is that of something else; name another folder with --out")
        self.root.mkdir(parents=True, exist_ok=True)
        (self.root / FILE_NAME).write_bytes(self._last_manifest)

    def _check_unused(self) -> None:
        if self.place.stat() is not None:
            raise SetError(f"{self.shown} is a file; name a folder with --out")
        # A set in a store begins with its manifest: parts without one are of something else.
        if foreign := [entry.name for entry in self.place.list_files()]:
            raise SetError(
                f"{self.shown} is not empty and holds no caption set ({foreign[0]}): nothing is written there. Name "
                "another with --out"
            )

    def size_of(self, path: Path) -> int | None:
        """Return the bytes that the store had of a file of the set at the first call, None where it had no such file.

        All files are listed once, which costs less than a request for each.
        """
        if self._sizes is None:
            self._sizes = {entry.name: entry.bytes for entry in self.place.list_files()}
        return self._sizes.get(path.relative_to(self.root).as_posix())

    def put_part(self, index: int, tables: Iterable[TableName]) -> None:
        """Put the files of a finished part into the store."""
        for table in tables:
            self.put_file(part_path(self.root, table, index))

    def drop_part(self, index: int, tables: Iterable[TableName]) -> None:
        """Remove the files of a part here, once the store has them."""
        for table in tables:
            part_path(self.root, table, index).unlink(missing_ok=True)

    def put_file(self, path: Path) -> None:
        """Put a file of the set into the store, if it is there."""
        if path.exists():
            self.place.put(path, path.relative_to(self.root).as_posix())

    def put_manifest(self) -> None:
        """Put the manifest into the store: from here on, what it names counts.

        Raises:
            RunError: another run has changed the store's manifest meanwhile.
        """
        if self.place.read(FILE_NAME) != self._last_manifest:
            raise RunError(
                f"{self.shown} was changed by another run: only one may write it. When the other is done, or dead, the "
                "same command goes on from what it left"
            )
        self._last_manifest = (self.root / FILE_NAME).read_bytes()
        self.place.write(FILE_NAME, self._last_manifest)

    def remove_leftovers(self, parts: int) -> None:
        """Remove files of parts that the store's manifest, which names ``parts`` of them, does not name."""
        names = [entry.name for entry in self.place.list_files()]
        leftovers = [name for name in names if (number := part_number(name)) is not None and number >= parts]
        self.place.remove([*leftovers, *(name for name in names if not parts and name in FILES_BESIDE_PARTS)])
