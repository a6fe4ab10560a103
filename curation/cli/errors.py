"""Errors of a command as one line on stderr and an exit code.

| exit code | meaning |
| --- | --- |
| 0 | done |
| 1 | failed under way; what was finished is kept |
| 2 | wrong call or input |
| 130 | interrupted by Ctrl-C or SIGTERM |
"""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

import typer

from curation.runtime.errors import Interrupted, extra_hint
from curation.runtime.terminal import say


def fail(message: str, code: int) -> NoReturn:
    """Print an error and end the command with an exit code."""
    say(f"ovct: {message}", err=True)
    raise typer.Exit(code)


# What to do about a file that cannot be written; the error says which.
REMEDIES = {
    errno.ENOSPC: "free space on its disk, then ",
    errno.EDQUOT: "make room in your quota, then ",
    errno.EIO: "see whether its disk is well, then ",
    **dict.fromkeys((errno.EACCES, errno.EPERM, errno.EROFS), "allow writing there, then "),
}


def _way_out(error: BaseException) -> str:
    number = error.errno if isinstance(error, OSError) else None
    return f"{REMEDIES.get(number or 0, '')}call it again"


@contextmanager
def errors_reported(debug: bool, unfinished: str, extra: str | None = None) -> Iterator[None]:
    """Report an error without a traceback, and end the command with the exit code of the error's class.

    ``unfinished`` says what is left on disk when the run ends early, and how to go on. ``extra`` names the extra of
    the package that the command needs, for the error where one of its modules is not installed. With ``debug`` an
    error is raised as it is.
    """
    from sqlite3 import OperationalError

    try:
        yield
    except (Interrupted, KeyboardInterrupt):
        fail(f"stopped; {unfinished}", Interrupted.exit_code)
    except typer.Exit:
        raise
    except Exception as error:
        if debug:
            raise
        if isinstance(error, ModuleNotFoundError) and extra:
            fail(f"{error.name} is not installed: {extra_hint(extra)}", 2)
        if isinstance(code := getattr(error, "exit_code", None), int):
            fail(str(error), code)
        if isinstance(error, (OSError, OperationalError)):
            fail(f"cannot go on: {error} ({_way_out(error)}); {unfinished}", 1)
        fail(f"unexpected {type(error).__name__}: {error} (--debug shows where)", 1)
