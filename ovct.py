"""The command line: one command, one call."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from curation.curator import Recipe
    from curation.progress import TerminalWatch
    from curation.reports import Skipped
    from curation.verify_table import VerifyJob

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

MODELS = "Language models: --engine vllm or openai"
VLLM = "Only --engine vllm"
SERVER = "Only --engine openai"


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
    from prompts.prompt_file import PromptError

    try:
        yield
    except (Interrupted, KeyboardInterrupt):
        _fail(f"stopped; {left}", 130)
    except typer.Exit:
        raise
    except Exception as error:
        if debug:
            raise
        if isinstance(error, (InputError, SetError, ManifestError, PromptError)):
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


def _recipe(engine: str, said: Mapping[str, object], prompt: str | None, watch: TerminalWatch) -> Recipe:
    """The recipe for an engine; ``said`` is what was said of a language model, by the option's name."""
    from curation.curator import rules_recipe
    from curation.reports import InputError

    said = {name: value for name, value in said.items() if value is not None}
    if engine == "rules":
        if said or prompt:
            options = ", ".join(f"--{name.replace('_', '-')}" for name in [*said, *(["prompt"] if prompt else [])])
            raise InputError(f"{options}: of no use to the engine rules; say --engine vllm or --engine openai too")
        return rules_recipe()
    from curation.llm.prompting import load_checked_prompt
    from curation.llm.recipes import DEFAULT_PROMPT, chat_recipe, language_model

    return chat_recipe(language_model(engine, said), load_checked_prompt(prompt or DEFAULT_PROMPT), watch.check)


def _show_problems(problems: Sequence[Skipped], count: int) -> None:
    from curation.stats import problem_lines

    for line in problem_lines(problems, count):
        typer.echo(line, err=True)


@app.command()
def curate(
    reports: Reports,
    out: Annotated[Path, typer.Option(help="Folder for the caption set.")] = Path("captions"),
    engine: Annotated[
        str,
        typer.Option(
            help="What makes the captions. rules: built in, no model, no network. vllm: a language model on this "
            "machine. openai: one behind any OpenAI-compatible server."
        ),
    ] = "rules",
    limit: Annotated[int | None, typer.Option(min=1, help="Stop after so many reports.", show_default="all")] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Start again where a caption set stands.")] = False,
    license: Annotated[
        str | None,
        typer.Option(
            help="Licence of the reports, as Hugging Face names it (cc-by-nc-sa-4.0, other, ...); goes into the data "
            "card.",
            metavar="ID",
            show_default="not stated",
        ),
    ] = None,
    id_column: IdColumn = None,
    text_column: TextColumn = None,
    workers: Workers = None,
    model: Annotated[
        str | None,
        typer.Option(
            help="vllm: name on the hub, or directory. openai: name on the server.",
            show_default="the server's, if it has one",
            rich_help_panel=MODELS,
        ),
    ] = None,
    prompt: Annotated[
        str | None,
        typer.Option(
            help="Name of a prompt (see `ovct prompts`), or a file.",
            show_default="organ_captions",
            rich_help_panel=MODELS,
        ),
    ] = None,
    max_tokens: Annotated[
        int | None,
        typer.Option(min=1, help="Longest answer, in tokens.", show_default="the prompt's", rich_help_panel=MODELS),
    ] = None,
    context: Annotated[
        int | None,
        typer.Option(
            min=256,
            help="Longest prompt and answer together, in tokens; longer reports are split.",
            show_default="the model's",
            rich_help_panel=MODELS,
        ),
    ] = None,
    repair: Annotated[
        int | None,
        typer.Option(
            min=0,
            help="Rounds in which refused captions go back to the model, each once.",
            show_default="0",
            rich_help_panel=MODELS,
        ),
    ] = None,
    prices: Annotated[
        tuple[float, float] | None,
        typer.Option(
            help="Price of a million tokens in and out, to show what it costs.",
            metavar="IN OUT",
            rich_help_panel=MODELS,
        ),
    ] = None,
    base_url: Annotated[
        str | None,
        typer.Option(
            help="Address of the server, such as http://localhost:8000/v1. The key comes from OPENAI_API_KEY.",
            show_default="OPENAI_BASE_URL",
            rich_help_panel=SERVER,
        ),
    ] = None,
    concurrency: Annotated[
        int | None, typer.Option(min=1, help="Requests at once.", show_default="16", rich_help_panel=SERVER)
    ] = None,
    timeout: Annotated[
        float | None,
        typer.Option(min=0.1, help="Seconds for one answer.", show_default="120", rich_help_panel=SERVER),
    ] = None,
    dtype: Annotated[
        str | None,
        typer.Option(help="Number format of the weights.", show_default="auto", rich_help_panel=VLLM),
    ] = None,
    tensor_parallel_size: Annotated[
        int | None, typer.Option(min=1, help="GPUs to spread the model on.", show_default="1", rich_help_panel=VLLM)
    ] = None,
    vllm_option: Annotated[
        list[str] | None,
        typer.Option(
            help="Any other argument of vllm.LLM, such as gpu_memory_utilization=0.8; may be repeated.",
            metavar="NAME=VALUE",
            rich_help_panel=VLLM,
        ),
    ] = None,
    debug: Debug = False,
) -> None:
    """Make a caption set from reports. Run again after an interruption, it goes on where it was."""
    left = f"finished parts stay in {out}, and the same command, without --overwrite, goes on from there"
    with _errors_reported(debug, left):
        from rich.console import Console

        from curation.caption_set import PLOT
        from curation.pipeline import Job, curate
        from curation.progress import TerminalWatch
        from curation.stats import draw, show, summary_of
        from curation.workers import available_cores

        columns = tuple(text_column or ())
        said = {
            "model": model,
            "max_tokens": max_tokens,
            "context": context,
            "repair": repair,
            "prices": prices,
            "base_url": base_url,
            "concurrency": concurrency,
            "timeout": timeout,
            "dtype": dtype,
            "tensor_parallel_size": tensor_parallel_size,
            "vllm_option": vllm_option or None,
        }
        job = Job(reports, out, id_column, columns, limit, overwrite, workers or available_cores(), license=license)
        with TerminalWatch("reports") as watch:
            result = curate(job, _recipe(engine, said, prompt, watch), watch)
        if result.already_done:
            again = "--overwrite starts again"
            if missing := result.manifest.usage and result.manifest.counts.unanswered:
                again = f"{missing:,} questions got no usable answer: --overwrite asks for those alone"
            done = f"the data card names the licence {license}" if result.relicensed else "nothing to do"
            typer.echo(f"{out} is complete: same input, same settings, {done} ({again}).", err=True)
        manifest = result.manifest
        _show_problems(result.problems, (manifest.skipped or 0) + (manifest.warnings or 0))
        summary = summary_of(out, manifest)
        show(summary, Console())
        if not result.already_done or not (out / PLOT).exists():
            draw(summary, out / PLOT)


@app.command()
def verify(
    reports: Annotated[
        Path | None, typer.Argument(help="Reports, in any form that `curate` reads.", show_default=False)
    ] = None,
    captions: Annotated[
        Path | None, typer.Argument(help="CSV, JSONL or Parquet with report_id, organ, caption.", show_default=False)
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Parquet file for the result.", show_default=False)] = None,
    replay: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Instead: a caption set whose captions and rejects are made anew, in place, from the language model's "
            "answers that it keeps.",
            show_default=False,
        ),
    ] = None,
    id_column: IdColumn = None,
    text_column: TextColumn = None,
    workers: Workers = None,
    debug: Debug = False,
) -> None:
    """Hold captions from anywhere against their reports: which hold, where each stands, and why others do not."""
    left = f"run `ovct verify --replay {replay}` again" if replay else f"{out} was not written"
    with _errors_reported(debug, left):
        from curation.progress import TerminalWatch
        from curation.reports import InputError

        if replay is not None:
            if reports or captions or out:
                raise InputError("--replay takes no reports, captions or --out: the caption set has all of it")
            with TerminalWatch("reports") as watch:
                _replay(replay, workers, watch)
            return
        if reports is None or captions is None or out is None:
            raise InputError("verify needs REPORTS, CAPTIONS and --out FILE.parquet, or --replay DIR")
        from curation.verify_table import VerifyJob
        from curation.workers import available_cores

        job = VerifyJob(reports, captions, out, id_column, tuple(text_column or ()), workers or available_cores())
        with TerminalWatch("captions") as watch:
            _verify(job, watch)


def _verify(job: VerifyJob, watch: TerminalWatch) -> None:
    from collections import Counter

    from rich.console import Console

    from curation.stats import reason_table
    from curation.verify import Verifier
    from curation.verify_table import verify_table

    result = verify_table(job, Verifier, watch)
    _show_problems(result.problems, result.problem_count)
    console = Console()
    total = result.accepted + result.refused.total()
    console.print(reason_table(f"{total:,} captions", Counter({"accepted": result.accepted}) + result.refused))
    console.print(f"In {job.out}", markup=False, highlight=False, soft_wrap=True)


def _replay(folder: Path, workers: int | None, watch: TerminalWatch) -> None:
    from rich.console import Console

    from curation.llm.replay import replay
    from curation.stats import show, summary_of

    show(summary_of(folder, replay(folder, watch, workers)), Console())


@app.command()
def prompts(
    prompt: Annotated[
        str | None, typer.Argument(help="Name of one, or a prompt file of your own.", show_default="list them all")
    ] = None,
    check: Annotated[
        bool, typer.Option("--check", help="Only check: is all that the examples show in the examples' own reports?")
    ] = False,
    debug: Debug = False,
) -> None:
    """List the prompts for language models, show one as the file it is, or check them."""
    with _errors_reported(debug, "nothing was written"):
        from rich.console import Console

        from curation.llm.prompting import load_checked_prompt, prompt_facts, prompt_table
        from curation.verify import Verifier
        from prompts.prompt_file import load_prompt, shipped_prompts

        names = [prompt] if prompt else list(shipped_prompts())
        if prompt and not check:
            typer.echo(load_prompt(prompt).source.decode(), nl=False)
        elif not check:
            Console().print(prompt_table([load_prompt(name) for name in names]))
            return
        verifier = Verifier()
        for name in names:
            typer.echo(prompt_facts(load_checked_prompt(name, verifier)), err=not check)


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
