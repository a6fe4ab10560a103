"""Sends requests to a server with OpenAI's interface, within a time-out; classifies errors and removes secrets."""

from __future__ import annotations

import asyncio
import importlib.util
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any

from curation.runtime.errors import InputError, extra_hint

from .chat import EngineDown
from .http_errors import RequestRefused, ServerUnreachable, TransientError, classify_error, error_text
from .redaction import Secrets, redacted_url
from .server import EXAMPLES, NO_KEY, ServedModel, ServerSettings, served_models


class OpenAIClient:
    """Sends requests to one server. ``url`` is its address for people to read.

    Raises ``InputError`` where the package openai is missing, or the settings name no server.
    """

    def __init__(self, server: ServerSettings) -> None:
        if importlib.util.find_spec("openai") is None:
            raise InputError(f"engine openai needs the package openai: {extra_hint('serve')}")
        from openai import AsyncOpenAI

        url, self._key = server.url(), server.key()
        self.url = redacted_url(url)
        self.secrets = Secrets(url, self._key)
        self._timeout = server.timeout
        self._client = AsyncOpenAI(base_url=url, api_key=self._key, max_retries=0, timeout=server.timeout)

    async def close(self) -> None:
        """Close the connections."""
        await self._client.close()

    async def complete(self, request: Mapping[str, Any]) -> str:
        """Send the request for a chat and return the body of the answer. Raises what ``classify_error`` returns."""
        return await self._send(partial(self._client.chat.completions.with_raw_response.create, **request))

    async def models(self) -> list[ServedModel]:
        """Return the models that the server lists. Raises ``EngineDown`` where no server answers."""
        try:
            return served_models(await self._send(self._client.models.with_raw_response.list))
        except ServerUnreachable as error:
            raise EngineDown(
                f"no server answers at {self.url} ({error}): start one ({EXAMPLES}), or correct --base-url"
            ) from None

    def key_problem(self, error: RequestRefused) -> str:
        """Return the message about a server that wants another key, or one at all."""
        if self._key == NO_KEY:
            return f"{self.url} wants a key ({error.status}): put it into OPENAI_API_KEY"
        reason = f": {error_text(error.text)}" if error.status == 403 and error_text(error.text) else ""
        return f"{self.url} refuses the key in OPENAI_API_KEY ({error.status}{reason})"

    async def _send(self, call: Callable[[], Awaitable[Any]]) -> str:
        """Send one request, from beginning to end within the time-out, and return the body without secrets.

        Errors of the client library hold the request with its key: none of them gets out of here.
        """
        from openai import APIError, APIStatusError, APITimeoutError

        try:
            async with asyncio.timeout(self._timeout):
                response = await call()
            return self.secrets.redact_answer(response.content.decode("utf-8", "replace"))
        except (TimeoutError, APITimeoutError):
            problem: Exception = TransientError(f"no answer within {self._timeout:g} s (--timeout)")
        except APIStatusError as error:
            text = self.secrets.redact_error(error.response.text)
            problem = classify_error(error.status_code, error.response.headers, text)
        except APIError as error:
            cause = error.__cause__ or error
            unreachable = type(cause).__name__ == "ConnectError"  # of httpx or httpx2, whichever the client uses
            reason = self.secrets.redact_error(" ".join(str(cause).split())) or type(cause).__name__
            problem = ServerUnreachable(reason) if unreachable else TransientError(f"connection lost: {reason}")
        raise problem
