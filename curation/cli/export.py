"""`ovct export`: a caption set in the form of another program. `train.cli.export` adds models and data sets."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from curation.runtime.terminal import say

from .errors import errors_reported
from .help import HelpCommand, command_group
from .options import CaptionSetFolder, GeneralOptions, Overwrite, option_groups, refuse_set_in_store, refuse_store

export = command_group("Captions, models and data sets in the form of other programs.")


@option_groups
def fhir(
    folder: CaptionSetFolder = Path("captions"),
    out: Annotated[
        Path, typer.Option("-o", "--out", metavar="FILE", help="File of resources, one a line (NDJSON).")
    ] = Path("captions.ndjson"),
    report_text: Annotated[
        bool, typer.Option(help="Put the report's text, which offsets belong to, into each DiagnosticReport.")
    ] = True,
    overwrite: Overwrite = False,
    *,
    general: GeneralOptions,
) -> None:
    """Write captions as FHIR R4 Observations with SNOMED CT codes of organs, their evidence, and provenance."""
    with errors_reported(general.debug, f"{out} was not written"):
        from curation.export.fhir_file import write_fhir
        from curation.runtime.progress import TerminalProgress

        refuse_store(out, "the file")
        refuse_set_in_store(folder)
        with TerminalProgress("reports", quiet=general.quiet) as progress:
            counts = write_fhir(folder, out, progress, with_text=report_text, overwrite=overwrite)
        if not general.quiet:
            say(f"In {out}: {', '.join(f'{count:,} {kind}' for kind, count in counts.items())}")


SampleSize = Annotated[
    int | None,
    typer.Option(
        min=1,
        metavar="N",
        help="Accepted captions to review, as in `ovct audit`; a larger number later adds to them.",
        show_default="as drawn, else 100",
    ),
]
FilledIn = Annotated[
    str | None,
    typer.Option(
        metavar="NAME", help="Fill in the verdicts, notes and corrections of this reviewer.", show_default="none"
    ),
]


@option_groups
def label_studio(
    folder: CaptionSetFolder = Path("captions"),
    out: Annotated[
        Path, typer.Option("-o", "--out", metavar="FILE", help="File of tasks (.json); the configuration is beside it.")
    ] = Path("tasks.json"),
    sample: SampleSize = None,
    reviewer: FilledIn = None,
    overwrite: Overwrite = False,
    *,
    general: GeneralOptions,
) -> None:
    """Write the audit's sample as tasks of Label Studio; `ovct import label-studio` takes the reviews back."""
    with errors_reported(general.debug, f"{out} was not written"):
        from curation.audit.exchange.exchange import audit_to_hand_out
        from curation.audit.exchange.label_studio_tasks import write_tasks
        from curation.runtime.progress import TerminalProgress

        refuse_store(out, "the file")
        refuse_set_in_store(folder)
        with (
            TerminalProgress("reports", quiet=general.quiet) as progress,
            audit_to_hand_out(folder, sample, reviewer, progress) as audit,
        ):
            config, tasks, items = write_tasks(
                audit.store, out, audit.system_of, progress, reviewer=audit.reviewer, overwrite=overwrite
            )
        if not general.quiet:
            say(f"In {out}: {tasks:,} tasks with {items:,} captions; {config} configures the project")


@option_groups
def argilla(
    folder: CaptionSetFolder = Path("captions"),
    out: Annotated[Path, typer.Option("-o", "--out", metavar="DIR", help="Folder of the dataset.")] = Path("argilla"),
    sample: SampleSize = None,
    reviewer: FilledIn = None,
    overwrite: Overwrite = False,
    *,
    general: GeneralOptions,
) -> None:
    """Write the audit's sample as a dataset of Argilla 2 on disk; `ovct import argilla` takes the reviews back."""
    with errors_reported(general.debug, f"{out} holds no whole export"):
        from curation.audit.exchange.argilla_records import write_dataset
        from curation.audit.exchange.exchange import audit_to_hand_out
        from curation.runtime.progress import TerminalProgress

        refuse_store(out, "the dataset")
        refuse_set_in_store(folder)
        with (
            TerminalProgress("captions", quiet=general.quiet) as progress,
            audit_to_hand_out(folder, sample, reviewer, progress) as audit,
        ):
            name = f"ovct-{folder.resolve().name}"
            count = write_dataset(
                audit.store, out, name, audit.system_of, progress, reviewer=audit.reviewer, overwrite=overwrite
            )
        if not general.quiet:
            say(f"In {out}: {count:,} records; rg.Dataset.from_disk('{out}') puts them on a server of Argilla")


export.command(cls=HelpCommand)(fhir)
export.command("label-studio", cls=HelpCommand)(label_studio)
export.command(cls=HelpCommand)(argilla)
