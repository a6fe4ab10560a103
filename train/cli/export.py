"""`ovct export` of models and data sets: ONNX, MONAI bundles, nnU-Net's raw data."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from curation.cli.errors import errors_reported
from curation.cli.help import HelpCommand
from curation.cli.options import GeneralOptions, option_groups, refuse_store
from curation.runtime.terminal import say

if TYPE_CHECKING:
    from train.inference.prompts import SegmentPrompt

CT_VOLUMES = "CT volumes"
UNFINISHED = "nothing was written"

Segmenter = Annotated[
    Path, typer.Argument(metavar="CHECKPOINT", help="Folder that `ovct train segment` wrote.", show_default=False)
]
Prompt = Annotated[
    list[str] | None,
    typer.Option(metavar="TEXT", help="A prompt, in free text; may be repeated.", show_default=False),
]
Prompts = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="Prompts, one a line: `prompt` or `name: prompt`; # comments.",
        show_default="the structures of the training",
    ),
]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace an earlier export.")]


def add_exports(group: typer.Typer) -> None:
    """Add the exports of models and data sets to the commands of `ovct export`."""
    for command in (onnx, bundle, nnunet):
        group.command(cls=HelpCommand, rich_help_panel=CT_VOLUMES)(command)


@option_groups
def onnx(
    checkpoint: Segmenter,
    out: Annotated[Path, typer.Option("-o", "--out", metavar="DIR", help="Folder for the model.")] = Path("onnx"),
    prompt: Prompt = None,
    prompts: Prompts = None,
    overwrite: Overwrite = False,
    *,
    general: GeneralOptions,
) -> None:
    """Write a segmenter as ONNX: a window of a scan and prompts' embeddings in, logits out; prompts as JSON."""
    with errors_reported(general.debug, UNFINISHED, extra="train"):
        from curation.runtime.progress import TerminalProgress
        from train.export.onnx_model import export_onnx

        refuse_store(out, "the model")
        with TerminalProgress("steps", quiet=general.quiet) as progress:
            record = export_onnx(checkpoint, out, _prompts(prompt, prompts), progress, overwrite=overwrite)
        if general.quiet:
            return
        say(f"In {out}: {record.model} (opset {record.opset}) and its JSON with {len(record.prompts):,} prompts")
        if record.check:
            say(
                f"Logits of onnxruntime {record.check.onnxruntime} differ from torch's by at most "
                f"{record.check.largest_difference:.1g}; they reach {record.check.largest:.3g}"
            )


@option_groups
def bundle(
    checkpoint: Segmenter,
    out: Annotated[Path, typer.Option("-o", "--out", metavar="DIR", help="Folder for the bundle.")] = Path("bundle"),
    prompt: Prompt = None,
    prompts: Prompts = None,
    overwrite: Overwrite = False,
    *,
    general: GeneralOptions,
) -> None:
    """Write a segmenter as a MONAI bundle: `python -m monai.bundle run` gives the masks of `ovct segment`."""
    with errors_reported(general.debug, UNFINISHED, extra="train"):
        from train.export.bundle import export_bundle

        refuse_store(out, "the bundle")
        asked = export_bundle(checkpoint, out, _prompts(prompt, prompts), overwrite=overwrite)
        if not general.quiet:
            say(f"In {out}: configs, models and docs; {len(asked):,} prompts unless a run names others")


@option_groups
def nnunet(
    dataset: Annotated[
        Path,
        typer.Argument(
            metavar="DATASET",
            help="Labelled CT volumes as `ovct train` reads them: TotalSegmentator, the Medical Segmentation "
            "Decathlon, nnU-Net.",
            show_default=False,
        ),
    ],
    out: Annotated[
        Path,
        typer.Option(
            "-o",
            "--out",
            metavar="DIR",
            help="The data set's folder, as nnUNet_raw/Dataset123_Name.",
            show_default=False,
        ),
    ],
    layout: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Kind of data set, where it cannot be told.", show_default=False),
    ] = None,
    labelled: Annotated[
        Literal["auto", "all", "present", "file"],
        typer.Option(help="What was looked for in a case, as in training.", metavar="auto|all|present|file"),
    ] = "auto",
    unknown: Annotated[
        Literal["ignore", "background", "refuse"],
        typer.Option(
            help="Background of a case in which a structure was not looked for: nnU-Net's label `ignore`, background "
            "(then it is absent), or refused.",
            metavar="ignore|background|refuse",
        ),
    ] = "ignore",
    on_problem: Annotated[
        Literal["skip", "refuse"],
        typer.Option(help="What a case does that cannot be used.", metavar="skip|refuse"),
    ] = "refuse",
    workers: Annotated[
        int, typer.Option(min=0, metavar="N", help="Processes that write cases; 0 for one on each core.")
    ] = 0,
    overwrite: Overwrite = False,
    *,
    general: GeneralOptions,
) -> None:
    """Write a data set as nnU-Net's raw data: scans in HU, one label map for each, dataset.json."""
    with errors_reported(general.debug, UNFINISHED, extra="train"):
        from curation.runtime.progress import TerminalProgress
        from train.export.nnunet import NnunetOptions, export_nnunet

        refuse_store(out, "the data set")
        options = NnunetOptions(layout, labelled, unknown, on_problem, workers, overwrite)
        with TerminalProgress("cases", quiet=general.quiet) as progress:
            done = export_nnunet(dataset, out, options, progress)
            for text in (*done.notices, *(f"left out: {problem}" for problem in done.problems)):
                progress.warning(text)
        if not general.quiet:
            tests = f" and {done.test:,} test cases" if done.test else ""
            say(f"In {out}: {done.training:,} training cases{tests}, {len(done.structures):,} structures")


def _prompts(texts: list[str] | None, file: Path | None) -> list[str | SegmentPrompt]:
    from train.inference.prompts import read_prompts

    return [*(texts or []), *(read_prompts(file) if file else [])]
