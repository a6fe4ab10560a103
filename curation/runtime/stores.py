"""Files and folders that are not on this machine: s3://, gs://, hf:// and whatever else fsspec opens.

Files are fetched whole into a cache and read from there. What is written is put file by file; an object is there as a
whole or not at all, and nothing is renamed. Stores that throttle or drop connections are asked again. Credentials are
the store's own affair (environment, configuration files, instance roles): none is taken from a URL, none is shown.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple, TypeVar
from urllib.parse import urlsplit
from urllib.request import url2pathname

from .errors import InputError, Interrupted, RunError
from .files import Held, hold, put_in_place, write_text
from .processes import result_of
from .progress import Progress

Result = TypeVar("Result")

URL = re.compile(r"[a-z][a-z0-9+.-]+:/{1,3}", re.IGNORECASE)
PACKAGES = {"s3": "s3fs", "s3a": "s3fs", "gs": "gcsfs", "gcs": "gcsfs", "hf": "huggingface_hub"}
TRIES = 8
FIRST_WAIT, LONGEST_WAIT = 0.5, 30.0
AT_ONCE = 8
INDEX = ".fetched.json"
# Another try changes nothing about these.
FINAL = (FileNotFoundError, PermissionError, IsADirectoryError, NotADirectoryError, ImportError, TypeError, ValueError)
FINAL_NAMES = frozenset(("NoCredentialsError", "PartialCredentialsError", "ProfileNotFound", "NoSuchBucket"))


def is_url(place: str | os.PathLike[str]) -> bool:
    """Whether a place is in a store, rather than a path of this machine."""
    return URL.match(os.fspath(place)) is not None and not local_path(place)


def local_path(place: str | os.PathLike[str]) -> Path | None:
    """The path of this machine that a place is, ``file://`` included; ``None`` for a store's URL."""
    said = os.fspath(place)
    if said.lower().startswith("file:/"):
        return Path(url2pathname(urlsplit(said).path))
    return None if URL.match(said) else Path(said)


def cache_root() -> Path:
    """Where files of stores are kept: ``OVCT_CACHE``, else ``ovct`` in the user's cache folder."""
    said = os.environ.get("OVCT_CACHE")
    return Path(said) if said else Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "ovct"


class Entry(NamedTuple):
    """A file of a store: its name below the place that was asked for, its size, and what changes when it does."""

    name: str
    bytes: int
    mark: str


@dataclass
class Place:
    """A file or folder in a store. Raises ``InputError`` for a URL that cannot be used."""

    url: str
    progress: Progress

    def __post_init__(self) -> None:
        self.url = _with_two_slashes(self.url).rstrip("/")
        parts = urlsplit(self.url)
        if "@" in parts.netloc and parts.scheme not in ("hf", "abfs", "abfss"):
            raise InputError(
                f"{shown(self.url)}: credentials do not belong into a URL; put them where the store's own tools look "
                "for them (environment, configuration file)"
            )
        try:
            import fsspec

            self.files, self.root = fsspec.core.url_to_fs(self.url, use_listings_cache=False, skip_instance_cache=True)
        except (ImportError, ValueError) as error:
            package = PACKAGES.get(parts.scheme)
            way_out = f"pip install 'ovct[storage]' brings {package}" if package else "fsspec knows no such store"
            raise InputError(f"{shown(self.url)}: {way_out} ({said(error)})") from error

    @property
    def name(self) -> str:
        """The last part of the URL."""
        return PurePosixPath(urlsplit(self.url).path or self.root).name or self.root

    def _at(self, name: str) -> str:
        return f"{self.root}/{name}" if name else self.root

    def entry(self) -> Entry | None:
        """The file that the URL itself is, or ``None``."""
        try:
            found = self._tried(lambda: self.files.info(self.root))
        except FileNotFoundError:
            return None
        return _entry("", found) if found["type"] == "file" else None

    def entries(self) -> list[Entry]:
        """All files below, by name."""
        found = self._found(lambda: self.files.find(self.root, detail=True))
        listed = [_entry(path[len(self.root) :].lstrip("/"), info) for path, info in found.items()]
        return sorted(entry for entry in listed if entry.name and not entry.name.endswith("/"))

    def read(self, name: str) -> bytes | None:
        """A small file, or ``None`` where there is none."""
        try:
            return bytes(self._tried(lambda: self.files.cat_file(self._at(name))))
        except FileNotFoundError:
            return None

    def write(self, name: str, content: bytes) -> None:
        """Put a small file."""
        self._found(lambda: self.files.pipe_file(self._at(name), content))

    def put(self, path: Path, name: str) -> None:
        """Put a file of this machine."""
        self._found(lambda: self.files.put_file(str(path), self._at(name)))

    def remove(self, names: Iterable[str]) -> None:
        """Remove files; one that is gone is fine."""
        for name in names:
            try:
                self._tried(lambda name=name: self.files.rm_file(self._at(name)))  # type: ignore[misc]
            except FileNotFoundError:
                continue

    def fetch(self, entry: Entry, path: Path) -> None:
        """Fetch a file to a path, whole or not at all."""
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_name(f".{path.name}.{os.getpid()}.part")

        def once() -> None:
            self.files.get_file(self._at(entry.name), str(temporary))
            if temporary.stat().st_size != entry.bytes:
                raise OSError(f"{temporary.stat().st_size:,} of {entry.bytes:,} bytes came")

        try:
            self._tried(once)
            put_in_place(temporary, path)
        finally:
            temporary.unlink(missing_ok=True)

    def _found(self, function: Callable[[], Result]) -> Result:
        """As ``_tried``, for what needs a bucket or a repository to be there."""
        try:
            return self._tried(function)
        except FileNotFoundError as error:
            raise InputError(f"{shown(self.url)}: there is no such bucket or repository ({said(error)})") from error

    def _tried(self, function: Callable[[], Result]) -> Result:
        """The result of a call to the store, after as many tries as it takes.

        Raises ``FileNotFoundError``, ``InputError`` for what the caller can put right, and ``RunError``.
        """
        wait = FIRST_WAIT
        for left in range(TRIES - 1, -1, -1):
            try:
                return self._watched(function)
            except FileNotFoundError:
                raise
            except Exception as error:
                if isinstance(error, PermissionError) or type(error).__name__ in FINAL_NAMES:
                    raise InputError(
                        f"{shown(self.url)}: the store does not let us ({said(error)}); credentials come from the "
                        "environment or the store's own configuration files"
                    ) from error
                if isinstance(error, (Interrupted, RunError, *FINAL)):
                    raise
                if not left:
                    raise RunError(
                        f"{shown(self.url)}: gave up after {TRIES} tries ({said(error)}); run the same command again "
                        "to go on"
                    ) from error
            self._sleep(wait)
            wait = min(2 * wait, LONGEST_WAIT)
        raise AssertionError

    def _watched(self, function: Callable[[], Result]) -> Result:
        """In a thread that nobody waits for, so that a stop does not wait for a slow store."""
        future: Future[Result] = Future()

        def call() -> None:
            try:
                future.set_result(function())
            except BaseException as error:
                future.set_exception(error)

        threading.Thread(target=call, name="store", daemon=True).start()
        return result_of(future, self.progress.raise_if_interrupted)

    def _sleep(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            self.progress.raise_if_interrupted()
            time.sleep(min(left, 0.2))


def _entry(name: str, found: dict[str, Any]) -> Entry:
    marks = (found.get(key) for key in ("ETag", "etag", "md5Hash", "blob_id", "LastModified", "last_modified", "mtime"))
    mark = next((str(mark) for mark in marks if mark), "")
    return Entry(name, int(found["size"] or 0), f"{found['size']}:{mark}")


def fetched(url: str, progress: Progress) -> Path:
    """A file or folder of a store, as a path of this machine; what was fetched before and has not changed stays.

    Of a folder, what the store no longer has is removed. Raises ``InputError`` where there is nothing.
    """
    place = Place(url, progress)
    entry = place.entry()
    if entry is not None:
        path = cache_root() / "files" / _key(place.url, entry.mark) / place.name
        if not path.exists():
            progress.message(f"fetching {shown(place.url)} ({entry.bytes / 1e6:,.1f} MB)")
            place.fetch(entry, path)
        return path
    entries = place.entries()
    if not entries:
        raise InputError(f"{shown(place.url)}: there is no such file, and no folder with anything to read in it")
    folder = cache_root() / "folders" / _key(place.url) / place.name
    folder.mkdir(parents=True, exist_ok=True)
    with _alone(folder, progress):
        _fetch_all(place, entries, folder, progress)
    return folder


@contextmanager
def _alone(folder: Path, progress: Progress) -> Iterator[None]:
    """One process of this machine at a time; the others wait, and find what it fetched."""
    with (folder.parent / "lock").open("a+", encoding="utf-8") as file:
        while True:
            try:
                hold(file)
                break
            except Held:
                progress.raise_if_interrupted()
                time.sleep(0.2)
        yield


def _fetch_all(place: Place, entries: list[Entry], folder: Path, progress: Progress) -> None:
    index = folder / INDEX
    try:
        known: dict[str, str] = json.loads(index.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        known = {}
    for entry in entries:
        if PurePosixPath(entry.name).is_absolute() or ".." in PurePosixPath(entry.name).parts:
            raise InputError(f"{shown(place.url)}: {entry.name!r} is no name of a file")
    new = [entry for entry in entries if known.get(entry.name) != entry.mark or not (folder / entry.name).exists()]
    for gone in known.keys() - {entry.name for entry in entries}:
        (folder / gone).unlink(missing_ok=True)
    kept = {entry.name: entry.mark for entry in entries if entry not in new}
    if new:
        progress.message(
            f"fetching {len(new):,} files of {shown(place.url)} ({sum(one.bytes for one in new) / 1e6:,.1f} MB)"
        )
        progress.start(len(new), 0)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        under_way = [(entry, pool.submit(place.fetch, entry, folder / entry.name)) for entry in new]
        try:
            for number, (entry, future) in enumerate(under_way, 1):
                result_of(future, progress.raise_if_interrupted)
                kept[entry.name] = entry.mark
                progress.advance()
                if number % 200 == 0:
                    write_text(index, json.dumps(kept))
        finally:
            for _, future in under_way:
                future.cancel()
            write_text(index, json.dumps(kept))


def staged(url: str, progress: Progress) -> Path:
    """The folder of this machine in which what goes to a URL is made."""
    place = Place(url, progress)
    return cache_root() / "sets" / _key(place.url) / place.name


def _key(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:20]


def shown(url: str) -> str:
    """A URL for people to read: without user, password and query, which may be secrets."""
    url = _with_two_slashes(url).partition("?")[0]
    # After the @ of the hub and of Azure stand a revision and an account.
    return url if url.startswith(("hf:", "abfs")) else re.sub(r"(?<=//)[^/@\s]+@", "***@", url)


def _with_two_slashes(url: str) -> str:
    """A path library makes one slash of two."""
    scheme, _, rest = url.partition(":")
    return f"{scheme.lower()}://{rest.lstrip('/')}"


def said(error: BaseException) -> str:
    """What a store said, on one line, without what signs a request."""
    line = " ".join(str(error).split()) or type(error).__name__
    line = re.sub(r"(?<=//)[^/@\s'\"]+@", "***@", line)
    return re.sub(r"\?[^\s'\"<>]*", "?***", line)[:300]
