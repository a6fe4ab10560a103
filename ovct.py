"""The command line: one command, one call."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer
from typer.core import TyperGroup

from train.cli.flags import flags
from train.config import AlignConfig, PretrainConfig, SegmentConfig

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from curation.audit.drawing import Wanted
    from curation.caption_set.publishing import Published
    from curation.extraction.recipe import Recipe
    from curation.extraction.text_engine import TextRecipe
    from curation.llm.pool import ChatRecipe
    from curation.report import RowProblem
    from curation.runtime.progress import TerminalProgress
    from curation.verify_table import VerifyJob
    from train.config import StageConfig

app = typer.Typer(
    help="CT reports in, captions grounded in them out.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

Reports = Annotated[
    Path,
    typer.Argument(
        help="CSV, TSV, JSONL, Parquet or XLSX (also .gz), or a folder of .txt files; also in a store (s3://, gs://, "
        "hf://).",
        show_default=False,
    ),
]
IdColumn = Annotated[str | None, typer.Option(help="Column with the report's id.", show_default="found by name")]
TextColumn = Annotated[
    list[str] | None, typer.Option(help="Column with the report's text; may be repeated.", show_default="found by name")
]
Workers = Annotated[int | None, typer.Option(min=1, help="Worker processes.", show_default="one for each core")]
Debug = Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")]

MODELS = "Language models: vllm or openai"
VLLM = "Only vllm"
SERVER = "Only openai"

Model = Annotated[
    str | None,
    typer.Option(
        help="vllm: name on the hub, or directory. openai: name on the server.",
        show_default="the server's, if it has one",
        rich_help_panel=MODELS,
    ),
]
MaxTokens = Annotated[
    int | None,
    typer.Option(min=1, help="Longest answer, in tokens.", show_default="the prompt's", rich_help_panel=MODELS),
]
Context = Annotated[
    int | None,
    typer.Option(
        min=256,
        help="Longest prompt and answer together, in tokens; longer reports are split.",
        show_default="the model's",
        rich_help_panel=MODELS,
    ),
]
BaseUrl = Annotated[
    str | None,
    typer.Option(
        help="Address of the server, such as http://localhost:8000/v1. The key comes from OPENAI_API_KEY.",
        show_default="OPENAI_BASE_URL",
        rich_help_panel=SERVER,
    ),
]
Concurrency = Annotated[
    int | None, typer.Option(min=1, help="Requests at once.", show_default="16", rich_help_panel=SERVER)
]
Timeout = Annotated[
    float | None,
    typer.Option(min=0.1, help="Seconds for one answer.", show_default="120", rich_help_panel=SERVER),
]
Dtype = Annotated[
    str | None, typer.Option(help="Number format of the weights.", show_default="auto", rich_help_panel=VLLM)
]
TensorParallelSize = Annotated[
    int | None, typer.Option(min=1, help="GPUs to spread the model on.", show_default="1", rich_help_panel=VLLM)
]
VllmOption = Annotated[
    list[str] | None,
    typer.Option(
        help="Any other argument of vllm.LLM, such as gpu_memory_utilization=0.8; may be repeated.",
        metavar="NAME=VALUE",
        rich_help_panel=VLLM,
    ),
]


def _fail(message: str, code: int) -> NoReturn:
    typer.echo(f"ovct: {message}", err=True)
    raise typer.Exit(code)


@contextmanager
def _errors_reported(debug: bool, left: str) -> Iterator[None]:
    """Say what went wrong, without a traceback: exit 2 for a wrong call or input, 1 under way, 130 when interrupted.

    ``left`` says what is left of the run when it ends early.
    """
    from sqlite3 import OperationalError

    from curation.audit.store import StoreError
    from curation.caption_set.manifest import ManifestError
    from curation.caption_set.writer import SetError
    from curation.runtime.errors import InputError, Interrupted, RunError
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
        if isinstance(error, (InputError, SetError, ManifestError, PromptError, StoreError)):
            _fail(str(error), 2)
        if isinstance(error, RunError):
            _fail(str(error), 1)
        if isinstance(error, (OSError, OperationalError)):
            _fail(f"cannot go on: {error}; {left}", 1)
        _fail(f"unexpected {type(error).__name__}: {error} (--debug shows where)", 1)


def _version(wanted: bool) -> None:
    if wanted:
        from curation.runtime.provenance import ovct_version

        typer.echo(f"ovct {ovct_version()}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    pass


def _given(**options: object) -> dict[str, object]:
    """The options that were given, by name."""
    return {name: value for name, value in options.items() if value is not None}


def _options(names: Iterable[str]) -> str:
    return ", ".join(f"--{name.replace('_', '-')}" for name in names)


def _recipe(
    engine: str, said: Mapping[str, object], prompt: str | None, progress: TerminalProgress
) -> TextRecipe | ChatRecipe:
    """The recipe for an engine; ``said`` is what was said of a language model, by the option's name."""
    from curation.extraction.text_engine import rules_recipe
    from curation.runtime.errors import InputError

    if engine == "rules":
        if said or prompt:
            options = _options([*said, *(["prompt"] if prompt else [])])
            raise InputError(f"{options}: of no use to the engine rules; say --engine vllm or --engine openai too")
        return rules_recipe()
    from curation.llm.prompting import load_checked_prompt
    from curation.llm.recipes import DEFAULT_PROMPT, chat_recipe, language_model

    return chat_recipe(
        language_model(engine, said), load_checked_prompt(prompt or DEFAULT_PROMPT), progress.raise_if_interrupted
    )


def _on_ray(recipe: TextRecipe | ChatRecipe, address: str, workers: int | None) -> Recipe:
    from curation.ray_cluster.recipe import OnRay

    return OnRay(recipe, address, workers)


def _here(place: Path, progress: TerminalProgress) -> Path:
    """A path of this machine: what is in a store is fetched."""
    from curation.runtime.store_cache import fetch
    from curation.runtime.urls import local_path

    return local_path(place) or fetch(str(place), progress)


def _check_here(out: Path | None, what: str) -> None:
    """Raise ``InputError`` where what can only be written to this machine is to go into a store."""
    from curation.runtime.errors import InputError
    from curation.runtime.urls import is_url

    if out is not None and is_url(out):
        raise InputError(f"--out {out}: {what} is written to this machine; name a folder of it, and copy it afterwards")


def _published(out: Path, progress: TerminalProgress) -> Published | None:
    """The store that a set goes to, where ``out`` is in one."""
    from curation.runtime.store_cache import staging_folder
    from curation.runtime.urls import is_url

    if not is_url(out):
        return None
    from curation.caption_set.publishing import Published

    return Published(str(out), staging_folder(str(out), progress), progress)


def _show_problems(problems: Sequence[RowProblem], count: int) -> None:
    from curation.readers.problems import problem_lines

    for line in problem_lines(problems, count):
        typer.echo(line, err=True)


@app.command()
def curate(
    reports: Reports,
    out: Annotated[
        Path, typer.Option(help="Folder for the caption set; also in a store (s3://, gs://, hf://).")
    ] = Path("captions"),
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
    shard: Annotated[
        str | None,
        typer.Option(
            help="Make every N-th part alone, this run those of number I, from 1 on; `ovct merge` joins the N sets.",
            metavar="I/N",
            show_default="all",
        ),
    ] = None,
    reports_per_part: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Reports in a part, that is in a file of each table.",
            show_default="10,000 with the rules, 1,000 with a language model",
        ),
    ] = None,
    ray: Annotated[
        str | None,
        typer.Option(
            help="Work on a Ray cluster: local (one of --workers processes on this machine), auto (the one that this "
            "machine belongs to), or its head's address. Same rows.",
            metavar="local|auto|ADDRESS",
            show_default="without Ray",
        ),
    ] = None,
    model: Model = None,
    prompt: Annotated[
        str | None,
        typer.Option(
            help="Name of a prompt (see `ovct prompts`), or a file.",
            show_default="organ_captions",
            rich_help_panel=MODELS,
        ),
    ] = None,
    max_tokens: MaxTokens = None,
    context: Context = None,
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
    base_url: BaseUrl = None,
    concurrency: Concurrency = None,
    timeout: Timeout = None,
    dtype: Dtype = None,
    tensor_parallel_size: TensorParallelSize = None,
    vllm_option: VllmOption = None,
    debug: Debug = False,
) -> None:
    """Make a caption set from reports. Run again after an interruption, it goes on where it was."""
    left = f"finished parts stay in {out}, and the same command, without --overwrite, goes on from there"
    with _errors_reported(debug, left):
        from rich.console import Console

        from curation.caption_set.sharding import Shard
        from curation.caption_set.stats import draw, show, summary_of
        from curation.caption_set.writer import PLOT
        from curation.pipeline import CurateJob, curate
        from curation.runtime.processes import available_cores
        from curation.runtime.progress import TerminalProgress

        columns = tuple(text_column or ())
        said = _given(
            model=model,
            max_tokens=max_tokens,
            context=context,
            repair=repair,
            prices=prices,
            base_url=base_url,
            concurrency=concurrency,
            timeout=timeout,
            dtype=dtype,
            tensor_parallel_size=tensor_parallel_size,
            vllm_option=vllm_option or None,
        )
        share = None if shard is None else Shard.read(shard)
        cores = workers or available_cores()
        with TerminalProgress("reports") as progress:
            publish = _published(out, progress)
            job = CurateJob(
                _here(reports, progress),
                publish.root if publish else out,
                id_column,
                columns,
                limit,
                overwrite,
                cores,
                reports_per_part=reports_per_part,
                license=license,
                shard=share,
                publish=publish,
            )
            recipe = _recipe(engine, said, prompt, progress)
            result = curate(job, recipe if ray is None else _on_ray(recipe, ray, workers), progress)
        where = publish.shown if publish else str(out)
        if result.already_done:
            again = "--overwrite starts again"
            if missing := result.manifest.usage and result.manifest.counts.unanswered:
                again = f"{missing:,} questions got no usable answer: --overwrite asks for those alone"
            done = f"the data card names the licence {license}" if result.relicensed else "nothing to do"
            typer.echo(f"{where} is complete: same input, same settings, {done} ({again}).", err=True)
        manifest = result.manifest
        _show_problems(result.problems, (manifest.skipped or 0) + (manifest.warnings or 0))
        summary = summary_of(job.out, manifest)
        show(summary, Console(), where)
        if not result.already_done or not (job.out / PLOT).exists():
            draw(summary, job.out / PLOT)
            if publish:
                publish.put(job.out / PLOT)


@app.command()
def merge(
    sets: Annotated[
        list[Path], typer.Argument(help="Caption sets made with --shard I/N, all N of them.", show_default=False)
    ],
    out: Annotated[Path, typer.Option(help="Folder for the whole caption set.")] = Path("captions"),
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Start again where a caption set stands.")] = False,
    debug: Debug = False,
) -> None:
    """Join the caption sets of all shards into the one that a single run would have made."""
    with _errors_reported(debug, "the shards are as they were, and the same command makes the set anew"):
        from rich.console import Console

        from curation.caption_set.merging import merge
        from curation.caption_set.stats import draw, show, summary_of
        from curation.caption_set.writer import PLOT
        from curation.runtime.progress import TerminalProgress

        with TerminalProgress("parts") as progress:
            publish = _published(out, progress)
            folder = publish.root if publish else out
            manifest = merge(
                [_here(one, progress) for one in sets], folder, progress, overwrite=overwrite, publish=publish
            )
            summary = summary_of(folder, manifest)
            show(summary, Console(), publish.shown if publish else None)
            draw(summary, folder / PLOT)
            if publish:
                publish.put(folder / PLOT)


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
        from curation.runtime.errors import InputError
        from curation.runtime.progress import TerminalProgress

        if replay is not None:
            if reports or captions or out:
                raise InputError("--replay takes no reports, captions or --out: the caption set has all of it")
            with TerminalProgress("reports") as progress:
                _replay(replay, workers, progress)
            return
        if reports is None or captions is None or out is None:
            raise InputError("verify needs REPORTS, CAPTIONS and --out FILE.parquet, or --replay DIR")
        from curation.runtime.processes import available_cores
        from curation.verify_table import VerifyJob

        _check_here(out, "the table")
        with TerminalProgress("captions") as progress:
            found = _here(reports, progress), _here(captions, progress)
            _verify(VerifyJob(*found, out, id_column, tuple(text_column or ()), workers or available_cores()), progress)


def _verify(job: VerifyJob, progress: TerminalProgress) -> None:
    from collections import Counter

    from rich.console import Console

    from curation.caption_set.stats import reason_table
    from curation.verification.verifier import Verifier
    from curation.verify_table import verify_table

    result = verify_table(job, Verifier, progress)
    _show_problems(result.problems, result.problem_count)
    console = Console()
    total = result.accepted + result.refused.total()
    console.print(reason_table(f"{total:,} captions", Counter({"accepted": result.accepted}) + result.refused))
    console.print(f"In {job.out}", markup=False, highlight=False, soft_wrap=True)


def _replay(folder: Path, workers: int | None, progress: TerminalProgress) -> None:
    from rich.console import Console

    from curation.caption_set.stats import draw, show, summary_of
    from curation.caption_set.writer import PLOT
    from curation.replay import replay

    summary = summary_of(folder, replay(folder, progress, workers))
    show(summary, Console())
    draw(summary, folder / PLOT)


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
        from curation.verification.verifier import Verifier
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

        from curation.caption_set.stats import count_set, draw, show
        from curation.caption_set.writer import PLOT
        from curation.runtime.progress import TerminalProgress
        from curation.runtime.urls import is_url, redact_url

        with TerminalProgress("files") as progress:
            summary = count_set(_here(folder, progress))
        show(summary, Console(), redact_url(str(folder)) if is_url(folder) else None)
        path = plot or (Path(PLOT) if is_url(folder) else folder / PLOT)
        draw(summary, path)
        typer.echo(f"Plot in {path}")


@app.command()
def audit(
    folder: Annotated[Path, typer.Argument(metavar="[DIR]", help="A caption set.")] = Path("captions"),
    sample: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Accepted captions to review. They are drawn once; a larger number later adds to them.",
            show_default="100",
        ),
    ] = None,
    rejects: Annotated[
        int | None, typer.Option(min=0, help="Refused captions to review as well.", show_default="0")
    ] = None,
    reviewer: Annotated[
        list[str] | None,
        typer.Option(help="Who reviews; may be repeated, each has a link.", show_default="the user's name"),
    ] = None,
    overlap: Annotated[
        float | None,
        typer.Option(
            min=0,
            max=1,
            help="Share of the sample that all reviewers see; the rest is dealt among them.",
            show_default="1, then as it was",
        ),
    ] = None,
    blind: Annotated[
        bool, typer.Option("--blind", help="Do not show what the verifier says before the reviewer has.")
    ] = False,
    design: Annotated[
        str | None,
        typer.Option(help="How the sample is drawn: stratified or random.", show_default="stratified"),
    ] = None,
    seed: Annotated[int | None, typer.Option(min=0, help="Seed of the sample.", show_default="0")] = None,
    redraw: Annotated[
        bool, typer.Option("--redraw", help="Draw a new sample; the audit that is there is kept under another name.")
    ] = False,
    port: Annotated[
        int | None,
        typer.Option(min=0, max=65535, help="Port of the page; 0 takes a free one.", show_default="8765, if free"),
    ] = None,
    browser: Annotated[bool, typer.Option(help="Open the page in the browser.")] = True,
    summary: Annotated[
        bool, typer.Option("--summary", help="Instead: show the result, and write it to DIR/audit.")
    ] = False,
    apply: Annotated[
        bool,
        typer.Option("--apply", help="Instead: write a new set, hallucinations out and corrections in."),
    ] = False,
    out: Annotated[Path | None, typer.Option(help="Folder for --apply.", show_default="DIR-audited")] = None,
    judge: Annotated[
        str | None,
        typer.Option(
            metavar="ENGINE",
            help="Instead: have a language model (engine vllm or openai) judge the sample; reviewers see its verdicts "
            "after their own.",
            show_default=False,
        ),
    ] = None,
    model: Model = None,
    prompt: Annotated[
        str | None,
        typer.Option(help="A judge's prompt file of your own.", show_default="judge", rich_help_panel=MODELS),
    ] = None,
    max_tokens: MaxTokens = None,
    context: Context = None,
    base_url: BaseUrl = None,
    concurrency: Concurrency = None,
    timeout: Timeout = None,
    dtype: Dtype = None,
    tensor_parallel_size: TensorParallelSize = None,
    vllm_option: VllmOption = None,
    debug: Debug = False,
) -> None:
    """Review a sample of captions beside their reports, in the browser: how many say what their report does not?"""
    with _errors_reported(debug, "what was said is saved, and the same command goes on from there"):
        from curation.audit.drawing import wanted
        from curation.runtime.errors import InputError
        from curation.runtime.progress import TerminalProgress
        from curation.runtime.urls import is_url

        said = _given(
            model=model,
            prompt=prompt,
            max_tokens=max_tokens,
            context=context,
            base_url=base_url,
            concurrency=concurrency,
            timeout=timeout,
            dtype=dtype,
            tensor_parallel_size=tensor_parallel_size,
            vllm_option=vllm_option or None,
        )
        actions = [name for name, asked in (("--summary", summary), ("--apply", apply), ("--judge", judge)) if asked]
        if len(actions) > 1:
            raise InputError(f"{' and '.join(actions)}: one at a time")
        if said and not judge:
            raise InputError(f"{_options(said)}: only with --judge vllm or --judge openai")
        if out is not None and not apply:
            raise InputError("--out: only with --apply")
        if is_url(folder):
            raise InputError(f"{folder}: verdicts are kept in the set's folder; copy the set to this machine first")
        drawn = wanted(sample, rejects, design, seed)
        with TerminalProgress("captions" if judge else "parts") as progress:
            if summary:
                _audit_summary(folder)
            elif apply:
                _audit_apply(folder, out or folder.with_name(f"{folder.resolve().name}-audited"), progress)
            elif judge:
                _audit_judge(folder, drawn, redraw, judge, said, progress)
            else:
                from curation.audit.review import ReviewJob, review

                names = tuple(reviewer) if reviewer else (_user(),)
                job = ReviewJob(folder, drawn, names, overlap, port, blind, redraw, browser)
                review(job, progress, typer.echo)


def _user() -> str:
    from getpass import getuser

    try:
        return getuser()
    except (KeyError, OSError):  # a container's user may have no name
        return "reviewer"


def _audit_summary(folder: Path) -> None:
    from rich.console import Console

    from curation.audit.folder import audit_to_read
    from curation.audit.publish import publish
    from curation.audit.tables import show
    from curation.caption_set.audit_results import AUDIT

    with audit_to_read(folder) as store:
        show(publish(folder, store), Console())
    typer.echo(f"In {folder / AUDIT}: report.html, summary.json, summary.csv")


def _audit_apply(folder: Path, out: Path, progress: TerminalProgress) -> None:
    from rich.console import Console

    from curation.audit.cleaning import apply
    from curation.audit.folder import audit_to_read
    from curation.caption_set.stats import draw, show, summary_of
    from curation.caption_set.writer import PLOT

    with audit_to_read(folder) as store:
        manifest = apply(folder, out, store, progress)
    summary = summary_of(out, manifest)
    show(summary, Console())
    draw(summary, out / PLOT)
    changes = manifest.audit.changes if manifest.audit else ()
    put_in = sum(change.after is not None for change in changes)
    typer.echo(f"Of {folder}, {len(changes) - put_in:,} captions are out and {put_in:,} put right; it is as it was.")


def _audit_judge(
    folder: Path, drawn: Wanted, redraw: bool, engine: str, said: Mapping[str, object], progress: TerminalProgress
) -> None:
    from curation.audit.folder import audit_to_write, finished_set
    from curation.audit.judged_sample import judge_sample
    from curation.llm.recipes import connection, language_model
    from prompts.judge_file import load_judge

    known = dict(said)
    name = known.pop("prompt", None)
    prompt = load_judge(None if name is None else str(name))
    finished_set(folder)
    asked = language_model(engine, known)
    model, connect = connection(asked, progress.raise_if_interrupted)
    with audit_to_write(folder, drawn, progress, redraw=redraw) as store:
        run = judge_sample(store, model, connect, prompt, asked.max_tokens, progress)
    earlier = f", {run.known:,} were there" if run.known else ""
    typer.echo(
        f"{run.judge}: {run.judged:,} captions judged{earlier}. `ovct audit {folder}` shows each after your own."
    )
    if run.failed:
        typer.echo(
            f"ovct: {run.failed:,} without a usable verdict; the same command asks again: {run.problem}", err=True
        )


class _TrainGroup(TyperGroup):
    """`ovct train` without a stage is `ovct train align`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Put the stage in where none is named."""
        if not args or (args[0] not in self.commands and args[0] not in ("--help", "-h")):
            args = ["align", *args]
        return super().parse_args(ctx, args)


training = typer.Typer(
    cls=_TrainGroup,
    help="Train on volumes: pretrain the image encoder, align the text encoder, learn masks from prompts. "
    "Without a stage: align.",
    no_args_is_help=False,
)
app.add_typer(training, name="train")

Datasets = Annotated[
    list[Path],
    typer.Argument(
        metavar="DATASET...",
        help="Labelled CT volumes: a folder as TotalSegmentator, the Medical Segmentation Decathlon or nnU-Net has it.",
        show_default=False,
    ),
]
Config = Annotated[
    Path | None,
    typer.Option(help="YAML file with settings by the names of the flags below; flags win.", show_default=False),
]
Check = Annotated[
    bool, typer.Option("--check", help="Only try one batch: its shapes, memory and time. Nothing is written.")
]
Overwrite = Annotated[
    bool, typer.Option("--overwrite", help="Start again where a run stands; without it, the run goes on.")
]


def _train(
    stage: type[StageConfig],
    data: Sequence[Path],
    out: Path,
    config: Path | None,
    check: bool,
    overwrite: bool,
    debug: bool,
    given: Mapping[str, object],
    volumes: Path | None = None,
) -> None:
    left = f"what was learned up to the last save is in {out}, and the same command, without --overwrite, goes on"
    with _errors_reported(debug, left), _model_errors():
        from rich.console import Console

        from curation.runtime.progress import TerminalProgress
        from train.cli.train import outcome_table
        from train.config import load_config
        from train.stages.run import CurateJob, train, try_out

        _check_here(out, "a checkpoint")
        settings = load_config(stage, config, given)
        with TerminalProgress("steps") as progress:
            here = tuple(_here(place, progress) for place in data)
            job = CurateJob(here, out, overwrite, _here(volumes, progress) if volumes else None)
            if check:
                typer.echo("\n".join(try_out(job, settings).lines()))
                return
            outcome = train(job, settings, progress)
        if outcome is None:
            return
        if outcome.already_done:
            typer.echo(
                f"{out} is complete: same data, same settings, nothing to do (--overwrite starts again).", err=True
            )
        Console().print(outcome_table(outcome))
        typer.echo(f"In {out}: the checkpoint, metrics.jsonl, curves.png, tensorboard/, samples/")


@training.command()
@flags(PretrainConfig)
def pretrain(
    dataset: Datasets,
    given: dict[str, object],
    out: Annotated[Path, typer.Option(help="Folder for the checkpoint.")] = Path("runs/pretrain"),
    config: Config = None,
    check: Check = False,
    overwrite: Overwrite = False,
    debug: Debug = False,
) -> None:
    """Stage 1: the image encoder and decoder learn a data set's structures. Run again, it goes on where it was."""
    _train(PretrainConfig, dataset, out, config, check, overwrite, debug, given)


@training.command()
@flags(AlignConfig)
def align(
    given: dict[str, object],
    captions: Annotated[Path, typer.Argument(help="A caption set that `ovct curate` wrote.")] = Path("captions"),
    volumes: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="The CT volumes that the reports are on; joined by name.",
            show_default="where the reports' own columns say",
        ),
    ] = None,
    out: Annotated[Path, typer.Option(help="Folder for the checkpoint.")] = Path("runs/align"),
    config: Config = None,
    check: Check = False,
    overwrite: Overwrite = False,
    debug: Debug = False,
) -> None:
    """Stage 2: the text encoder learns where reports and captions lie among volumes. Run again, it goes on."""
    _train(AlignConfig, [captions], out, config, check, overwrite, debug, given, volumes)


@training.command("segment")
@flags(SegmentConfig)
def train_segment(
    dataset: Datasets,
    given: dict[str, object],
    out: Annotated[Path, typer.Option(help="Folder for the checkpoint.")] = Path("runs/segment"),
    config: Config = None,
    check: Check = False,
    overwrite: Overwrite = False,
    debug: Debug = False,
) -> None:
    """Stage 3: the decoder and the connector learn to turn a prompt into a mask. Run again, it goes on."""
    _train(SegmentConfig, dataset, out, config, check, overwrite, debug, given)


@app.command()
def evaluate(
    dataset: Annotated[
        Path | None,
        typer.Argument(help="Labelled CT volumes: TotalSegmentator, MSD or nnU-Net folders.", show_default=False),
    ] = None,
    checkpoint: Annotated[
        Path | None, typer.Option(help="A checkpoint of `train segment`.", show_default=False)
    ] = None,
    compare: Annotated[
        tuple[Path, Path] | None,
        typer.Option(
            metavar="A B",
            help="Instead: two checkpoints side by side, or folders of finished evaluations, which need no DATASET.",
            show_default=False,
        ),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder for the results.", show_default="evaluation, or comparison")
    ] = None,
    split: Annotated[
        str | None,
        typer.Option(
            help="test, val, train or all.",
            show_default="the data set's test cases; else what training held out, or all that it never saw",
        ),
    ] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Stop after so many cases.", show_default="all")] = None,
    layout: Annotated[
        str | None, typer.Option(help="Kind of data set, where it cannot be told.", show_default="found by its files")
    ] = None,
    nsd_tolerance: Annotated[
        float, typer.Option(min=0, help="Distance in mm within which surfaces count as the same.")
    ] = 3.0,
    threshold: Annotated[float, typer.Option(min=0, max=1, help="Probability above which a voxel is in.")] = 0.5,
    presence_threshold: Annotated[
        float,
        typer.Option(min=0, max=1, help="Probability below which a structure is taken to be absent; 0 for never."),
    ] = 0.5,
    vocabulary: Annotated[
        bool, typer.Option(help="Let the anatomy vocabulary help with the words, as `ovct segment` does.")
    ] = False,
    device: Annotated[str | None, typer.Option(help="cpu, cuda, mps.", show_default="the accelerator, if any")] = None,
    precision: Annotated[str, typer.Option(help="auto, float32, bfloat16 or float16.")] = "auto",
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Start again where an evaluation stands.")] = False,
    debug: Debug = False,
) -> None:
    """Dice and NSD for each structure, for held-out synonyms and for merged organs, and masks for what is not there.

    Run again after an interruption, it goes on where it was. Cases that cannot be read are told and left out.
    """
    folder = out or Path("comparison" if compare else "evaluation")
    left = f"finished cases stay in {folder}, and the same command goes on from there"
    with _errors_reported(debug, left), _model_errors():
        from rich.console import Console

        from curation.runtime.progress import TerminalProgress
        from train.evaluation.evaluate import EvaluationJob
        from train.evaluation.record import Settings
        from train.evaluation.run import Request, run

        settings = Settings(
            threshold=threshold,
            presence_threshold=presence_threshold,
            nsd_tolerance_mm=nsd_tolerance,
            vocabulary=vocabulary,
        )
        _check_here(out, "an evaluation")
        with TerminalProgress("cases") as progress:
            data = _here(dataset, progress) if dataset else None
            job = EvaluationJob(data, checkpoint, folder, split, limit, layout, settings, device, precision, overwrite)
            run(Request(job, compare), progress, Console())


@app.command()
def segment(
    ct: Annotated[
        Path | None,
        typer.Argument(
            help=".nii, .nii.gz, .mha, .mhd, .nrrd, or a DICOM series (its folder, or a file).", show_default=False
        ),
    ] = None,
    checkpoint: Annotated[
        Path | None, typer.Option(help="Folder that `ovct train segment` wrote.", show_default=False)
    ] = None,
    prompt: Annotated[
        list[str] | None, typer.Option(help="What to segment, in free text; may be repeated.", show_default=False)
    ] = None,
    prompts: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Prompts, one a line: `prompt` or `name: prompt`; # comments.", show_default=False
        ),
    ] = None,
    everything: Annotated[
        bool,
        typer.Option("--all", help="Ask for all structures of the training; if unknown, TotalSegmentator's 117."),
    ] = False,
    jobs: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Instead of CT and --out: many scans, .csv or .jsonl with ct, out and, if they differ, prompts (a|b). "
            "Those that are done are skipped.",
            show_default=False,
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            help="Label map (.nii.gz, .nii), DICOM SEG (.dcm), or with --separate a folder; a label table (.json) "
            "comes beside it.",
            show_default="mask.nii.gz, or masks",
        ),
    ] = None,
    separate: Annotated[bool, typer.Option("--separate", help="A mask for each prompt, in a folder.")] = False,
    probabilities: Annotated[
        bool, typer.Option("--probabilities", help="Also each prompt's probabilities, in a folder.")
    ] = False,
    preview: Annotated[bool, typer.Option("--preview", help="Also a picture (.png) of three planes.")] = False,
    dicom_seg: Annotated[bool, typer.Option("--dicom-seg", help="Also a DICOM SEG, for a DICOM series.")] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace files that are there.")] = False,
    threshold: Annotated[
        float, typer.Option(min=0, max=1, help="A voxel belongs to a prompt above this probability.")
    ] = 0.5,
    presence_threshold: Annotated[
        float,
        typer.Option(min=0, max=1, help="A structure less likely to be there has no voxel; 0: never judged absent."),
    ] = 0.5,
    vocabulary: Annotated[
        bool,
        typer.Option(
            help="Ask for what the anatomy vocabulary knows as another name of a trained structure, or of several, "
            "by their own names; a group's mask is the union."
        ),
    ] = True,
    overlap: Annotated[float, typer.Option(min=0, max=0.9, help="Share that neighbouring windows overlap by.")] = 0.5,
    precision: Annotated[str, typer.Option(help="auto, float32, bfloat16 or float16.")] = "auto",
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:1, mps, ...")] = "auto",
    debug: Debug = False,
) -> None:
    """Segment CT volumes by free text."""
    with _errors_reported(debug, "files that were finished are whole, others were not written"), _model_errors():
        from rich.console import Console

        from curation.runtime.errors import InputError
        from curation.runtime.progress import TerminalProgress
        from train.inference.jobs import Asked, do_job, do_jobs, settings_of
        from train.inference.label_table import table_of
        from train.inference.outputs import Outputs

        if checkpoint is None:
            raise InputError("segment needs --checkpoint DIR, which `ovct train segment` writes")
        if (ct is None) == (jobs is None) or (jobs and out):
            raise InputError("segment needs a CT, with --out, or --jobs FILE")
        outputs = Outputs(
            out or Path("masks" if separate else "mask.nii.gz"), separate, probabilities, preview, dicom_seg, overwrite
        )
        settings = settings_of(threshold, presence_threshold, overlap, precision, device, vocabulary)
        asked = Asked(tuple(prompt or ()), prompts, everything)
        _check_here(out, "a mask")
        with TerminalProgress("scans" if jobs else "windows") as progress:
            ct = _here(ct, progress) if ct else None
            work = asked.jobs(jobs, outputs, checkpoint) if jobs else [asked.job(ct or Path(), outputs, checkpoint)]
            model = settings.load(checkpoint)
            if not jobs:
                Console().print(table_of(do_job(work[0], model, settings, progress).record))
                files = ", ".join(str(path) for path in work[0].outputs.shown())
                typer.echo(f"In {files}")
                return
            done, before, failed = do_jobs(work, model, settings, progress)
        typer.echo(f"{done:,} scans segmented, {before:,} were there, {failed:,} failed.")
        if failed:
            raise typer.Exit(1)


@contextmanager
def _model_errors() -> Iterator[None]:
    """What is wrong with a volume, a model or what is asked of them as an `InputError`; they load only here."""
    from curation.runtime.errors import InputError

    try:
        from models.checkpoint import CheckpointError
        from models.embedding_bank import EmbeddingBankError
        from models.prompt_handling import TextEncoderError
        from models.weights_file import WeightsFileError
        from train.config import ConfigError
        from train.data.cases import DataError
        from train.evaluation.record import EvaluationError
        from train.inference.logit_field import FieldError
        from train.inference.prompts import SegmentError
        from train.scans.formats import ScanError
    except ModuleNotFoundError as error:
        raise InputError(f"{error.name} is not installed: pip install 'ovct[train]'") from error
    try:
        yield
    except (
        CheckpointError,
        ConfigError,
        DataError,
        EmbeddingBankError,
        EvaluationError,
        FieldError,
        ScanError,
        SegmentError,
        TextEncoderError,
        WeightsFileError,
    ) as error:
        raise InputError(str(error)) from error


def main() -> None:
    """Entry point of the console script."""
    app()


if __name__ == "__main__":
    main()
