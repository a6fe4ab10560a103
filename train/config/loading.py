"""Reads a stage's settings: defaults, then a YAML file, then flags."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar, get_type_hints

from prompts.yaml_file import FieldError, check_size

from .option_table import options_of
from .options import ConfigError, StageConfig
from .renamed import RENAMED

AnyStage = TypeVar("AnyStage", bound=StageConfig)


def load_config(stage: type[AnyStage], path: Path | None, flags: Mapping[str, object]) -> AnyStage:
    """Return the settings of a stage: defaults, then the YAML file's, then those of the flags. Raises ConfigError."""
    config = _with_values(stage(), _read_yaml(path), f"{path}: ") if path else stage()
    return _with_values(config, flags, "")


def _with_values(config: AnyStage, values: Mapping[str, object], error_prefix: str) -> AnyStage:
    """Return the settings with other values for some options; the text of an error begins with `error_prefix`."""
    options = options_of(type(config))
    values_of_groups: dict[str, dict[str, object]] = {}
    try:
        for name, value in values.items():
            if name not in options:
                raise ConfigError(_unknown_setting(name, options))
            group = options[name].group
            type_ = get_type_hints(type(getattr(config, group)))[name]
            values_of_groups.setdefault(group, {})[name] = _checked(name, value, type_)
        changes: dict[str, Any] = {
            group: replace(getattr(config, group), **group_values) for group, group_values in values_of_groups.items()
        }
        return replace(config, **changes)
    except ConfigError as error:
        raise ConfigError(f"{error_prefix}{error}") from error


def _unknown_setting(name: str, options: Mapping[str, object]) -> str:
    """Return what to tell about a setting that the stage does not have; an old name leads to the current one."""
    if RENAMED.get(name) in options:
        return f"the setting {name!r} is called {RENAMED[name]!r} now (as a flag --{RENAMED[name].replace('_', '-')})"
    return f"no setting is called {name!r}; there are {', '.join(sorted(options))}"


def _read_yaml(path: Path) -> dict[str, object]:
    import yaml

    try:
        text = path.read_text(encoding="utf-8")
        check_size(yaml.compose(text, Loader=yaml.SafeLoader))
        content = yaml.safe_load(text)
    except (OSError, UnicodeDecodeError, yaml.YAMLError, FieldError, RecursionError, ValueError) as error:
        raise ConfigError(f"{path} cannot be read as YAML: {error}") from error
    if content is None:
        return {}
    if not isinstance(content, dict):
        raise ConfigError(f"{path}: lines such as `steps: 1000` are expected, not a {type(content).__name__}")
    return {str(name): value for name, value in content.items()}


def _checked(name: str, value: object, type_: Any) -> object:
    """Return the value as the option's type has it. Raises ConfigError if it does not fit."""
    from pydantic import TypeAdapter, ValidationError

    try:
        return TypeAdapter(type_).validate_python(value)
    except ValidationError as error:
        raise ConfigError(f"{name}: {value!r} will not do: {error.errors()[0]['msg'].lower()}") from error
