"""The audit's folder beside a caption set: opened by one process at a time, made when it is first wanted."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path

from curation.caption_set.audit_results import AUDIT
from curation.caption_set.manifest import Manifest, load_manifest
from curation.caption_set.writer import SetError, check_parts
from curation.runtime.files import write_text
from curation.runtime.locks import LockedError, lock_file
from curation.runtime.progress import Progress

from .drawing import DRAWN_FROM, Wanted, draw_sample
from .store import FILE, Store, StoreError

GUIDELINE = "guideline.md"
LOCK = "lock"


def finished_set(root: Path) -> Manifest:
    """The manifest of a caption set that is whole. Raises ``ManifestError`` and ``SetError``."""
    manifest = load_manifest(root)
    if not manifest.complete:
        raise SetError(f"{root} is unfinished; run the same `ovct curate` again to finish it, then audit it")
    return manifest


@contextmanager
def audit_to_read(root: Path) -> Iterator[Store]:
    """The audit of a set as it is, also while somebody reviews. Raises ``StoreError`` where there is none."""
    load_manifest(root)
    with closing(Store(root / AUDIT / FILE)) as store:
        if store.fact("set") is None:
            raise StoreError(f"{root} has not been audited yet: run `ovct audit {root}` first")
        yield store


@contextmanager
def audit_to_write(root: Path, wanted: Wanted, progress: Progress, *, redraw: bool = False) -> Iterator[Store]:
    """The audit of a set, with its sample drawn, for this process alone.

    ``redraw`` sets aside what is there, under a name with the date. Raises ``SetError`` where another process has it,
    or where the sample was drawn otherwise or from another state of the set.
    """
    manifest = finished_set(root)
    folder = root / AUDIT
    folder.mkdir(exist_ok=True)
    try:
        with (folder / LOCK).open("a+", encoding="utf-8") as file:
            lock_file(file)
            if redraw:
                check_parts(root, manifest, DRAWN_FROM)
                _set_aside(folder / FILE)
            if not (folder / GUIDELINE).exists():
                text = files("curation.audit").joinpath(GUIDELINE).read_text(encoding="utf-8")
                write_text(folder / GUIDELINE, text)
            with closing(Store(folder / FILE, new=True)) as store:
                draw_sample(root, manifest, store, wanted, progress)
                yield store
    except LockedError as error:
        raise SetError(
            f"the audit of {root} is open already (process {error.holder}): use the link that it printed, or end it "
            "first. Reviewers at the same time are named together: --reviewer ann --reviewer ben"
        ) from None


def _set_aside(path: Path) -> None:
    """Keep an earlier audit under a name that is free."""
    if not path.exists():
        return
    stamp = datetime.now(UTC).strftime("%Y%m%d-%H%M%S")
    taken = len(list(path.parent.glob(f"{path.stem}-{stamp}*{path.suffix}")))
    stamp += f"-{taken}" if taken else ""
    for suffix in ("", "-wal", "-shm"):
        part = path.with_name(path.name + suffix)
        if part.exists():
            part.rename(path.with_name(f"{path.stem}-{stamp}{path.suffix}{suffix}"))
