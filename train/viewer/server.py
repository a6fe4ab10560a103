"""The viewer's web server: the page, and the scan and masks that it asks for, for the browser of this machine alone."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from fastapi.responses import FileResponse, JSONResponse, Response

from curation.runtime.local_server.access import security_headers
from curation.runtime.local_server.read_only import read_only_app
from curation.runtime.local_server.serving import ADDRESS, bind_port, redirect_file, serve

from .content import ViewContent
from .page import PICTURES, page_files

DEFAULT_PORT = 8766
HEADERS = security_headers(f"script-src 'self'; style-src 'self'; {PICTURES.format(chr(39) + 'self' + chr(39))}")
INVALID_LINK = "This link is not valid any more. Open the one that ovct view has printed last."


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
    files = page_files()
    app = read_only_app(
        files.linked(),
        {**files.styles, **files.scripts},
        headers=HEADERS,
        token=token,
        cookie=f"ovct-view-{port}",
        invalid_link=INVALID_LINK,
    )
    app.state.description = content.description
    for path in (content.scan, content.labels):
        if path is not None:
            app.get(f"/{path.name}")(_file_sender(path))

    @app.get("/content.json")
    async def send_content() -> Response:
        return JSONResponse(content.description)

    return app


def _file_sender(path: Path) -> Callable[[], Any]:
    async def send() -> Response:
        return FileResponse(path, media_type="application/octet-stream")

    return send
