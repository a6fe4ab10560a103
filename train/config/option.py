"""What every group of options is made of: fields with a text for `--help`, and checks whose errors name the option."""

from __future__ import annotations

from dataclasses import field
from typing import Any

from curation.runtime.errors import OvctError


class ConfigError(OvctError, ValueError):
    """Raised for settings that cannot be used; the text names the setting, its value and what would do."""

    exit_code = 2


def option(default: Any, help: str, *, flag: bool = True) -> Any:
    """Return a field of a group of options, with the text that `--help` shows; without `flag` only YAML sets it."""
    return field(default=default, metadata={"help": help, "flag": flag})


def require_at_least(group: Any, minimum: int, *names: str) -> None:
    """Raise ConfigError if one of the options is below a minimum."""
    for name in names:
        # NaN is not at least anything.
        if not getattr(group, name) >= minimum:
            raise ConfigError(f"{name}: at least {minimum}, not {getattr(group, name)}")
