"""What keeps other sites, and other machines, from a server on this one: by its name, its cookie and its headers."""

from __future__ import annotations

import hmac
from collections.abc import Mapping, MutableMapping
from http.cookies import CookieError, SimpleCookie
from typing import Any
from urllib.parse import urlsplit

LOOPBACK_HOSTS = frozenset(("127.0.0.1", "localhost", "::1"))
READ_METHODS = frozenset(("GET", "HEAD"))
# What closes a content security policy; the header adds who may frame the page, which a file cannot say.
ONLY_OWN = "base-uri 'none'; form-action 'none'"
ENDS_CONNECTION = {"Connection": "close"}
"""Of a refused request: what it still sends is not read."""


def security_headers(content_policy: str) -> dict[str, str]:
    """Return the headers of every answer; the page may load and run what ``content_policy`` names, and nothing else."""
    return {
        "Content-Security-Policy": f"default-src 'none'; {content_policy}; {ONLY_OWN}; frame-ancestors 'none'",
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
        "Referrer-Policy": "no-referrer",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cache-Control": "no-store",
    }


def foreign_host(headers: Mapping[str, str]) -> str | None:
    """Return why a request to another name than this machine's is refused: other sites' names may resolve to it."""
    if _hostname(f"//{headers.get('host', '')}") not in LOOPBACK_HOSTS:
        return "this server answers to 127.0.0.1 and localhost only"
    return None


def unmeasured_body(headers: Mapping[str, str]) -> str | None:
    """Return why a body without a stated length is refused: browsers never send one."""
    # Beside a length it is a way around it.
    return "only bodies of a stated length are taken" if "transfer-encoding" in headers else None


def needless_body(headers: Mapping[str, str]) -> str | None:
    """Return why a request to read that has a body is refused."""
    return None if headers.get("content-length", "0") == "0" else "a request to read has no body"


def cookie_value(header: str, name: str) -> str | None:
    """Return the value of a cookie in a ``Cookie`` header, ``None`` where it is not there."""
    try:
        morsel = SimpleCookie(header).get(name)
    except CookieError:
        return None
    return morsel.value if morsel else None


def is_same_token(given: str | None, token: str) -> bool:
    """Return whether a token that came with a request is the right one, in a time that does not tell how near it is."""
    return given is not None and hmac.compare_digest(given.encode(), token.encode())


def header_texts(scope: Mapping[str, Any]) -> dict[str, str]:
    """Return the headers of a request by their names in small letters."""
    return {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}


def add_headers(message: MutableMapping[str, Any], headers: Mapping[str, str]) -> None:
    """Add headers to the start of an answer."""
    added = ((name.lower().encode(), value.encode()) for name, value in headers.items())
    message["headers"] = [*message.get("headers", ()), *added]


def _hostname(url: str) -> str | None:
    try:
        return urlsplit(url).hostname
    except ValueError:
        return None
