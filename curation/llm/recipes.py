"""Turns the options of the command line into a recipe: which engine, which model, which prompt."""

from __future__ import annotations

import json
import math
from collections.abc import Awaitable, Callable, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from curation.caption import MadeBy
from curation.engines.chat import ChatEngine
from curation.engines.thinking.watched_engine import WatchedEngine
from curation.extraction.recipe import Options
from curation.language.site_words import OURS, SiteWords
from curation.report_language.languages import LanguageChoice
from curation.runtime.errors import InputError, flag_names
from prompts.prompt_file import Prompt

from .engine_thread import EngineThread
from .pool import ChatRecipe, SecondModel
from .request_options import read_headers, read_request_options
from .usage import Prices

DEFAULT_PROMPT = "organ_captions"
QUOTING_PROMPT = "organ_captions_quoted"

Connect = Callable[[], Awaitable[ChatEngine]]


@dataclass(frozen=True, slots=True)
class ModelOptions:
    """The options of the command line for a language model; None where an option was not given.

    ``engine`` is ``vllm`` or ``openai``; ``options`` are further keywords of vLLM. ``request_options`` are further
    fields of the requests to a server, ``headers`` of HTTP. ``second_opinion`` is the engine that is asked for second
    opinions, with ``second_model`` at ``second_base_url``.
    """

    engine: str
    model: str | None = None
    base_url: str | None = None
    max_tokens: int | None = None
    context: int | None = None
    repair: int = 0
    prices: Prices | None = None
    concurrency: int = 16
    timeout: float = 120.0
    batch: bool = False
    dtype: str = "auto"
    tensor_parallel_size: int = 1
    options: Mapping[str, object] = field(default_factory=dict)
    request_options: Mapping[str, object] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    second_opinion: str | None = None
    second_model: str | None = None
    second_base_url: str | None = None


VLLM_OPTIONS = ("dtype", "tensor_parallel_size", "vllm_option")
REQUEST_OPTIONS = ("reasoning_effort", "request_option", "request_header")
SERVER_OPTIONS = ("base_url", "concurrency", "timeout", "batch", *REQUEST_OPTIONS)
SECOND_OPTIONS = ("second_model", "second_base_url")


def model_options(engine: str, given: Mapping[str, Any]) -> ModelOptions:
    """Check the options that were given, by their names. Raises ``InputError``."""
    if engine not in ("vllm", "openai"):
        raise InputError(f"there is no engine {engine!r}; there are rules, vllm and openai")
    foreign = [name for name in (SERVER_OPTIONS if engine == "vllm" else VLLM_OPTIONS) if name in given]
    if foreign:
        raise InputError(f"{flag_names(foreign)}: of no use to the engine {engine}")
    _check_second_opinion(given)
    plain = {name: value for name, value in given.items() if name not in ("vllm_option", "prices", *REQUEST_OPTIONS)}
    if not all(math.isfinite(price) and price >= 0 for price in given.get("prices", ())):
        raise InputError("--prices: two numbers, 0 or more: the price of a million tokens in and out")
    prices = Prices(*given["prices"]) if "prices" in given else None
    vllm_options = dict(map(_vllm_option, given.get("vllm_option", ())))
    request_options = read_request_options(given.get("reasoning_effort"), given.get("request_option", ()))
    headers = read_headers(given.get("request_header", ()))
    return ModelOptions(
        engine, **plain, prices=prices, options=vllm_options, request_options=request_options, headers=headers
    )


def _check_second_opinion(given: Mapping[str, Any]) -> None:
    """Raise ``InputError`` where the options for a second opinion do not go with each other."""
    engine, options = given.get("second_opinion"), [name for name in SECOND_OPTIONS if name in given]
    if engine is None and options:
        raise InputError(f"{flag_names(options)}: say --second-opinion vllm or --second-opinion openai too")
    if engine not in (None, "vllm", "openai"):
        raise InputError(f"--second-opinion {engine}: there are vllm and openai")
    if engine == "vllm" and "second_base_url" in given:
        raise InputError("--second-base-url: of no use to --second-opinion vllm")


def default_prompt(language: LanguageChoice) -> str:
    """Return the name of the prompt that is used where none is named."""
    return QUOTING_PROMPT if language == "any" else DEFAULT_PROMPT


def refuse_unfit(language: LanguageChoice, prompt: Prompt, options: ModelOptions) -> None:
    """Raise ``InputError`` where the prompt, or an option, does not go with the languages that are asked for."""
    if language == "any" and not prompt.quotes:
        raise InputError(
            f"--language any: the prompt {prompt.name} asks for no quotes, by which captions of other languages are "
            f"verified; leave --prompt out, or set quotes: true under response (see `ovct prompts {QUOTING_PROMPT}`)"
        )
    if language == "any" and options.repair:
        raise InputError("--repair: captions that quote cannot go back to the model; leave it out with --language any")


def _vllm_option(text: str) -> tuple[str, object]:
    """Return "gpu_memory_utilization=0.8" as a name and a value."""
    name, equals, value = text.partition("=")
    if not equals or not name.isidentifier():
        raise InputError(f"--vllm-option {text}: expected NAME=VALUE, such as gpu_memory_utilization=0.8")
    try:
        return name, json.loads(value)
    except ValueError:
        return name, value


def chat_recipe(
    options: ModelOptions,
    prompt: Prompt,
    check: Callable[[], None],
    language: LanguageChoice = "en",
    words: SiteWords = OURS,
) -> ChatRecipe:
    """Return the recipe. ``check`` may raise to give up. Raises ``InputError`` for what the caller can put right.

    ``words`` are those of a site that the verifier knows beside ours.
    """
    model, connect = connection(options, check)
    second = _second_model(options, model, check)
    return ChatRecipe(
        made_by=MadeBy(options.engine, model, prompt.hash),
        prompt=prompt,
        connect=connect,
        max_tokens=options.max_tokens or prompt.file.response.max_tokens,
        repair=options.repair,
        prices=options.prices,
        second=second,
        language=language,
        engine_options=_engine_options(options),
        gpus=options.tensor_parallel_size if options.engine == "vllm" else 0,
        words=words,
    )


def _second_model(options: ModelOptions, model: str, check: Callable[[], None]) -> SecondModel | None:
    """Return the model for second opinions: the one that makes the captions, unless another one is named."""
    engine = options.second_opinion
    if engine is None:
        return None
    is_other = options.second_model not in (None, options.model) or options.second_base_url is not None
    if engine == options.engine and not is_other:
        return SecondModel(f"{engine}: {model}")
    own_address = options.base_url if engine == options.engine else None
    is_same_server = engine == options.engine and options.second_base_url in (None, options.base_url)
    second = ModelOptions(
        engine,
        options.second_model,
        options.second_base_url or own_address,
        concurrency=options.concurrency,
        timeout=options.timeout,
        dtype=options.dtype,
        # What one server is told, secrets among it, is not for another.
        request_options=options.request_options if is_same_server else {},
        headers=options.headers if is_same_server else {},
    )
    name, connect = connection(second, check)
    return SecondModel(f"{engine}: {name}", connect)


def connection(options: ModelOptions, check: Callable[[], None]) -> tuple[str, Connect]:
    """Return the model's name to record, and what makes its engine in the event loop that it will be used in.

    Without ``--model`` a server is asked for the one that it has; ``check`` may raise to give up on it. Raises
    ``InputError`` for what the caller can put right.
    """
    if options.engine == "vllm":
        return _vllm(options)
    connect = _openai(options)
    return options.model or _served_model(connect, check), connect


def _vllm(options: ModelOptions) -> tuple[str, Connect]:
    from curation.engines.vllm import VllmEngine
    from curation.engines.vllm_settings import VllmSettings

    if options.model is None:
        raise InputError("engine vllm needs --model: a model's name on the hub, or its directory")
    settings = VllmSettings(
        options.model, options.dtype, options.tensor_parallel_size, options.context, options.options
    )

    async def connect() -> ChatEngine:
        return WatchedEngine(await VllmEngine.connect(settings))

    return model_name(options.model), connect


def _openai(options: ModelOptions) -> Connect:
    from curation.engines.openai import OpenAIEngine
    from curation.engines.server import ServerSettings

    from .batches.batch_engine import BatchEngine

    server = ServerSettings(
        options.base_url,
        options.model,
        options.concurrency,
        options.timeout,
        context=options.context,
        request_options=options.request_options,
        headers=options.headers,
    )

    async def connect() -> ChatEngine:
        engine = await OpenAIEngine.connect(server)
        return WatchedEngine(BatchEngine(engine) if options.batch else engine)

    return connect


def _served_model(connect: Connect, check: Callable[[], None]) -> str:
    """Return the name of the one model that a server has."""
    with closing(EngineThread(connect, check)) as thread:
        return thread.engine.model


def _engine_options(options: ModelOptions) -> Options:
    """Return the options that decide the answers, next to the model."""
    context: Options = {} if options.context is None else {"context": options.context}
    if options.engine != "vllm":
        fields = json.dumps(dict(options.request_options), sort_keys=True)
        return {**({"request_options": fields} if options.request_options else {}), **context}
    return {"dtype": options.dtype, **{name: json.dumps(value) for name, value in options.options.items()}, **context}


def model_name(model: str) -> str:
    """Return the name to record: a model's name on the hub, or the last part of its directory."""
    path = Path(model).expanduser()
    return path.resolve().name if path.is_dir() else model
