"""Tell which file of a folder has the newest version of a report, where each file has a message or document of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

from curation.readers.exports.newest import NewestVersions
from curation.readers.rows import DamagedError, NoteProblem, Table, TableRow
from curation.runtime.errors import InputError

OpenFile = Callable[[Path, NoteProblem], AbstractContextManager[Table]]
# Gives the files that are read, each with the name of its format, ordered by path.
Files = Callable[[], Iterator[tuple[Path, str]]]

# Formats whose reports say which version of them is newer.
VERSIONED = frozenset(("HL7 v2", "FHIR", "CDA", "DICOM SR"))
# Bits for the number of a row beside that of its file.
ROW_BITS = 32


def ignore_problem(row: int | None, problem: str, *, kept: bool = False, file: str | None = None) -> None:
    """Do nothing with a problem that is told when the file is read."""


class FolderVersions:
    """Knows the newest version of each report of a folder; files of one format only can be compared.

    Files are opened once more for it, and the names of those that have versions are held.
    """

    def __init__(self, files: Files, open_file: OpenFile) -> None:
        self._newest: dict[str, NewestVersions] = {}
        self._names: list[str] = []
        self._bases: dict[str, int] = {}
        for path, file_format in files():
            if file_format in VERSIONED:
                self._add(path, file_format, open_file)

    def _add(self, path: Path, file_format: str, open_file: OpenFile) -> None:
        base = self._bases[str(path)] = len(self._names) << ROW_BITS
        self._names.append(str(path))
        try:
            with open_file(path, ignore_problem) as table:
                if table.newest is None:
                    return
                if file_format not in self._newest:
                    self._newest[file_format] = NewestVersions(time_first=table.newest.time_first)
                for key, version in table.newest.items():
                    self._newest[file_format].offer(key, version._replace(number=base + version.number))
        except (InputError, DamagedError, OSError):
            return  # told when the file is read

    def newer(self, path: Path, file_format: str, row: TableRow) -> str | None:
        """Return why a row is not used, None where it is the newest version of its report."""
        if not row.version_key or file_format not in self._newest:
            return None
        version = self._newest[file_format].newest(row.version_key)
        if version is None or version.number == self._bases[str(path)] + row.number:
            return None
        where = Path(self._names[version.number >> ROW_BITS]).name
        return f"{where} {'withdraws this report' if version.withdrawn else 'has a newer version of it'}; left out"
