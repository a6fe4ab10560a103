"""The files of a finished caption set that a repository gets, and what of the repository must make way for them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from curation.caption_set.audit_results import AUDIT, read_summary
from curation.caption_set.card import SCORE_PLOT, data_card
from curation.caption_set.kept_files import kept_files
from curation.caption_set.manifest import FILE_NAME, Manifest
from curation.caption_set.set_files import CARD_FILE, FILES_BESIDE_PARTS, PLOT_FILE, part_number, part_path, tables_of
from curation.runtime.digests import file_digest
from curation.runtime.errors import InputError

GIT_ATTRIBUTES = ".gitattributes"
AUDIT_PLOT = f"{AUDIT}/{SCORE_PLOT}"
"""The one file of an audit that a card shows. The audit itself, with the names of its reviewers, stays here."""


class PushedFile(NamedTuple):
    """A file by its name in the repository: its content, or the path of it, its size, and its SHA-256."""

    name: str
    content: Path | bytes
    bytes: int
    sha256: str


class RemoteFile(NamedTuple):
    """A file of the repository. ``sha256`` is known of large files, ``blob`` is Git's digest of the others."""

    name: str
    bytes: int
    blob: str
    sha256: str | None


def pushed_files(root: Path, manifest: Manifest, check: Callable[[], None]) -> list[PushedFile]:
    """Return the files of a finished set, whose parts were checked already: parts, manifest, card, plots, kept files.

    Raises ``SetError`` for a kept file that no run has written, ``InputError`` for a card by which nobody can load the
    set.
    """
    files = [
        _file_at(root, path, part.sha256.get(table), check)
        for index, part in enumerate(manifest.parts)
        for table in tables_of(manifest.settings)
        for path in [part_path(root, table, index)]
    ]
    beside = {FILE_NAME: None, **kept_files(root, manifest, check)}
    plots = [name for name in (PLOT_FILE, AUDIT_PLOT) if (root / name).is_file()]
    files += [
        _file_at(root, root / name, digest, check) for name, digest in (*beside.items(), *((p, None) for p in plots))
    ]
    card = _card(root, manifest)
    return sorted([*files, PushedFile(CARD_FILE, card, len(card), hashlib.sha256(card).hexdigest())])


def _file_at(root: Path, path: Path, digest: str | None, check: Callable[[], None]) -> PushedFile:
    name = path.relative_to(root).as_posix()
    return PushedFile(name, path, path.stat().st_size, digest or file_digest(path, check))


def _card(root: Path, manifest: Manifest) -> bytes:
    """Return the set's data card, written by hand or not; a new one where the set has none."""
    path = root / CARD_FILE
    if not path.is_file():
        has_plot = (root / AUDIT_PLOT).is_file()
        return data_card(manifest, read_summary(root, manifest), score_plot=has_plot).encode()
    content = path.read_bytes()
    configs = front_matter(content.decode("utf-8", "replace")).get("configs")
    named = (
        {str(one.get("data_files")) for one in configs if isinstance(one, dict)} if isinstance(configs, list) else ()
    )
    with_rows = [
        name for name, rows in (("captions", _captions(manifest)), ("reports", manifest.counts.reports)) if rows
    ]
    for table in with_rows:
        if not any(f"{table}/" in data_files for data_files in named):
            raise InputError(
                f"{path}: its front matter has no entry of `configs` with the data_files {table}/*.parquet, by which "
                "`load_dataset` finds the table. Put it there, or move the file away: a card is written anew for the "
                "repository"
            )
    return content


def _captions(manifest: Manifest) -> int:
    return sum(sum(statuses.values()) for statuses in manifest.counts.captions.values())


def front_matter(text: str) -> dict[str, Any]:
    """Return the YAML between the first two lines of ``---`` of a card; nothing where there is none."""
    lines = text.lstrip("\ufeff").splitlines()
    if not lines or lines[0].strip() != "---":
        return {}
    end = next((number for number, line in enumerate(lines[1:], 1) if line.strip() == "---"), 0)
    try:
        loaded = yaml.safe_load("\n".join(lines[1:end]))
    except yaml.YAMLError:
        return {}
    return loaded if isinstance(loaded, dict) else {}


def is_there(file: PushedFile, remote: RemoteFile | None) -> bool:
    """Return whether the repository has the file with this content."""
    if remote is None or remote.bytes != file.bytes:
        return False
    if remote.sha256 is not None:
        return remote.sha256 == file.sha256
    content = file.content if isinstance(file.content, bytes) else file.content.read_bytes()
    # What Git calls the SHA-1 of a blob.
    return remote.blob == hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()


def names_a_set(manifest: bytes) -> bool:
    """Return whether a file of a repository is the manifest of a caption set, of whatever version."""
    try:
        content = json.loads(manifest)
    except ValueError:
        return False
    return isinstance(content, dict) and str(content.get("format", "")).startswith("ovct caption set")


def files_to_remove(
    files: Iterable[PushedFile], remote: Mapping[str, RemoteFile], *, holds_set: bool, overwrite: bool, where: str
) -> list[str]:
    """Return the files of an earlier set that this one has not. What else the repository holds stays as it is.

    Raises ``InputError`` where files of another hand would be replaced (unless ``overwrite``) or loaded as rows.
    """
    ours = {file.name: file for file in files}
    tables = {name.partition("/")[0] for name in ours if part_number(name) is not None}
    if not holds_set and not overwrite:
        others = [name for name in sorted(ours) if name in remote and not is_there(ours[name], remote[name])]
        if others:
            raise InputError(
                f"{where} has a {others[0]} of its own and holds no caption set: name another repository, or replace "
                "its files that are called like one of the set's with --overwrite (its history keeps them)"
            )
    for name in sorted(remote.keys() - ours.keys()):
        if name.partition("/")[0] in tables and name.endswith(".parquet") and part_number(name) is None:
            raise InputError(
                f"{where}: {name} is no part of a caption set, and `load_dataset` would read it as one. Remove it "
                "there, or name another repository"
            )
    of_sets = {*FILES_BESIDE_PARTS, AUDIT_PLOT} if holds_set else set()
    return sorted(name for name in remote.keys() - ours.keys() if part_number(name) is not None or name in of_sets)
