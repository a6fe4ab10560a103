"""Errors that end a command: each has a text for the person at the prompt, and the exit code of the command.

The networks (`models/`) and the prompts (`prompts/`) import nothing of ours, so their errors have the same class
attribute, `exit_code`, without this base.
"""

from __future__ import annotations

from collections.abc import Iterable


class OvctError(Exception):
    """Base of the errors that end a command with their own text, and without a traceback.

    The text names the file, row or value that is wrong and says what to do next. ``exit_code`` is 2 for a wrong call
    or input, 1 for a failure under way, 130 for an interruption.
    """

    exit_code = 1


class InputError(OvctError, ValueError):
    """A wrong call, or an input that cannot be read at all."""

    exit_code = 2


class RunError(OvctError, RuntimeError):
    """The run cannot go on; what is finished stays."""


class Interrupted(OvctError):
    """The run was asked to stop, by Ctrl-C or SIGTERM."""

    exit_code = 130


def extra_hint(extra: str) -> str:
    """Return how to install an extra of this package, for the error where one of its modules is missing."""
    return f"install ovct with its extra {extra!r}, in its checkout: pip install '.[{extra}]'"


def flag_names(names: Iterable[str]) -> str:
    """Return parameters as the flags that a person types."""
    return ", ".join(f"--{name.replace('_', '-')}" for name in names)
