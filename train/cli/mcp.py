"""`ovct mcp`: curate, verify, show and segment as tools for agents, by the Model Context Protocol."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from curation.cli.errors import errors_reported
from curation.cli.options import GeneralOptions, WordOptions, option_groups
from curation.runtime.terminal import say

from .mask_options import Device
from .segment_options import EngineOptions


@option_groups
def mcp(
    folder: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="FOLDER",
            help="Files below it may be read, and no others; may be repeated.",
            show_default="the current folder",
        ),
    ] = None,
    out_folder: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER",
            help="Caption sets and masks may be written here; nothing is replaced.",
            show_default="nothing is written",
        ),
    ] = None,
    device: Device = "auto",
    *,
    words: WordOptions,
    using: EngineOptions,
    general: GeneralOptions,
) -> None:
    """Offer curate, verify, show and segment to agents: a server of the Model Context Protocol on stdin and stdout."""
    with errors_reported(general.debug, "caption sets that were begun go on with the same call", extra="mcp"):
        from curation.mcp_server.allowed_paths import AllowedPaths
        from curation.mcp_server.caption_tools import SiteFiles
        from curation.mcp_server.server import captions_server, serve
        from train.mcp_tool import SegmentTool, add_segment

        paths = AllowedPaths(folder or [Path()], out_folder)
        server = captions_server(paths, SiteFiles(words.lexicon, words.organs))
        engine = using.engine if using.checkpoint or using.engine != "checkpoint" else None
        if engine is not None:
            _check_engine(using)
        add_segment(server, SegmentTool(paths, engine, using.checkpoint, using.fetch_weights, device))
        if sys.stdin.isatty() and not general.quiet:
            say("ovct mcp waits for a client on stdin; docs/pages/mcp.md says how one is told of it", err=True)
        serve(server)


def _check_engine(using: EngineOptions) -> None:
    """Raise ``InputError`` where the network that was named cannot be asked, before any client waits for it."""
    from curation.runtime.errors import InputError, extra_hint

    try:
        from train.inference.engines.opening import check_choice
    except ModuleNotFoundError as error:
        raise InputError(f"{error.name} is not installed: {extra_hint('train')}") from error
    check_choice(using.engine, using.checkpoint, fetch=using.fetch_weights)
    if using.checkpoint is not None and not using.checkpoint.exists():
        raise InputError(f"--checkpoint {using.checkpoint}: there is no such file or folder")
