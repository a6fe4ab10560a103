"""Serves a page on this machine alone, opens it in a browser without telling others its link, and ends with Ctrl-C."""

from __future__ import annotations

import errno
import html
import os
import socket
import sys
import threading
import webbrowser
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

import uvicorn
from fastapi import FastAPI

from curation.runtime.errors import InputError, Interrupted
from curation.runtime.files import PRIVATE_FILE, write_text

ADDRESS = "127.0.0.1"


def bind_port(port: int | None, usual: int) -> socket.socket:
    """Return a socket that listens on this machine only; without a port, on the usual one or on one that is free.

    Raises ``InputError`` where the port is in use.
    """
    for number in (usual, 0) if port is None else (port,):
        # With the protocol named, asyncio turns off Nagle's algorithm; else each answer waits 40 ms for an ACK.
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((ADDRESS, number))
            listener.listen(128)
            return listener
        except OSError as error:
            listener.close()
            if port is not None or error.errno not in (errno.EADDRINUSE, errno.EACCES):
                raise InputError(f"--port {number}: {error.strerror}; --port 0 takes a free one") from None
    raise AssertionError("port 0 is always free")


class LocalServer(uvicorn.Server):
    """A server that takes Ctrl-C as its usual end, not as an error.

    ``raise_if_interrupted`` raises ``Interrupted`` where that came before the server took signals itself.
    """

    def __init__(self, config: uvicorn.Config, raise_if_interrupted: Callable[[], None] = lambda: None) -> None:
        super().__init__(config)
        self._raise_if_interrupted = raise_if_interrupted

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to listen. Signals are the server's own by now; one that came earlier ends it at once."""
        await super().startup(sockets)
        try:
            self._raise_if_interrupted()
        except Interrupted:
            self.should_exit = True

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """End after the requests under way are answered; a second signal ends at once."""
        self.force_exit = self.should_exit
        self.should_exit = True


@contextmanager
def redirect_file(path: Path, link: str, text: str) -> Iterator[str]:
    """Yield the URL of a file that leads to a link, which only the user can read, and remove it in the end.

    Every user of the machine sees the arguments of a browser in the list of processes, and the link has the token.
    """
    target = html.escape(link)
    page = '<!doctype html><meta charset="utf-8"><meta name="referrer" content="no-referrer"><title>ovct</title>'
    page += f'<meta http-equiv="refresh" content="0;url={target}"><p><a href="{target}">{html.escape(text)}</a></p>\n'
    write_text(path, page, PRIVATE_FILE)
    try:
        yield path.resolve().as_uri()
    finally:
        path.unlink(missing_ok=True)


def serve(
    app: FastAPI, listener: socket.socket, page: str | None, raise_if_interrupted: Callable[[], None] = lambda: None
) -> None:
    """Serve until Ctrl-C; ``page`` is opened in a browser where there is a screen.

    A caller that notes signals itself says with ``raise_if_interrupted`` whether one has come (``Interrupted``).
    """
    config = uvicorn.Config(
        app, log_level="warning", access_log=False, server_header=False, timeout_graceful_shutdown=2
    )
    if page is not None and has_screen():
        # Connections wait at the socket until the server takes them, so the browser cannot come too early.
        threading.Thread(target=webbrowser.open, args=(page,), daemon=True).start()
    LocalServer(config, raise_if_interrupted).run(sockets=[listener])


def has_screen() -> bool:
    """Return whether a browser can open a window; without one, Python would start a text browser in this terminal."""
    if sys.platform != "linux":
        return True
    return any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY", "WSL_DISTRO_NAME"))
