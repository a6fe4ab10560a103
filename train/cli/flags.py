"""Flags of `ovct train`, made from the options of each stage: one list of names, defaults and texts, here and in YAML.

Light: it is loaded with the command line, and torch is not.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import Field, fields
from typing import Annotated, Any, get_type_hints

import typer

from train.config import StageConfig, options_of

PANELS = {
    "running": "Where and how it runs",
    "optimisation": "Optimisation",
    "data": "Data",
    "crops": "Patches",
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

        types = {part.name: get_type_hints(type(part.default)) for part in fields(config)}
        made = [_flag(group, each, default, types[group][name]) for name, (group, each, default) in known.items()]
        parameters = [each.replace(annotation=hints[each.name], kind=inspect.Parameter.KEYWORD_ONLY) for each in own]
        run.__signature__ = inspect.Signature([*parameters, *made])  # type: ignore[attr-defined]
        run.__annotations__ = {each.name: each.annotation for each in [*parameters, *made]}
        run.__name__, run.__doc__ = command.__name__, command.__doc__
        return run

    return decorate


def _flag(group: str, each: Field[Any], default: Any, type_: Any) -> inspect.Parameter:
    help_ = each.metadata["help"]
    option = typer.Option(help=help_, show_default=_shown(default), rich_help_panel=PANELS[group])
    annotation = Annotated[type_ | None, option]
    return inspect.Parameter(each.name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=annotation)


def _shown(default: Any) -> str | bool:
    if isinstance(default, tuple):
        return " ".join(map(str, default))
    return str(default) if default != "" else False
