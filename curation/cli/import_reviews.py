"""`ovct import`: what reviewers made of a sample in another program, into the audit of its caption set."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from curation.runtime.terminal import say

from .errors import errors_reported
from .help import HelpCommand, command_group
from .options import VERDICTS_STAY, GeneralOptions, option_groups, refuse_set_in_store

if TYPE_CHECKING:
    from curation.audit.exchange.returned import Answers
    from curation.audit.store import AuditStore

import_reviews = command_group("Reviews from another program, into the audit of a caption set.")

CaptionsOption = Annotated[Path, typer.Option(metavar="DIR", help="The caption set whose sample was exported.")]
Reviewers = Annotated[
    list[str] | None,
    typer.Option(
        "--reviewer",
        metavar="[WHO=]NAME",
        help="Name in the audit; with several people, WHO is the account as the file has it. May be repeated.",
        show_default="the account",
    ),
]


@option_groups
def label_studio(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="What Label Studio exports as JSON.", show_default=False)
    ],
    captions: CaptionsOption = Path("captions"),
    reviewer: Reviewers = None,
    *,
    general: GeneralOptions,
) -> None:
    """Take verdicts, notes and corrections from an export of Label Studio; each annotator is a reviewer."""
    with errors_reported(general.debug, f"reviews that were saved stay in {captions}; the same command goes on"):
        from curation.audit.exchange.label_studio_answers import read_answers

        _take_in(captions, file, read_answers, reviewer, general.quiet)


@option_groups
def argilla(
    path: Annotated[
        Path,
        typer.Argument(
            metavar="DIR", help="Folder that `rg.Dataset.to_disk` has written, or its records.json.", show_default=False
        ),
    ],
    captions: CaptionsOption = Path("captions"),
    reviewer: Reviewers = None,
    *,
    general: GeneralOptions,
) -> None:
    """Take verdicts, notes and corrections from a dataset of Argilla 2 on disk; each user is a reviewer."""
    with errors_reported(general.debug, f"reviews that were saved stay in {captions}; the same command goes on"):
        from curation.audit.exchange.argilla_answers import read_dataset

        _take_in(captions, path, read_dataset, reviewer, general.quiet)


def _take_in(
    captions: Path,
    file: Path,
    read: Callable[[Path, AuditStore, Callable[[str], str]], Answers],
    reviewer: list[str] | None,
    quiet: bool,
) -> None:
    from curation.audit.exchange.exchange import take_in
    from curation.runtime.progress import TerminalProgress

    refuse_set_in_store(captions, VERDICTS_STAY)
    with TerminalProgress("reviews", quiet=quiet) as progress:
        taken = take_in(captions, file, read, reviewer or (), progress)
    if not quiet:
        for line in taken.lines():
            say(line)
        say(f"`ovct audit {captions} --summary` shows what comes of it")


import_reviews.command("label-studio", cls=HelpCommand)(label_studio)
import_reviews.command(cls=HelpCommand)(argilla)
