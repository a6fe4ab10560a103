"""Who may speak to the review's server: this machine's browser, from our own page, with the token of the link.

Other sites that the same browser has open can send requests here too. They fail on four things, each enough alone: they
do not know the token; the cookie that holds it is not sent along from another site (``SameSite=Strict``); what they
send bears their ``Origin``; and a name of theirs that they have made point here is not ours (``Host``).
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Mapping, MutableMapping, Sequence
from dataclasses import dataclass, field
from http.cookies import CookieError, SimpleCookie
from typing import Any
from urllib.parse import urlsplit

from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

LOOPBACK = frozenset(("127.0.0.1", "localhost", "::1"))
READING = frozenset(("GET", "HEAD"))
LARGEST = 64_000
"""Bytes of a request's body; a note of the longest kind has a fraction of it."""
HEADERS = {
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
class Keys:
    """The tokens of the reviewers, by number from 1, new each time the server starts."""

    names: Sequence[str]
    tokens: tuple[str, ...] = field(default=(), repr=False)

    @classmethod
    def for_reviewers(cls, names: Sequence[str]) -> Keys:
        """A token for each."""
        return cls(names, tuple(secrets.token_urlsafe(24) for _ in names))

    def opens(self, number: int, token: str | None) -> bool:
        """Whether a token is that of a reviewer."""
        if token is None or not 1 <= number <= len(self.tokens):
            return False
        return hmac.compare_digest(self.tokens[number - 1].encode(), token.encode())

    @staticmethod
    def cookie(number: int, port: int) -> str:
        """Name of the cookie: browsers tell neither ports nor, for a name, paths apart."""
        return f"ovct-{port}-{number}"


def cookie_value(header: str, name: str) -> str | None:
    """The value of a cookie; ``None`` where there is none."""
    try:
        found = SimpleCookie(header).get(name)
    except CookieError:
        return None
    return found.value if found else None


def refusal(method: str, headers: Mapping[str, str]) -> str | None:
    """Why a request is turned away before anybody looks at its token; ``None`` when it is not."""
    host = headers.get("host", "")
    if _hostname(f"//{host}") not in LOOPBACK:
        return "this server answers to 127.0.0.1 and localhost only"
    if method in READING:
        return None
    if headers.get("origin") != f"http://{host}":
        return "only the review's own page may write"
    if headers.get("sec-fetch-site", "same-origin") != "same-origin":
        return "only the review's own page may write"
    if not headers.get("content-type", "").startswith("application/json"):
        return "only JSON is taken"
    if not headers.get("content-length", "").isdecimal() or int(headers["content-length"]) > LARGEST:
        return f"only up to {LARGEST:,} bytes are taken"
    return None


def _hostname(url: str) -> str | None:
    try:
        return urlsplit(url).hostname
    except ValueError:
        return None


class Gate:
    """Turns away who may not speak here, and puts ``HEADERS`` on all answers."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        problem = refusal(scope["method"], headers)
        app = PlainTextResponse(problem, 403) if problem else self._app

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                _add_headers(message)
            await send(message)

        await app(scope, receive, guarded)


def _add_headers(message: MutableMapping[str, Any]) -> None:
    message["headers"] = [
        *message.get("headers", ()),
        *((name.lower().encode(), value.encode()) for name, value in HEADERS.items()),
    ]
