"""Pushes a finished caption set to a data set repository of the Hugging Face hub, in one commit.

Large files go first, content by content; then one commit names all of them. So a push that breaks off changes nothing
that anybody can load, and the next one sends only what the hub has not got.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, NamedTuple

from curation.caption_set.finished_set import load_finished
from curation.caption_set.manifest import FILE_NAME, Manifest
from curation.caption_set.privacy_check import is_checked, privacy_warning, with_privacy
from curation.caption_set.resuming import check_set
from curation.caption_set.set_files import tables_of
from curation.runtime.errors import InputError, RunError
from curation.runtime.progress import Progress
from curation.runtime.provenance import ovct_version

from .client import HubClient, token_given
from .pushed_files import GIT_ATTRIBUTES, PushedFile, RemoteFile, files_to_remove, is_there, names_a_set, pushed_files

if TYPE_CHECKING:
    from huggingface_hub import CommitOperationAdd, CommitOperationCopy, DatasetInfo, HfApi

MAIN = "main"
FILES_AT_ONCE = 8
REPOSITORY = re.compile(r"[\w.-]{1,96}/[\w.-]{1,96}", re.ASCII)


@dataclass(frozen=True)
class PushJob:
    """What is pushed where. ``token`` and ``endpoint`` None: where the hub's client looks for them.

    ``private``: the repository is made private; one that is there must be so. ``allow_phi``: names, dates and numbers
    that the check finds are pushed. ``overwrite``: files of a repository that holds no caption set may be replaced.
    """

    root: Path
    repository: str
    private: bool = False
    revision: str = MAIN
    token: str | None = field(default=None, repr=False)
    allow_phi: bool = False
    overwrite: bool = False
    endpoint: str | None = None

    def __post_init__(self) -> None:
        if not REPOSITORY.fullmatch(self.repository):
            raise InputError(
                f"{self.repository}: a data set on the hub is called USER/NAME, of letters, digits, '-', '_' and '.'"
            )


class Pushed(NamedTuple):
    """What a push has done: files and bytes sent, files that were there already, files of an earlier set removed.

    ``commit`` is None where the repository had everything.
    """

    url: str
    commit: str | None
    files: int
    bytes: int
    present: int
    removed: int
    private: bool


def push_set(job: PushJob, progress: Progress) -> Pushed:
    """Push a set. Nothing of the repository changes before all files are there.

    Raises:
        ManifestError, SetError: there is no finished set, or a file of it is missing or damaged.
        InputError: names, dates or numbers stand in the set; the repository holds something else, is public, or must
            not be written.
        RunError: the hub cannot be reached or failed, or another push came between.
    """
    token = token_given(job.token)
    manifest = _checked_manifest(job, progress)
    files = pushed_files(job.root, manifest, progress.raise_if_interrupted)
    hub = HubClient(token, progress.raise_if_interrupted, job.endpoint)
    where = f"{hub.endpoint}/datasets/{job.repository}"
    info = _repository(hub, job, where)
    remote = _remote_files(hub, job, str(info.sha))
    holds_set = FILE_NAME in remote and names_a_set(_read_manifest(hub, job, str(info.sha)))
    removed = files_to_remove(files, remote, holds_set=holds_set, overwrite=job.overwrite, where=where)
    missing = [file for file in files if not is_there(file, remote.get(file.name))]
    private = bool(info.private)
    if not missing and not removed:
        return Pushed(where, None, 0, 0, len(files), 0, private)
    progress.start(len(files), len(files) - len(missing))
    additions = _send_files(hub, job, missing, progress)
    commit = _commit(hub, job, manifest, additions, removed, str(info.sha), where)
    size = sum(file.bytes for file in missing)
    return Pushed(where, commit, len(missing), size, len(files) - len(missing), len(removed), private)


def _checked_manifest(job: PushJob, progress: Progress) -> Manifest:
    """Return the manifest of a finished, whole set in which no identifier stands, or where that is allowed."""
    manifest = load_finished(job.root, "push")
    tables = tables_of(manifest.settings)
    check_set(job.root, manifest, tables, check=progress.raise_if_interrupted, tell=progress.warning)
    if not manifest.license:
        progress.message("the card states no licence of the reports; `ovct curate` again with --license ID writes it")
    if job.allow_phi:
        return manifest
    checked = manifest if is_checked(manifest) else with_privacy(job.root, manifest, progress.raise_if_interrupted)
    if sentence := privacy_warning(checked):
        raise InputError(
            f"{job.root} was not pushed: {sentence}\nIf they may leave this machine (the patterns also find what tells "
            "of nobody), push with --allow-phi"
        )
    return manifest


def _repository(hub: HubClient, job: PushJob, where: str) -> DatasetInfo:
    """Return the repository's head at the revision; it, and its branch, are made where they are not there."""

    def info(api: HfApi, revision: str) -> DatasetInfo:
        return api.dataset_info(job.repository, revision=revision)

    main = hub.find(lambda api: info(api, MAIN), where)
    if main is None:
        # The hub says "not found" too of what a token may not see; then it does not let us make it.
        make: dict[str, Any] = {"private": True} if job.private else {}
        hub.ask(lambda api: api.create_repo(job.repository, repo_type="dataset", exist_ok=True, **make), where)
        main = hub.ask(lambda api: info(api, MAIN), where)
    if job.private and not main.private:
        raise InputError(
            f"{where} is public: make it private in its settings, name another repository, or leave --private out"
        )
    if job.revision == MAIN:
        return main
    branch = f"{where}, branch {job.revision}"
    if (found := hub.find(lambda api: info(api, job.revision), branch)) is not None:
        return found
    hub.ask(
        lambda api: api.create_branch(job.repository, repo_type="dataset", branch=job.revision, exist_ok=True), branch
    )
    return hub.ask(lambda api: info(api, job.revision), branch)


def _remote_files(hub: HubClient, job: PushJob, commit: str) -> dict[str, RemoteFile]:
    from huggingface_hub.hf_api import RepoFile

    entries = hub.ask(
        lambda api: list(api.list_repo_tree(job.repository, recursive=True, revision=commit, repo_type="dataset")),
        job.repository,
    )
    found = (
        RemoteFile(one.path, one.size, one.blob_id, one.lfs.sha256 if one.lfs else None)
        for one in entries
        if isinstance(one, RepoFile)
    )
    return {file.name: file for file in found if file.name != GIT_ATTRIBUTES}


def _read_manifest(hub: HubClient, job: PushJob, commit: str) -> bytes:
    with TemporaryDirectory(prefix="ovct-") as folder:
        path = hub.ask(
            lambda api: api.hf_hub_download(
                job.repository, FILE_NAME, repo_type="dataset", revision=commit, local_dir=folder
            ),
            job.repository,
        )
        return Path(path).read_bytes()


def _send_files(
    hub: HubClient, job: PushJob, files: Sequence[PushedFile], progress: Progress
) -> list[CommitOperationAdd]:
    """Send the content of large files, some at a time; small ones go with the commit."""
    from huggingface_hub import CommitOperationAdd

    additions = [
        CommitOperationAdd(file.name, file.content if isinstance(file.content, bytes) else str(file.content))
        for file in files
    ]
    for first in range(0, len(additions), FILES_AT_ONCE):
        batch = additions[first : first + FILES_AT_ONCE]
        hub.ask(
            lambda api, batch=batch: api.preupload_lfs_files(  # type: ignore[misc]
                job.repository, batch, repo_type="dataset", revision=job.revision, free_memory=False
            ),
            job.repository,
        )
        for _ in batch:
            progress.advance()
    return additions


def _commit(
    hub: HubClient,
    job: PushJob,
    manifest: Manifest,
    additions: Sequence[CommitOperationAdd],
    removed: Sequence[str],
    parent: str,
    where: str,
) -> str:
    """Commit all files at once, on top of the commit that was looked at. Return the new commit."""
    from huggingface_hub import CommitOperationDelete

    operations: list[CommitOperationAdd | CommitOperationCopy | CommitOperationDelete] = [
        *additions,
        *(CommitOperationDelete(name) for name in removed),
    ]
    message = f"Caption set {manifest.identity()[:12]} by ovct {ovct_version()}"
    commit = hub.ask(
        lambda api: api.create_commit(
            job.repository,
            operations,
            commit_message=message,
            repo_type="dataset",
            revision=job.revision,
            parent_commit=parent,
        ),
        where,
    )
    if not commit.oid:
        raise RunError(f"{where}: the hub told no commit; look whether it is there, and run the same command again")
    return str(commit.oid)
