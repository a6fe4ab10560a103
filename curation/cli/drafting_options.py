"""Options of `ovct curate` that say how a language model drafts captions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import typer

from .options import MODELS, SECOND, SERVER, LanguageModelOptions


@dataclass(frozen=True)
class DraftingOptions(LanguageModelOptions):
    """How a language model drafts captions."""

    repair: Annotated[
        int | None,
        typer.Option(
            min=0,
            metavar="N",
            help="Rounds in which refused captions go back to the model.",
            show_default="0",
            rich_help_panel=MODELS,
        ),
    ] = None
    prices: Annotated[
        tuple[float, float] | None,
        typer.Option(
            metavar="IN OUT",
            help="Price of a million tokens in and out, to show what it costs.",
            rich_help_panel=MODELS,
        ),
    ] = None
    batch: Annotated[
        bool | None,
        typer.Option(
            "--batch",
            help="Send the requests as OpenAI's batches: mostly at half the price, within a day. Stopped and run "
            "again, even days later, it asks for the batches that it has sent.",
            show_default=False,
            rich_help_panel=SERVER,
        ),
    ] = None
    second_opinion: Annotated[
        str | None,
        typer.Option(
            metavar="ENGINE",
            help="vllm or openai: captions that are refused for a word alone are put to a language model, and its yes "
            "is recorded (basis: model).",
            show_default="none",
            rich_help_panel=SECOND,
        ),
    ] = None
    second_model: Annotated[
        str | None,
        typer.Option(
            metavar="NAME", help="The model for it.", show_default="the one of --model", rich_help_panel=SECOND
        ),
    ] = None
    second_base_url: Annotated[
        str | None,
        typer.Option(
            metavar="URL",
            help="Address of its server.",
            show_default="the one of --base-url",
            rich_help_panel=SECOND,
        ),
    ] = None
