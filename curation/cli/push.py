"""`ovct push`: a finished caption set to the Hugging Face hub."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from curation.runtime.terminal import say

from .errors import errors_reported
from .options import PRIVACY, GeneralOptions, option_groups, refuse_set_in_store

if TYPE_CHECKING:
    from curation.export.hub.push import Pushed


@option_groups
def push(
    folder: Annotated[
        Path, typer.Argument(metavar="DIR", help="Folder of a finished caption set.", show_default=False)
    ],
    repository: Annotated[
        str, typer.Argument(metavar="USER/NAME", help="The data set on the hub; made if need be.", show_default=False)
    ],
    private: Annotated[
        bool,
        typer.Option("--private", help="Make it private; a repository that is there and public is refused."),
    ] = False,
    revision: Annotated[
        str, typer.Option(metavar="NAME", help="Branch to push to; made from main if need be.")
    ] = "main",
    token: Annotated[
        str | None,
        typer.Option(
            metavar="TOKEN",
            help="Token that may write, never printed or kept; env:VARIABLE takes it from the environment, out of "
            "sight of other users.",
            show_default="HF_TOKEN, or that of `hf auth login`",
        ),
    ] = None,
    overwrite: Annotated[
        bool,
        typer.Option(
            "--overwrite", help="Replace files of the same names in a repository that holds no caption set yet."
        ),
    ] = False,
    allow_phi: Annotated[
        bool,
        typer.Option(
            "--allow-phi",
            help="Push although names, dates or numbers that tell who somebody is were found in the set.",
            rich_help_panel=PRIVACY,
        ),
    ] = False,
    *,
    general: GeneralOptions,
) -> None:
    """Push a finished caption set to the Hugging Face hub, in one commit, for `load_dataset`."""
    unfinished = "nothing that others can load has changed; the same command sends what is missing"
    with errors_reported(general.debug, unfinished, "storage"):
        from curation.export.hub.push import PushJob, push_set
        from curation.runtime.progress import TerminalProgress

        refuse_set_in_store(folder)
        job = PushJob(folder, repository, private, revision, token, allow_phi, overwrite)
        with TerminalProgress("files", quiet=general.quiet) as progress:
            pushed = push_set(job, progress)
        if not general.quiet:
            say(_summary(pushed, job.repository, revision))


def _summary(pushed: Pushed, repository: str, revision: str) -> str:
    who = "private" if pushed.private else "public"
    if pushed.commit is None:
        return f"{pushed.url} ({who}) has this set already: nothing to do"
    facts = [f"{pushed.files:,} files ({pushed.bytes / 1e6:,.1f} MB) sent"]
    facts += [f"{pushed.present:,} were there"] if pushed.present else []
    facts += [f"{pushed.removed:,} of an earlier set removed"] if pushed.removed else []
    of_branch = "" if revision == "main" else f', revision="{revision}"'
    return (
        f"{pushed.url} ({who}): {', '.join(facts)}, commit {pushed.commit[:12]}\n"
        f'load_dataset("{repository}"{of_branch}) loads the captions'
    )
