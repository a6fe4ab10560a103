"""The server of `ovct mcp`: its tools on reports and captions as the protocol has them, on stdin and stdout."""

from __future__ import annotations

import logging
from typing import Annotated, Literal

import anyio
from mcp.server.mcpserver import MCPServer
from mcp_types import ToolAnnotations
from pydantic import BaseModel, Field

from curation.runtime.provenance import ovct_version
from curation.runtime.terminal import EscapingFormatter
from curation.show.filters import ReportFilter

from .allowed_paths import AllowedPaths
from .caption_tools import MOST_CHARACTERS, CaptionTools, SiteFiles
from .results import CaptionPage, CurateAnswer, VerifyAnswer
from .running import CallContext, run_work

MOST_CAPTIONS = 200
MOST_SHOWN = 50

GivenPath = Annotated[str, Field(min_length=1, max_length=1000)]
ShortText = Annotated[str, Field(max_length=2000)]
Name = Annotated[str, Field(max_length=200)]


class ClaimedCaption(BaseModel):
    """A caption that is to be verified: what it says, and of which organ."""

    organ: Name
    caption: ShortText


def captions_server(paths: AllowedPaths, words: SiteFiles) -> MCPServer:
    """Return a server with the tools `curate`, `verify` and `show`; those on scans are added to it."""
    logging.basicConfig(level=logging.WARNING)
    for handler in logging.getLogger().handlers:
        handler.setFormatter(EscapingFormatter("ovct mcp: %(message)s"))
    server = MCPServer(
        "ovct",
        title="CT reports to grounded organ captions",
        version=ovct_version(),
        log_level="WARNING",
        instructions=_instructions(paths),
    )
    tools = CaptionTools(paths, words)
    _add_curate(server, tools, paths)
    _add_verify(server, tools)
    _add_show(server, tools)
    return server


def serve(server: MCPServer) -> None:
    """Serve on stdin and stdout until the client closes them; what else is printed meanwhile goes to stderr."""
    anyio.run(server.run_stdio_async)


def tool_annotations(title: str, paths: AllowedPaths | None = None) -> ToolAnnotations:
    """Return what a client is told of a tool; given ``paths``, it writes where these have a folder for output."""
    writes = paths is not None and paths.out_folder is not None
    return ToolAnnotations(
        title=title,
        read_only_hint=not writes,
        destructive_hint=False,
        idempotent_hint=True,
        open_world_hint=False,
    )


def _instructions(paths: AllowedPaths) -> str:
    folders = ", ".join(map(str, paths.folders))
    writing = (
        "Nothing is written: results are only returned."
        if paths.out_folder is None
        else f"What is given a name as `out` is written to {paths.out_folder}; nothing is replaced."
    )
    return (
        "Captions of single organs from CT reports, each held against the passage of its report that carries it, and "
        f"masks of structures in CT scans. Files are read below {folders}, relative paths count from the first. "
        f"{writing} Research software, not for clinical use."
    )


def _add_curate(server: MCPServer, tools: CaptionTools, paths: AllowedPaths) -> None:
    running = anyio.Lock()

    @server.tool(annotations=tool_annotations("Make captions of reports", paths))
    async def curate(
        context: CallContext,
        reports: Annotated[GivenPath | None, Field(description="file or folder of reports; or else `texts`")] = None,
        texts: Annotated[
            list[str] | None,
            Field(max_length=100, description=f"texts of reports, up to {MOST_CHARACTERS:,} characters"),
        ] = None,
        out: Annotated[
            Name | None, Field(description="name of the caption set in the folder for output; without it nothing stays")
        ] = None,
        limit: Annotated[int | None, Field(ge=1, description="take only so many reports")] = None,
        id_column: Annotated[Name | None, Field(description="column with the report's id; found by name")] = None,
        text_columns: Annotated[
            list[Name] | None, Field(max_length=20, description="columns with the report's text; found by name")
        ] = None,
    ) -> CurateAnswer:
        """Extract captions of single organs from CT reports by rules; each rests on a passage of its report.

        Returns counts and the first reports with their captions, accepted and refused (with the reason). Without `out`
        at most 100 reports are read. The same call goes on where it was stopped.
        """
        columns = {"id_column": id_column, "text_columns": tuple(text_columns or ())}
        return await run_work(
            context, lambda progress: tools.curate(progress, reports, texts, out, limit, columns), running
        )


def _add_verify(server: MCPServer, tools: CaptionTools) -> None:
    @server.tool(annotations=tool_annotations("Verify captions against a report"))
    async def verify(
        context: CallContext,
        report: Annotated[str, Field(max_length=MOST_CHARACTERS, description="text of the report")],
        captions: Annotated[list[ClaimedCaption], Field(min_length=1, max_length=MOST_CAPTIONS)],
    ) -> VerifyAnswer:
        """Check captions, whoever wrote them, against the text of their report.

        Accepted is only what the report says: organ, side, negation, size and qualifiers. A refused caption has a
        reason, a sentence about it, and the passage that comes nearest.
        """
        claims = [(one.organ, one.caption) for one in captions]
        return await run_work(context, lambda progress: tools.verify(report, claims))


def _add_show(server: MCPServer, tools: CaptionTools) -> None:
    @server.tool(annotations=tool_annotations("Show reports with their captions"))
    async def show(
        context: CallContext,
        captions: Annotated[GivenPath, Field(description="folder of a caption set")],
        report_ids: Annotated[list[Name] | None, Field(max_length=100, description="these reports alone")] = None,
        organ: Annotated[Name | None, Field(description="reports with a caption of this organ")] = None,
        status: Annotated[
            Literal["normal", "abnormal", "uncertain", "refused"] | None,
            Field(description="reports with a caption of this status (of that organ, if both are given)"),
        ] = None,
        words: Annotated[Name | None, Field(description="reports with all of these words, in any case")] = None,
        start: Annotated[Name, Field(description="`next` of the last answer, to go on from there")] = "1",
        limit: Annotated[int, Field(ge=1, le=MOST_SHOWN, description="most reports of an answer")] = 10,
    ) -> CaptionPage:
        """Read a caption set page by page: reports with all of their captions, their evidence, and what was refused.

        An answer has up to about 40,000 characters; `next` says where to go on.
        """
        wanted = ReportFilter(
            frozenset([organ] if organ else ()), frozenset([status] if status else ()), tuple((words or "").split())
        )
        return await run_work(
            context, lambda progress: tools.show(progress, captions, report_ids or (), wanted, start, limit)
        )
