"""`ovct segment`: masks of one scan or of many, by free text; and what may be asked of a checkpoint."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from curation.cli.errors import errors_reported
from curation.cli.options import (
    GeneralOptions,
    Json,
    option_groups,
    print_json,
    refuse_store,
)
from curation.runtime.terminal import say

from .segment_options import EngineOptions, MaskOptions, OutputOptions
from .view import ViewOptions

if TYPE_CHECKING:
    from train.inference.engines.engine import MaskEngine
    from train.inference.engines.known_prompts import KnownPrompts
    from train.inference.jobs import PromptSource, SegmentJob
    from train.inference.options import SegmentOptions
    from train.inference.outputs import Outputs
    from train.inference.run_jobs import JobsReport, SegmentReport
    from train.inference.scan_folder import FolderScans


@option_groups
def segment(
    ct: Annotated[
        Path | None,
        typer.Argument(
            metavar="CT",
            help=".nii, .nii.gz, .mha, .mhd, .nrrd, a DICOM series (folder, zip or a file), or a folder of scans.",
            show_default=False,
        ),
    ] = None,
    prompt: Annotated[
        list[str] | None,
        typer.Option(metavar="TEXT", help="What to segment, in free text; may be repeated.", show_default=False),
    ] = None,
    prompts: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Prompts, one a line: `prompt` or `name: prompt`; # comments.", show_default=False
        ),
    ] = None,
    everything: Annotated[
        bool,
        typer.Option("--all", help="Ask for all structures of the training; if unknown, TotalSegmentator's 117."),
    ] = False,
    out: Annotated[
        Path | None,
        typer.Option(
            "-o",
            "--out",
            metavar="FILE",
            help="Label map (.nii.gz, .nii, .seg.nrrd), DICOM SEG (.dcm), or with --separate a folder; a label table "
            "(.json) comes beside it. For a folder of scans a folder, with NAME.nii.gz of each.",
            show_default="mask.nii.gz, or masks",
        ),
    ] = None,
    jobs: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Instead of CT and --out: many scans, .csv, .jsonl or .json with ct, out and, if they differ, prompts "
            "(a|b). Those that are done are skipped.",
            show_default=False,
        ),
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace files that are there.")] = False,
    list_prompts: Annotated[
        bool,
        typer.Option(
            "--list-prompts", help="Only show what is known by name: structures, groups of them, and other names."
        ),
    ] = False,
    *,
    using: EngineOptions,
    writing: OutputOptions,
    masks: MaskOptions,
    viewing: ViewOptions,
    json: Json = False,
    general: GeneralOptions,
) -> None:
    """Segment CT volumes by free text."""
    with errors_reported(general.debug, "files that were finished are whole, others were not written", extra="train"):
        from curation.runtime.errors import InputError
        from train.inference.engines.known_prompts import known_prompts
        from train.inference.engines.opening import check_choice
        from train.inference.jobs import PromptSource
        from train.inference.options import SegmentOptions, precision_named, uneven_slices_named
        from train.inference.scan_folder import scans_in

        check_choice(using.engine, using.checkpoint, fetch=using.fetch_weights)
        known = partial(known_prompts, using.engine, using.checkpoint)
        if list_prompts:
            _show_prompts(known(), json)
            return
        if (ct is None) == (jobs is None) or (jobs and out):
            raise InputError("segment needs a CT or a folder of them, with --out, or --jobs FILE")
        refuse_store(out, "a mask")
        options = SegmentOptions(
            masks.threshold,
            masks.presence_threshold,
            masks.overlap,
            precision_named(masks.precision),
            masks.device,
            masks.vocabulary,
            uneven_slices_named(masks.uneven_slices),
            masks.min_volume,
        )
        work = _Work(PromptSource(tuple(prompt or ()), prompts, everything), known, using, options, general.quiet)
        if jobs:
            viewing.refuse_many()
            report = work.many(jobs, writing.outputs(None, overwrite))
        elif ct and ct.is_dir() and (found := scans_in(ct, out or Path("masks"))):
            viewing.refuse_many()
            report = work.folder(found, ct, out or Path("masks"), writing.outputs(None, overwrite))
        else:
            scan, paths = work.one(ct or Path(), writing.outputs(out, overwrite))
            _show_scan(scan, paths, json, general.quiet)
            if scan.failed:
                raise typer.Exit(1)
            viewing.show(Path(scan.scan), paths[0], json)
            return
        _show_jobs(report, json, general.quiet)
        if report.failed:
            raise typer.Exit(1)


@dataclass(frozen=True)
class _Work:
    """What a command line asks for, for one scan or for many."""

    source: PromptSource
    known: Callable[[], KnownPrompts]
    using: EngineOptions
    options: SegmentOptions
    quiet: bool

    def one(self, ct: Path, outputs: Outputs) -> tuple[SegmentReport, list[Path]]:
        """Segment one scan; return its report and the paths to print."""
        from curation.runtime.progress import TerminalProgress
        from curation.runtime.store_cache import local_copy
        from train.inference.run_jobs import run_job

        with TerminalProgress("windows", quiet=self.quiet) as progress:
            job = self.source.job(local_copy(ct, progress), outputs, self.known)
            report = run_job(job, self._engine(), self.options, progress)
            return report, [path for path in job.outputs.main_paths() if path.exists()]

    def many(self, jobs: Path, outputs: Outputs) -> JobsReport:
        """Do the jobs of a file."""
        return self._run(self.source.jobs(jobs, outputs, self.known))

    def folder(self, found: FolderScans, folder: Path, out: Path, outputs: Outputs) -> JobsReport:
        """Segment the scans of a folder."""
        if left_out := found.describe_left_out():
            say(f"{folder}: {left_out}", err=True)
        return self._run(self.source.folder_jobs(found, folder, out, outputs, self.known))

    def _run(self, jobs: list[SegmentJob]) -> JobsReport:
        from curation.runtime.progress import TerminalProgress
        from train.inference.run_jobs import run_jobs

        with TerminalProgress("scans", quiet=self.quiet) as progress:
            return run_jobs(jobs, self._engine(), self.options, progress)

    def _engine(self) -> MaskEngine:
        from train.inference.engines.opening import open_engine_named

        using = self.using
        return open_engine_named(using.engine, using.checkpoint, self.options, fetch=using.fetch_weights)


def _show_prompts(known: KnownPrompts, json: bool) -> None:
    if json:
        print_json(known.model_dump(mode="json"))
        return
    from curation.runtime.terminal_console import EscapingConsole
    from train.inference.engines.known_prompts import printable_prompts

    console = EscapingConsole()
    for part in printable_prompts(known):
        console.print(part)


def _show_scan(report: SegmentReport, paths: Sequence[Path], json: bool, quiet: bool) -> None:
    if json:
        print_json(report.model_dump(mode="json"))
    elif not quiet:
        from curation.runtime.terminal_console import EscapingConsole
        from train.inference.label_table import printable_table

        EscapingConsole().print(printable_table(report.labels))
        say(f"In {', '.join(map(str, paths))}")


def _show_jobs(report: JobsReport, json: bool, quiet: bool) -> None:
    if json:
        print_json(report.model_dump(mode="json"))
    elif not quiet:
        done, before, failed = report.counts
        say(f"{done:,} scans segmented, {before:,} were there, {failed:,} failed.")
