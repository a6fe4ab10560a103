"""A caption set's directory while a run writes it: one run at a time, resumable, and counted by its manifest alone."""

from __future__ import annotations

import errno
import os
import re
import shutil
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol, TextIO

from curation.caption import MadeBy, OutcomeColumns
from curation.report import Report
from curation.runtime.errors import OvctError
from curation.runtime.files import TEMPORARY_SUFFIX, whole_file
from curation.runtime.locks import LockedError, lock_file
from curation.runtime.provenance import versions

from .card import CARD, write_card
from .manifest import (
    FILE_NAME,
    CurationSettings,
    InputFingerprint,
    Manifest,
    ManifestError,
    Usage,
    differences,
    is_caption_set,
    load_manifest,
)
from .shards import TABLES, PartWriter, Table, part_path

WORK = ".work"
SKIPPED = "skipped.jsonl"
PLOT = "captions.png"
PROMPT = "prompt.yaml"
RESPONSES = "responses.sqlite"
PART_FILE = re.compile(r"part-(\d{5,})\.parquet")
# A manifest names all parts, so of ten thousand and more parts it is not written for each: a thousand times, and then
# a thousand times for each that there are as many again. What it does not name yet is made again after a kill.
PARTS_TOLD_AT_ONCE = 1_000
# What a set has beside its manifest and its parts.
CARD_FILES = (CARD, SKIPPED, PLOT, PROMPT)


class SetError(OvctError, ValueError):
    """The output folder cannot be used as it was asked for."""

    exit_code = 2


@contextmanager
def locked(root: Path) -> Iterator[Path]:
    """Hold the folder for this run; yields its work folder, which is kept while the set is unfinished.

    The kernel lets go of the lock when the process ends, however it ends.
    """
    work = root / WORK
    with _open_lock(work) as file:
        try:
            lock_file(file)
        except LockedError as error:
            raise SetError(f"{root} is being written by another run (process {error.holder})") from None
        if not _still_there(work / "lock", file):
            raise SetError(f"{root} was finished by another run just now; run the command again")
        try:
            yield work
        finally:
            if not _is_unfinished(root):
                _clear(root, work)


def _open_lock(work: Path) -> TextIO:
    try:
        work.mkdir(parents=True, exist_ok=True)
        return (work / "lock").open("a+", encoding="utf-8")
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise
        raise SetError(f"cannot write to {work.parent}: {error.strerror}; name another folder with --out") from None


def _still_there(path: Path, file: TextIO) -> bool:
    """Whether the locked file is the one at ``path``: the run before may have removed it when it was done."""
    return path.exists() and os.path.samestat(os.fstat(file.fileno()), path.stat())


def _is_unfinished(root: Path) -> bool:
    try:
        return not load_manifest(root).complete
    except ManifestError:
        return is_caption_set(root)


def check_usable(root: Path) -> None:
    """Refuse a folder that holds something else than a caption set. Touches nothing."""
    if root.exists() and not root.is_dir():
        raise SetError(f"{root} is a file; name a folder with --out")
    if root.is_dir() and not is_caption_set(root) and {entry.name for entry in root.iterdir()} - {WORK}:
        raise SetError(
            f"{root} is not empty and holds no caption set: nothing is written there. Name another with --out"
        )


def is_part(name: str) -> int | None:
    """The number of the part that a name below a set's folder is a file of."""
    table, _, file = name.partition("/")
    named = PART_FILE.fullmatch(file) if table in TABLES else None
    return int(named[1]) if named else None


class SetPublisher(Protocol):
    """A store that the set goes to; see ``curation.caption_set.publishing``."""

    @property
    def shown(self) -> str: ...
    def part(self, index: int, tables: Iterable[Table]) -> None: ...
    def drop(self, index: int, tables: Iterable[Table]) -> None: ...
    def put(self, path: Path) -> None: ...
    def manifest(self) -> None: ...
    def remove_leftovers(self, parts: int) -> None: ...
    def size(self, path: Path) -> int | None: ...


class CaptionSetWriter:
    """Where the rows of one run go, part by part. Made by ``open_set``."""

    def __init__(
        self, root: Path, work: Path, manifest: Manifest, since: float, publish: SetPublisher | None = None
    ) -> None:
        self.root = root
        self._publish = publish
        self.work = work
        self.manifest = manifest
        settings = manifest.settings
        self._made_by = MadeBy(settings.engine, settings.model, settings.prompt)
        self._part: PartWriter | None = None
        self._clock = since
        self.usage: Callable[[], Usage | None] = lambda: manifest.usage

    @property
    def reports_done(self) -> int:
        """Reports in finished parts: a resumed run leaves out so many from the start of its input."""
        return self.manifest.counts.reports

    @property
    def last_row(self) -> int:
        """Input row of the last report in a finished part, 0 when there is none."""
        return self.manifest.parts[-1].last_row if self.manifest.parts else 0

    def add(self, report: Report, outcome: OutcomeColumns) -> None:
        """Add the next report of the input; a part that is full is finished."""
        if self._part is None:
            index = len(self.manifest.parts)
            tables = tables_in(self.manifest.settings)
            self._part = PartWriter(self.root, index, self._made_by, self.manifest.source_columns, tables)
        self._part.add(report, outcome)
        if self._part.reports >= self.manifest.settings.reports_per_part:
            self._commit()

    def _commit(self) -> None:
        if self._part is None:
            return
        index, tables = len(self.manifest.parts), tables_in(self.manifest.settings)
        written = self._part.commit()
        self._part = None
        if self._publish:
            self._publish.part(index, tables)
        counts = self.manifest.counts.plus(written.part.reports, written.captions, written.rejects, written.repairs)
        parts = (*self.manifest.parts, written.part)
        changes = {"parts": parts, "counts": counts, "usage": self.usage(), "seconds": self._seconds()}
        self.manifest = self.manifest.model_copy(update=changes)
        if len(parts) % max(len(parts) // PARTS_TOLD_AT_ONCE, 1) == 0:
            self.manifest.save(self.root)
            if self._publish:
                self._publish.manifest()
        if self._publish:
            self._publish.drop(index, tables)

    def _seconds(self) -> float:
        now = time.monotonic()
        seconds, self._clock = self.manifest.seconds + now - self._clock, now
        return round(seconds, 3)

    def finish(self, skipped: int, warnings: int, problems: Iterator[bytes]) -> None:
        """Finish the last part, and write the list of problem rows and the data card; the set is then complete."""
        self._commit()
        if skipped or warnings:
            with whole_file(self.root / SKIPPED) as temporary, temporary.open("wb") as file:
                file.writelines(problems)
        known = {"complete": True, "skipped": skipped, "warnings": warnings, "seconds": self._seconds()}
        finished = datetime.now(UTC).isoformat(timespec="seconds")
        done = self.manifest.model_copy(update={**known, "usage": self.usage(), "finished": finished})
        complete(self.root, done, self._publish)
        self.manifest = done

    def abandon(self) -> None:
        """Drop the unfinished part."""
        if self._part is not None:
            self._part.discard()
            self._part = None


def complete(root: Path, manifest: Manifest, publish: SetPublisher | None) -> None:
    """Write the card of a finished set, and last the manifest that says so; put what is not rows into its store."""
    write_card(root, manifest)
    if publish:
        for name in (SKIPPED, PROMPT, CARD):
            publish.put(root / name)
    manifest.save(root)
    if publish:
        publish.manifest()


def _empty(work: Path) -> None:
    """Remove what an earlier run has left, but for a model's answers: the store itself knows whether they still fit."""
    for path in work.iterdir():
        if path.name != "lock" and not path.name.startswith(RESPONSES):
            path.unlink()


def _clear(root: Path, work: Path) -> None:
    """Remove the work folder of a finished set. Where answers are missing, the others are kept for another try."""
    with suppress(ManifestError, OSError):
        if load_manifest(root).counts.unanswered:
            _empty(work)
            (work / "lock").unlink()
            return
    shutil.rmtree(work, ignore_errors=True)


def remove_leftovers(root: Path, parts: int) -> None:
    """Remove files of ours that the manifest does not name."""
    remove_temporary(root)
    for table in TABLES:
        for path in (root / table).glob("part-*"):
            named = PART_FILE.fullmatch(path.name)
            if named and int(named[1]) >= parts:
                path.unlink()
    if not parts:
        for name in CARD_FILES:
            (root / name).unlink(missing_ok=True)


def remove_temporary(root: Path) -> None:
    """Remove files of parts that were never finished."""
    for table in TABLES:
        for path in (root / table).glob(f".part-*{TEMPORARY_SUFFIX}"):
            path.unlink()


def _size(path: Path) -> int | None:
    with suppress(FileNotFoundError):
        return path.stat().st_size
    return None


def check_parts(
    root: Path, manifest: Manifest, tables: Iterable[Table], size: Callable[[Path], int | None] = _size
) -> None:
    """Raise ``SetError`` where a file of a finished part is missing or not as long as it was written."""
    for index, part in enumerate(manifest.parts):
        for table in tables:
            path = part_path(root, table, index)
            if size(path) == part.bytes[table]:
                continue
            derived = manifest.complete and manifest.settings.prompt and table in ("captions", "rejects")
            way_out = f"make it anew with `ovct verify --replay {root}`" if derived else "start again with --overwrite"
            raise SetError(f"{path} is missing or not as it was written; {way_out}")


def tables_in(settings: CurationSettings) -> tuple[Table, ...]:
    """The tables of a set; answers of a model are only there where one was asked."""
    return TABLES if settings.prompt else TABLES[:-1]


def resumable(
    root: Path, source: InputFingerprint, settings: CurationSettings, publish: SetPublisher | None = None
) -> Manifest | None:
    """The manifest to go on from, ``None`` when there is none. Raises ``SetError`` when the set was made otherwise."""
    if not (root / FILE_NAME).exists():
        return None
    try:
        manifest = load_manifest(root)
    except ManifestError as error:
        raise SetError(str(error)) from None
    found = differences(manifest, source, settings)
    if found:
        what = "".join(f"\n  {difference}" for difference in found)
        where = publish.shown if publish else root
        raise SetError(f"{where} was made otherwise:{what}\nStart again with --overwrite, or name another with --out.")
    check_parts(root, manifest, tables_in(settings), publish.size if publish else _size)
    return manifest


@contextmanager
def open_set(
    root: Path,
    source: InputFingerprint,
    settings: CurationSettings,
    source_columns: Sequence[str],
    *,
    license: str | None = None,
    overwrite: bool = False,
    since: float | None = None,
    publish: SetPublisher | None = None,
) -> Iterator[CaptionSetWriter]:
    """Open a caption set to write it: a new one, or what an earlier run with the same input and settings has left.

    A ``license`` takes the place of one that was stated before. ``since`` is when the run began (``time.monotonic``,
    by default now). With ``publish`` the set goes to a store, and the folder is where it is made.

    Raises ``SetError`` when the folder holds something else, or another run holds the folder.
    """
    check_usable(root)
    with locked(root) as work:
        manifest = None if overwrite else resumable(root, source, settings, publish)
        if manifest is None:
            _empty(work)
            carried = tuple(source_columns)
            manifest = Manifest(
                input=source, settings=settings, versions=versions(), source_columns=carried, license=license
            )
            manifest.save(root)
        elif license not in (None, manifest.license):
            manifest = manifest.model_copy(update={"license": license})
            manifest.save(root)
        for table in tables_in(settings):
            (root / table).mkdir(exist_ok=True)
        remove_leftovers(root, len(manifest.parts))
        if publish:
            publish.manifest()
            publish.remove_leftovers(len(manifest.parts))
        captions = CaptionSetWriter(root, work, manifest, time.monotonic() if since is None else since, publish)
        try:
            yield captions
        finally:
            captions.abandon()
