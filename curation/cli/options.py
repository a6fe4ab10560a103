"""Options that several commands share, and groups of options as dataclasses."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import MISSING, asdict, dataclass, fields, is_dataclass
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, get_type_hints

import typer

from curation.runtime.terminal import json_text, say

from .help import GENERAL

if TYPE_CHECKING:
    from curation.report import RowProblem

COLUMNS = "Columns of the input"
PRIVACY = "Privacy"
WORDS = "Your own words"
SCALE = "Large inputs"
MODELS = "Language models (vllm and openai)"
SECOND = "Second opinion (vllm and openai)"
SERVER = "Only openai"
VLLM = "Only vllm"

Reports = Annotated[
    Path,
    typer.Argument(
        metavar="REPORTS",
        help="CSV, TSV, JSON or JSONL file (also .gz), Parquet, XLSX, HL7 v2, FHIR, CDA, RTF, HTML, Word, DICOM SR or "
        "text, or a folder of such files; also in a store (s3://, gs://, hf://).",
        show_default=False,
    ),
]
CaptionSetFolder = Annotated[Path, typer.Argument(metavar="DIR", help="Folder of a caption set.")]
IdColumn = Annotated[
    str | None,
    typer.Option(
        metavar="NAME", help="Column with the report's id.", show_default="found by name", rich_help_panel=COLUMNS
    ),
]
TextColumn = Annotated[
    list[str] | None,
    typer.Option(
        metavar="NAME",
        help="Column with the report's text; may be repeated.",
        show_default="found by name",
        rich_help_panel=COLUMNS,
    ),
]
Workers = Annotated[
    int | None,
    typer.Option(min=1, metavar="N", help="Worker processes.", show_default="one for each core", rich_help_panel=SCALE),
]
OwnLexicon = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="YAML file of your own words beside ours: synonyms, abbreviations, headings, ... (docs/lexicon.md).",
        show_default="ours alone",
        rich_help_panel=WORDS,
    ),
]
OwnOrgans = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="YAML file of your own organs, and of more names for ours.",
        show_default="ours alone",
        rich_help_panel=WORDS,
    ),
]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Start again, replacing what is there.")]
Quiet = Annotated[bool, typer.Option("-q", "--quiet", help="Print only warnings and errors.", rich_help_panel=GENERAL)]
Json = Annotated[
    bool,
    typer.Option("--json", help="Print the closing figures as one JSON object on stdout.", rich_help_panel=GENERAL),
]
Debug = Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.", rich_help_panel=GENERAL)]


@dataclass(frozen=True)
class GeneralOptions:
    """Options of every command."""

    quiet: Quiet = False
    debug: Debug = False


@dataclass(frozen=True)
class WordOptions:
    """Words and organs of the caller's beside ours."""

    lexicon: OwnLexicon = None
    organs: OwnOrgans = None


@dataclass(frozen=True)
class LanguageModelOptions:
    """Which language model is asked, and how. None where an option was not given."""

    model: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="vllm: name on the hub, or directory. openai: name on the server.",
            show_default="the server's only one",
            rich_help_panel=MODELS,
        ),
    ] = None
    max_tokens: Annotated[
        int | None,
        typer.Option(
            min=1,
            metavar="N",
            help="Longest answer, in tokens.",
            show_default="the prompt's",
            rich_help_panel=MODELS,
        ),
    ] = None
    context: Annotated[
        int | None,
        typer.Option(
            min=256,
            metavar="N",
            help="Longest prompt and answer together, in tokens; longer reports are split.",
            show_default="the model's",
            rich_help_panel=MODELS,
        ),
    ] = None
    base_url: Annotated[
        str | None,
        typer.Option(
            metavar="URL",
            help="Address of the server, such as http://localhost:8000/v1. The key comes from OPENAI_API_KEY.",
            show_default="OPENAI_BASE_URL",
            rich_help_panel=SERVER,
        ),
    ] = None
    concurrency: Annotated[
        int | None,
        typer.Option(min=1, metavar="N", help="Requests at once.", show_default="16", rich_help_panel=SERVER),
    ] = None
    timeout: Annotated[
        float | None,
        typer.Option(
            min=0.1, metavar="SECONDS", help="Time limit of one answer.", show_default="120", rich_help_panel=SERVER
        ),
    ] = None
    reasoning_effort: Annotated[
        str | None,
        typer.Option(
            metavar="LEVEL",
            help="How much a thinking model is to think: none, low, ... as the server knows it.",
            show_default="the server's",
            rich_help_panel=SERVER,
        ),
    ] = None
    request_option: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=VALUE",
            help="Any other field of a request, such as top_k=20 or "
            "chat_template_kwargs='{\"enable_thinking\": false}'; may be repeated.",
            rich_help_panel=SERVER,
        ),
    ] = None
    request_header: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=VALUE",
            help="A header of each request, never printed or kept; env:VARIABLE as the value takes it from the "
            "environment, out of sight of other users. May be repeated.",
            rich_help_panel=SERVER,
        ),
    ] = None
    dtype: Annotated[
        str | None,
        typer.Option(metavar="TYPE", help="Number format of the weights.", show_default="auto", rich_help_panel=VLLM),
    ] = None
    tensor_parallel_size: Annotated[
        int | None,
        typer.Option(min=1, metavar="N", help="GPUs to spread the model on.", show_default="1", rich_help_panel=VLLM),
    ] = None
    vllm_option: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=VALUE",
            help="Any other argument of vllm.LLM, such as gpu_memory_utilization=0.8; may be repeated.",
            rich_help_panel=VLLM,
        ),
    ] = None

    def given(self) -> dict[str, object]:
        """Return the options that were given, by name."""
        return {name: value for name, value in asdict(self).items() if value is not None and value != []}


def option_groups(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command one option for each field of its parameters that are dataclasses of options.

    ``def curate(reports: Reports, *, general: GeneralOptions)`` takes ``--quiet`` and ``--debug``, and finds them in
    ``general``. The fields are annotated as Typer wants its parameters annotated, and have defaults.
    """
    hints = get_type_hints(command, include_extras=True)
    parameters: list[inspect.Parameter] = []
    groups: dict[str, type[Any]] = {}
    for name, parameter in inspect.signature(command).parameters.items():
        if isinstance(hints[name], type) and is_dataclass(hints[name]):
            groups[name] = hints[name]
            parameters += _options_of(hints[name])
        else:
            parameters.append(parameter.replace(annotation=hints[name], kind=inspect.Parameter.KEYWORD_ONLY))

    @wraps(command)
    def run(**values: Any) -> None:
        gathered = {
            name: group(**{field.name: values.pop(field.name) for field in fields(group)})
            for name, group in groups.items()
        }
        command(**values, **gathered)

    run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    run.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return run


def _options_of(group: type[Any]) -> list[inspect.Parameter]:
    hints = get_type_hints(group, include_extras=True)
    for field in fields(group):
        if field.default is MISSING:
            raise TypeError(f"{group.__name__}.{field.name}: an option needs a default")
    return [
        inspect.Parameter(
            field.name, inspect.Parameter.KEYWORD_ONLY, default=field.default, annotation=hints[field.name]
        )
        for field in fields(group)
    ]


def show_problems(problems: Sequence[RowProblem], count: int) -> None:
    """Print the rows of the input that were not used as they are, on stderr; of ``count`` only the first."""
    from curation.readers.problems import problem_lines

    for line in problem_lines(problems, count):
        say(line, err=True)


def print_json(figures: Mapping[str, Any]) -> None:
    """Print figures as one JSON object on stdout."""
    say(json_text(figures))


def refuse_store(out: Path | None, what: str) -> None:
    """Raise ``InputError`` where ``what``, which can only be written to this machine, is to go into a store."""
    from curation.runtime.errors import InputError
    from curation.runtime.urls import is_url

    if out is not None and is_url(out):
        raise InputError(f"--out {out}: {what} is written to this machine; name a folder of it, and copy it afterwards")


VERDICTS_STAY = "verdicts are kept in the set's folder"


def refuse_set_in_store(folder: Path, why: str = "") -> None:
    """Raise ``InputError`` for a caption set in a store, where a command can only use one on this machine."""
    from curation.runtime.errors import InputError
    from curation.runtime.urls import is_url

    if is_url(folder):
        raise InputError(f"{folder}: {f'{why}; ' if why else ''}copy the set to this machine first")
