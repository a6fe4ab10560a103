"""The options of a stage by their names, whichever group they are in; no two of a stage have the same name."""

from __future__ import annotations

from dataclasses import MISSING, Field, fields
from typing import Any, NamedTuple, TypeVar

ConfigClass = TypeVar("ConfigClass", bound=type[Any])


class StageOption(NamedTuple):
    """An option of a stage: the group that it belongs to, its field there, and its default in this stage."""

    group: str
    field: Field[Any]
    default: Any


def options_of(config: type[Any]) -> dict[str, StageOption]:
    """Return every option of a stage by its name. Raises TypeError if two groups have an option of the same name."""
    options: dict[str, StageOption] = {}
    for group in fields(config):
        assert group.default is not MISSING
        for field in fields(group.default):
            if field.name in options:
                raise TypeError(
                    f"{config.__name__} has the option {field.name!r} twice, in {options[field.name].group} and in "
                    f"{group.name}: flags and YAML know options by name alone, so rename one of them"
                )
            options[field.name] = StageOption(group.name, field, getattr(group.default, field.name))
    return options


def with_unique_options(config: ConfigClass) -> ConfigClass:
    """Check a stage's settings where they are defined. Raises TypeError as `options_of` does."""
    options_of(config)
    return config
