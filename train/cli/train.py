"""`ovct train`: the words, and the three stages of training."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from curation.cli.errors import errors_reported
from curation.cli.help import HelpCommand, HelpGroup, command_group
from curation.cli.options import (
    GeneralOptions,
    Json,
    option_groups,
    print_json,
    refuse_store,
)
from curation.runtime.terminal import say
from train.config.options import AlignConfig, ConfigError, PretrainConfig, SegmentConfig, WordsConfig

from .flags import flags

if TYPE_CHECKING:
    from rich.table import Table

    from train.config.options import StageConfig
    from train.loop.task import TrainOutcome


class TrainGroup(HelpGroup):
    """`ovct train` without a stage is `ovct train align`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Insert the stage where none is named."""
        if not args or (args[0] not in self.commands and args[0] not in ("--help", "-h")):
            args = ["align", *args]
        return super().parse_args(ctx, args)


training = command_group(
    "Teach the text encoder the vocabulary (words); train on volumes: pretrain the image encoder, align the text "
    "encoder, learn masks from prompts. Without a stage: align.",
    cls=TrainGroup,
    no_args_is_help=False,
)

Datasets = Annotated[
    list[Path],
    typer.Argument(
        metavar="DATASET",
        help="Labelled CT volumes: a folder as TotalSegmentator, the Medical Segmentation Decathlon or nnU-Net has it.",
        show_default=False,
    ),
]
Out = Annotated[Path, typer.Option("-o", "--out", metavar="DIR", help="Folder for the checkpoint.")]


@dataclass(frozen=True)
class RunOptions:
    """How a stage is run."""

    config: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="YAML file with settings by the names of the flags; flags win.", show_default=False
        ),
    ] = None
    check: Annotated[
        bool,
        typer.Option(
            "--check",
            help="Only try one batch: its shapes, and what the run will take in memory and hours. Nothing is written.",
        ),
    ] = False
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Start again where a run stands; without it, the run goes on.")
    ] = False


@training.command(cls=HelpCommand)
@option_groups
@flags(PretrainConfig)
def pretrain(
    dataset: Datasets,
    given: dict[str, object],
    out: Out = Path("runs/pretrain"),
    *,
    run: RunOptions,
    json: Json = False,
    general: GeneralOptions,
) -> None:
    """Stage 1: the image encoder and decoder learn a data set's structures. Run again, it goes on where it was."""
    _train(PretrainConfig, dataset, out, run, given, json, general)


@training.command(cls=HelpCommand)
@option_groups
@flags(WordsConfig)
def words(
    given: dict[str, object],
    out: Out = Path("runs/words"),
    *,
    run: RunOptions,
    json: Json = False,
    general: GeneralOptions,
) -> None:
    """Before stage 2: the text encoder learns the anatomy vocabulary, in minutes. Give OUT as --text afterwards."""
    _train(WordsConfig, [], out, run, given, json, general)


@training.command(cls=HelpCommand)
@option_groups
@flags(AlignConfig)
def align(
    given: dict[str, object],
    captions: Annotated[
        Path, typer.Argument(metavar="CAPTIONS", help="A caption set that `ovct curate` wrote.")
    ] = Path("captions"),
    volumes: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="The CT volumes that the reports are on; joined by name.",
            show_default="where the reports' own columns say",
        ),
    ] = None,
    out: Out = Path("runs/align"),
    *,
    run: RunOptions,
    json: Json = False,
    general: GeneralOptions,
) -> None:
    """Stage 2: the text encoder learns where reports and captions lie among volumes. Run again, it goes on."""
    _train(AlignConfig, [captions], out, run, given, json, general, volumes)


@training.command(cls=HelpCommand)
@option_groups
@flags(SegmentConfig)
def segment(
    dataset: Datasets,
    given: dict[str, object],
    out: Out = Path("runs/segment"),
    *,
    run: RunOptions,
    json: Json = False,
    general: GeneralOptions,
) -> None:
    """Stage 3: the decoder and the connector learn to turn a prompt into a mask. Run again, it goes on."""
    _train(SegmentConfig, dataset, out, run, given, json, general)


def _train(
    stage: type[StageConfig],
    data: Sequence[Path],
    out: Path,
    run: RunOptions,
    given: Mapping[str, object],
    json: bool,
    general: GeneralOptions,
    volumes: Path | None = None,
) -> None:
    unfinished = f"what was learned up to the last save is in {out}, and the same command, without --overwrite, goes on"
    with errors_reported(general.debug, unfinished, extra="train"):
        from curation.runtime.progress import TerminalProgress
        from curation.runtime.store_cache import local_copy
        from curation.runtime.terminal_console import EscapingConsole
        from train.config.loading import load_config
        from train.stages.run import TrainJob, figures, train, try_out

        if run.check and json:
            raise ConfigError("--json: not with --check, which prints no figures of a run")
        refuse_store(out, "a checkpoint")
        settings = load_config(stage, run.config, given)
        with TerminalProgress("steps", quiet=general.quiet) as progress:
            folders = tuple(local_copy(place, progress) for place in data)
            job = TrainJob(folders, out, run.overwrite, local_copy(volumes, progress) if volumes else None)
            if run.check:
                say("\n".join(try_out(job, settings)))
                return
            outcome = train(job, settings, progress)
        if outcome is None:
            return
        if json:
            print_json(figures(outcome, out).model_dump(mode="json"))
            return
        if general.quiet:
            return
        if outcome.already_done:
            say(f"{out} is complete: same data, same settings, nothing to do (--overwrite starts again).", err=True)
        EscapingConsole().print(outcome_table(outcome))
        board = "tensorboard/, " if settings.running.logger == "tensorboard" else ""
        say(f"In {out}: the checkpoint, metrics.jsonl, curves.png, {board}samples/")


def outcome_table(outcome: TrainOutcome) -> Table:
    """Return the last figures on held-out cases as a table."""
    from rich.table import Table

    table = Table(title=f"held-out cases after {outcome.step:,} steps", box=None, title_justify="left")
    table.add_column("measure")
    table.add_column("value", justify="right")
    for name, value in outcome.evaluation.items():
        table.add_row(name.replace("_", " "), f"{value:.4f}" if _measured(value) else "–")
    return table


def _measured(value: float | None) -> bool:
    # The log of an earlier run has null where there was nothing to measure.
    return value is not None and not math.isnan(value)
