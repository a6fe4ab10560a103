"""`ovct verify`, `ovct stats` and `ovct prompts`: what holds of captions, what a set holds, what models are told."""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from curation.runtime.terminal import say

from .errors import errors_reported
from .options import (
    CaptionSetFolder,
    GeneralOptions,
    IdColumn,
    Json,
    TextColumn,
    WordOptions,
    Workers,
    option_groups,
    print_json,
    refuse_store,
    show_problems,
)

if TYPE_CHECKING:
    from curation.caption_set.stats import SetSummary
    from curation.language.site_words import SiteWords
    from curation.runtime.progress import TerminalProgress
    from curation.verify_table import VerifyResult


@option_groups
def verify(
    reports: Annotated[
        Path | None,
        typer.Argument(metavar="REPORTS", help="Reports, in any form that `curate` reads.", show_default=False),
    ] = None,
    captions: Annotated[
        Path | None,
        typer.Argument(
            metavar="CAPTIONS", help="CSV, JSONL or Parquet with report_id, organ, caption.", show_default=False
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "-o",
            "--out",
            metavar="FILE",
            help="Parquet file for the result; needed, but with --replay.",
            show_default=False,
        ),
    ] = None,
    replay: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Instead: make captions and rejects of a caption set anew, in place, from the language model's "
            "answers that it keeps.",
            show_default=False,
        ),
    ] = None,
    id_column: IdColumn = None,
    text_column: TextColumn = None,
    workers: Workers = None,
    *,
    words: WordOptions,
    json: Json = False,
    general: GeneralOptions,
) -> None:
    """Verify captions against their reports: accept each with its evidence, or refuse it with a reason."""
    unfinished = f"run `ovct verify --replay {replay}` again" if replay else f"{out} was not written"
    with errors_reported(general.debug, unfinished):
        from curation.language.site_words import read_site_words
        from curation.runtime.errors import InputError
        from curation.runtime.processes import available_cores
        from curation.runtime.progress import TerminalProgress

        site_words = read_site_words(words.lexicon, words.organs)
        if replay is not None:
            if reports or captions or out:
                raise InputError("--replay takes no reports, captions or --out: the caption set has all of it")
            with TerminalProgress("reports", quiet=general.quiet) as progress:
                _replay(replay, workers, site_words, progress, json, general.quiet)
            return
        if reports is None or captions is None or out is None:
            raise InputError("verify needs REPORTS, CAPTIONS and --out FILE.parquet, or --replay DIR")
        from curation.runtime.store_cache import local_copy
        from curation.verification.verifier import build_verifier
        from curation.verify_table import VerifyJob, verify_table

        refuse_store(out, "the table")
        with TerminalProgress("captions", quiet=general.quiet) as progress:
            job = VerifyJob(
                local_copy(reports, progress),
                local_copy(captions, progress),
                out,
                id_column,
                tuple(text_column or ()),
                workers or available_cores(),
                site_words,
            )
            result = verify_table(job, partial(build_verifier, site_words), progress)
        show_problems(result.problems, result.problem_count)
        if json:
            print_json(result.figures(out).model_dump(mode="json"))
        elif not general.quiet:
            _show_verified(result, out)


def _show_verified(result: VerifyResult, out: Path) -> None:
    """Print how many captions were accepted and refused, and the first that were refused."""
    from collections import Counter

    from curation.caption_set.stats import reason_table
    from curation.runtime.terminal_console import EscapingConsole

    console = EscapingConsole()
    total = result.accepted + result.refused.total()
    console.print(reason_table(f"{total:,} captions", Counter({"accepted": result.accepted}) + result.refused))
    for refusal in result.first_refusals:
        nearest = "no passage comes near" if refusal.evidence is None else f"nearest: {refusal.evidence}"
        lines = (
            f"{refusal.report_id}, {refusal.organ}: {refusal.caption}",
            f"  refused: {refusal.reason}, {refusal.detail}",
            f"  {nearest}\n",
        )
        console.print("\n".join(lines), markup=False, highlight=False, soft_wrap=True)
    more = result.refused.total() - len(result.first_refusals)
    rest = f", with {more:,} more refusals" if more else ""
    console.print(f"In {out}{rest}", markup=False, highlight=False, soft_wrap=True)


def _replay(
    folder: Path, workers: int | None, words: SiteWords, progress: TerminalProgress, json: bool, quiet: bool
) -> None:
    from curation.api.plot import draw_plot
    from curation.caption_set.figures import set_figures
    from curation.caption_set.stats import show, summary_of
    from curation.replay import replay
    from curation.runtime.terminal_console import EscapingConsole

    manifest = draw_plot(folder, replay(folder, progress, workers, words))
    summary = summary_of(folder, manifest)
    if json:
        print_json(set_figures(summary, str(folder)).model_dump(mode="json"))
    elif not quiet:
        show(summary, EscapingConsole())


@option_groups
def stats(
    folder: CaptionSetFolder = Path("captions"),
    plot: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Plot of captions by organ and status, .png or .svg.",
            show_default="DIR/captions.png",
        ),
    ] = None,
    check_phi: Annotated[
        bool,
        typer.Option(
            "--check-phi",
            help="Count the names, dates, telephone and record numbers in the set now, by table. By patterns: a check, "
            "no guarantee.",
        ),
    ] = False,
    *,
    json: Json = False,
    general: GeneralOptions,
) -> None:
    """Show what is in a caption set, and plot it."""
    with errors_reported(general.debug, "no plot was written (--plot names another place)"):
        from curation.caption_set.figures import set_figures
        from curation.caption_set.privacy_check import with_privacy
        from curation.caption_set.set_files import PLOT_FILE
        from curation.caption_set.stats import check_plot_path, count_set, draw, show
        from curation.runtime.progress import TerminalProgress
        from curation.runtime.store_cache import local_copy
        from curation.runtime.terminal_console import EscapingConsole
        from curation.runtime.urls import is_url, redact_url

        if plot is not None:
            check_plot_path(plot)
        with TerminalProgress("files", quiet=general.quiet) as progress:
            summary = count_set(local_copy(folder, progress), progress)
            if check_phi:
                summary.manifest = with_privacy(summary.root, summary.manifest, progress.raise_if_interrupted)
        place = redact_url(str(folder)) if is_url(folder) else str(folder)
        if json:
            print_json(set_figures(summary, place).model_dump(mode="json"))
        elif not general.quiet:
            show(summary, EscapingConsole(), place)
        path = plot or (Path(PLOT_FILE) if is_url(folder) else folder / PLOT_FILE)
        if plot is not None or is_url(folder):
            draw(summary, path)
        elif not _draw_into_set(summary, path):
            return
        if not json and not general.quiet:
            say(f"Plot in {path}")


def _draw_into_set(summary: SetSummary, path: Path) -> bool:
    """Draw the plot into a set that has none; return whether it has one now. One of the finished set stays as it is."""
    from curation.caption_set.stats import draw, is_foreign_plot

    if path.name in (summary.manifest.files or {}) and path.exists():
        return True
    if is_foreign_plot(path):  # of other hands, or of an earlier version
        return True
    try:
        draw(summary, path)
    except OSError as error:
        typer.echo(
            f"ovct: no plot was written ({path}: {error.strerror or error}); --plot names another place", err=True
        )
        return False
    return True


@option_groups
def prompts(
    prompt: Annotated[
        str | None,
        typer.Argument(metavar="PROMPT", help="Name of one, or a prompt file of your own.", show_default="list all"),
    ] = None,
    check: Annotated[
        bool, typer.Option("--check", help="Check that the examples' captions stand in the examples' own reports.")
    ] = False,
    *,
    words: WordOptions,
    general: GeneralOptions,
) -> None:
    """List the prompts for language models, show one as the file it is, or check them."""
    with errors_reported(general.debug, "nothing was written"):
        from curation.language.site_words import read_site_words
        from curation.llm.prompt_checks import load_checked_prompt, prompt_facts, prompt_table
        from curation.runtime.terminal_console import EscapingConsole
        from curation.verification.verifier import build_verifier
        from prompts.prompt_file import load_prompt, shipped_prompts

        site_words = read_site_words(words.lexicon, words.organs)
        names = [prompt] if prompt else list(shipped_prompts())
        if prompt and not check:
            _print_file(load_prompt(prompt, site_words.vocabulary()).source.decode())
        elif not check:
            EscapingConsole().print(prompt_table([load_prompt(name) for name in names]))
            return
        verifier = build_verifier(site_words)
        for name in names:
            facts = prompt_facts(load_checked_prompt(name, verifier))
            if not general.quiet:
                say(facts, err=not check)


def _print_file(text: str) -> None:
    """Print a file as it is, so that `>` makes a copy of it; escaped where it goes to a terminal."""
    if sys.stdout.isatty():
        say(text, end="")
    else:
        sys.stdout.write(text)
