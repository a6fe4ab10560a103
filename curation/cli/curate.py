"""`ovct curate` and `ovct merge`: reports to a caption set, and the shards of one to a whole."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer

from curation.runtime.terminal import say

from .drafting_options import DraftingOptions
from .errors import errors_reported
from .options import (
    MODELS,
    PRIVACY,
    SCALE,
    GeneralOptions,
    IdColumn,
    Json,
    Overwrite,
    Reports,
    TextColumn,
    WordOptions,
    Workers,
    option_groups,
    print_json,
    show_problems,
)

if TYPE_CHECKING:
    from curation.api.curate import Curation, LanguageModelSettings
    from curation.report_language.languages import LanguageChoice

Out = Annotated[
    Path,
    typer.Option(
        "-o", "--out", metavar="DIR", help="Folder for the caption set; also in a store (s3://, gs://, hf://)."
    ),
]


@dataclass(frozen=True)
class ScaleOptions:
    """How a large input is worked on."""

    workers: Workers = None
    shard: Annotated[
        str | None,
        typer.Option(
            metavar="I/N",
            help="Make only the I-th of N shares of the input; `ovct merge` joins the N sets.",
            show_default="all",
            rich_help_panel=SCALE,
        ),
    ] = None
    reports_per_part: Annotated[
        int | None,
        typer.Option(
            min=1,
            metavar="N",
            help="Reports in a part, that is in one file of each table.",
            show_default="10,000 by rules, 1,000 by a language model",
            rich_help_panel=SCALE,
        ),
    ] = None
    ray: Annotated[
        str | None,
        typer.Option(
            metavar="ADDRESS",
            help="Work on a Ray cluster: local (started here, with --workers processes), auto (the one that this "
            "machine belongs to), or the address of its head node. The rows are the same.",
            show_default="without Ray",
            rich_help_panel=SCALE,
        ),
    ] = None


@dataclass(frozen=True)
class PrivacyOptions:
    """What becomes of names, dates and numbers that tell who somebody is."""

    check_phi: Annotated[
        bool,
        typer.Option(
            "--check-phi",
            help="Count the names, dates, telephone and record numbers in what is written, by table. By patterns: a "
            "check, no guarantee.",
            rich_help_panel=PRIVACY,
        ),
    ] = False
    drop_phi: Annotated[
        bool,
        typer.Option(
            "--drop-phi",
            help="Blank them before anything reads the reports, and refuse captions that rest on them; report ids "
            "stay. Implies --check-phi.",
            rich_help_panel=PRIVACY,
        ),
    ] = False


@option_groups
def curate(
    reports: Reports,
    out: Out = Path("captions"),
    engine: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            help="What makes the captions. rules: built in, no model, no network. vllm: a language model on this "
            "machine. openai: one behind any OpenAI-compatible server.",
        ),
    ] = "rules",
    limit: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="Stop after so many reports.", show_default="all")
    ] = None,
    modality: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="Leave out reports that a column or their title says are of another modality (ct, mr, us, ...).",
            show_default="all",
        ),
    ] = None,
    overwrite: Overwrite = False,
    license: Annotated[
        str | None,
        typer.Option(
            metavar="ID",
            help="Licence of the reports for the data card, as Hugging Face names it (cc-by-nc-sa-4.0, other, ...).",
            show_default="not stated",
        ),
    ] = None,
    id_column: IdColumn = None,
    text_column: TextColumn = None,
    *,
    words: WordOptions,
    privacy: PrivacyOptions,
    scale: ScaleOptions,
    prompt: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="Name of a prompt (see `ovct prompts`), or a file.",
            show_default="organ_captions",
            rich_help_panel=MODELS,
        ),
    ] = None,
    language: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            help="en: reports that are not English are refused. any: the model is asked about them too, and its "
            "captions are held against the passages that they quote.",
            rich_help_panel=MODELS,
        ),
    ] = "en",
    language_model: DraftingOptions,
    json: Json = False,
    general: GeneralOptions,
) -> None:
    """Make a caption set from reports. Run again after an interruption, it goes on where it was."""
    unfinished = f"finished parts stay in {out}, and the same command, without --overwrite, goes on from there"
    with errors_reported(general.debug, unfinished):
        from curation.api import curate as api
        from curation.runtime.errors import RunError
        from curation.runtime.progress import TerminalProgress

        with TerminalProgress("reports", quiet=general.quiet) as progress:
            curation = api.curate(
                reports,
                out,
                engine,
                id_column=id_column,
                text_columns=text_column or (),
                limit=limit,
                modality=modality,
                overwrite=overwrite,
                license=license,
                prompt=prompt,
                language=cast("LanguageChoice", language),
                workers=scale.workers,
                shard=scale.shard,
                reports_per_part=scale.reports_per_part,
                ray=scale.ray,
                check_phi=privacy.check_phi,
                drop_phi=privacy.drop_phi,
                lexicon=words.lexicon,
                organs=words.organs,
                progress=progress,
                **cast("LanguageModelSettings", language_model.given()),
            )
        if curation.already_done and not general.quiet:
            say(_already_done(curation, license), err=True)
        show_problems(curation.problems, curation.problem_count)
        _show(curation, json, general.quiet)
        if failure := curation.failure:
            raise RunError(f"no report got an answer ({failure}); the same command with --overwrite asks again")


def _already_done(curation: Curation, license: str | None) -> str:
    again = "--overwrite starts again"
    if missing := curation.manifest.usage and curation.manifest.counts.unanswered:
        again = f"{missing:,} questions got no usable answer: --overwrite asks for those alone"
    done = f"the data card names the licence {license}" if curation.relicensed else "nothing to do"
    return f"{curation.place} is complete: same input, same settings, {done} ({again})."


def _show(curation: Curation, json: bool, quiet: bool) -> None:
    if json:
        print_json(curation.figures.model_dump(mode="json"))
    elif not quiet:
        from curation.caption_set.stats import summary_of
        from curation.runtime.terminal_console import EscapingConsole

        from .closing_summary import show_closing

        show_closing(summary_of(curation.folder, curation.manifest), EscapingConsole(), curation.place)


@option_groups
def merge(
    sets: Annotated[
        list[Path],
        typer.Argument(metavar="SETS", help="Caption sets made with --shard I/N, all N of them.", show_default=False),
    ],
    out: Out = Path("captions"),
    overwrite: Overwrite = False,
    *,
    json: Json = False,
    general: GeneralOptions,
) -> None:
    """Join the caption sets of all shards into the one that a single run would have made."""
    with errors_reported(general.debug, f"the shards are as they were, and the same command makes {out} anew"):
        from curation.api import curate as api
        from curation.runtime.progress import TerminalProgress

        with TerminalProgress("parts", quiet=general.quiet) as progress:
            curation = api.merge(sets, out, overwrite=overwrite, progress=progress)
        _show(curation, json, general.quiet)
