"""Write a caption set: the reports of one run and their captions, part by part, in a folder that only this run writes.

The manifest alone decides what counts: a part is finished once the manifest names it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from curation.caption import MadeBy, OutcomeColumns
from curation.report import Report
from curation.runtime.digests import do_nothing
from curation.runtime.errors import RunError
from curation.runtime.files import whole_file
from curation.runtime.locks import HeldLock
from curation.runtime.provenance import versions

from .card import is_foreign_card, with_file, write_card
from .fingerprint import WatchedInput
from .kept_files import refuse_foreign_files
from .manifest import CurationSettings, InputFingerprint, Manifest, Usage
from .privacy_check import count_part, count_parts, count_problems, is_checked
from .records.privacy_counts import PrivacyCounts
from .resuming import manifest_to_resume
from .set_files import CARD_FILE, KEPT_FILES, PLOT_FILE, SKIPPED_FILE, SetPublisher, remove_leftovers, tables_of
from .shards import PartWriter
from .stats import MARK_BYTES, is_foreign_plot
from .work_folder import LockedSet, SetError, empty_work_folder, lock_set

# Up to twice so many parts the manifest is saved for each. It names all parts, so beyond that it is saved for every
# second, third … part: its size times the number of saves stays small. Parts that it does not name yet are made again
# after a kill.
PARTS_PER_SAVE = 1_000


class CaptionSetWriter:
    """Writes the reports of one run and their outcomes into a caption set, part by part. Made by ``open_set``.

    ``root`` is the set's folder, which this run has ``locked``, and ``work`` its folder for files of the unfinished
    run. ``usage`` is called for what a language model has done so far. ``watched`` is the input, if it may change under
    way: no part of this run counts then. ``since`` is when the run began (``time.monotonic``). With ``check_privacy``
    the names, dates and numbers in each finished part are counted.
    """

    def __init__(
        self,
        root: Path,
        locked: LockedSet,
        manifest: Manifest,
        since: float,
        publisher: SetPublisher | None = None,
        check_privacy: bool = False,
    ) -> None:
        self.root = root
        self.work = locked.work
        self._locked = locked
        self.manifest = self._found = manifest
        self.watched: WatchedInput | None = None
        self.usage: Callable[[], Usage | None] = lambda: manifest.usage
        self._publisher = publisher
        self._check_privacy = check_privacy
        settings = manifest.settings
        self._tables = tables_of(settings)
        self._made_by = MadeBy(settings.engine, settings.model, settings.prompt)
        self._part: PartWriter | None = None
        self._clock = since

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
            self._part = PartWriter(self.root, index, self._made_by, self.manifest.source_columns, self._tables)
        self._part.add(report, outcome)
        if self._part.reports >= self.manifest.settings.reports_per_part:
            self._commit()

    def _commit(self) -> None:
        """Finish the part: first its files, then the manifest that names it."""
        if self._part is None:
            return
        if self.watched and self.watched.path.is_file():  # of a folder, all files would be looked at for each part
            self._refuse_changed(self.watched)
        self._locked.lock.raise_if_lost()
        index = len(self.manifest.parts)
        written = self._part.commit(self._locked.lock.raise_if_lost)
        self._part = None
        privacy = self._with_counts(lambda: count_part(self.root, index, self._tables))
        if self._publisher:
            self._publisher.put_part(index, self._tables)
        counts = self.manifest.counts.plus(
            written.part.reports,
            written.captions,
            written.rejects,
            written.repairs,
            written.languages,
            written.bases,
        )
        parts = (*self.manifest.parts, written.part)
        changes = {"parts": parts, "counts": counts, "usage": self.usage(), "seconds": self._seconds()}
        self.manifest = self.manifest.model_copy(update={**changes, "privacy": privacy})
        if len(parts) % max(len(parts) // PARTS_PER_SAVE, 1) == 0:
            save_manifest(self.root, self.manifest, self._publisher, self._locked.lock.raise_if_lost)
        if self._publisher:
            self._publisher.drop_part(index, self._tables)

    def _with_counts(self, count: Callable[[], PrivacyCounts]) -> PrivacyCounts | None:
        before = self.manifest.privacy
        return (before or PrivacyCounts()).plus(count()) if self._check_privacy else before

    def _seconds(self) -> float:
        now = time.monotonic()
        seconds, self._clock = self.manifest.seconds + now - self._clock, now
        return round(seconds, 3)

    def finish(
        self, skipped: int, warnings: int, problems: Iterator[bytes], modalities: Mapping[str, int] | None = None
    ) -> None:
        """Finish the last part, and write the list of problem rows and the data card; the set is then complete.

        ``skipped`` counts the rows of the input that were not used, ``warnings`` those that were used all the same;
        ``problems`` are both as JSON lines. ``modalities`` counts the reports by what they examine with. Raises
        ``RunError`` where the input has changed meanwhile.
        """
        self._commit()
        if self.watched:
            self._refuse_changed(self.watched)
        if skipped or warnings:
            with whole_file(self.root / SKIPPED_FILE) as temporary, temporary.open("wb") as file:
                file.writelines(problems)
        privacy = self._with_counts(lambda: count_problems(self.root))
        changes = {
            "complete": True,
            "skipped": skipped,
            "warnings": warnings,
            "modalities": dict(modalities or {}),
            "seconds": self._seconds(),
            "usage": self.usage(),
            "privacy": privacy,
            "finished": datetime.now(UTC).isoformat(timespec="seconds"),
        }
        self._locked.lock.raise_if_lost()
        self.manifest = complete_set(self.root, self.manifest.model_copy(update=changes), self._publisher, ours=True)

    def _refuse_changed(self, watched: WatchedInput) -> None:
        """Raise ``RunError`` where the input has changed; the manifest then names no part of this run any more."""
        if watched.has_changed():
            self.manifest = self._found
            save_manifest(self.root, self.manifest, self._publisher)
            raise RunError(
                f"{watched.path} changed while it was read, so what was made of it does not count: put it back and run "
                "the same command again, or start again with --overwrite"
            )

    def abandon(self) -> None:
        """Remove the files of the unfinished part; they may be another run's where that has the folder now."""
        if self._part is not None:
            self._part.discard(remove=self._locked.lock.is_held)
            self._part = None


def complete_set(root: Path, manifest: Manifest, publisher: SetPublisher | None, *, ours: bool) -> Manifest:
    """Write the card of a finished set, and last the manifest that says so; put what is not rows into its store.

    Return that manifest. ``ours``: see ``write_card``.
    """
    for name in KEPT_FILES:
        if (root / name).exists():
            manifest = with_file(manifest, root / name)
    manifest = write_card(root, manifest, ours=ours)
    if publisher:
        for name in (*KEPT_FILES, CARD_FILE):
            publisher.put_file(root / name)
    save_manifest(root, manifest, publisher)
    return manifest


def save_manifest(
    root: Path, manifest: Manifest, publisher: SetPublisher | None, check: Callable[[], None] = do_nothing
) -> None:
    """Save the manifest, here and in the set's store; ``check`` as in ``Manifest.save``."""
    manifest.save(root, check)
    if publisher:
        publisher.put_manifest()


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
    publisher: SetPublisher | None = None,
    check_privacy: bool = False,
    checked: bool = False,
) -> Iterator[CaptionSetWriter]:
    """Open a caption set to write it: a new one, or what an earlier run with the same input and settings has left.

    Whether the set can be resumed is decided here, under its lock; a caller that asks ``manifest_to_resume`` before
    only learns it sooner, and says with ``checked`` that the digests of its files were compared. A ``license`` takes
    the place of one that was stated before. ``since`` is when the run began (``time.monotonic``, by default now). With
    ``publisher`` the set goes to a store, and is made in the folder. ``check_privacy`` counts the names, dates and
    numbers that are written, also in parts that were finished before.

    Raises:
        SetError: the folder holds something else or a set that was made otherwise, or another run writes it.
    """
    with lock_set(root) as locked:
        refuse_foreign_files(root, locked.left_behind)
        manifest = None if overwrite else manifest_to_resume(root, source, settings, publisher, digests=not checked)
        # This machine may have stood still meanwhile, for longer than it keeps the folder from others.
        locked.lock.raise_if_lost()
        if manifest is None:
            empty_work_folder(locked.work)
            manifest = Manifest(
                input=source,
                settings=settings,
                versions=versions(),
                source_columns=tuple(source_columns),
                license=license,
                files={},
            )
            manifest.save(root, locked.lock.raise_if_lost)
        elif license not in (None, manifest.license):
            manifest = manifest.model_copy(update={"license": license})
            manifest.save(root)
        if is_foreign_card(root):
            raise SetError(f"{root / CARD_FILE} is no data card of ours, and would be replaced: move it away")
        if _is_foreign_picture(root / PLOT_FILE):
            raise SetError(f"{root / PLOT_FILE} is no plot of ours, and would be replaced: move it away")
        _prepare_folder(root, manifest, publisher, locked.lock)
        if check_privacy and not publisher and not is_checked(manifest):  # parts that an earlier run made without it
            manifest = manifest.model_copy(update={"privacy": count_parts(root, manifest)})
        begun = time.monotonic() if since is None else since
        captions = CaptionSetWriter(root, locked, manifest, begun, publisher, check_privacy)
        try:
            yield captions
        finally:
            captions.abandon()


def _is_foreign_picture(path: Path) -> bool:
    """Return whether a plot's place is taken by what no run has drawn. Those of earlier versions name Matplotlib."""
    return is_foreign_plot(path) and not (path.is_file() and b"Matplotlib" in path.read_bytes()[:MARK_BYTES])


def _prepare_folder(root: Path, manifest: Manifest, publisher: SetPublisher | None, lock: HeldLock) -> None:
    """Make the folders of the tables and remove files that the manifest does not name, here and in the store."""
    for table in tables_of(manifest.settings):
        (root / table).mkdir(exist_ok=True)
    remove_leftovers(root, len(manifest.parts), lock.raise_if_lost)
    if publisher:
        publisher.put_manifest()
        publisher.remove_leftovers(len(manifest.parts))
