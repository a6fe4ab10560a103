"""The review's web server: one page for each reviewer, and what that page asks for."""

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any, NamedTuple

from fastapi import Depends, FastAPI, HTTPException, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from starlette.concurrency import run_in_threadpool

from curation.caption import Status
from curation.caption_set.audit_results import MEANINGS, Verdict

from .gate import Gate, Keys, cookie_value
from .reviews import OPEN, Conflict, Correction, Reviews
from .store import Store
from .views import item_view, said_view

PAGE = "index.html"
ASSETS = {"app.js": "text/javascript", "style.css": "text/css"}
NO_KEY = """<!doctype html><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>ovct audit</title>
<p>This link is not valid any more. Open the one that <code>ovct audit</code> has printed last."""


class Found(NamedTuple):
    """What the verifier says of a corrected caption; ``organ`` is ``None`` where the vocabulary does not know it."""

    problem: str | None
    organ: str | None
    status: str | None = None
    start: int | None = None
    end: int | None = None
    score: float | None = None
    section: str | None = None


Check = Callable[[str, Sequence[tuple[str, int, int]], str, str], Found]
"""Holds a caption (report text, its sections, organ, caption) against its report."""

Number = Annotated[int, Field(ge=0, le=2**62)]
"""What SQLite can count to."""
Text = Annotated[str, StringConstraints(strip_whitespace=True, max_length=4_000)]
Filled = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=2_000)]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class CorrectionIn(_Body):
    """A caption put right. Without a status, the verifier's, or that of the caption as it was."""

    organ: Filled
    caption: Filled
    status: Status | None = None


class ReviewIn(_Body):
    """What is said of a caption; ``seen`` is the number of what was said of it before, 0 for nothing."""

    place: Number
    seen: Number
    verdict: Verdict | None = None
    note: Text = ""
    correction: CorrectionIn | None = None


class CheckIn(_Body):
    """A corrected caption to be held against its report."""

    place: Number
    organ: Filled
    caption: Filled


class Desk(NamedTuple):
    """What the server works with."""

    root: Path
    store: Store
    reviewers: list[Reviews]
    keys: Keys
    port: int
    guideline: Path
    organs: list[str]
    check: Check


def application(desk: Desk) -> FastAPI:
    """The server's application. All reading and writing of the store happens in its one thread."""
    app = FastAPI(openapi_url=None)
    app.add_middleware(Gate)
    app.add_exception_handler(sqlite3.Error, _not_saved)
    app.add_exception_handler(RequestValidationError, _not_understood)
    static = files("curation.audit").joinpath("static")
    page = static.joinpath(PAGE).read_bytes()
    for one in desk.reviewers:
        one.choices  # noqa: B018 (counted now, so that the page opens at once)

    def reviews_of(number: int, request: Request) -> Reviews:
        token = cookie_value(request.headers.get("cookie", ""), Keys.cookie(number, desk.port))
        if not desk.keys.opens(number, token):
            raise HTTPException(401, "the review has been started anew: open the link that it printed")
        return desk.reviewers[number - 1]

    Mine = Annotated[Reviews, Depends(reviews_of)]

    @app.get("/r/{number}/")
    async def show_page(number: int, request: Request, token: str | None = None) -> Response:
        name = Keys.cookie(number, desk.port)
        given = token if token is not None else cookie_value(request.headers.get("cookie", ""), name)
        if given is None or not desk.keys.opens(number, given):
            return Response(NO_KEY, 401, media_type="text/html")
        answer = Response(page, media_type="text/html")
        answer.set_cookie(name, given, path=f"/r/{number}/", httponly=True, samesite="strict")
        return answer

    for asset, kind in ASSETS.items():
        app.get(f"/{asset}")(_sender(static.joinpath(asset).read_bytes(), kind))

    @app.get("/r/{number}/api/session")
    async def session(reviews: Mine) -> dict[str, Any]:
        return {
            "set": desk.root.name,
            "reviewer": reviews.name,
            "blind": reviews.blind,
            "verdicts": [{"id": verdict, **meaning._asdict()} for verdict, meaning in MEANINGS.items()],
            "choices": reviews.choices,
            "organs": desk.organs,
            "place": reviews.find(0, 1, {"verdict": OPEN}) or 1,
            **_progress(reviews),
        }

    @app.get("/r/{number}/api/item/{place}")
    async def item(place: Number, reviews: Mine) -> dict[str, Any]:
        with _places_told():
            return item_view(desk.store, reviews, place)

    @app.get("/r/{number}/api/find")
    async def find(request: Request, reviews: Mine, place: Number, step: int = 1) -> dict[str, int | None]:
        filters = {name: value for name, value in request.query_params.items() if name in reviews.filters}
        with _places_told():
            return {"place": reviews.find(place, step, filters)}

    @app.post("/r/{number}/api/review")
    async def review(said: ReviewIn, reviews: Mine) -> dict[str, Any]:
        with _places_told():
            number = reviews.item(said.place)
        corrected = await _corrected(desk, number, said.correction)
        try:
            now = reviews.say(number, said.seen, said.verdict, said.note, corrected)
        except Conflict:
            raise HTTPException(409, "this caption was judged in another tab meanwhile; here is what stands") from None
        return {"said": said_view(now), **_progress(reviews)}

    @app.post("/r/{number}/api/undo")
    async def undo(reviews: Mine) -> dict[str, Any]:
        number = reviews.undo()
        return {"place": None if number is None else reviews.place(number), **_progress(reviews)}

    @app.post("/r/{number}/api/check")
    async def check(asked: CheckIn, reviews: Mine) -> dict[str, Any]:
        with _places_told():
            number = reviews.item(asked.place)
        found = await _held(desk, number, asked.organ, asked.caption)
        return {"problem": found.problem, "organ": found.organ, "status": found.status}

    @app.get("/r/{number}/api/guideline")
    async def guideline(reviews: Mine) -> dict[str, str]:
        try:
            text = desk.guideline.read_text(encoding="utf-8", errors="replace")
        except OSError as error:
            text = f"{desk.guideline} cannot be read: {error.strerror}"
        return {"text": text, "file": str(desk.guideline)}

    return app


async def _not_saved(request: Request, error: Exception) -> Response:
    return JSONResponse({"detail": f"not saved: {error}"}, 503)


async def _not_understood(request: Request, error: Exception) -> Response:
    problems = error.errors() if isinstance(error, RequestValidationError) else []
    said = "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in problems)
    return JSONResponse({"detail": f"not saved: {said}"}, 422)


def _sender(content: bytes, kind: str) -> Callable[[], Any]:
    async def send() -> Response:
        return Response(content, media_type=kind)

    return send


@contextmanager
def _places_told() -> Iterator[None]:
    """A place that is not there is the browser's mistake."""
    try:
        yield
    except LookupError as error:
        raise HTTPException(404, str(error)) from None


def _progress(reviews: Reviews) -> dict[str, Any]:
    counts = reviews.counts()
    return {"total": reviews.total, "reviewed": sum(counts.values()), "counts": counts}


async def _held(desk: Desk, item: int, organ: str, caption: str) -> Found:
    report = desk.store.report(desk.store.caption_of(item).report)
    return await run_in_threadpool(desk.check, report.text, report.sections, organ, caption)


async def _corrected(desk: Desk, item: int, asked: CorrectionIn | None) -> Correction | None:
    """A correction with its evidence, where the verifier finds it; as it is where it does not."""
    if asked is None:
        return None
    found = await _held(desk, item, asked.organ, asked.caption)
    status = asked.status or found.status or desk.store.caption_of(item).status or "uncertain"
    if found.organ is None:
        raise HTTPException(422, f"not saved: {found.problem}; choose one of the list")
    place = (None,) * 4 if found.problem else (found.start, found.end, found.score, found.section)
    return Correction(found.organ, asked.caption, status, *place)
