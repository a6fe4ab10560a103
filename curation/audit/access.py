"""Who may use the review's server: the browser of this machine, from the review's own page, with the token of a link.

Other sites that the same browser has open can send requests here too. They fail on four things, each enough alone: they
do not know the token; the cookie that holds it is not sent along from another site (``SameSite=Strict``); what they
send bears their ``Origin``; and a name of theirs that resolves to this machine is not one of ours (``Host``).

No body is read before the token is known to be right, and none beyond ``MAX_BODY_BYTES``, whatever its headers say.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field

from starlette.responses import JSONResponse, PlainTextResponse
from starlette.types import ASGIApp, Scope

from curation.runtime.local_server.access import (
    ENDS_CONNECTION,
    READ_METHODS,
    cookie_value,
    foreign_host,
    is_same_token,
    needless_body,
    security_headers,
    unmeasured_body,
)
from curation.runtime.local_server.gate import Gate

MAX_BODY_BYTES = 64_000
"""Most bytes of a request's body; the longest note needs a fraction of it."""
WRONG_TOKEN = {"detail": "the review has been started anew: open the link that it printed"}
SECURITY_HEADERS = security_headers("script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:")


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
        return 1 <= number <= len(self.tokens) and is_same_token(token, self.tokens[number - 1])

    @staticmethod
    def cookie_name(number: int, port: int) -> str:
        """Return the name of a reviewer's cookie. It holds the port, since browsers share cookies between ports."""
        return f"ovct-{port}-{number}"


def refusal_reason(method: str, headers: Mapping[str, str]) -> str | None:
    """Return why a request is refused before its token is looked at, ``None`` where it is not."""
    if refusal := foreign_host(headers) or unmeasured_body(headers):
        return refusal
    if method in READ_METHODS:
        return needless_body(headers)
    if headers.get("origin") != f"http://{headers['host']}":
        return "only the review's own page may write"
    if headers.get("sec-fetch-site", "same-origin") != "same-origin":
        return "only the review's own page may write"
    if not headers.get("content-type", "").startswith("application/json"):
        return "only JSON is taken"
    if not re.fullmatch("[0-9]{1,9}", length := headers.get("content-length", "")) or int(length) > MAX_BODY_BYTES:
        return f"only up to {MAX_BODY_BYTES:,} bytes are taken"
    return None


def reviewer_of_api(path: str) -> int | None:
    """Return the number of the reviewer whose API a path belongs to; None for pages and what they are made of."""
    match = re.match(r"/r/([^/]*)/api(/|$)", path)
    if match is None:
        return None
    return int(match[1]) if re.fullmatch("[0-9]{1,6}", match[1]) else 0  # nobody's number


class AccessMiddleware(Gate):
    """Refuses requests that do not come from the review's own page, and adds ``SECURITY_HEADERS`` to all answers.

    A request to the API of a reviewer needs the cookie with their token, before anything of its body is read.
    """

    def __init__(self, app: ASGIApp, tokens: ReviewerTokens, port: int) -> None:
        super().__init__(app, SECURITY_HEADERS, MAX_BODY_BYTES)
        self._tokens = tokens
        self._port = port

    def refusal(self, scope: Scope, headers: Mapping[str, str]) -> ASGIApp | None:
        """Return the answer to a request that is refused; None for one that is not."""
        if reason := refusal_reason(scope["method"], headers):
            return PlainTextResponse(reason, 403, ENDS_CONNECTION)
        number = reviewer_of_api(scope["path"])
        if number is None:
            return None
        token = cookie_value(headers.get("cookie", ""), ReviewerTokens.cookie_name(number, self._port))
        return None if self._tokens.matches(number, token) else JSONResponse(WRONG_TOKEN, 401, ENDS_CONNECTION)
