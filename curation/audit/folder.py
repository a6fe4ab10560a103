"""The audit's folder beside a caption set: made when it is first needed, and written by one process at a time."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path
from sqlite3 import OperationalError

from curation.caption_set.audit_results import AUDIT
from curation.caption_set.finished_set import load_finished
from curation.caption_set.manifest import Manifest, load_manifest
from curation.caption_set.resuming import check_parts
from curation.caption_set.work_folder import SetError
from curation.runtime.errors import RunError
from curation.runtime.files import PRIVATE_FILE, PRIVATE_FOLDER, named_in_errors, temporary_name, write_text
from curation.runtime.locks import LockedError, locked
from curation.runtime.progress import Progress
from curation.runtime.sqlite_integrity import digest_file

from .sample import SAMPLED_TABLES, SampleRequest, draw_sample
from .store import STORE_FILE, AuditStore, AuditStoreError

GUIDELINE_FILE = "guideline.md"
LOCK_FILE = "lock"


def static_text(name: str) -> str:
    """Return the text of a file that comes with this package."""
    return files("curation.audit").joinpath("static", name).read_text(encoding="utf-8")


def finished_set(root: Path) -> Manifest:
    """Load the manifest of a caption set. Raises ``ManifestError``, and ``SetError`` where the set is unfinished."""
    return load_finished(root, "audit")


@contextmanager
def audit_to_read(root: Path) -> Iterator[AuditStore]:
    """Open the audit of a set as it is, also during a review. Raises ``AuditStoreError`` where there is none."""
    load_manifest(root)
    with closing(AuditStore(root / AUDIT / STORE_FILE)) as store:
        if store.fact("set") is None:
            raise AuditStoreError(f"{root} has not been audited yet: run `ovct audit {root}` first")
        yield store


def has_sample(root: Path) -> bool:
    """Return whether a sample of the set has been drawn."""
    path = root / AUDIT / STORE_FILE
    if not path.exists():
        return False
    with closing(AuditStore(path, new=True)) as store:
        return store.fact("set") is not None


@contextmanager
def audit_to_write(
    root: Path, request: SampleRequest, progress: Progress, *, redraw: bool = False
) -> Iterator[AuditStore]:
    """Open the audit of a set for this process alone, and draw its sample if need be.

    ``redraw`` keeps the earlier audit under a name with the date and begins a new one. Raises ``SetError`` where
    another process has the audit open, or where the sample was drawn with other options or from another state of the
    set.
    """
    manifest = finished_set(root)
    folder = root / AUDIT
    folder.mkdir(exist_ok=True, mode=PRIVATE_FOLDER)
    folder.chmod(PRIVATE_FOLDER)
    try:
        with named_in_errors(folder / STORE_FILE), locked(folder / LOCK_FILE, progress.raise_if_interrupted):
            temporary_name(digest_file(folder / STORE_FILE)).unlink(missing_ok=True)  # of a run that was killed
            (folder / LOCK_FILE).chmod(PRIVATE_FILE)
            if redraw:
                check_parts(root, manifest, SAMPLED_TABLES, check=progress.raise_if_interrupted)
                _rename_earlier_audit(folder / STORE_FILE)
            if not (folder / GUIDELINE_FILE).exists():
                write_text(folder / GUIDELINE_FILE, static_text(GUIDELINE_FILE), PRIVATE_FILE)
            _refuse_emptied(folder / STORE_FILE)
            with closing(AuditStore(folder / STORE_FILE, new=True)) as store:
                if store.lacks_digests:
                    progress.warning(
                        f"{store.path} is of an earlier version and lacked digests of its rows; it has them now"
                    )
                draw_sample(root, manifest, store, request, progress)
                yield store
    except LockedError as error:
        raise SetError(
            f"the audit of {root} is open already ({error.holder}): use the link that it printed, or end it "
            "first. Reviewers at the same time are named together: --reviewer ann --reviewer ben"
        ) from None
    except OperationalError as error:
        raise RunError(
            f"{folder / STORE_FILE} cannot be written ({error}): see to its disk and its permissions, and run the same "
            "command again; what was said is saved"
        ) from error


def _refuse_emptied(path: Path) -> None:
    """Raise ``AuditStoreError`` for a file of which nothing is left: a new audit would hide that."""
    if digest_file(path).exists() and (not path.exists() or not path.stat().st_size):
        raise AuditStoreError(
            f"{path} is gone, or empty, though {digest_file(path).name} tells of it: put a copy of it back, or begin "
            "anew with --redraw"
        )


def _rename_earlier_audit(path: Path) -> None:
    """Rename an earlier audit to a name with the date that is not in use."""
    if not path.exists() and not digest_file(path).exists():
        return
    stamp = datetime.now(UTC).strftime("%Y%m%d-%H%M%S")
    # A clock may stand still, or go back.
    places = (f"{stamp}-{number}" if number else stamp for number in itertools.count())
    stamp = next(place for place in places if not path.with_name(f"{path.stem}-{place}{path.suffix}").exists())
    for suffix in ("", "-wal", "-shm", "-journal", ".sha256"):
        part = path.with_name(path.name + suffix)
        if part.exists():
            part.rename(path.with_name(f"{path.stem}-{stamp}{path.suffix}{suffix}"))
