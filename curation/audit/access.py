"""Who may use the review's server: the browser of this machine, from the review's own page, with the token of a link.

Other sites that the same browser has open can send requests here too. They fail on four things, each enough alone: they
do not know the token; the cookie that holds it is not sent along from another site (``SameSite=Strict``); what they
send bears their ``Origin``; and a name of theirs that resolves to this machine is not one of ours (``Host``).
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass, field
from http.cookies import CookieError, SimpleCookie
from typing import Any
from urllib.parse import urlsplit

from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

LOOPBACK_HOSTS = frozenset(("127.0.0.1", "localhost", "::1"))
READ_METHODS = frozenset(("GET", "HEAD"))
MAX_BODY_BYTES = 64_000
"""Most bytes of a request's body; the longest note needs a fraction of it."""
SECURITY_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-store",
}


@dataclass(frozen=True, slots=True)
class ReviewerTokens:
    """Holds the secret token of each reviewer, numbered from 1; a server makes new ones each time it starts."""

    tokens: tuple[str, ...] = field(repr=False)

    @classmethod
    def create(cls, reviewers: int) -> ReviewerTokens:
        """Make a random token for each reviewer."""
        return cls(tuple(secrets.token_urlsafe(24) for _ in range(reviewers)))

    def matches(self, number: int, token: str | None) -> bool:
        """Return whether a token is that of a reviewer."""
        if token is None or not 1 <= number <= len(self.tokens):
            return False
        return hmac.compare_digest(self.tokens[number - 1].encode(), token.encode())

    @staticmethod
    def cookie_name(number: int, port: int) -> str:
        """Return the name of a reviewer's cookie. It holds the port, since browsers share cookies between ports."""
        return f"ovct-{port}-{number}"


def cookie_value(header: str, name: str) -> str | None:
    """Return the value of a cookie in a ``Cookie`` header, ``None`` where it is not there."""
    try:
        morsel = SimpleCookie(header).get(name)
    except CookieError:
        return None
    return morsel.value if morsel else None


def refusal_reason(method: str, headers: Mapping[str, str]) -> str | None:
    """Return why a request is refused before its token is looked at, ``None`` where it is not."""
    host = headers.get("host", "")
    if _hostname(f"//{host}") not in LOOPBACK_HOSTS:
        return "this server answers to 127.0.0.1 and localhost only"
    if method in READ_METHODS:
        return None
    if headers.get("origin") != f"http://{host}":
        return "only the review's own page may write"
    if headers.get("sec-fetch-site", "same-origin") != "same-origin":
        return "only the review's own page may write"
    if not headers.get("content-type", "").startswith("application/json"):
        return "only JSON is taken"
    if not headers.get("content-length", "").isdecimal() or int(headers["content-length"]) > MAX_BODY_BYTES:
        return f"only up to {MAX_BODY_BYTES:,} bytes are taken"
    return None


def _hostname(url: str) -> str | None:
    try:
        return urlsplit(url).hostname
    except ValueError:
        return None


class AccessMiddleware:
    """Refuses requests that do not come from the review's own page, and adds ``SECURITY_HEADERS`` to all answers."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        reason = refusal_reason(scope["method"], headers)
        app = PlainTextResponse(reason, 403) if reason else self._app

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                _add_headers(message)
            await send(message)

        await app(scope, receive, send_with_headers)


def _add_headers(message: MutableMapping[str, Any]) -> None:
    message["headers"] = [
        *message.get("headers", ()),
        *((name.lower().encode(), value.encode()) for name, value in SECURITY_HEADERS.items()),
    ]
