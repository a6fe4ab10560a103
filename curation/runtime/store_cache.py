"""The folder of this machine for what is in stores: files that were fetched, and sets that are made before they go."""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from .errors import InputError
from .files import write_text
from .locks import LockedError, lock_file
from .processes import result_of
from .progress import Progress
from .stores import StoredFile, StoreLocation
from .urls import local_path, redact_url

DOWNLOADS_AT_ONCE = 8
INDEX = ".fetched.json"


def cache_root() -> Path:
    """Return where files of stores are kept: ``OVCT_CACHE``, else ``ovct`` in the user's cache folder."""
    root = os.environ.get("OVCT_CACHE")
    return Path(root) if root else Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "ovct"


def fetch(url: str, progress: Progress) -> Path:
    """Fetch a file or folder of a store, unless the cache has it unchanged, and return its path on this machine.

    Of a folder, what the store no longer has is removed. Raises ``InputError`` where there is nothing.
    """
    location = StoreLocation(url, progress)
    file = location.stat()
    if file is not None:
        path = cache_root() / "files" / _key(location.url, file.version) / location.name
        if not path.exists():
            progress.message(f"fetching {redact_url(location.url)} ({file.bytes / 1e6:,.1f} MB)")
            location.download(file, path)
        return path
    files = location.list_files()
    if not files:
        raise InputError(
            f"{redact_url(location.url)}: there is no such file, and no folder with anything to read in it"
        )
    folder = cache_root() / "folders" / _key(location.url) / location.name
    folder.mkdir(parents=True, exist_ok=True)
    with _locked(folder, progress):
        _fetch_folder(location, files, folder, progress)
    return folder


def local_copy(location: str | Path, progress: Progress) -> Path:
    """Return a path of this machine: ``location`` itself, or what was fetched from a store."""
    return local_path(location) or fetch(str(location), progress)


def staging_folder(url: str, progress: Progress) -> Path:
    """Return the folder of this machine in which the set is made that goes to ``url``."""
    location = StoreLocation(url, progress)
    return cache_root() / "sets" / _key(location.url) / location.name


@contextmanager
def _locked(folder: Path, progress: Progress) -> Iterator[None]:
    """Let one process of this machine fetch at a time; the others wait, and find what it fetched."""
    with (folder.parent / "lock").open("a+", encoding="utf-8") as file:
        while True:
            try:
                lock_file(file)
                break
            except LockedError:
                progress.raise_if_interrupted()
                time.sleep(0.2)
        yield


def _fetch_folder(location: StoreLocation, files: list[StoredFile], folder: Path, progress: Progress) -> None:
    """Make the folder hold these files and no other that was fetched; an index notes which version of each is there."""
    for file in files:
        if PurePosixPath(file.name).is_absolute() or ".." in PurePosixPath(file.name).parts:
            raise InputError(f"{redact_url(location.url)}: {file.name!r} is no name of a file")
    versions = _read_index(folder)
    new = [file for file in files if versions.get(file.name) != file.version or not (folder / file.name).exists()]
    for name in versions.keys() - {file.name for file in files}:
        (folder / name).unlink(missing_ok=True)
    new_names = {file.name for file in new}
    versions = {file.name: file.version for file in files if file.name not in new_names}
    if new:
        size = sum(file.bytes for file in new)
        progress.message(f"fetching {len(new):,} files of {redact_url(location.url)} ({size / 1e6:,.1f} MB)")
        progress.start(len(new), 0)
    _download_all(location, new, folder, versions, progress)


def _read_index(folder: Path) -> dict[str, str]:
    try:
        versions: dict[str, str] = json.loads((folder / INDEX).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return versions


def _download_all(
    location: StoreLocation, files: list[StoredFile], folder: Path, versions: dict[str, str], progress: Progress
) -> None:
    """Download files, several at once; ``versions`` becomes the folder's index, also where the run is interrupted."""
    with ThreadPoolExecutor(DOWNLOADS_AT_ONCE) as pool:
        downloads = [(file, pool.submit(location.download, file, folder / file.name)) for file in files]
        try:
            for number, (file, future) in enumerate(downloads, 1):
                result_of(future, progress.raise_if_interrupted)
                versions[file.name] = file.version
                progress.advance()
                if number % 200 == 0:
                    write_text(folder / INDEX, json.dumps(versions))
        finally:
            for _, future in downloads:
                future.cancel()
            write_text(folder / INDEX, json.dumps(versions))


def _key(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:20]
