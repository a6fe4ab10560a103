"""Flags of `ovct train`, made from the options of each stage: one list of names, defaults and texts, here and in YAML.

Light: it is loaded with the command line, and torch is not.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import fields
from typing import Annotated, Any, get_type_hints

import typer

from .config import StageConfig, options_of

PANELS = {
    "running": "Where and how it runs",
    "optimisation": "Optimisation",
    "crops": "Data",
    "pretraining": "Image encoder",
    "alignment": "Alignment",
    "segmenting": "Text-guided segmentation",
}
GIVEN = "given"


def flags(config: type[StageConfig]) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Gives a command a flag for every option of a stage. What was said goes into its parameter `given`, by name."""

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        known = options_of(config)
        own = [each for each in inspect.signature(command).parameters.values() if each.name != GIVEN]
        hints = get_type_hints(command, include_extras=True)

        def run(**values: Any) -> None:
            said = {name: values.pop(name) for name in known}
            command(**values, **{GIVEN: {name: value for name, value in said.items() if value is not None}})

        made = [_flag(config, name) for name in known]
        parameters = [each.replace(annotation=hints[each.name], kind=inspect.Parameter.KEYWORD_ONLY) for each in own]
        run.__signature__ = inspect.Signature([*parameters, *made])  # type: ignore[attr-defined]
        run.__annotations__ = {each.name: each.annotation for each in [*parameters, *made]}
        run.__name__, run.__doc__ = command.__name__, command.__doc__
        return run

    return decorate


def _flag(config: type[StageConfig], name: str) -> inspect.Parameter:
    group, each, default = options_of(config)[name]
    owner = next(part.default for part in fields(config) if part.name == group)
    type_ = get_type_hints(type(owner))[name]
    shown = _shown(default)
    option = typer.Option(help=each.metadata["help"], show_default=shown, rich_help_panel=PANELS[group])
    return inspect.Parameter(
        name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=Annotated[type_ | None, option]
    )


def _shown(default: Any) -> str | bool:
    if isinstance(default, tuple):
        return " ".join(map(str, default))
    return str(default) if default != "" else False
