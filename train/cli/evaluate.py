"""`ovct evaluate`: Dice and NSD of a checkpoint, or of two side by side."""

from __future__ import annotations

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
from train.config.options import LabelledBy
from train.inference.options import DEFAULT_OPTIONS

if TYPE_CHECKING:
    from train.evaluation.findings.results import FindingSummary

from .mask_options import MASKS, Device, Precision, PresenceThreshold, Threshold

DATA = "Which cases"
FINDINGS = "Findings instead of masks"


@dataclass(frozen=True)
class CaseOptions:
    """Which cases of a data set are evaluated."""

    split: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="test, val, train or all.",
            show_default="the data set's test cases; else what training held out, or all that it never saw",
            rich_help_panel=DATA,
        ),
    ] = None
    limit: Annotated[
        int | None,
        typer.Option(min=1, metavar="N", help="Stop after so many cases.", show_default="all", rich_help_panel=DATA),
    ] = None
    layout: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="Kind of data set, where it cannot be told.",
            show_default="found by its files",
            rich_help_panel=DATA,
        ),
    ] = None
    labelled: Annotated[
        LabelledBy,
        typer.Option(
            metavar="auto|all|present|file",
            help="What was looked for in a case, as in `ovct train segment`: else it is not asked for.",
            rich_help_panel=DATA,
        ),
    ] = "auto"


@dataclass(frozen=True)
class MeasureOptions:
    """How masks are made and measured."""

    nsd_tolerance: Annotated[
        float,
        typer.Option(
            min=0,
            metavar="MM",
            help="Distance in mm within which surfaces count as the same.",
            rich_help_panel=MASKS,
        ),
    ] = 3.0
    threshold: Threshold = DEFAULT_OPTIONS.threshold
    presence_threshold: PresenceThreshold = DEFAULT_OPTIONS.presence_threshold
    vocabulary: Annotated[
        bool,
        typer.Option(
            help="Let the anatomy vocabulary help with the words, as `ovct segment` does.", rich_help_panel=MASKS
        ),
    ] = False
    precision: Precision = DEFAULT_OPTIONS.precision
    device: Device = DEFAULT_OPTIONS.device


@dataclass(frozen=True)
class FindingOptions:
    """Zero-shot findings in place of masks."""

    findings: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE.csv",
            help="Score findings by these labels: a column VolumeName and one of 0 and 1 for each finding, as CT-RATE "
            "publishes them.",
            show_default=False,
            rich_help_panel=FINDINGS,
        ),
    ] = None
    finding_prompts: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE.yaml",
            help="Findings of your own: NAME: {organ: …, present: …, absent: …}.",
            show_default="CT-RATE's 18 and 24 others",
            rich_help_panel=FINDINGS,
        ),
    ] = None
    cache: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="The alignment's cache: volumes whose vectors are in it are not read again.",
            show_default="OUT/vectors",
            rich_help_panel=FINDINGS,
        ),
    ] = None


@option_groups
def evaluate(
    dataset: Annotated[
        Path | None,
        typer.Argument(
            metavar="DATASET",
            help="Labelled CT volumes: TotalSegmentator, MSD or nnU-Net folders.",
            show_default=False,
        ),
    ] = None,
    checkpoint: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="A checkpoint of `train segment`; with --findings, of `train align`.",
            show_default=False,
        ),
    ] = None,
    compare: Annotated[
        tuple[Path, Path] | None,
        typer.Option(
            metavar="A B",
            help="Instead: two checkpoints side by side, or folders of finished evaluations, which need no DATASET.",
            show_default=False,
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "-o", "--out", metavar="DIR", help="Folder for the results.", show_default="evaluation, or comparison"
        ),
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Start again where an evaluation stands.")] = False,
    *,
    findings: FindingOptions,
    cases: CaseOptions,
    measures: MeasureOptions,
    json: Json = False,
    general: GeneralOptions,
) -> None:
    """Measure Dice and NSD for each structure, for held-out synonyms, for merged organs and for what is not there.

    With --findings, of a checkpoint of `train align`: how well pairs of prompts ("pleural effusion", "no pleural
    effusion") tell volumes with a finding from those without it, as the area under the ROC curve of each.

    Run again after an interruption, it goes on where it was. Cases that cannot be read are told and left out.
    """
    folder = out or Path("comparison" if compare else "evaluation")
    unfinished = f"finished cases stay in {folder}, and the same command goes on from there"
    with errors_reported(general.debug, unfinished, extra="train"):
        from curation.runtime.progress import TerminalProgress
        from curation.runtime.store_cache import local_copy
        from curation.runtime.terminal_console import EscapingConsole
        from train.evaluation.evaluate import EvaluationJob
        from train.evaluation.findings.results import print_findings
        from train.evaluation.record import EvaluationError, EvaluationSettings
        from train.evaluation.run import EvaluationRequest, print_results, run_request

        settings = EvaluationSettings(
            threshold=measures.threshold,
            presence_threshold=measures.presence_threshold,
            nsd_tolerance_mm=measures.nsd_tolerance,
            vocabulary=measures.vocabulary,
        )
        refuse_store(out, "an evaluation")
        if findings.findings or findings.finding_prompts:
            if compare is not None:
                raise EvaluationError("--findings scores one checkpoint: --checkpoint DIR, and no --compare")
            summary = _evaluate_findings(dataset, checkpoint, folder, overwrite, cases, measures, findings, general)
            if json:
                print_json(summary.model_dump(mode="json"))
            elif not general.quiet:
                print_findings(summary, folder, EscapingConsole())
            return
        with TerminalProgress("cases", quiet=general.quiet) as progress:
            job = EvaluationJob(
                local_copy(dataset, progress) if dataset else None,
                checkpoint,
                folder,
                cases.split,
                cases.limit,
                cases.layout,
                cases.labelled,
                settings,
                measures.device,
                measures.precision,
                overwrite,
            )
            results = run_request(EvaluationRequest(job, compare), progress)
        if json:
            print_json(results.model_dump(mode="json"))
        elif not general.quiet:
            print_results(results, folder, EscapingConsole())


def _evaluate_findings(
    dataset: Path | None,
    checkpoint: Path | None,
    folder: Path,
    overwrite: bool,
    cases: CaseOptions,
    measures: MeasureOptions,
    findings: FindingOptions,
    general: GeneralOptions,
) -> FindingSummary:
    """Score findings as the options say. Raises what `evaluate_findings` does."""
    from curation.runtime.progress import TerminalProgress
    from curation.runtime.store_cache import local_copy
    from train.evaluation.findings.evaluate_findings import FindingsJob, evaluate_findings
    from train.evaluation.record import EvaluationError
    from train.inference.options import SegmentOptions, precision_named

    if findings.findings is None:
        raise EvaluationError("--finding-prompts says how findings are asked; name the labels with --findings FILE.csv")
    if dataset is None or checkpoint is None:
        raise EvaluationError("--findings needs DATASET and --checkpoint DIR, a checkpoint of `ovct train align`")
    options = SegmentOptions(device=measures.device, precision=precision_named(measures.precision))
    with TerminalProgress("volumes", quiet=general.quiet) as progress:
        job = FindingsJob(
            local_copy(dataset, progress),
            checkpoint,
            findings.findings,
            folder,
            options,
            findings.finding_prompts,
            findings.cache,
            cases.split,
            cases.limit,
            cases.layout,
            overwrite,
        )
        return evaluate_findings(job, progress)
