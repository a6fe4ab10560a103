"""Check whether a run may resume a caption set: same input, same settings, and the files of its parts as written."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from contextlib import suppress
from pathlib import Path

from curation.runtime.digests import do_nothing, file_digest

from .audit_results import damaged_summary
from .manifest import (
    FILE_NAME,
    CurationSettings,
    InputFingerprint,
    Manifest,
    ManifestError,
    is_caption_set,
    load_manifest,
)
from .set_files import DERIVED_FILES, TABLES, WORK_FOLDER, SetPublisher, TableName, part_path, tables_of
from .work_folder import SetError


def manifest_to_resume(
    root: Path,
    source: InputFingerprint,
    settings: CurationSettings,
    publisher: SetPublisher | None = None,
    *,
    digests: bool = True,
    check: Callable[[], None] = do_nothing,
    tell: Callable[[str], None] = do_nothing,
) -> Manifest | None:
    """Return the manifest that a run with this input and these settings resumes, None where no run has begun the set.

    With ``publisher`` it is the store that has to have the files of the finished parts, in the size that they had, and
    with the content where it may have changed (``StorePublisher.changed_file``). ``digests``, ``check`` and ``tell``
    are those of ``check_set``.

    Raises:
        SetError: the set was made from another input or with other settings, or files of it are missing or damaged.
    """
    if not (root / FILE_NAME).exists():
        return None
    try:
        manifest = load_manifest(root)
    except ManifestError as error:
        raise SetError(str(error)) from None
    changes = differences(manifest, source, settings)
    if changes:
        lines = "".join(f"\n  {change}" for change in changes)
        where = publisher.shown if publisher else root
        raise SetError(f"{where} was made otherwise:{lines}\nStart again with --overwrite, or name another with --out.")
    if publisher:
        check_stored(root, manifest, publisher, digests=digests, tell=tell)
    else:
        check_set(root, manifest, tables_of(settings), digests=digests, check=check, tell=tell)
    return manifest


def check_stored(
    root: Path,
    manifest: Manifest,
    publisher: SetPublisher,
    *,
    digests: bool = True,
    tell: Callable[[str], None] = do_nothing,
) -> None:
    """Raise ``SetError`` where the store lacks a file of the set, or has another."""
    tables = tables_of(manifest.settings)
    try:
        _check_sizes(root, manifest, tables, publisher.size_of)
    except SetError as error:
        raise SetError(str(error).replace(f"{root}/", f"{publisher.shown}/")) from None
    if not digests:
        return
    expected = {
        part_path(root, table, index): part.sha256[table]
        for index, part in enumerate(manifest.parts)
        for table in tables
        if table in part.sha256
    }
    if (changed := publisher.changed_file(expected, tell)) is not None:
        raise SetError(
            f"{publisher.shown}/{changed.relative_to(root).as_posix()} is not as it was written (its sha256 has "
            "changed); put a copy of it back, or start again with --overwrite"
        )


def _file_size(path: Path) -> int | None:
    with suppress(FileNotFoundError, NotADirectoryError):
        return path.stat().st_size
    return None


def check_set(
    root: Path,
    manifest: Manifest,
    tables: Iterable[TableName],
    *,
    digests: bool = True,
    check: Callable[[], None] = do_nothing,
    tell: Callable[[str], None] = do_nothing,
) -> None:
    """Check that the files of a set are as they were written: those of its parts, and what stands beside them.

    ``check`` is called while files are read, and may raise to stop. ``tell`` gets a sentence on a data card or plot
    that is another than was written, on results of an audit, and on a set of an earlier version, whose manifest has
    no digests. Without ``digests`` the sizes of the parts alone are compared.

    Raises ``SetError`` as ``check_parts``, and for a file beside the parts that is missing or changed.
    """
    check_parts(root, manifest, tables, digests=digests, check=check)
    if not digests:
        return
    if note := lacks_digests(root, manifest):
        tell(note)
    if note := damaged_summary(root):
        tell(note)
    for name, digest in (manifest.files or {}).items():
        if name in DERIVED_FILES:
            killed = (root / WORK_FOLDER).exists()  # a run may have replaced it, and not got to the manifest
            if not killed and (root / name).exists() and file_digest(root / name, check) != digest:
                tell(
                    f"{root / name} is not as it was written (changed by hand, or damaged): it stays as it is. Remove "
                    "it, and it is written anew with --overwrite"
                )
        elif not (root / name).is_file() or file_digest(root / name, check) != digest:
            raise SetError(f"{root / name} is missing or not as it was written (its sha256 has changed): put it back")


def lacks_digests(root: Path, manifest: Manifest) -> str | None:
    """Return a sentence on a set of an earlier version, whose manifest has no digests; None where it has all."""
    if manifest.has_digests or not manifest.parts:
        return None
    return (
        f"{root} was made by an earlier version: its manifest lacks the digests of its files, so that they are checked "
        "by their sizes alone"
    )


def check_parts(
    root: Path,
    manifest: Manifest,
    tables: Iterable[TableName],
    *,
    digests: bool = True,
    check: Callable[[], None] = do_nothing,
    only: Collection[int] | None = None,
) -> None:
    """Raise ``SetError`` where a file of a finished part is missing or not as it was written.

    Its size has to be the same and, with ``digests``, its SHA-256, where the manifest has it. With ``only`` parts with
    these numbers alone are looked at.
    """
    tables = tuple(tables)
    _check_sizes(root, manifest, tables, _file_size, only)
    for index, part in enumerate(manifest.parts if digests else ()):
        for table in tables if only is None or index in only else ():
            path, digest = part_path(root, table, index), part.sha256.get(table)
            if digest is not None and file_digest(path, check) != digest:
                raise _damaged(root, manifest, table, path, "its sha256 has changed")


def check_named_parts(path: Path, check: Callable[[], None] = do_nothing) -> None:
    """Raise ``SetError`` where a path names a part of a caption set, or the folder of a table, and one was changed.

    What is no part of a set is not looked at, nor what its manifest does not name.
    """
    folder = path if path.is_dir() else path.parent
    root = folder.parent
    if folder.name not in TABLES or not is_caption_set(root):
        return
    manifest, table = load_manifest(root), folder.name
    for index, part in enumerate(manifest.parts):
        file, digest = part_path(root, table, index), part.sha256.get(table)
        if path not in (folder, file) or digest is None:
            continue
        if not file.is_file() or file_digest(file, check) != digest:
            raise _damaged(root, manifest, table, file, "its sha256 has changed")


def _check_sizes(
    root: Path,
    manifest: Manifest,
    tables: Iterable[TableName],
    size_of: Callable[[Path], int | None],
    only: Collection[int] | None = None,
) -> None:
    tables = tuple(tables)
    for index, part in enumerate(manifest.parts):
        for table in tables if only is None or index in only else ():
            path = part_path(root, table, index)
            if (size := size_of(path)) == part.bytes[table]:
                continue
            what = "it is not there" if size is None else f"{size:,} bytes instead of {part.bytes[table]:,}"
            raise _damaged(root, manifest, table, path, what)


def _damaged(root: Path, manifest: Manifest, table: TableName, path: Path, what: str) -> SetError:
    derived = manifest.complete and manifest.settings.prompt and table in ("captions", "rejects")
    way_out = f"make it anew with `ovct verify --replay {root}`" if derived else "start again with --overwrite"
    return SetError(f"{path} is missing or not as it was written ({what}); {way_out}")


def differences(before: Manifest, source: InputFingerprint, settings: CurationSettings) -> list[str]:
    """Return in words the differences in input and settings that keep a run from resuming a caption set."""
    changes = []
    old, new = before.input, source
    if (old.sha256, old.bytes) != (new.sha256, new.bytes):
        changes.append(
            f"the input has changed: {old.name} ({old.bytes:,} bytes, sha256 {old.sha256[:12]}) then, "
            f"{new.name} ({new.bytes:,} bytes, sha256 {new.sha256[:12]}) now"
        )
    for name in CurationSettings.model_fields:
        was, now = getattr(before.settings, name), getattr(settings, name)
        if was != now:
            changes.append(f"{name.replace('_', ' ')}: {_shown(was)} then, {_shown(now)} now")
    return changes


def _shown(value: object) -> str:
    if isinstance(value, (tuple, list)):
        return " ".join(map(str, value)) or "none"
    if isinstance(value, str) and len(value) == 64:
        return value[:12]
    if isinstance(value, dict):
        return ", ".join(f"{name} {option}" for name, option in value.items()) or "none"
    return "none" if value is None else str(value)
