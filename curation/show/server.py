"""The web server of `ovct show`: the page, and the reports that it asks for, for the browser of this machine alone."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any

from fastapi import FastAPI, HTTPException, Query, Request
from fastapi.responses import JSONResponse, Response

from curation.runtime.errors import OvctError
from curation.runtime.local_server.access import security_headers
from curation.runtime.local_server.read_only import read_only_app
from curation.runtime.local_server.serving import ADDRESS, bind_port, redirect_file, serve
from curation.runtime.progress import Progress

from .filters import ReportFilter
from .page import page_files, session
from .set_reports import SetReports

DEFAULT_PORT = 8767
HEADERS = security_headers("script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:")
INVALID_LINK = "This link is not valid any more. Open the one that ovct show has printed last."


@dataclass(frozen=True)
class ShowServer:
    """How the page is served: ``port`` None takes the usual one if it is free, 0 a free one."""

    port: int | None = None
    browser: bool = True


def show(reports: SetReports, server: ShowServer, progress: Progress, print_line: Callable[[str], None]) -> None:
    """Serve the page until Ctrl-C. Raises ``InputError`` where the port is in use."""
    with bind_port(server.port, DEFAULT_PORT) as listener, TemporaryDirectory(prefix="ovct-show-") as folder:
        port, token = listener.getsockname()[1], secrets.token_urlsafe(24)
        link = f"http://{ADDRESS}:{port}/?token={token}"
        print_line(f"{reports.total:,} reports of {reports.root}: {link}")
        print_line("Ctrl-C ends the view.")
        with redirect_file(Path(folder) / "open.html", link, "The reports") as page:
            app = create_app(reports, token, port)
            serve(app, listener, page if server.browser else None, progress.raise_if_interrupted)


def create_app(reports: SetReports, token: str, port: int) -> FastAPI:
    """Create the server's application. Reports are read in its one thread, one request after the other."""
    files = page_files()
    app = read_only_app(
        files.linked(),
        {**files.styles, **files.scripts},
        headers=HEADERS,
        token=token,
        cookie=f"ovct-show-{port}",
        invalid_link=INVALID_LINK,
    )
    app.add_exception_handler(OvctError, _answer_error)
    app.add_exception_handler(OSError, _answer_error)
    about = session(reports)

    @app.get("/api/session")
    async def send_session() -> dict[str, Any]:
        return about

    @app.get("/api/report/{place}")
    async def send_report(place: int) -> dict[str, Any]:
        try:
            return reports.view(place)
        except LookupError as error:
            raise HTTPException(404, str(error)) from None

    @app.get("/api/find")
    async def find_report(
        place: int,
        step: int = 1,
        organ: Annotated[list[str] | None, Query()] = None,
        status: Annotated[list[str] | None, Query()] = None,
        word: Annotated[list[str] | None, Query()] = None,
    ) -> dict[str, Any]:
        wanted = ReportFilter(frozenset(organ or ()), frozenset(status or ()), tuple(word or ()))
        return reports.find(place, step, wanted)._asdict()

    return app


async def _answer_error(request: Request, error: Exception) -> Response:
    return JSONResponse({"detail": str(error)}, 500)
