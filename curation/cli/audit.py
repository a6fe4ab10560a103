"""`ovct audit`: review a sample of captions in the browser, and what comes of it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from curation.runtime.errors import flag_names
from curation.runtime.terminal import say

from .audit_options import ActionOptions, ReviewOptions, SampleOptions
from .audit_second_reader import second_reader, show_readers_alone
from .errors import errors_reported
from .options import (
    MODELS,
    VERDICTS_STAY,
    CaptionSetFolder,
    GeneralOptions,
    Json,
    LanguageModelOptions,
    option_groups,
    print_json,
    refuse_set_in_store,
)

if TYPE_CHECKING:
    from curation.audit.sample import SampleRequest
    from curation.runtime.progress import TerminalProgress


@option_groups
def audit(
    folder: CaptionSetFolder = Path("captions"),
    sample: Annotated[
        int | None,
        typer.Option(
            min=1,
            metavar="N",
            help="Accepted captions to review. They are drawn once; a larger number later adds to them.",
            show_default="100",
        ),
    ] = None,
    reviewer: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME", help="Who reviews; may be repeated, each has a link.", show_default="the user's name"
        ),
    ] = None,
    *,
    action: ActionOptions,
    drawing: SampleOptions,
    showing: ReviewOptions,
    prompt: Annotated[
        str | None,
        typer.Option(
            metavar="FILE", help="A judge's prompt file of your own.", show_default="judge", rich_help_panel=MODELS
        ),
    ] = None,
    language_model: LanguageModelOptions,
    json: Json = False,
    general: GeneralOptions,
) -> None:
    """Review a sample of captions beside their reports, in the browser: how many say what their report does not?"""
    with errors_reported(general.debug, f"what was said is saved in {folder}, and the same command goes on from there"):
        from curation.audit.sample import sample_request
        from curation.runtime.progress import TerminalProgress

        settings = language_model.given() | ({} if prompt is None else {"prompt": prompt})
        _check_action(action, settings, json)
        drawing_options = {"sample": sample, **asdict(drawing)}
        _check_drawing(action, {name for name, value in drawing_options.items() if value})
        refuse_set_in_store(folder, VERDICTS_STAY)
        drawn = sample_request(sample, drawing.rejects, drawing.design, drawing.seed, drawing.omissions)
        noun = "captions" if action.judge else "reports" if action.second_reader else "parts"
        with TerminalProgress(noun, quiet=general.quiet) as progress:
            if action.summary and not json and not general.quiet and show_readers_alone(folder):
                return
            if action.summary:
                _show_summary(folder, json, general.quiet)
            elif action.apply:
                out = action.out or folder.with_name(f"{folder.resolve().name}-audited")
                _apply(folder, out, progress, general.quiet)
            elif action.judge:
                _judge(folder, drawn, drawing.redraw, action.judge, settings, progress, general.quiet)
            elif action.second_reader:
                asked = settings | ({"batch": True} if action.batch else {})
                second_reader(folder, action.second_reader, asked, action.cost, progress, general.quiet)
            else:
                from curation.audit.review import ReviewJob, review

                names = tuple(reviewer) if reviewer else (_user_name(),)
                job = ReviewJob(
                    folder,
                    drawn,
                    names,
                    showing.overlap,
                    showing.port,
                    showing.blind,
                    drawing.redraw,
                    showing.browser,
                )
                review(job, progress, say)


def _check_action(action: ActionOptions, settings: Mapping[str, object], json: bool) -> None:
    """Raise ``InputError`` for options that do not go together."""
    from curation.runtime.errors import InputError

    chosen = {
        "--summary": action.summary,
        "--apply": action.apply,
        "--judge": action.judge,
        "--second-reader": action.second_reader,
    }
    actions = [flag for flag, value in chosen.items() if value]
    if len(actions) > 1:
        raise InputError(f"{' and '.join(actions)}: one at a time")
    if settings and not (action.judge or action.second_reader):
        raise InputError(f"{flag_names(settings)}: only with --judge or --second-reader, vllm or openai")
    if "prompt" in settings and action.second_reader:
        raise InputError("--prompt: a second reader has one of its own; leave it out")
    for flag, given in (("--cost", action.cost), ("--batch", action.batch)):
        if given and not action.second_reader:
            raise InputError(f"{flag}: only with --second-reader")
    if action.out is not None and not action.apply:
        raise InputError("--out: only with --apply")
    if json and not action.summary:
        raise InputError("--json: only with --summary")


def _check_drawing(action: ActionOptions, drawing: Collection[str]) -> None:
    """Raise ``InputError`` for options of a sample that a second reader, who reads the whole set, has no use for."""
    from curation.runtime.errors import InputError

    if action.second_reader and drawing:
        raise InputError(
            f"{flag_names(sorted(drawing))}: of no use to --second-reader, which reads the whole set; give it when the "
            "sample is drawn, afterwards"
        )


def _user_name() -> str:
    from getpass import getuser

    try:
        return getuser()
    except (KeyError, OSError):  # a container's user may have no name
        return "reviewer"


def _show_summary(folder: Path, json: bool, quiet: bool) -> None:
    from curation.audit.folder import audit_to_read
    from curation.audit.publish import write_results
    from curation.audit.tables import print_summary
    from curation.caption_set.audit_results import AUDIT
    from curation.runtime.terminal_console import EscapingConsole

    with audit_to_read(folder) as store:
        summary = write_results(folder, store)
    if json:
        print_json(summary.model_dump(mode="json"))
    elif not quiet:
        print_summary(summary, EscapingConsole())
        say(f"In {folder / AUDIT}: report.html, summary.json, summary.csv")


def _apply(folder: Path, out: Path, progress: TerminalProgress, quiet: bool) -> None:
    from curation.api.plot import draw_plot
    from curation.audit.cleaning import write_cleaned_set
    from curation.audit.folder import audit_to_read
    from curation.caption_set.records.omissions import MISSED
    from curation.caption_set.stats import show, summary_of
    from curation.runtime.terminal_console import EscapingConsole

    with audit_to_read(folder) as store:
        manifest = write_cleaned_set(folder, out, store, progress, draw_plot)
    if quiet:
        return
    show(summary_of(out, manifest), EscapingConsole())
    changes = manifest.audit.changes if manifest.audit else ()
    removed = sum(change.after is None for change in changes)
    added = sum(change.verdict in MISSED for change in changes)
    right = len(changes) - removed - added
    say(f"Of {folder}, {removed:,} captions are out, {right:,} put right and {added:,} added; it is as it was.")


def _judge(
    folder: Path,
    drawn: SampleRequest,
    redraw: bool,
    engine: str,
    settings: Mapping[str, object],
    progress: TerminalProgress,
    quiet: bool,
) -> None:
    from curation.audit.folder import audit_to_write, finished_set
    from curation.audit.judge_run import judge_sample
    from curation.llm.recipes import connection, model_options
    from curation.runtime.errors import RunError
    from prompts.judge_file import load_judge

    model_settings = dict(settings)
    name = model_settings.pop("prompt", None)
    prompt = load_judge(None if name is None else str(name))
    finished_set(folder)
    options = model_options(engine, model_settings)
    model, connect = connection(options, progress.raise_if_interrupted)
    with audit_to_write(folder, drawn, progress, redraw=redraw) as store:
        run = judge_sample(store, model, connect, prompt, options.max_tokens, progress)
    if not quiet:
        earlier = f", {run.judged_before:,} were there" if run.judged_before else ""
        say(f"{run.judge}: {run.judged:,} captions judged{earlier}. `ovct audit {folder}` shows each after your own.")
    if run.failed:
        say(f"ovct: {run.failed:,} without a usable verdict; the same command asks again: {run.problem}", err=True)
        if not run.judged and not run.judged_before:
            raise typer.Exit(RunError.exit_code)
