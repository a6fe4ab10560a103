"""A layer over Python's own file calls, where none can be built over the C library's: counts them, and lets one fail.

It has the functions of ``file_faults.c``. What Arrow, SQLite and other libraries write by themselves does not go
through it, their files' renames and flushes do.
"""

from __future__ import annotations

import builtins
import io
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

ONCE, FROM_NOW_ON, SHORT, KILLED = range(4)
# Functions of ``os``, what they do, and the argument that says where.
CHANGES = {
    "replace": ("rename", 1), "rename": ("rename", 1), "link": ("link", 1), "mkdir": ("mkdir", 0),
    "rmdir": ("unlink", 0), "unlink": ("unlink", 0), "remove": ("unlink", 0), "chmod": ("chmod", 0),
    "truncate": ("truncate", 0), "fsync": ("fsync", 0), "fdatasync": ("fsync", 0), "ftruncate": ("truncate", 0),
    "close": ("close", 0),
}  # fmt: skip
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC


class PythonLayer:
    """The layer of this process, which is put in place when a folder is first watched."""

    def __init__(self) -> None:
        self._watched = ""
        self._counted = self._number = self._error = self._mode = 0
        self._failed = (b"", b"")
        self._files: dict[int, str] = {}
        self._is_in_place = False

    def watch(self, folder: bytes) -> None:
        """Begin to count below this folder (absolute); an empty name ends it."""
        self._watched = os.fsdecode(folder)
        if not self._is_in_place and self._watched:
            self._is_in_place = True
            self._put_in_place()

    def arm(self, number: int, error: int, mode: int) -> None:
        """Let the operation of this number fail, counted from now on."""
        self._counted, self._failed = 0, (b"", b"")
        self._number, self._error, self._mode = number, error, mode

    def count(self) -> int:
        """Return how many operations there were."""
        return self._counted

    def kind(self) -> bytes:
        """Return what failed."""
        return self._failed[0]

    def path(self) -> bytes:
        """Return where it failed."""
        return self._failed[1]

    def is_below(self, path: str) -> bool:
        """Return whether a path is one that counts."""
        return bool(self._watched) and (path == self._watched or path.startswith(f"{self._watched}/"))

    def passes(self, kind: str, path: str) -> bool:
        """Count one, and raise what it fails with. Return whether all of it is done; of a short write, half."""
        self._counted += 1
        # A full disk still lets files be removed and closed.
        later = self._mode == FROM_NOW_ON and self._counted > self._number and kind not in ("unlink", "close")
        if not self._number or (self._counted != self._number and not later):
            return True
        self._failed = self._failed if self._failed[0] else (kind.encode(), os.fsencode(path))
        if self._mode == KILLED:
            os.kill(os.getpid(), signal.SIGKILL)
        if self._mode == SHORT:
            return kind != "write"
        raise OSError(self._error, os.strerror(self._error), *([path] if kind in ("open", "rename", "mkdir") else []))

    def _put_in_place(self) -> None:
        for name, (kind, place) in CHANGES.items():
            setattr(os, name, self._counted_call(getattr(os, name), kind, place))
        plain_open, plain_write = os.open, os.write

        def open_number(path: Any, flags: int, *arguments: Any, **options: Any) -> int:
            where = self._absolute(path)
            counts = bool(flags & WRITING) and self.is_below(where)
            if counts:
                self.passes("open", where)
            number = plain_open(path, flags, *arguments, **options)
            self._files.pop(number, None)
            if counts:
                self._files[number] = where
            return number

        def write(number: int, data: Any) -> int:
            whole = self.passes("write", self._files[number]) if number in self._files else True
            return plain_write(number, data if whole else bytes(data)[: max(len(data) // 2, 1)])

        os.open, os.write = open_number, write
        io.open = builtins.open = self._opener(builtins.open)

    def _counted_call(self, plain: Callable[..., Any], kind: str, place: int) -> Callable[..., Any]:
        def call(*arguments: Any, **options: Any) -> Any:
            where = self._absolute(arguments[place]) if len(arguments) > place else ""
            fails: OSError | None = None
            if self.is_below(where):
                try:
                    self.passes(kind, where)
                except OSError as error:
                    if kind != "close":
                        raise
                    fails = error  # as Linux does it: the file is closed, whatever is said
            if kind == "close":
                self._files.pop(arguments[0], None)
            result = plain(*arguments, **options)
            if fails is not None:
                raise fails
            return result

        return call

    def _absolute(self, path: Any) -> str:
        if isinstance(path, int):
            return self._files.get(path, "")
        name = os.fsdecode(path)
        return name if name.startswith("/") else str(Path.cwd() / name)

    def _opener(self, plain: Callable[..., Any]) -> Callable[..., Any]:
        def opened(
            file: Any,
            mode: str = "r",
            buffering: int = -1,
            encoding: str | None = None,
            errors: str | None = None,
            newline: str | None = None,
            *others: Any,
            **options: Any,
        ) -> Any:
            writes = bool(set(mode) & set("wax+"))
            where = "" if isinstance(file, int) else self._absolute(file)
            if not writes or not self.is_below(where):
                return plain(file, mode, buffering, encoding, errors, newline, *others, **options)
            self.passes("open", where)
            binary = "b" in mode
            raw = WatchedFile(self, where, mode.replace("t", "").replace("b", ""))
            if binary and buffering == 0:
                return raw
            buffered = io.BufferedRandom(raw) if "+" in mode else io.BufferedWriter(raw)
            return buffered if binary else io.TextIOWrapper(buffered, encoding, errors, newline, buffering == 1)

        return opened


class WatchedFile(io.FileIO):
    """A file that tells the layer of each write, truncation and close."""

    def __init__(self, layer: PythonLayer, path: str, mode: str) -> None:
        self._layer, self._path = layer, path
        super().__init__(path, mode)
        layer._files[self.fileno()] = path

    def write(self, data: Any) -> int:
        whole = self._layer.passes("write", self._path)
        content = bytes(data)
        return super().write(content if whole else content[: max(len(content) // 2, 1)])

    def truncate(self, size: int | None = None) -> int:
        self._layer.passes("truncate", self._path)
        return super().truncate(size)

    def close(self) -> None:
        if self.closed:
            return
        self._layer._files.pop(self.fileno(), None)
        try:
            self._layer.passes("close", self._path)
        finally:
            super().close()
