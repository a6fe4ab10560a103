"""`ovct export`: a caption set in the form of another program. `train.cli.export` adds models and data sets."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from curation.runtime.terminal import say

from .errors import errors_reported
from .help import HelpCommand, command_group
from .options import CaptionSetFolder, GeneralOptions, Overwrite, option_groups, refuse_store

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
        from curation.runtime.errors import InputError
        from curation.runtime.progress import TerminalProgress
        from curation.runtime.urls import is_url

        refuse_store(out, "the file")
        if is_url(folder):
            raise InputError(f"{folder}: copy the set to this machine first")
        with TerminalProgress("reports", quiet=general.quiet) as progress:
            counts = write_fhir(folder, out, progress, with_text=report_text, overwrite=overwrite)
        if not general.quiet:
            say(f"In {out}: {', '.join(f'{count:,} {kind}' for kind, count in counts.items())}")


export.command(cls=HelpCommand)(fhir)
