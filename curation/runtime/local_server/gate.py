"""The gate in front of a server on this machine: each request is looked at before the application sees any of it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .access import add_headers, header_texts


class Gate(ABC):
    """Refuses requests, adds headers to all answers, and reads no more of a body than it was told.

    ``most_body_bytes`` holds whatever a request's own headers say; what sends more is cut off.
    """

    def __init__(self, app: ASGIApp, answer_headers: Mapping[str, str], most_body_bytes: int) -> None:
        self._app = app
        self._answer_headers = answer_headers
        self._most_body_bytes = most_body_bytes

    @abstractmethod
    def refusal(self, scope: Scope, headers: Mapping[str, str]) -> ASGIApp | None:
        """Return the answer to a request that is refused, which ends its connection; None for one that is not."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        app = self.refusal(scope, header_texts(scope)) or self._app
        received = 0

        async def receive_some() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            return message if received <= self._most_body_bytes else {"type": "http.disconnect"}

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                add_headers(message, self._answer_headers)
            await send(message)

        await app(scope, receive_some, send_with_headers)
