"""Look through a folder before it is read: which files are reports, and which are left out, and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from curation.readers.documents.document_files import file_stem
from curation.readers.documents.refusals import RefusedFileError
from curation.runtime.errors import InputError

# Returns the name of a file's format; raises ``InputError`` for a file that is not read.
FindFormat = Callable[[Path], str]

TABLES = frozenset(("CSV", "JSON", "Parquet", "XLSX"))
TEXT = "text"
DAMAGED = "damaged"
TEXT_FOLDER = "folder of .txt files"
# Files beside reports that programs make, and files about them that people write.
LEFT_BEHIND = frozenset(("thumbs.db", "desktop.ini", "dicomdir"))
ABOUT = frozenset(("readme", "license", "licence", "changelog", "citation", "notice"))
# A folder with one of these is a caption set, which `ovct curate .` would find beside the reports.
SET_MARKS = ("manifest.json", ".work")
# Files of a kind that are named when they are left out.
NAMED = 3


@dataclass(slots=True)
class FolderSurvey:
    """What is in a folder: the names and formats of what can be read, and by reason the files that are not.

    ``damaged`` is what is wrong with the first file that is empty or cannot be opened.
    """

    files: list[tuple[str, str]] = field(default_factory=list)
    formats: Counter[str] = field(default_factory=Counter)
    damaged: str | None = None
    left_out: dict[str, list[str]] = field(default_factory=dict)
    counts: Counter[str] = field(default_factory=Counter)

    @property
    def has_documents(self) -> bool:
        """Whether documents are read, and tables are left out."""
        return any(name not in TABLES for name in self.formats)

    def is_read(self, file_format: str) -> bool:
        """Return whether files of a format are read; damaged ones are, since what is wrong with each is told then."""
        return file_format == DAMAGED or (file_format in TABLES) != self.has_documents

    def leave_out(self, reason: str, name: str) -> None:
        """Count a file that is not read."""
        self.counts[reason] += 1
        names = self.left_out.setdefault(reason, [])
        if len(names) < NAMED:
            names.append(name)

    def left_out_sentence(self) -> str | None:
        """Return which files are not read and why; None where all are."""
        if not self.counts:
            return None
        groups = (f"{self._names(reason)} ({reason})" for reason in self.left_out)
        total = self.counts.total()
        return f"left out {total:,} {'file' if total == 1 else 'files'}: {'; '.join(groups)}"

    def description(self) -> str:
        """Return what is read, such as "folder of 2 .txt, 1 RTF"."""
        read = Counter({name: count for name, count in self.formats.items() if self.is_read(name)})
        if read.keys() == {TEXT}:
            return TEXT_FOLDER
        parts = (f"{count:,} {'.txt' if name == TEXT else name}" for name, count in read.most_common())
        return f"folder of {', '.join(parts)}"

    def _names(self, reason: str) -> str:
        more = self.counts[reason] - len(self.left_out[reason])
        return ", ".join(self.left_out[reason]) + (f" and {more:,} more" if more else "")


def survey_folder(folder: Path, find_format: FindFormat) -> FolderSurvey:
    """Look at the beginning of each file of a folder."""
    survey = FolderSurvey()
    for path in files_below(folder):
        name = path.relative_to(folder).as_posix()
        if path.is_dir():
            survey.leave_out("a caption set", f"{name}/")
            continue
        try:
            if file_stem(path.name).lower() in ABOUT:
                raise RefusedFileError(path, "by its name no report")
            file_format = find_format(path)
            survey.formats[file_format] += 1
        except RefusedFileError as error:
            survey.leave_out(error.reason, name)
            continue
        except (InputError, OSError) as error:
            file_format = DAMAGED
            survey.damaged = survey.damaged or str(error)
        survey.files.append((name, file_format))
    if survey.has_documents:
        for name, file_format in survey.files:
            if file_format in TABLES:
                survey.leave_out(f"{file_format} beside documents: name the file to read it", name)
    return survey


def files_below(folder: Path) -> Iterator[Path]:
    """Yield all files below a folder that people put there, ordered by path; of caption sets, the folder alone.

    The names of one folder at a time are held. Links to folders are not followed, as they may lead back here.
    """
    entries = [(entry, entry.is_dir()) for entry in folder.iterdir() if not _is_hidden(entry.name)]
    for entry, is_folder in sorted(entries, key=lambda pair: pair[0].name + "/" * pair[1]):
        if not is_folder:
            if entry.is_file():
                yield entry
        elif any((entry / mark).exists() for mark in SET_MARKS):
            yield entry
        elif not entry.is_symlink():
            yield from files_below(entry)


def _is_hidden(name: str) -> bool:
    return name.startswith((".", "~$")) or name.lower() in LEFT_BEHIND or name == "__MACOSX"


def files_read(folder: Path, survey: FolderSurvey) -> Iterator[tuple[Path, str]]:
    """Yield the files that are read, each with its format, ordered by path."""
    return ((folder / name, file_format) for name, file_format in survey.files if survey.is_read(file_format))
