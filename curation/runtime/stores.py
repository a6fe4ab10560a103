"""Files and folders that are not on this machine: s3://, gs://, hf:// and whatever else fsspec opens.

What is written is put file by file; an object is there as a whole or not at all, and nothing is renamed. A request that
a store throttles or drops is repeated after a wait that doubles, half of it drawn at random. Credentials come from
where the store's own tools look for them (environment, configuration files, instance roles): none is taken from a URL,
none is shown.
"""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple, TypeVar
from urllib.parse import urlsplit

from .errors import InputError, Interrupted, RunError, extra_hint
from .files import put_in_place
from .processes import in_thread
from .progress import Progress
from .urls import redact_error, redact_url, with_two_slashes

ResultT = TypeVar("ResultT")

PACKAGES = {"s3": "s3fs", "s3a": "s3fs", "gs": "gcsfs", "gcs": "gcsfs", "hf": "huggingface_hub"}
TRIES = 8
FIRST_WAIT, LONGEST_WAIT = 0.5, 30.0
# Another try changes nothing about these.
FINAL = (FileNotFoundError, PermissionError, IsADirectoryError, NotADirectoryError, ImportError, TypeError, ValueError)
FINAL_NAMES = frozenset(("NoCredentialsError", "PartialCredentialsError", "ProfileNotFound", "NoSuchBucket"))
# What stores call the time at which a file was put, and the mark of its version.
TIME_KEYS = ("LastModified", "last_modified", "updated", "mtime", "modified", "modify", "modificationTime", "created")
MARK_KEYS = ("ETag", "etag", "md5Hash", "content_md5", "blob_id", "checksum", "sha", "generation")


class StoredFile(NamedTuple):
    """A file of a store: its name below the location, its size, and a mark that changes when its content does.

    ``version`` is empty where the store tells no mark, so that a change which keeps the size cannot be seen. ``put_at``
    is when it was put, by the store's clock, in seconds; ``sha256`` is that of its content. Both are None where the
    store does not tell them, and so is ``bytes``.
    """

    name: str
    bytes: int | None
    version: str
    put_at: float | None = None
    sha256: str | None = None


@dataclass
class StoreLocation:
    """A file or folder in a store. Raises ``InputError`` for a URL that cannot be used."""

    url: str
    progress: Progress

    def __post_init__(self) -> None:
        self.url = with_two_slashes(self.url).rstrip("/")
        parts = urlsplit(self.url)
        if "@" in parts.netloc and parts.scheme not in ("hf", "abfs", "abfss"):
            raise InputError(
                f"{redact_url(self.url)}: credentials do not belong into a URL; put them where the store's own tools "
                "look for them (environment, configuration file)"
            )
        try:
            import fsspec

            self.filesystem, self.root = fsspec.core.url_to_fs(
                self.url, use_listings_cache=False, skip_instance_cache=True
            )
        except (ImportError, ValueError) as error:
            package = PACKAGES.get(parts.scheme)
            way_out = f"{package} is not here: {extra_hint('storage')}" if package else "fsspec knows no such store"
            raise InputError(f"{redact_url(self.url)}: {way_out} ({redact_error(error)})") from error

    @property
    def name(self) -> str:
        """Return the last part of the URL."""
        return PurePosixPath(urlsplit(self.url).path or self.root).name or self.root

    def _path_of(self, name: str) -> str:
        return f"{self.root}/{name}" if name else self.root

    def stat(self) -> StoredFile | None:
        """Return the file that the URL itself names, or ``None`` if it names no file."""
        try:
            info = self._with_retries(lambda: self.filesystem.info(self.root))
        except FileNotFoundError:
            return None
        return _stored_file("", info) if info["type"] == "file" else None

    def list_files(self) -> list[StoredFile]:
        """Return all files below the location, by name. Raises ``InputError`` if there is no such bucket."""
        infos = self._in_bucket(lambda: self.filesystem.find(self.root, detail=True))
        files = [_stored_file(path[len(self.root) :].lstrip("/"), info) for path, info in infos.items()]
        return sorted(file for file in files if file.name and not file.name.endswith("/"))

    def read(self, name: str) -> bytes | None:
        """Return the content of a small file, or ``None`` where there is none."""
        try:
            return bytes(self._with_retries(lambda: self.filesystem.cat_file(self._path_of(name))))
        except FileNotFoundError:
            return None

    def write(self, name: str, content: bytes) -> None:
        """Write a small file. Raises ``InputError`` if there is no such bucket."""
        self._in_bucket(lambda: self.filesystem.pipe_file(self._path_of(name), content))

    def put(self, path: Path, name: str) -> None:
        """Copy a file of this machine to the store. Raises ``InputError`` if there is no such bucket."""
        self._in_bucket(lambda: self.filesystem.put_file(str(path), self._path_of(name)))

    def remove(self, names: Iterable[str]) -> None:
        """Remove files; a file that is not there is no error."""
        for name in names:
            try:
                self._with_retries(lambda name=name: self.filesystem.rm_file(self._path_of(name)))  # type: ignore[misc]
            except FileNotFoundError:
                continue

    def download(self, file: StoredFile, path: Path) -> None:
        """Copy a file of the store to a path of this machine, whole or not at all."""
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_name(f".{path.name}.{os.getpid()}.part")

        def copy() -> None:
            self.filesystem.get_file(self._path_of(file.name), str(temporary))
            if file.bytes is not None and temporary.stat().st_size != file.bytes:
                raise OSError(f"{temporary.stat().st_size:,} of {file.bytes:,} bytes came")

        try:
            self._with_retries(copy)
            put_in_place(temporary, path)
        finally:
            temporary.unlink(missing_ok=True)

    def _in_bucket(self, request: Callable[[], ResultT]) -> ResultT:
        """Send a request that finds no file only where there is no bucket. Raises ``InputError`` there."""
        try:
            return self._with_retries(request)
        except FileNotFoundError as error:
            raise InputError(
                f"{redact_url(self.url)}: there is no such bucket or repository ({redact_error(error)})"
            ) from error

    def _with_retries(self, request: Callable[[], ResultT]) -> ResultT:
        """Send a request to the store and return its result, after as many tries as it takes.

        Raises ``FileNotFoundError``, ``InputError`` for what the caller can put right, and ``RunError`` when ``TRIES``
        are used up.
        """
        wait = FIRST_WAIT
        for tries_left in range(TRIES - 1, -1, -1):
            try:
                return in_thread(request, self.progress.raise_if_interrupted)
            except FileNotFoundError:
                raise
            except Exception as error:
                if isinstance(error, PermissionError) or type(error).__name__ in FINAL_NAMES:
                    raise InputError(
                        f"{redact_url(self.url)}: the store does not let us ({redact_error(error)}); credentials come "
                        "from the environment or the store's own configuration files"
                    ) from error
                if isinstance(error, (Interrupted, RunError, *FINAL)):
                    raise
                if not tries_left:
                    raise RunError(
                        f"{redact_url(self.url)}: gave up after {TRIES} tries ({redact_error(error)}); run the same "
                        "command again to go on"
                    ) from error
            self._sleep(random.uniform(wait / 2, wait))  # so that runs which failed together do not come back together
            wait = min(2 * wait, LONGEST_WAIT)
        raise AssertionError

    def _sleep(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            self.progress.raise_if_interrupted()
            time.sleep(min(left, 0.2))


def _stored_file(name: str, info: dict[str, Any]) -> StoredFile:
    size, put_at = info.get("size"), next((info[key] for key in TIME_KEYS if info.get(key)), None)
    mark = next((str(info[key]) for key in MARK_KEYS if info.get(key)), str(put_at or ""))
    large_file = info.get("lfs") or {}  # the hub tells the digest of what it keeps as a large file
    sha256 = large_file.get("sha256") if isinstance(large_file, dict) else None
    return StoredFile(name, None if size is None else int(size), mark and f"{size}:{mark}", _seconds(put_at), sha256)


def _seconds(time_put: object) -> float | None:
    """Return a time as seconds, however a store tells it; None for none. Without a zone it is taken for UTC."""
    if isinstance(time_put, (int, float)):
        return float(time_put)
    if isinstance(time_put, str):
        try:
            time_put = datetime.fromisoformat(time_put)
        except ValueError:
            return None
    if not isinstance(time_put, datetime):
        return None
    return (time_put if time_put.tzinfo else time_put.replace(tzinfo=UTC)).timestamp()
