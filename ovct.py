"""The command line: one command, one call."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from curation.curator import Recipe
    from curation.reports import Skipped

app = typer.Typer(
    help="CT reports in, captions grounded in them out.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

Reports = Annotated[
    Path,
    typer.Argument(help="CSV, TSV, JSONL, Parquet or XLSX (also .gz), or a folder of .txt files.", show_default=False),
]
IdColumn = Annotated[str | None, typer.Option(help="Column with the report's id.", show_default="found by name")]
TextColumn = Annotated[
    list[str] | None, typer.Option(help="Column with the report's text; may be repeated.", show_default="found by name")
]
Workers = Annotated[int | None, typer.Option(min=1, help="Worker processes.", show_default="one for each core")]
Debug = Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")]


def _fail(message: str, code: int) -> NoReturn:
    typer.echo(f"ovct: {message}", err=True)
    raise typer.Exit(code)


@contextmanager
def _errors_reported(debug: bool, left: str) -> Iterator[None]:
    """Say what went wrong, without a traceback: exit 2 for a wrong call or input, 1 under way, 130 when interrupted.

    ``left`` says what is left of the run when it ends early.
    """
    from sqlite3 import OperationalError

    from curation.caption_set import SetError
    from curation.interrupt import Interrupted
    from curation.manifest import ManifestError
    from curation.reports import InputError
    from curation.workers import RunError

    try:
        yield
    except (Interrupted, KeyboardInterrupt):
        _fail(f"stopped; {left}", 130)
    except typer.Exit:
        raise
    except Exception as error:
        if debug:
            raise
        if isinstance(error, (InputError, SetError, ManifestError)):
            _fail(str(error), 2)
        if isinstance(error, RunError):
            _fail(str(error), 1)
        if isinstance(error, (OSError, OperationalError)):
            _fail(f"cannot go on: {error}; {left}", 1)
        _fail(f"unexpected {type(error).__name__}: {error} (--debug shows where)", 1)


def _version(wanted: bool) -> None:
    if wanted:
        from curation.manifest import ovct_version

        typer.echo(f"ovct {ovct_version()}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    pass


def _recipe(engine: str) -> Recipe:
    from curation.curator import rules_recipe
    from curation.reports import InputError

    if engine == "rules":
        return rules_recipe()
    if engine in ("vllm", "openai"):
        raise InputError(f"engine {engine} is not in this version; it has: rules")
    raise InputError(f"there is no engine {engine!r}; this version has: rules")


def _show_problems(problems: Sequence[Skipped], count: int) -> None:
    from curation.stats import problem_lines

    for line in problem_lines(problems, count):
        typer.echo(line, err=True)


@app.command()
def curate(
    reports: Reports,
    out: Annotated[Path, typer.Option(help="Folder for the caption set.")] = Path("captions"),
    engine: Annotated[
        str, typer.Option(help="What makes the captions. rules: built in, no model, no network.")
    ] = "rules",
    limit: Annotated[int | None, typer.Option(min=1, help="Stop after so many reports.", show_default="all")] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Start again where a caption set stands.")] = False,
    id_column: IdColumn = None,
    text_column: TextColumn = None,
    workers: Workers = None,
    debug: Debug = False,
) -> None:
    """Make a caption set from reports. Run again after an interruption, it goes on where it was."""
    left = f"finished parts stay in {out}, and the same command, without --overwrite, goes on from there"
    with _errors_reported(debug, left):
        from rich.console import Console

        from curation.pipeline import Job, curate
        from curation.progress import TerminalWatch
        from curation.stats import show, summary_of
        from curation.workers import available_cores

        columns = tuple(text_column or ())
        job = Job(reports, out, id_column, columns, limit, overwrite, workers or available_cores())
        with TerminalWatch("reports") as watch:
            result = curate(job, _recipe(engine), watch)
        if result.already_done:
            typer.echo(
                f"{out} is complete: same input, same settings, nothing to do (--overwrite starts again).", err=True
            )
        manifest = result.manifest
        _show_problems(result.problems, (manifest.skipped or 0) + (manifest.warnings or 0))
        show(summary_of(out, manifest), Console())


@app.command()
def verify(
    reports: Reports,
    captions: Annotated[
        Path, typer.Argument(help="CSV, JSONL or Parquet with report_id, organ, caption.", show_default=False)
    ],
    out: Annotated[Path, typer.Option(help="Parquet file for the result.", show_default=False)],
    id_column: IdColumn = None,
    text_column: TextColumn = None,
    workers: Workers = None,
    debug: Debug = False,
) -> None:
    """Hold captions from anywhere against their reports: which hold, where each stands, and why others do not."""
    with _errors_reported(debug, f"{out} was not written"):
        from collections import Counter

        from rich.console import Console

        from curation.progress import TerminalWatch
        from curation.stats import reason_table
        from curation.verify import Verifier
        from curation.verify_table import VerifyJob, verify_table
        from curation.workers import available_cores

        job = VerifyJob(reports, captions, out, id_column, tuple(text_column or ()), workers or available_cores())
        with TerminalWatch("captions") as watch:
            result = verify_table(job, Verifier, watch)
        _show_problems(result.problems, result.problem_count)
        console = Console()
        total = result.accepted + result.refused.total()
        console.print(reason_table(f"{total:,} captions", Counter({"accepted": result.accepted}) + result.refused))
        console.print(f"In {out}", markup=False, highlight=False, soft_wrap=True)


@app.command()
def stats(
    folder: Annotated[Path, typer.Argument(metavar="[DIR]", help="A caption set.")] = Path("captions"),
    plot: Annotated[
        Path | None,
        typer.Option(help="Plot of captions by organ and status, .png or .svg.", show_default="DIR/captions.png"),
    ] = None,
    debug: Debug = False,
) -> None:
    """Show what is in a caption set, and plot it."""
    with _errors_reported(debug, "no plot was written (--plot names another place)"):
        from rich.console import Console

        from curation.caption_set import PLOT
        from curation.stats import count_set, draw, show

        summary = count_set(folder)
        show(summary, Console())
        path = plot or folder / PLOT
        draw(summary, path)
        typer.echo(f"Plot in {path}")


def main() -> None:
    """Entry point of the console script."""
    app()


if __name__ == "__main__":
    main()
