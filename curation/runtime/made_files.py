"""The list of the files that runs have made in a folder: what is not on it is never removed or replaced.

OUT/.ovct-files holds it, a line of JSON for each name; the first line says what kind of folder it is. A name is written
before its file is, so that a file that a run has made is on the list whenever the run is killed.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from .errors import InputError
from .files import sync, temporary_name
from .names import path_within

MADE_FILES = ".ovct-files"
FORMAT = "ovct files 1"
LOCK_FILE = ".lock"
# The lock's own files, which whoever locks the folder makes.
LOCK_PREFIX = LOCK_FILE


class MadeFiles:
    """The files that runs have made in ``folder``; ``kind`` says what made them, such as "training run".

    A folder without the list is taken if nothing is in it, or if ``legacy`` names all that is: what a run of an earlier
    version has made there.

    Raises ``InputError`` for a folder that holds anything else. Nothing is written before ``claim``.
    """

    def __init__(self, folder: Path, kind: str, legacy: Iterable[str] = ()) -> None:
        self.folder, self.kind = folder, kind
        self.path = folder / MADE_FILES
        self._names = self._read()
        if self._names is not None:
            self._is_begun = True
            return
        self._is_begun, self._names = False, set(legacy)
        if foreign := self.foreign():
            raise InputError(
                f"{folder} is not empty and holds no {kind} ({foreign[0]}): nothing is written there. Name another "
                "with --out"
            )

    def _read(self) -> set[str] | None:
        """Return the names of the list, None where there is none. A last line that a kill has cut off is left out."""
        try:
            first, *lines = self.path.read_text(encoding="utf-8").split("\n")
            header = json.loads(first)
            if header != {"format": FORMAT, "kind": self.kind}:
                raise InputError(
                    f"{self.folder} is no folder of a {self.kind} ({self.path.name} says {header.get('kind')!r}): name "
                    "another with --out"
                )
            return {str(json.loads(line)["made"]) for line in lines[:-1] if line}
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            if isinstance(error, InputError):
                raise
            raise InputError(
                f"{self.path} cannot be read ({error}): put a copy of it back, or name another folder with --out"
            ) from None

    def names(self) -> list[str]:
        """Return all names of the list."""
        return sorted(self._names or ())

    def __contains__(self, name: str) -> bool:
        return name in (self._names or ())

    def foreign(self, below: str = "") -> list[str]:
        """Return what is in the folder, or in one below it, and is not on the list."""
        folder = self.folder / below if below else self.folder
        if not folder.is_dir():
            return []
        names = (f"{below}/{path.name}" if below else path.name for path in folder.iterdir())
        ours = self._names or ()
        return sorted(
            name for name in names if name not in ours and name != MADE_FILES and not name.startswith(LOCK_PREFIX)
        )

    def claim(self, *names: str) -> None:
        """Put files or folders on the list, before they are made.

        Raises ``InputError`` where one is there already and is not on it: no run has made that.
        """
        new = [name for name in dict.fromkeys(names) if name not in self]
        for name in new:
            path = path_within(self.folder, name, str(self.path))
            if path.exists() or path.is_symlink():
                raise InputError(
                    f"{path} was not made by a {self.kind}, and would be replaced: move it away, or name another "
                    "folder with --out"
                )
        self.note(*new)

    def note(self, *names: str) -> None:
        """Put names on the list of what is there already, and was made by this run."""
        new = [name for name in dict.fromkeys(names) if name not in self]
        if not new and self._is_begun:
            return
        assert self._names is not None
        self._names.update(new)
        lines = [json.dumps({"made": name}) for name in (new if self._is_begun else sorted(self._names))]
        if not self._is_begun:
            lines.insert(0, json.dumps({"format": FORMAT, "kind": self.kind}))
        self.folder.mkdir(parents=True, exist_ok=True)
        _drop_cut_line(self.path)
        with self.path.open("a", encoding="utf-8") as file:
            file.write("".join(f"{line}\n" for line in lines))
            file.flush()
            os.fsync(file.fileno())
        if not self._is_begun:
            sync(self.folder)
        self._is_begun = True

    @contextmanager
    def noting(self, below: str) -> Iterator[None]:
        """Put what the block makes in a folder below this one on the list, also where it ends with an error.

        What it makes before it is killed is not put there.
        """
        before = self._files(below)
        try:
            yield
        finally:
            self.note(*sorted(self._files(below) - before))

    def _files(self, below: str) -> set[str]:
        return {path.relative_to(self.folder).as_posix() for path in (self.folder / below).rglob("*")}

    def remove(self, names: Iterable[str]) -> None:
        """Remove files, what a kill has left of them under their temporary names, and folders that are empty then.

        A name that is not on the list stays.
        """
        listed = [name for name in names if name in self]
        for name in sorted(listed, key=lambda name: -name.count("/")):
            path = path_within(self.folder, name, str(self.path))
            if path.is_dir() and not path.is_symlink():
                with suppress(OSError):  # what others have put there stays, and so does the folder
                    path.rmdir()
            else:
                path.unlink(missing_ok=True)
                temporary_name(path).unlink(missing_ok=True)


def _drop_cut_line(path: Path) -> None:
    """Cut off half a line that a kill has left, to which the next line would be appended."""
    with suppress(FileNotFoundError), path.open("rb+") as file:
        content = file.read()
        end = content.rfind(b"\n") + 1
        if end < len(content):
            file.truncate(end)
