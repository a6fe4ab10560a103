"""Flags of `ovct train`, made from the options of each stage: one list of names, defaults and texts, here and in YAML.

Light: it is loaded with the command line, and torch is not.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import Field, fields
from typing import Annotated, Any, Literal, get_args, get_origin, get_type_hints

import typer

from train.config.option_table import options_of
from train.config.options import StageConfig
from train.config.renamed import RENAMED

PANELS = {
    "words": "Words",
    "pretraining": "Image encoder",
    "alignment": "Alignment",
    "segmenting": "Text-guided segmentation",
    "prompting": "Prompts",
    "data": "Data",
    "labelling": "Data",
    "optimisation": "Optimisation",
    "crops": "Patches",
    "speed": "Where and how it runs",
    "running": "Where and how it runs",
}
# Flags that most runs name: they stand above all panels.
COMMON = (
    "image",
    "start",
    "text",
    "size",
    "weights",
    "connector",
    "steps",
    "batch_size",
    "learning_rate",
    "limit",
    "devices",
)
# Flags that take a file or a folder.
PATHS = ("cache", "image", "organs", "start", "weights")
GIVEN = "given"


def flags(config: type[StageConfig]) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Give a command a flag for every option of a stage; its parameter ``given`` gets those that were given."""

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        options = {name: option for name, option in options_of(config).items() if option.field.metadata["flag"]}
        in_yaml_alone = [name for name, option in options_of(config).items() if name not in options]
        types = {group.name: get_type_hints(type(group.default)) for group in fields(config)}
        hints = get_type_hints(command, include_extras=True)
        parameters = [
            parameter.replace(annotation=hints[name], kind=inspect.Parameter.KEYWORD_ONLY)
            for name, parameter in inspect.signature(command).parameters.items()
            if name != GIVEN
        ]
        for name, (group, field, default) in sorted(options.items(), key=_place_in_help):
            parameters.append(_flag(group, field, default, types[group][name]))
        old_names = [old for old, name in RENAMED.items() if name in options]
        parameters.extend(_old_flag(name) for name in old_names)

        def run(**values: Any) -> None:
            settings = {name: values.pop(name) for name in [*options, *old_names]}
            given = {name: value for name, value in settings.items() if value is not None}
            command(**values, **{GIVEN: given})

        run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
        run.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
        run.__name__ = command.__name__
        run.__doc__ = f"{command.__doc__}\n\nSettings of the YAML file alone: {', '.join(in_yaml_alone)}."
        return run

    return decorate


def _place_in_help(option: tuple[str, tuple[str, Field[Any], Any]]) -> tuple[int, int]:
    """Sort options by panel, those that most runs name first; the order within a panel stays."""
    name, (group, _, _) = option
    return (0, COMMON.index(name)) if name in COMMON else (1, list(PANELS).index(group))


def _flag(group: str, field: Field[Any], default: Any, type_: Any) -> inspect.Parameter:
    option = typer.Option(
        help=field.metadata["help"],
        metavar=None if type_ is bool else "PATH" if field.name in PATHS else _metavar(type_),
        show_default=_default_text(default),
        rich_help_panel=None if field.name in COMMON else PANELS[group],
    )
    annotation = Annotated[type_ | None, option]
    return inspect.Parameter(field.name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=annotation)


def _old_flag(name: str) -> inspect.Parameter:
    """Return a hidden flag for the old name of a setting: reading the settings then tells the new name."""
    annotation = Annotated[str | None, typer.Option(hidden=True)]
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=annotation)


def _metavar(type_: Any) -> str:
    if get_origin(type_) is Literal:
        return "|".join(get_args(type_))
    if get_origin(type_) is tuple:
        return "D H W"
    return {int: "N", float: "X"}.get(type_, "NAME")


def _default_text(default: Any) -> str | bool:
    if isinstance(default, tuple):
        return " ".join(map(str, default))
    if isinstance(default, bool):
        return "yes" if default else "no"
    return str(default) if default != "" else False
