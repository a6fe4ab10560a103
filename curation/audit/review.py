"""A review in the browser: the server is started on this machine, and ended with Ctrl-C."""

from __future__ import annotations

import errno
import os
import socket
import sys
import threading
import webbrowser
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

import uvicorn
from fastapi import FastAPI

from curation.caption_set.audit_results import AUDIT
from curation.report import Section
from curation.runtime.errors import InputError
from curation.runtime.progress import Progress
from curation.verification.verifier import Verifier
from prompts.vocabulary import load_vocabulary

from .dealing import deal
from .drawing import KINDS, Wanted
from .folder import GUIDELINE, audit_to_write, finished_set
from .gate import Keys
from .publish import REPORT_FILE, publish
from .reviews import Reviews
from .server import Desk, Found, application
from .store import Store
from .tables import sentence

ADDRESS = "127.0.0.1"
PORT = 8765


@dataclass(frozen=True, slots=True)
class ReviewJob:
    """One call of ``ovct audit`` for a review. ``port`` 0 takes a free one, ``None`` the usual one if it is free."""

    root: Path
    wanted: Wanted
    reviewers: tuple[str, ...]
    overlap: float | None = None
    port: int | None = None
    blind: bool = False
    redraw: bool = False
    browser: bool = True


def review(job: ReviewJob, progress: Progress, tell: Callable[[str], None]) -> None:
    """Serve the review until it is interrupted. ``tell`` prints a line for the person who started it.

    Raises ``InputError``, ``SetError``, ``StoreError`` and ``ManifestError`` for what that person can put right.
    """
    names = [name.strip() for name in job.reviewers]
    if not all(names) or len(set(names)) < len(names):
        raise InputError("--reviewer: each needs a name of their own")
    finished_set(job.root)
    with bound(job.port) as listener:
        port = listener.getsockname()[1]
        with audit_to_write(job.root, job.wanted, progress, redraw=job.redraw) as store:
            progress.raise_if_interrupted()
            deal(store, names, job.overlap)
            reviewers = [Reviews(store, name, blind=job.blind) for name in names]
            keys = Keys.for_reviewers(names)
            guideline = job.root / AUDIT / GUIDELINE
            organs = sorted(load_vocabulary().organs)
            desk = Desk(job.root.resolve(), store, reviewers, keys, port, guideline, organs, Checker())
            links = [f"http://{ADDRESS}:{port}/r/{n}/?token={token}" for n, token in enumerate(keys.tokens, 1)]
            app = application(desk)
            for line in _greeting(store, reviewers, links):
                tell(line)
            _serve(app, listener, links[0] if job.browser else None)
            for one in reviewers:
                tell(f"{one.name}: {sum(one.counts().values()):,} of {one.total:,} reviewed, all of it saved")
            if store.value("SELECT 1 FROM review WHERE verdict IS NOT NULL"):
                tell(sentence(publish(job.root, store)))
                tell(f"`ovct audit {job.root} --summary` shows more; in {job.root / AUDIT}: {REPORT_FILE}")


def _greeting(store: Store, reviewers: Sequence[Reviews], links: Sequence[str]) -> list[str]:
    sizes = [f"{count:,} {kind}" for kind in KINDS if (count := store.sample_size(kind))]
    lines = [f"sample: {' and '.join(sizes)} captions, {store.fact('design')}, seed {store.fact('seed')}"]
    for one, link in zip(reviewers, links, strict=True):
        done = sum(one.counts().values())
        lines.append(f"{one.name}: {done:,} of {one.total:,} reviewed; go on at\n  {link}")
    return [*lines, "Ctrl-C ends the review; the same command goes on with it."]


def bound(port: int | None) -> socket.socket:
    """A socket that listens on this machine only. Raises ``InputError`` where the port is taken."""
    for wanted in (PORT, 0) if port is None else (port,):
        # With the protocol named, asyncio turns off Nagle's algorithm; else each answer waits 40 ms for an ACK.
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((ADDRESS, wanted))
            listener.listen(128)
            return listener
        except OSError as error:
            listener.close()
            if port is not None or error.errno not in (errno.EADDRINUSE, errno.EACCES):
                raise InputError(f"--port {wanted}: {error.strerror}; --port 0 takes a free one") from None
    raise AssertionError("port 0 is always free")


class _Server(uvicorn.Server):
    """A server whose Ctrl-C is the usual end of a review, and no error."""

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """End after the answers under way; a second signal ends at once."""
        self.force_exit = self.should_exit
        self.should_exit = True


def _serve(app: FastAPI, listener: socket.socket, link: str | None) -> None:
    config = uvicorn.Config(
        app, log_level="warning", access_log=False, server_header=False, timeout_graceful_shutdown=2
    )
    if link is not None and _has_screen():
        # Connections wait at the socket until the server takes them, so the browser cannot come too early.
        threading.Thread(target=webbrowser.open, args=(link,), daemon=True).start()
    _Server(config).run(sockets=[listener])


def _has_screen() -> bool:
    """Whether a browser can open a window; without one, Python would start a text browser in this terminal."""
    if sys.platform != "linux":
        return True
    return any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY", "WSL_DISTRO_NAME"))


class Checker:
    """Holds corrected captions against their reports. The verifier is loaded when it is first needed."""

    def __init__(self) -> None:
        self._verifier: Verifier | None = None

    def __call__(self, text: str, sections: Sequence[tuple[str, int, int]], organ: str, caption: str) -> Found:
        """What the verifier says."""
        self._verifier = verifier = self._verifier or Verifier()
        verdict = verifier.verify(verifier.read(text, [Section(*one) for one in sections]), organ, caption)
        if not verdict.accepted:
            return Found(verdict.detail or str(verdict.reason), verifier.resolve(organ))
        where = (verdict.start, verdict.end, verdict.score, verdict.section)
        return Found(None, verdict.organ, verdict.status, *where)
