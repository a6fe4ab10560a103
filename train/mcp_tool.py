"""The tool `segment` of `ovct mcp`: masks of one scan, by the engine that whoever starts the server chose."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import anyio
from mcp.server.mcpserver import MCPServer
from pydantic import BaseModel, ConfigDict, Field

from curation.mcp_server.allowed_paths import AllowedPaths
from curation.mcp_server.running import CallContext, run_work
from curation.mcp_server.server import GivenPath, Name, tool_annotations
from curation.runtime.errors import InputError
from curation.runtime.progress import Progress

from .inference.label_table import LabelRow

if TYPE_CHECKING:
    from .inference.engines.engine import MaskEngine
    from .inference.options import SegmentOptions
    from .inference.prompts import SegmentPrompt

MOST_PROMPTS = 50
MOST_WARNINGS = 20
HEADERS = (".mha", ".mhd", ".nrrd", ".nhdr")


class SegmentAnswer(BaseModel):
    """What one scan came to: a row for each prompt (volume in ml, mean HU), warnings, and which files were written."""

    model_config = ConfigDict(frozen=True)

    scan: str
    weights: str
    labels: tuple[LabelRow, ...]
    files: tuple[str, ...]
    warnings: tuple[str, ...]
    failed: tuple[str, ...] = ()


@dataclass
class SegmentTool:
    """Does the work of the tool. The engine is opened at the first call; ``engine`` is None where there is none."""

    paths: AllowedPaths
    engine: str | None
    checkpoint: Path | None
    fetch_weights: bool
    device: str
    _opened: MaskEngine | None = None
    _opening: threading.Lock = field(default_factory=threading.Lock)

    def segment(self, progress: Progress, scan: str, prompts: list[str], out: str | None) -> SegmentAnswer:
        """Segment a scan; without ``out`` no mask is written."""
        if self.engine is None:
            raise InputError(
                "this server has no network: start it with ovct mcp --checkpoint PATH, the folder that `ovct train "
                "segment` wrote, or with --engine totalsegmentator"
            )
        from .inference.prompts import checked_prompts
        from .scans.scan import read_scan

        path = self.paths.to_read(scan)
        check_data_files(path, self.paths)
        asked = checked_prompts(prompts)
        if out is not None:
            return self._written(progress, path, asked, out)
        engine, options = self._engine()
        engine.check(asked, options)
        progress.raise_if_interrupted()
        read = read_scan(path, uneven_slices=options.uneven_slices)
        record = engine.segment(read, asked, options, progress=progress).record
        return SegmentAnswer(
            scan=record.scan,
            weights=record.weights,
            labels=record.labels,
            files=(),
            warnings=record.warnings[:MOST_WARNINGS],
        )

    def _written(self, progress: Progress, scan: Path, prompts: tuple[SegmentPrompt, ...], out: str) -> SegmentAnswer:
        from .inference.jobs import SegmentJob
        from .inference.outputs import ENDINGS, Outputs
        from .inference.run_jobs import check_job, run_job

        name = out if out.lower().endswith(ENDINGS) else f"{out}.nii.gz"
        outputs = Outputs(self.paths.to_write(name))
        job = SegmentJob(scan, prompts, outputs)
        for path in outputs.files(prompts):
            self.paths.to_write(path.name)
        engine, options = self._engine()
        check_job(job, engine, options)
        report = run_job(job, engine, options, progress)
        return SegmentAnswer(
            scan=report.scan,
            weights=report.weights,
            labels=report.labels,
            files=report.files,
            warnings=report.warnings[:MOST_WARNINGS],
            failed=report.failed,
        )

    def _engine(self) -> tuple[MaskEngine, SegmentOptions]:
        from .inference.engines.opening import open_engine_named
        from .inference.options import SegmentOptions

        options = SegmentOptions(device=self.device)
        with self._opening:
            if self._opened is None:
                name = self.engine or ""
                self._opened = open_engine_named(name, self.checkpoint, options, fetch=self.fetch_weights)
            return self._opened, options


def check_data_files(path: Path, paths: AllowedPaths) -> None:
    """Raise ``InputError`` where a header names a file of voxels that is a link to one that may not be read.

    Names that lead out of the header's folder are refused wherever scans are read (``ScanError``); of a folder, all
    links were looked at before.
    """
    from .scans.itk.data_files import data_files

    if path.is_file() and path.suffix.lower() in HEADERS:
        for file in data_files(path) or ():
            paths.check(file)


def add_segment(server: MCPServer, tool: SegmentTool) -> None:
    """Add the tool to a server."""
    running = anyio.Lock()  # one scan at a time: the memory of a GPU is not for two

    @server.tool(annotations=tool_annotations("Segment structures in a CT scan", tool.paths))
    async def segment(
        context: CallContext,
        scan: Annotated[GivenPath, Field(description=".nii.gz, .nii, .mha, .mhd, .nrrd, or a DICOM series")],
        prompts: Annotated[
            list[Name], Field(min_length=1, max_length=MOST_PROMPTS, description='such as "left kidney"')
        ],
        out: Annotated[
            Name | None, Field(description="name of the label map in the folder for output; without it none is written")
        ] = None,
    ) -> SegmentAnswer:
        """Segment structures in a CT scan by free text.

        Returns for each prompt whether it is there, its volume (ml) and its mean density (HU). With `out` the masks are
        written as one label map on the scan's own grid, with a table beside it.
        """
        return await run_work(context, lambda progress: tool.segment(progress, scan, prompts, out), running)
