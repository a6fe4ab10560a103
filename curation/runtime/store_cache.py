"""The folder of this machine for what is in stores: files that were fetched, and sets that are made before they go."""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path

from .digests import sealed, unsealed
from .errors import InputError
from .files import write_text
from .locks import LockedError, locked
from .names import path_within
from .processes import result_of
from .progress import Progress
from .stores import StoredFile, StoreLocation
from .urls import local_path, redact_url

DOWNLOADS_AT_ONCE = 8


def cache_root() -> Path:
    """Return where files of stores are kept: ``OVCT_CACHE``, else ``ovct`` in the user's cache folder."""
    root = os.environ.get("OVCT_CACHE")
    return Path(root) if root else Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "ovct"


def fetch(url: str, progress: Progress) -> Path:
    """Fetch a file or folder of a store, unless the cache has it unchanged, and return its path on this machine.

    What the store tells no version of is fetched each time. Of a folder, what the store no longer has is removed.
    Raises ``InputError`` where there is nothing.
    """
    location = StoreLocation(url, progress)
    file = location.stat()
    if file is not None:
        path = _named(cache_root() / "files" / _key(location.url, file.version), location)
        if not path.exists() or not file.version:
            progress.message(f"fetching {redact_url(location.url)}{_size([file])}{_each_time([file])}")
            location.download(file, path)
        return path
    files = location.list_files()
    if not files:
        raise InputError(
            f"{redact_url(location.url)}: there is no such file, and no folder with anything to read in it"
        )
    folder = _named(cache_root() / "folders" / _key(location.url), location)
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
    return _named(cache_root() / "sets" / _key(location.url), location)


def _named(folder: Path, location: StoreLocation) -> Path:
    """Return the place below a folder of the cache for what has the location's name."""
    return path_within(folder, location.name, redact_url(location.url))


@contextmanager
def _locked(folder: Path, progress: Progress) -> Iterator[None]:
    """Let one process of this machine fetch at a time; the others wait, and find what it fetched."""
    with ExitStack() as stack:
        while True:
            try:
                stack.enter_context(locked(folder.parent.with_suffix(".lock"), progress.raise_if_interrupted))
                break
            except LockedError:
                progress.raise_if_interrupted()
                time.sleep(0.2)
        yield


def _fetch_folder(location: StoreLocation, files: list[StoredFile], folder: Path, progress: Progress) -> None:
    """Make the folder hold these files and no other that was fetched; an index notes which version of each is there."""
    source = redact_url(location.url)
    places = {file.name: path_within(folder, file.name, source) for file in files}
    versions = _read_index(folder)
    new = [
        file
        for file in files
        if not file.version or versions.get(file.name) != file.version or not places[file.name].exists()
    ]
    for name in versions.keys() - places.keys():
        path_within(folder, name, str(_index_of(folder))).unlink(missing_ok=True)
    new_names = {file.name for file in new}
    versions = {file.name: file.version for file in files if file.name not in new_names}
    if new:
        source = redact_url(location.url)
        progress.message(f"fetching {len(new):,} files of {source}{_size(new)}{_each_time(new)}")
        progress.start(len(new), 0)
    _download_all(location, new, folder, versions, progress)


def _size(files: Sequence[StoredFile]) -> str:
    """Return in words what is to be fetched, as far as the store tells."""
    total = sum(file.bytes or 0 for file in files)
    return f" ({total / 1e6:,.1f} MB)" if total else ""


def _each_time(files: Sequence[StoredFile]) -> str:
    """Return in words that the store tells no version of some of these files."""
    if all(file.version for file in files):
        return ""
    return ": the store tells neither a checksum nor a time, so that it is fetched each time"


def _index_of(folder: Path) -> Path:
    """Return the path of a folder's index: beside it, since a store may have a file of any name in it."""
    return folder.parent.with_suffix(".json")


def _read_index(folder: Path) -> dict[str, str]:
    """Return the version of each file that was fetched; empty, so that all are fetched anew, where it is damaged."""
    try:
        content, holds = unsealed(_index_of(folder).read_bytes())
        versions = json.loads(content)["versions"] if holds else {}
    except (OSError, ValueError, KeyError, TypeError):
        return {}
    return {str(name): str(version) for name, version in versions.items()}


def _write_index(folder: Path, versions: dict[str, str]) -> None:
    write_text(_index_of(folder), sealed({"versions": versions}))


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
                    _write_index(folder, versions)
        finally:
            for _, future in downloads:
                future.cancel()
            _write_index(folder, versions)


def _key(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:20]
