"""From what the command line says to a recipe: which engine, which model, which prompt."""

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
from curation.extraction.recipe import Options
from curation.runtime.errors import InputError
from prompts.prompt_file import Prompt

from .pool import ChatRecipe, Host
from .usage import Prices

DEFAULT_PROMPT = "organ_captions"

Connect = Callable[[], Awaitable[ChatEngine]]


@dataclass(frozen=True, slots=True)
class LanguageModel:
    """What is said of a language model on the command line; ``None`` where nothing was said."""

    engine: str
    model: str | None = None
    base_url: str | None = None
    max_tokens: int | None = None
    context: int | None = None
    repair: int = 0
    prices: Prices | None = None
    concurrency: int = 16
    timeout: float = 120.0
    dtype: str = "auto"
    tensor_parallel_size: int = 1
    options: Mapping[str, object] = field(default_factory=dict)


OF_VLLM = ("dtype", "tensor_parallel_size", "vllm_option")
OF_A_SERVER = ("base_url", "concurrency", "timeout")


def language_model(engine: str, said: Mapping[str, Any]) -> LanguageModel:
    """Check what was said, by the option's name. Raises ``InputError``."""
    if engine not in ("vllm", "openai"):
        raise InputError(f"there is no engine {engine!r}; there are rules, vllm and openai")
    foreign = [name for name in (OF_A_SERVER if engine == "vllm" else OF_VLLM) if name in said]
    if foreign:
        options = ", ".join(f"--{name.replace('_', '-')}" for name in foreign)
        raise InputError(f"{options}: of no use to the engine {engine}")
    known = {name: value for name, value in said.items() if name not in ("vllm_option", "prices")}
    if not all(math.isfinite(price) and price >= 0 for price in said.get("prices", ())):
        raise InputError("--prices: two numbers, 0 or more: the price of a million tokens in and out")
    prices = Prices(*said["prices"]) if "prices" in said else None
    return LanguageModel(engine, **known, prices=prices, options=dict(map(_option, said.get("vllm_option", ()))))


def _option(said: str) -> tuple[str, object]:
    """ "gpu_memory_utilization=0.8" as a name and a value."""
    name, equals, value = said.partition("=")
    if not equals or not name.isidentifier():
        raise InputError(f"--vllm-option {said}: expected NAME=VALUE, such as gpu_memory_utilization=0.8")
    try:
        return name, json.loads(value)
    except ValueError:
        return name, value


def chat_recipe(asked: LanguageModel, prompt: Prompt, check: Callable[[], None]) -> ChatRecipe:
    """The recipe. ``check`` may raise to give up. Raises ``InputError`` for what the caller can put right."""
    model, connect = connection(asked, check)
    return ChatRecipe(
        made_by=MadeBy(asked.engine, model, prompt.hash),
        prompt=prompt,
        connect=connect,
        max_tokens=asked.max_tokens or prompt.file.response.max_tokens,
        repair=asked.repair,
        prices=asked.prices,
        engine_options=_engine_options(asked),
        gpus=asked.tensor_parallel_size if asked.engine == "vllm" else 0,
    )


def connection(asked: LanguageModel, check: Callable[[], None]) -> tuple[str, Connect]:
    """What is recorded of a model, and what makes its engine, in the event loop that it will be used in.

    A server that was not told which model is asked for the one that it has; ``check`` may raise to give up on it.
    Raises ``InputError`` for what the caller can put right.
    """
    if asked.engine == "vllm":
        return _vllm(asked)
    connect = _openai(asked)
    return asked.model or _served(connect, check), connect


def _vllm(asked: LanguageModel) -> tuple[str, Connect]:
    from curation.engines.vllm import VllmEngine
    from curation.engines.vllm_settings import VllmSettings

    if asked.model is None:
        raise InputError("engine vllm needs --model: a model's name on the hub, or its directory")
    local = VllmSettings(asked.model, asked.dtype, asked.tensor_parallel_size, asked.context, asked.options)

    async def connect() -> ChatEngine:
        return await VllmEngine.connect(local)

    return model_name(asked.model), connect


def _openai(asked: LanguageModel) -> Connect:
    from curation.engines.openai import OpenAIEngine
    from curation.engines.server import ServerSettings

    server = ServerSettings(asked.base_url, asked.model, asked.concurrency, asked.timeout, context=asked.context)

    async def connect() -> ChatEngine:
        return await OpenAIEngine.connect(server)

    return connect


def _served(connect: Connect, check: Callable[[], None]) -> str:
    """The name of the one model that a server has."""
    with closing(Host(connect, check)) as host:
        return host.engine.model


def _engine_options(asked: LanguageModel) -> Options:
    """What decides the answers, next to the model."""
    context: Options = {} if asked.context is None else {"context": asked.context}
    if asked.engine != "vllm":
        return context
    return {"dtype": asked.dtype, **{name: json.dumps(value) for name, value in asked.options.items()}, **context}


def model_name(model: str) -> str:
    """What is recorded of a model: its name on the hub, or of a directory its last part, wherever it lies."""
    path = Path(model).expanduser()
    return path.resolve().name if path.is_dir() else model
