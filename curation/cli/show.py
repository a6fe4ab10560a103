"""`ovct show`: reports with all of their captions, in the browser or as one file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from curation.runtime.terminal import say

from .errors import errors_reported
from .options import CaptionSetFolder, GeneralOptions, option_groups, refuse_set_in_store


@option_groups
def show(
    folder: CaptionSetFolder = Path("captions"),
    report_ids: Annotated[
        list[str] | None,
        typer.Argument(metavar="[REPORT_ID]...", help="Show these reports alone.", show_default="all of the set"),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "-o", "--out", metavar="FILE", help="Write the page as one file (.html) instead.", show_default=False
        ),
    ] = None,
    limit: Annotated[
        int | None,
        typer.Option(min=1, metavar="N", help="With --out: write so many reports.", show_default="100, or those named"),
    ] = None,
    port: Annotated[
        int | None,
        typer.Option(
            min=0, max=65535, metavar="N", help="Port of the page; 0 takes a free one.", show_default="8767, if free"
        ),
    ] = None,
    browser: Annotated[bool, typer.Option(help="Open the page in the browser.")] = True,
    *,
    general: GeneralOptions,
) -> None:
    """Show reports with all of their captions, in the browser: what each rests on, what was refused, what has none."""
    with errors_reported(general.debug, "nothing was written"):
        from curation.api.show import REPORTS_IN_A_PAGE
        from curation.runtime.errors import InputError
        from curation.runtime.progress import TerminalProgress
        from curation.show.page import write_page
        from curation.show.server import ShowServer
        from curation.show.server import show as serve_page
        from curation.show.set_reports import SetReports

        refuse_set_in_store(folder)
        if out is not None and out.suffix.lower() not in (".html", ".htm"):
            raise InputError(f"--out {out}: the page is one HTML file; give a name that ends in .html")
        if out is not None and port is not None:
            raise InputError("--out writes a file and --port serves: one at a time")
        if out is None and limit is not None:
            raise InputError("--limit: only with --out; the browser is shown the whole set")
        with TerminalProgress("reports", quiet=True) as progress:
            reports = SetReports(folder, report_ids or (), progress.raise_if_interrupted)
            if out is None:
                serve_page(reports, ShowServer(port, browser), progress, say)
                return
            written = write_page(out, reports, limit or (reports.total if report_ids else REPORTS_IN_A_PAGE))
        if not general.quiet:
            say(f"In {out}: {written:,} of {reports.total:,} reports, {out.stat().st_size / 1e6:,.1f} MB")
