"""The viewer's web server: the page, and the scan and masks that it asks for, for the browser of this machine alone."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import FileResponse, JSONResponse, PlainTextResponse, Response
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
from curation.runtime.local_server.serving import ADDRESS, bind_port, redirect_file, serve

from .content import ViewContent
from .page import PICTURES, SCRIPTS, STYLE, asset, linked_page

DEFAULT_PORT = 8766
HEADERS = security_headers(f"script-src 'self'; style-src 'self'; {PICTURES.format(chr(39) + 'self' + chr(39))}")
INVALID_LINK = "This link is not valid any more. Open the one that ovct view has printed last."
DATA = ("/content.json", "/scan.nii", "/labels.nii")


@dataclass(frozen=True)
class ViewServer:
    """How the page is served: `port` None takes the usual one if it is free, 0 a free one."""

    port: int | None = None
    browser: bool = True


def view(content: ViewContent, server: ViewServer, print_line: Callable[[str], None]) -> None:
    """Serve the page until Ctrl-C. Raises InputError where the port is in use."""
    with bind_port(server.port, DEFAULT_PORT) as listener:
        port, token = listener.getsockname()[1], secrets.token_urlsafe(24)
        app = create_app(content, token, port)
        link = f"http://{ADDRESS}:{port}/?token={token}"
        print_line(f"{content.description['scan']}: {link}")
        print_line("Ctrl-C ends the view.")
        with redirect_file(content.scan.with_name("open.html"), link, "The scan") as page:
            serve(app, listener, page if server.browser else None)


def create_app(content: ViewContent, token: str, port: int) -> FastAPI:
    """Create the server's application."""
    app, cookie = FastAPI(openapi_url=None), f"ovct-view-{port}"
    app.add_middleware(ViewGate, token=token, cookie=cookie)
    page = linked_page()
    app.state.description = content.description
    for path in (content.scan, content.labels):
        if path is not None:
            app.get(f"/{path.name}")(_file_sender(path))
    for name in (*SCRIPTS, STYLE):
        app.get(f"/{name}")(_text_sender(asset(name), "text/css" if name == STYLE else "text/javascript"))

    @app.get("/content.json")
    async def send_content() -> Response:
        return JSONResponse(content.description)

    @app.get("/")
    async def send_page(request: Request) -> Response:
        given = request.query_params.get("token") or cookie_value(request.headers.get("cookie", ""), cookie)
        if not is_same_token(given, token):
            return PlainTextResponse(INVALID_LINK, 401)
        answer = Response(page, media_type="text/html")
        answer.set_cookie(cookie, token, httponly=True, samesite="strict")
        return answer

    return app


class ViewGate(Gate):
    """Refuses all but requests to read, to this machine's name, and for the data with the cookie of the page."""

    def __init__(self, app: ASGIApp, token: str, cookie: str) -> None:
        super().__init__(app, HEADERS, most_body_bytes=0)
        self._token, self._cookie = token, cookie

    def refusal(self, scope: Scope, headers: Mapping[str, str]) -> ASGIApp | None:
        """Return the answer to a request that is refused; None for one that is not."""
        reason = foreign_host(headers) or unmeasured_body(headers) or needless_body(headers)
        if scope["method"] not in READ_METHODS:
            reason = "there is nothing to write here"
        if reason:
            return PlainTextResponse(reason, 403, ENDS_CONNECTION)
        given = cookie_value(headers.get("cookie", ""), self._cookie)
        if scope["path"] in DATA and not is_same_token(given, self._token):
            return PlainTextResponse(INVALID_LINK, 401, ENDS_CONNECTION)
        return None


def _file_sender(path: Path) -> Callable[[], Any]:
    async def send() -> Response:
        return FileResponse(path, media_type="application/octet-stream")

    return send


def _text_sender(text: str, media_type: str) -> Callable[[], Any]:
    async def send() -> Response:
        return Response(text, media_type=media_type)

    return send
