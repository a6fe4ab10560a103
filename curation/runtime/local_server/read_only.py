"""A server that only shows: a page for whoever has its link, and data for the browser that has opened it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Scope

from .access import (
    ENDS_CONNECTION,
    READ_METHODS,
    cookie_value,
    foreign_host,
    is_same_token,
    needless_body,
    unmeasured_body,
)
from .gate import Gate

MEDIA_TYPES = {".js": "text/javascript", ".css": "text/css"}


class ReadOnlyGate(Gate):
    """Refuses all but requests to read, to this machine's name, and for the data with the cookie of the page.

    ``is_open`` tells of a path whether it may be read without the cookie: the page itself, which looks at the token,
    and what it is made of.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        headers: Mapping[str, str],
        token: str,
        cookie: str,
        is_open: Callable[[str], bool],
        invalid_link: str,
    ) -> None:
        super().__init__(app, headers, most_body_bytes=0)
        self._token, self._cookie = token, cookie
        self._is_open, self._invalid_link = is_open, invalid_link

    def refusal(self, scope: Scope, headers: Mapping[str, str]) -> ASGIApp | None:
        """Return the answer to a request that is refused; None for one that is not."""
        reason = foreign_host(headers) or unmeasured_body(headers) or needless_body(headers)
        if scope["method"] not in READ_METHODS:
            reason = "there is nothing to write here"
        if reason:
            return PlainTextResponse(reason, 403, ENDS_CONNECTION)
        given = cookie_value(headers.get("cookie", ""), self._cookie)
        if not self._is_open(scope["path"]) and not is_same_token(given, self._token):
            return PlainTextResponse(self._invalid_link, 401, ENDS_CONNECTION)
        return None


def read_only_app(
    page: str, assets: Mapping[str, str], *, headers: Mapping[str, str], token: str, cookie: str, invalid_link: str
) -> FastAPI:
    """Create an application that sends a page to who has the token, and the texts that it is made of to all.

    Whatever else is added to it is for the browser that has opened the page alone.
    """
    app = FastAPI(openapi_url=None)
    open_paths = {"/", *(f"/{name}" for name in assets)}
    app.add_middleware(
        ReadOnlyGate,
        headers=headers,
        token=token,
        cookie=cookie,
        is_open=open_paths.__contains__,
        invalid_link=invalid_link,
    )
    for name, text in assets.items():
        app.get(f"/{name}")(_text_sender(text, MEDIA_TYPES[name[name.rindex(".") :]]))

    @app.get("/")
    async def send_page(request: Request) -> Response:
        given = request.query_params.get("token") or cookie_value(request.headers.get("cookie", ""), cookie)
        if not is_same_token(given, token):
            return PlainTextResponse(invalid_link, 401)
        answer = Response(page, media_type="text/html")
        answer.set_cookie(cookie, token, httponly=True, samesite="strict")
        return answer

    return app


def _text_sender(text: str, media_type: str) -> Callable[[], Any]:
    async def send() -> Response:
        return Response(text, media_type=media_type)

    return send
