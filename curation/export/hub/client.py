"""The hub's client as a push uses it: quiet, stopped at once by Ctrl-C, and with errors that say what to do.

Endpoint and token are where the client looks for them: ``HF_ENDPOINT``, ``HF_TOKEN``, ``hf auth login``. A token is
shown nowhere, also not in what a server answers.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from logging import CRITICAL
from typing import TYPE_CHECKING, Any, TypeVar

from curation.engines.server import FROM_ENVIRONMENT
from curation.runtime.errors import InputError, Interrupted, OvctError, RunError, extra_hint
from curation.runtime.processes import in_thread
from curation.runtime.urls import redact_error

if TYPE_CHECKING:
    from huggingface_hub import HfApi

ResultT = TypeVar("ResultT")

HIDDEN = "***"
LOG_IN = "log in with `hf auth login`, or put a token that may write into HF_TOKEN or --token env:VARIABLE"


def token_given(token: str | None) -> str | None:
    """Return the token of ``--token``, which may name a variable of the environment. Raises ``InputError``."""
    if token is None:
        return None
    value = token
    if token.startswith(FROM_ENVIRONMENT):
        name = token.removeprefix(FROM_ENVIRONMENT)
        value = os.environ.get(name, "")
        if not value.strip():
            raise InputError(f"--token {token}: there is no variable {name} in the environment, or it is empty")
    value = value.strip()
    if not value or not value.isascii() or not value.isprintable() or " " in value:
        raise InputError("--token: a token is one word of plain letters and digits (it is not shown)")
    return value


class _NotThereError(Exception):
    """Raised for a repository, revision or file that is not there."""


class HubClient:
    """Asks the hub about one repository. ``check`` is called while an answer is awaited, and may raise to give up."""

    def __init__(self, token: str | None, check: Callable[[], None], endpoint: str | None = None) -> None:
        try:
            from huggingface_hub import HfApi, get_token
        except ImportError:
            raise InputError(f"huggingface_hub is not installed: {extra_hint('storage')}") from None
        self.api: HfApi = HfApi(endpoint=endpoint, token=token)
        self._check = check
        self._secret = token or get_token()

    @property
    def endpoint(self) -> str:
        """Return the address of the hub."""
        return str(self.api.endpoint)

    def ask(self, request: Callable[[HfApi], ResultT], what: str) -> ResultT:
        """Send a request and return its result; ``what`` names it in errors.

        Raises ``InputError`` for what the caller can put right, ``RunError`` for the rest.
        """
        try:
            return self._send(request, what)
        except _NotThereError as error:
            raise InputError(f"{what}: the hub says that there is no such thing ({error}); {LOG_IN}") from None

    def find(self, request: Callable[[HfApi], ResultT], what: str) -> ResultT | None:
        """Send a request as ``ask`` does; None for what is not there, or not for this token."""
        try:
            return self._send(request, what)
        except _NotThereError:
            return None

    def _send(self, request: Callable[[HfApi], ResultT], what: str) -> ResultT:
        from huggingface_hub.errors import (
            EntryNotFoundError,
            GatedRepoError,
            HfHubHTTPError,
            HFValidationError,
            OfflineModeIsEnabled,
            RepositoryNotFoundError,
            RevisionNotFoundError,
        )

        try:
            with _quiet():
                return in_thread(lambda: request(self.api), self._check)
        except (Interrupted, OvctError):
            raise
        except (RevisionNotFoundError, EntryNotFoundError) as error:
            raise _NotThereError(self._text(error)) from error
        except RepositoryNotFoundError as error:
            if isinstance(error, GatedRepoError) or _status(error) in (401, 403):
                raise InputError(f"{what}: the hub does not let us ({self._text(error)}); {LOG_IN}") from None
            raise _NotThereError(self._text(error)) from error
        except OfflineModeIsEnabled:
            raise InputError(f"{what}: HF_HUB_OFFLINE forbids the network; unset it to push") from None
        except HFValidationError as error:
            raise InputError(f"{what}: {self._text(error)}") from None
        except HfHubHTTPError as error:
            raise self._http_error(error, what) from None
        except (TypeError, AttributeError, ImportError, FileNotFoundError):
            raise
        except ValueError as error:
            raise InputError(f"{what}: the hub refuses it ({self._text(error)})") from None
        except Exception as error:
            cause = error.__cause__ or error
            raise RunError(
                f"{what}: {self.endpoint} cannot be reached, or broke off ({self._text(cause)}); run the same command "
                "again to go on: what it has got is not sent again"
            ) from None

    def _http_error(self, error: Exception, what: str) -> OvctError:
        status, text = _status(error), self._text(error)
        if status in (401, 403):
            return InputError(f"{what}: the hub does not let us ({text}); {LOG_IN}")
        if status in (409, 412):
            return RunError(
                f"{what}: the repository was changed meanwhile ({text}); run the same command again, which sends only "
                "what it lacks"
            )
        if status is not None and 400 <= status < 500 and status not in (408, 429):
            return InputError(f"{what}: the hub refuses it ({text})")
        return RunError(f"{what}: the hub failed ({text}); run the same command again to go on")

    def _text(self, error: BaseException) -> str:
        server = getattr(error, "server_message", None)
        status = _status(error)
        line = f"{status}: {server}" if server and status else redact_error(error)
        line = " ".join(str(line).split())[:300]
        return line.replace(self._secret, HIDDEN) if self._secret else line


def _status(error: BaseException) -> int | None:
    status = getattr(getattr(error, "response", None), "status_code", None)
    return status if isinstance(status, int) else None


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep the client's bars and log lines, which may quote a server, from the terminal: progress is shown by us."""
    from huggingface_hub import utils

    bars: Any = utils  # exports the functions without saying so
    logging = utils.logging
    level, had_bars = logging.get_verbosity(), not bars.are_progress_bars_disabled()
    logging.set_verbosity(CRITICAL)
    if had_bars:
        bars.disable_progress_bars()
    try:
        yield
    finally:
        logging.set_verbosity(level)
        if had_bars:
            bars.enable_progress_bars()
