"""Put a caption set into a store: it is made in a folder of this machine, and put there part by part.

The store's manifest decides what counts. A part's files are put before any manifest that names them, and dropped here,
so that the disk holds no more than the part that is being written. A run that resumes, here or on another machine,
begins with the store's manifest.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

from curation.runtime.digests import file_digest
from curation.runtime.errors import RunError
from curation.runtime.progress import Progress
from curation.runtime.stores import StoredFile, StoreLocation
from curation.runtime.urls import redact_url

from .kept_files import kept_digests
from .manifest import FILE_NAME, FORMAT, Manifest, ManifestError, load_manifest
from .set_files import (
    DERIVED_FILES,
    FILES_BESIDE_PARTS,
    KEPT_FILES,
    SKIPPED_FILE,
    WORK_FOLDER,
    TableName,
    part_number,
    part_path,
)
from .work_folder import SetError


class StorePublisher:
    """Puts a caption set into a store. ``root`` is the folder of this machine in which it is made."""

    def __init__(self, url: str, root: Path, progress: Progress) -> None:
        self.place = StoreLocation(url, progress)
        self.root = root
        self._last_manifest: bytes | None = None
        self._listed: dict[str, StoredFile] | None = None
        self._stays = set[str]()

    @property
    def shown(self) -> str:
        """The URL of the set, for people to read."""
        return redact_url(self.place.url)

    def begin(self) -> None:
        """Copy the store's manifest into the folder here, or empty the folder where the store has none.

        Raises:
            SetError: the store has something else at this place, or a file called like one of a set's that no run of
                the set has put there.
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
        with suppress(ManifestError):  # told when the set is opened
            self._look_for_foreign_files(load_manifest(self.root))

    def _look_for_foreign_files(self, manifest: Manifest) -> None:
        """Raise ``SetError`` for a file of another hand where a set keeps one. A data card or plot of one stays."""
        if manifest.files is None:
            return
        known, files = kept_digests(manifest), self._files()
        for name in KEPT_FILES:
            left_behind = name == SKIPPED_FILE and not manifest.complete
            if name in files and not left_behind and (name not in known or self._is_other(name, known[name])):
                raise SetError(
                    f"{self.shown}/{name} is not what a run of this set put there (its manifest does not have its "
                    "sha256), and would be replaced: move it away, or name another folder with --out"
                )
        for name in DERIVED_FILES if manifest.complete else ():
            if name in files and self._is_other(name, manifest.files.get(name)):
                self._stays.add(name)

    def _is_other(self, name: str, digest: str | None) -> bool:
        return (found := self._digest_if_changed(name)) is not None and found != digest

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
        file = self._files().get(path.relative_to(self.root).as_posix())
        return file and file.bytes

    def _files(self) -> dict[str, StoredFile]:
        if self._listed is None:
            self._listed = {file.name: file for file in self.place.list_files()}
        return self._listed

    def changed_file(self, digests: Mapping[Path, str], tell: Callable[[str], None]) -> Path | None:
        """Return the first file of the set whose content in the store is another than these SHA-256 say, else None.

        All were put before the manifest that names them. So the content is looked at where a file was put later, or in
        the same second, and where the store tells the SHA-256 of what it keeps. ``tell`` gets a sentence where it tells
        neither that nor times.
        """
        files, names = self._files(), [path.relative_to(self.root).as_posix() for path in digests]
        if FILE_NAME in files and files[FILE_NAME].put_at is None and any(not files[name].sha256 for name in names):
            tell(
                f"{self.shown}: the store tells no times, so that the files of the finished parts are checked by their "
                "sizes alone; fetched, as by `ovct stats`, they are checked by their SHA-256"
            )
        others = (path for name, path in zip(names, digests, strict=True) if self._is_other(name, digests[path]))
        return next(others, None)

    def _digest_if_changed(self, name: str) -> str | None:
        """Return the SHA-256 of a file in the store, None where it was put before the manifest, or nothing tells."""
        file, manifest = self._files().get(name), self._files().get(FILE_NAME)
        if file is None or file.sha256 is not None:
            return file and file.sha256
        if manifest is None or file.put_at is None or manifest.put_at is None:
            return None
        if int(file.put_at) < int(manifest.put_at):
            return None
        with TemporaryDirectory(prefix="ovct-") as folder:
            fetched = Path(folder) / "file"
            self.place.download(file, fetched)
            return file_digest(fetched, self.place.progress.raise_if_interrupted)

    def put_part(self, index: int, tables: Iterable[TableName]) -> None:
        """Put the files of a finished part into the store."""
        for table in tables:
            self.put_file(part_path(self.root, table, index))

    def drop_part(self, index: int, tables: Iterable[TableName]) -> None:
        """Remove the files of a part here, once the store has them."""
        for table in tables:
            part_path(self.root, table, index).unlink(missing_ok=True)

    def put_file(self, path: Path) -> None:
        """Put a file of the set into the store, if it is there, and the store has none there that others changed."""
        name = path.relative_to(self.root).as_posix()
        if name in self._stays:
            self.place.progress.warning(
                f"{self.shown}/{name} is not as it was put there (changed by hand, or damaged): it stays as it is. "
                "Remove it, and it is put anew with --overwrite"
            )
        elif path.exists():
            self.place.put(path, name)

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
        beside = () if parts else set(FILES_BESIDE_PARTS) - self._stays
        self.place.remove([*leftovers, *(name for name in names if name in beside)])
