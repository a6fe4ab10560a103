"""Check whether a run may resume a caption set: same input, same settings, and the files of its parts as written."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path

from .manifest import (
    FILE_NAME,
    CurationSettings,
    InputFingerprint,
    Manifest,
    ManifestError,
    load_manifest,
)
from .set_files import SetPublisher, TableName, part_path, tables_of
from .work_folder import SetError


def manifest_to_resume(
    root: Path, source: InputFingerprint, settings: CurationSettings, publisher: SetPublisher | None = None
) -> Manifest | None:
    """Return the manifest that a run with this input and these settings resumes, None where no run has begun the set.

    With ``publisher`` it is the store that has to have the files of the finished parts.

    Raises:
        SetError: the set was made from another input or with other settings, or files of it are missing.
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
    check_parts(root, manifest, tables_of(settings), publisher.size_of if publisher else _file_size)
    return manifest


def _file_size(path: Path) -> int | None:
    with suppress(FileNotFoundError):
        return path.stat().st_size
    return None


def check_parts(
    root: Path, manifest: Manifest, tables: Iterable[TableName], size_of: Callable[[Path], int | None] = _file_size
) -> None:
    """Raise ``SetError`` where a file of a finished part is missing or not as long, in bytes, as it was written."""
    for index, part in enumerate(manifest.parts):
        for table in tables:
            path = part_path(root, table, index)
            if size_of(path) == part.bytes[table]:
                continue
            derived = manifest.complete and manifest.settings.prompt and table in ("captions", "rejects")
            way_out = f"make it anew with `ovct verify --replay {root}`" if derived else "start again with --overwrite"
            raise SetError(f"{path} is missing or not as it was written; {way_out}")


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
