"""`ovct view`: a scan and its masks in the browser."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from curation.cli.errors import errors_reported
from curation.cli.options import GeneralOptions, option_groups
from curation.runtime.terminal import say

LOOKING = "Looking at the masks"
MILLION = 1_000_000
# Millions of voxels that a browser holds beside others, and that a page of bearable size has.
SERVED, IN_A_FILE = 128.0, 32.0


@dataclass(frozen=True)
class ViewOptions:
    """Whether masks are looked at once they are written."""

    view: Annotated[
        bool, typer.Option("--view", help="Then look at the masks, as `ovct view` does.", rich_help_panel=LOOKING)
    ] = False
    browser: Annotated[
        bool, typer.Option(help="With --view: open the page in the browser.", rich_help_panel=LOOKING)
    ] = True

    def refuse_many(self) -> None:
        """Raise InputError where many scans would have to be shown."""
        from curation.runtime.errors import InputError

        if self.view:
            raise InputError("--view shows one scan; of many, `ovct view MASK` shows each")

    def show(self, scan: Path, mask: Path, json: bool) -> None:
        """Serve the page until Ctrl-C, if that was asked for. With `json`, stdout is kept for that."""
        if self.view:
            serve_page(scan, [mask], browser=self.browser, is_told_on_stderr=json)


def serve_page(
    scan: Path,
    masks: Sequence[Path],
    *,
    most_voxels: float = SERVED,
    port: int | None = None,
    browser: bool = True,
    is_told_on_stderr: bool = False,
    names: str | None = None,
) -> None:
    """Serve the page of a scan and its masks until Ctrl-C, with so many million voxels."""
    from train.viewer.content import load_content
    from train.viewer.server import ViewServer
    from train.viewer.server import view as show

    with tempfile.TemporaryDirectory(prefix="ovct-view-") as folder:
        content = load_content(scan, masks, round(most_voxels * MILLION), Path(folder), names)
        show(content, ViewServer(port, browser), partial(say, err=is_told_on_stderr))


@option_groups
def view(
    paths: Annotated[
        list[Path],
        typer.Argument(
            metavar="SCAN [MASK]",
            help="The scan (.nii, .nii.gz, .mha, .mhd, .nrrd, or a DICOM series), then its masks: label maps, folders "
            "with a file for each structure, .seg.nrrd, DICOM SEG. A mask of `ovct segment` alone knows its scan.",
            show_default=False,
        ),
    ],
    out: Annotated[
        Path | None,
        typer.Option(
            "-o", "--out", metavar="FILE", help="Write the page as one file (.html) instead.", show_default=False
        ),
    ] = None,
    max_voxels: Annotated[
        float | None,
        typer.Option(
            min=0.001,
            metavar="N",
            help="Millions of voxels that are shown; a larger scan is shown coarser, and that is told.",
            show_default="128, in a file 32",
        ),
    ] = None,
    names: Annotated[
        str | None,
        typer.Option(
            metavar="SOURCE",
            help="What labels are called that their file does not name: totalsegmentator (the classes of version 2), "
            "or the path of nnU-Net's dataset.json.",
            show_default="dataset.json of the mask's data set",
        ),
    ] = None,
    port: Annotated[
        int | None,
        typer.Option(
            min=0, max=65535, metavar="PORT", help="Port on this machine; 0 takes a free one.", show_default="8766"
        ),
    ] = None,
    browser: Annotated[bool, typer.Option(help="Open the page in the browser.")] = True,
    *,
    general: GeneralOptions,
) -> None:
    """Look at a scan and its masks in the browser: three planes, 3-D, windows, structures on and off."""
    with errors_reported(general.debug, "nothing was written", extra="train"):
        from curation.runtime.errors import InputError
        from train.viewer.content import load_content, scan_and_masks
        from train.viewer.page import write_page

        if out is not None and out.suffix.lower() not in (".html", ".htm"):
            raise InputError(f"--out {out}: the page is one HTML file; give a name that ends in .html")
        if out is not None and port is not None:
            raise InputError("--out writes a file and --port serves: one at a time")
        scan, masks = scan_and_masks(paths)
        if out is None:
            serve_page(scan, masks, most_voxels=max_voxels or SERVED, port=port, browser=browser, names=names)
            return
        with tempfile.TemporaryDirectory(prefix="ovct-view-") as folder:
            most = round((max_voxels or IN_A_FILE) * MILLION)
            write_page(out, load_content(scan, masks, most, Path(folder), names))
        if not general.quiet:
            say(f"In {out}: {scan.name}, {out.stat().st_size / MILLION:,.1f} MB")
