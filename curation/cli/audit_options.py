"""Options of `ovct audit`, group by group."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

INSTEAD = "Instead of a review"
SAMPLE = "How the sample is drawn"
REVIEW = "How it is reviewed"


@dataclass(frozen=True)
class SampleOptions:
    """Which captions are drawn for the review. None where an option was not given."""

    rejects: Annotated[
        int | None,
        typer.Option(
            min=0, metavar="N", help="Refused captions to review as well.", show_default="0", rich_help_panel=SAMPLE
        ),
    ] = None
    omissions: Annotated[
        int | None,
        typer.Option(
            min=0,
            metavar="N",
            help="Statements that no caption covers to review as well: should there have been one?",
            show_default="0",
            rich_help_panel=SAMPLE,
        ),
    ] = None
    design: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="stratified (by organ and status) or random.",
            show_default="stratified",
            rich_help_panel=SAMPLE,
        ),
    ] = None
    seed: Annotated[
        int | None,
        typer.Option(min=0, metavar="N", help="Seed of the sample.", show_default="0", rich_help_panel=SAMPLE),
    ] = None
    redraw: Annotated[
        bool,
        typer.Option(
            "--redraw",
            help="Draw a new sample; the audit that is there is kept under another name.",
            rich_help_panel=SAMPLE,
        ),
    ] = False


@dataclass(frozen=True)
class ReviewOptions:
    """How the sample is shared among reviewers and shown to them."""

    overlap: Annotated[
        float | None,
        typer.Option(
            min=0,
            max=1,
            metavar="SHARE",
            help="Share of the sample that all reviewers see; the rest is divided among them.",
            show_default="1, then as it was",
            rich_help_panel=REVIEW,
        ),
    ] = None
    blind: Annotated[
        bool,
        typer.Option(
            "--blind", help="Hide what the verifier says until the reviewer has judged.", rich_help_panel=REVIEW
        ),
    ] = False
    port: Annotated[
        int | None,
        typer.Option(
            min=0,
            max=65535,
            metavar="N",
            help="Port of the page; 0 takes a free one.",
            show_default="8765, if free",
            rich_help_panel=REVIEW,
        ),
    ] = None
    browser: Annotated[bool, typer.Option(help="Open the page in the browser.", rich_help_panel=REVIEW)] = True


@dataclass(frozen=True)
class ActionOptions:
    """What to do with the audit instead of a review."""

    summary: Annotated[
        bool,
        typer.Option("--summary", help="Show the result, and write it to DIR/audit.", rich_help_panel=INSTEAD),
    ] = False
    apply: Annotated[
        bool,
        typer.Option(
            "--apply",
            help="Write a new caption set without the hallucinations, and with the corrections.",
            rich_help_panel=INSTEAD,
        ),
    ] = False
    out: Annotated[
        Path | None,
        typer.Option(
            "-o",
            "--out",
            metavar="DIR",
            help="Folder for --apply.",
            show_default="DIR-audited",
            rich_help_panel=INSTEAD,
        ),
    ] = None
    judge: Annotated[
        str | None,
        typer.Option(
            metavar="ENGINE",
            help="Have a language model (vllm or openai) judge the sample; reviewers see its verdicts after their own.",
            show_default=False,
            rich_help_panel=INSTEAD,
        ),
    ] = None
    second_reader: Annotated[
        str | None,
        typer.Option(
            metavar="ENGINE",
            help="Have another system (radgraph, openai or vllm) read all captions; the next sample begins with those "
            "that it reads otherwise.",
            show_default=False,
            rich_help_panel=INSTEAD,
        ),
    ] = None
    batch: Annotated[
        bool,
        typer.Option(
            "--batch",
            help="With --second-reader openai: send the requests as OpenAI's batches, mostly at half the price, within "
            "a day.",
            rich_help_panel=INSTEAD,
        ),
    ] = False
    cost: Annotated[
        bool,
        typer.Option("--cost", help="Show what --second-reader would ask, and stop.", rich_help_panel=INSTEAD),
    ] = False
