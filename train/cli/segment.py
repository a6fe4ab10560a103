"""`ovct segment`: masks of one scan or of many, by free text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
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
from train.inference.options import DEFAULT_OPTIONS

from .mask_options import MASKS, Device, Precision, PresenceThreshold, Threshold

if TYPE_CHECKING:
    from train.inference.run_jobs import JobsReport, SegmentReport

OUTPUTS = "What else is written"


@dataclass(frozen=True)
class OutputOptions:
    """Which files are written."""

    separate: Annotated[
        bool, typer.Option("--separate", help="A mask for each prompt, in a folder.", rich_help_panel=OUTPUTS)
    ] = False
    probabilities: Annotated[
        bool,
        typer.Option("--probabilities", help="Also each prompt's probabilities, in a folder.", rich_help_panel=OUTPUTS),
    ] = False
    preview: Annotated[
        bool, typer.Option("--preview", help="Also a picture (.png) of three planes.", rich_help_panel=OUTPUTS)
    ] = False
    dicom_seg: Annotated[
        bool, typer.Option("--dicom-seg", help="Also a DICOM SEG, for a DICOM series.", rich_help_panel=OUTPUTS)
    ] = False


@dataclass(frozen=True)
class MaskOptions:
    """How probabilities become masks, and where they are computed."""

    threshold: Threshold = DEFAULT_OPTIONS.threshold
    presence_threshold: PresenceThreshold = DEFAULT_OPTIONS.presence_threshold
    vocabulary: Annotated[
        bool,
        typer.Option(
            help="Ask for what the anatomy vocabulary knows as another name of a trained structure, or of several, by "
            "their own names; a group's mask is the union.",
            rich_help_panel=MASKS,
        ),
    ] = DEFAULT_OPTIONS.vocabulary
    overlap: Annotated[
        float,
        typer.Option(
            min=0, max=0.9, metavar="SHARE", help="Share that neighbouring windows overlap by.", rich_help_panel=MASKS
        ),
    ] = DEFAULT_OPTIONS.overlap
    precision: Precision = DEFAULT_OPTIONS.precision
    device: Device = DEFAULT_OPTIONS.device


@option_groups
def segment(
    ct: Annotated[
        Path | None,
        typer.Argument(
            metavar="CT",
            help=".nii, .nii.gz, .mha, .mhd, .nrrd, or a DICOM series (its folder, or a file).",
            show_default=False,
        ),
    ] = None,
    checkpoint: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Folder that `ovct train segment` wrote.", show_default=False)
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
            help="Label map (.nii.gz, .nii), DICOM SEG (.dcm), or with --separate a folder; a label table (.json) "
            "comes beside it.",
            show_default="mask.nii.gz, or masks",
        ),
    ] = None,
    jobs: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Instead of CT and --out: many scans, .csv or .jsonl with ct, out and, if they differ, prompts (a|b). "
            "Those that are done are skipped.",
            show_default=False,
        ),
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace files that are there.")] = False,
    *,
    writing: OutputOptions,
    masks: MaskOptions,
    json: Json = False,
    general: GeneralOptions,
) -> None:
    """Segment CT volumes by free text."""
    with errors_reported(general.debug, "files that were finished are whole, others were not written", extra="train"):
        from curation.runtime.errors import InputError
        from curation.runtime.progress import TerminalProgress
        from curation.runtime.store_cache import local_copy
        from train.inference.jobs import PromptSource
        from train.inference.options import SegmentOptions, precision_named
        from train.inference.outputs import Outputs
        from train.inference.run_jobs import load_checkpoint_for, run_job, run_jobs

        if checkpoint is None:
            raise InputError("segment needs --checkpoint DIR, which `ovct train segment` writes")
        if (ct is None) == (jobs is None) or (jobs and out):
            raise InputError("segment needs a CT, with --out, or --jobs FILE")
        outputs = Outputs(
            out or Path("masks" if writing.separate else "mask.nii.gz"),
            writing.separate,
            writing.probabilities,
            writing.preview,
            writing.dicom_seg,
            overwrite,
        )
        options = SegmentOptions(
            masks.threshold,
            masks.presence_threshold,
            masks.overlap,
            precision_named(masks.precision),
            masks.device,
            masks.vocabulary,
        )
        source = PromptSource(tuple(prompt or ()), prompts, everything)
        refuse_store(out, "a mask")
        with TerminalProgress("scans" if jobs else "windows", quiet=general.quiet) as progress:
            if jobs is None:
                job = source.job(local_copy(ct or Path(), progress), outputs, checkpoint)
                scan = run_job(job, load_checkpoint_for(options, checkpoint), options, progress)
                _show_scan(scan, job.outputs.main_paths(), json, general.quiet)
                return
            work = source.jobs(jobs, outputs, checkpoint)
            report = run_jobs(work, load_checkpoint_for(options, checkpoint), options, progress)
        _show_jobs(report, json, general.quiet)
        if report.failed:
            raise typer.Exit(1)


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
