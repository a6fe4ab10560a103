"""The files that the tools of `ovct mcp` may reach: those below the folders that were named at its start, no others.

A path is resolved first (``..``, symbolic links), and what comes of it has to lie below such a folder. Of a folder, the
same is asked of each link in it. What is refused is refused in the same words whether it is there or not.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from curation.runtime.errors import InputError
from curation.runtime.terminal import on_one_line
from curation.runtime.urls import is_url

# Letters that no system reads as a part of a path, and no name that begins with a dot or a hyphen.
OUTPUT_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
LONGEST_PATH = 1000


class AllowedPaths:
    """Folders that may be read, and one that may be written to, which may be read too.

    Raises ``InputError`` for a folder that is none, or that is the root of the file system or the home folder: these
    hold more than reports.
    """

    def __init__(self, folders: Sequence[Path], out_folder: Path | None = None) -> None:
        self.folders = tuple(_folder(folder) for folder in folders)
        self.out_folder = None if out_folder is None else _made(out_folder)

    @property
    def readable(self) -> tuple[Path, ...]:
        """All folders that may be read."""
        return self.folders if self.out_folder is None else (*self.folders, self.out_folder)

    def to_read(self, given: str) -> Path:
        """Return the path of a file or folder that may be read; a relative one counts from the first folder.

        Raises ``InputError``.
        """
        path = self._resolved(given)
        if not path.exists():
            raise InputError(f"{on_one_line(given)}: there is no such file or folder")
        if not (path.is_file() or path.is_dir()):  # reading from a pipe would never end
            raise InputError(f"{on_one_line(given)}: is neither a file nor a folder")
        for link in links_below(path):
            self.check(link)
        return path

    def check(self, path: Path) -> None:
        """Raise ``InputError`` for a path that leads to a file which may not be read."""
        if not self._is_allowed(path.resolve()):
            raise InputError(f"{on_one_line(str(path))}: this link leads out of {self._names()}")

    def to_write(self, name: str) -> Path:
        """Return the path of a file or folder of this name in the folder for output.

        Raises ``InputError`` where no such folder was named at the start, and for a name that is none.
        """
        if self.out_folder is None:
            raise InputError(
                "nothing is written: this server was started without a folder for output (ovct mcp --out-folder "
                "FOLDER); leave `out` away for results that are only returned"
            )
        if not OUTPUT_NAME.fullmatch(name) or ".." in name:
            raise InputError(
                f"out {on_one_line(name[:100])!r}: a name is expected, without a folder: letters, digits, dots, "
                f"hyphens and underscores; it is written to {self.out_folder}"
            )
        path = self.out_folder / name
        if path.is_symlink() or any(not self._is_allowed(link.resolve()) for link in links_below(path)):
            raise InputError(
                f"out {name}: is a link, or holds one that leads out of {self._names()}: give another name"
            )
        return path

    def _resolved(self, given: str) -> Path:
        if not given or len(given) > LONGEST_PATH or "\0" in given:
            raise InputError(f"a path of 1 to {LONGEST_PATH:,} characters is expected")
        if is_url(given):
            raise InputError(f"{on_one_line(given)}: only files of this machine are read")
        try:
            path = (self.readable[0] / given).resolve()
        except (OSError, RuntimeError, ValueError) as error:  # links in a circle, names that no system has
            raise InputError(f"{on_one_line(given)}: is no path that can be followed") from error
        if not self._is_allowed(path):
            raise InputError(
                f"{on_one_line(given)}: outside of {self._names()}, which is all that this server may read "
                "(ovct mcp --folder FOLDER)"
            )
        return path

    def _is_allowed(self, path: Path) -> bool:
        return any(path.is_relative_to(folder) for folder in self.readable)

    def _names(self) -> str:
        return on_one_line(", ".join(map(str, self.readable)))


def links_below(folder: Path) -> Iterator[Path]:
    """Yield all symbolic links in a folder, also in those that its links lead to."""
    waiting, seen = [folder], set[Path]()
    while waiting:
        for root, folders, files in os.walk(waiting.pop()):
            for name in (*folders, *files):
                path = Path(root, name)
                if path.is_symlink():
                    yield path
                    target = path.resolve()
                    if target.is_dir() and target not in seen:
                        seen.add(target)
                        waiting.append(target)


def _folder(folder: Path) -> Path:
    path = folder.resolve()
    if not path.is_dir():
        raise InputError(f"--folder {folder}: is no folder")
    if path == Path(path.anchor) or path == Path.home().resolve():
        raise InputError(f"{path} holds more than reports: name the folders that may be read, with --folder")
    return path


def _made(folder: Path) -> Path:
    if folder.exists() and not folder.is_dir():
        raise InputError(f"--out-folder {folder}: is no folder")
    if not folder.exists():
        folder.mkdir(parents=True)
    return _folder(folder)
