"""The stages of the demo, each a command of ovct that goes on where it was stopped, and the seconds of each."""

from __future__ import annotations

import json
import shlex
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import typer.main

from curation.runtime.files import write_text
from curation.runtime.terminal import say
from ovct import command_line

SETTINGS = Path(__file__).parent


class Stage(NamedTuple):
    """A stage by its name, and the arguments of `ovct` that run it."""

    name: str
    arguments: tuple[str, ...]


def training_stages(cohort: Path, text: str, out: Path, third: int) -> list[Stage]:
    """Return the stages from a cohort's scans to a checkpoint, `out`/segment.

    `text` is a text encoder, `third` says which synonyms are held out: words and stage 3 of each third have folders of
    their own (`of_third`), stage 1 has no words.
    """
    cache = ("--cache", str(out / "cache"))
    pretrain = ("train", "pretrain", str(cohort), "--config", str(SETTINGS / "pretrain.yaml"), *cache)
    learn = ("train", "words", "--text", text, "--config", str(SETTINGS / "words.yaml"))
    segment = ("train", "segment", str(cohort), "--config", str(SETTINGS / "segment.yaml"), *cache)
    away = ("--held-out-third", str(third))
    words, image = str(of_third(out / "words", third)), str(out / "pretrain")
    return [
        Stage("words", (*learn, *away, "--out", words)),
        Stage("pretrain", (*pretrain, "--out", image)),
        Stage(
            "segment",
            (*segment, "--start", image, "--text", words, *away, "--out", str(of_third(out / "segment", third))),
        ),
    ]


def of_third(path: Path, third: int) -> Path:
    """Return the folder or file for a third of the synonyms: that of the first has the plain name."""
    return path if third == 1 else path.with_stem(f"{path.stem}-third{third}")


def evaluation_stage(dataset: Path, checkpoint: Path, out: Path) -> Stage:
    """Return the evaluation of a checkpoint: of held-out patients, or of all where it has seen none of a data set."""
    options = ("--checkpoint", str(checkpoint), "--labelled", "present", "--out", str(out))
    return Stage("evaluate", ("evaluate", str(dataset), *options))


def run_stage(stage: Stage, seconds: Seconds) -> None:
    """Show a stage's command and run it in this process. Raises typer.Exit with its exit code, where that is not 0."""
    say(f"\n$ ovct {shlex.join(stage.arguments)}", err=True)
    with seconds.of(stage.name):
        code = typer.main.get_command(command_line()).main(
            list(stage.arguments), prog_name="ovct", standalone_mode=False
        )
    if code:
        raise typer.Exit(int(code))


class Seconds:
    """The seconds of each stage over all calls, those that were stopped too, in a file."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self.by_stage: dict[str, float] = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}

    @contextmanager
    def of(self, stage: str) -> Iterator[None]:
        """Add the time until the end of the block, however it ends."""
        began = time.monotonic()
        try:
            yield
        finally:
            self.by_stage[stage] = self.by_stage.get(stage, 0) + time.monotonic() - began
            write_text(self._file, json.dumps({name: round(value, 1) for name, value in self.by_stage.items()}) + "\n")

    def lines(self) -> Sequence[str]:
        """Return the seconds of each stage, and of all together."""
        total = sum(self.by_stage.values())
        return [*(f"{name} {value:.0f} s" for name, value in self.by_stage.items()), f"together {total / 60:.1f} min"]
