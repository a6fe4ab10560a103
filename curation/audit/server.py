"""The review's web server: one page for each reviewer, and the HTTP API that the page uses."""

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, NamedTuple

from fastapi import APIRouter, Depends, FastAPI, HTTPException, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from starlette.concurrency import run_in_threadpool

from curation.caption import Spans
from curation.caption_set.audit_results import MEANINGS
from curation.caption_set.records.omissions import MISSED, OMISSION_MEANINGS
from curation.report_page.assets import SHARED_SCRIPTS, SHARED_STYLES, static_texts
from curation.runtime.local_server.access import cookie_value

from .access import WRONG_TOKEN, AccessMiddleware, ReviewerTokens
from .reviewer import NO_VERDICT, Correction, ReviewConflict, Reviewer
from .store import AuditStore
from .views import CheckRequest, CorrectionRequest, Number, ReviewRequest, item_view, review_view

PAGE = "index.html"
SCRIPTS = ("app.js", "dialogs.js", "page.js", "review.js", "server.js")
ASSETS = dict.fromkeys(SCRIPTS, "text/javascript") | {"style.css": "text/css"}
SHARED_ASSETS = dict.fromkeys(SHARED_SCRIPTS, "text/javascript") | dict.fromkeys(SHARED_STYLES, "text/css")
INVALID_LINK_PAGE = """<!doctype html><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>ovct audit</title>
<p>This link is not valid any more. Open the one that <code>ovct audit</code> has printed last."""


class CorrectionCheck(NamedTuple):
    """The verifier's answer about a corrected caption; ``organ`` is ``None`` where the vocabulary does not know it."""

    problem: str | None
    organ: str | None
    status: str | None = None
    start: int | None = None
    end: int | None = None
    score: float | None = None
    section: str | None = None
    spans: Spans = ()


CheckCorrection = Callable[[str, Sequence[tuple[str, int, int]], str, str], CorrectionCheck]
"""Verifies a caption (report text, its sections, organ, caption) against its report."""


class ReviewContext(NamedTuple):
    """Everything that the server works with."""

    root: Path
    store: AuditStore
    reviewers: list[Reviewer]
    tokens: ReviewerTokens
    port: int
    guideline: Path
    organs: list[str]
    check: CheckCorrection
    system_of: Callable[[str], str]


def create_app(context: ReviewContext) -> FastAPI:
    """Create the server's application. All reading and writing of the store happens in its one thread."""
    app = FastAPI(openapi_url=None)
    app.state.context = context
    app.add_middleware(AccessMiddleware, tokens=context.tokens, port=context.port)
    for kind in (sqlite3.Error, OSError):
        app.add_exception_handler(kind, _answer_not_saved)
    app.add_exception_handler(RequestValidationError, _answer_invalid)
    app.include_router(router)
    (app.state.page,) = static_texts("curation.audit", (PAGE,)).values()
    for package, assets in (("curation.audit", ASSETS), ("curation.report_page", SHARED_ASSETS)):
        for asset, text in static_texts(package, assets).items():
            app.get(f"/{asset}")(_asset_sender(text, assets[asset]))
    for reviewer in context.reviewers:
        reviewer.filter_choices  # noqa: B018 (counted now, so that the page opens at once)
    return app


async def current_context(request: Request) -> ReviewContext:
    """Return what the server works with."""
    context: ReviewContext = request.app.state.context
    return context


Context = Annotated[ReviewContext, Depends(current_context)]


async def current_reviewer(number: int, request: Request, context: Context) -> Reviewer:
    """Return the reviewer of a request. Raises an HTTP error 401 where its cookie does not hold their token."""
    token = cookie_value(request.headers.get("cookie", ""), ReviewerTokens.cookie_name(number, context.port))
    if not context.tokens.matches(number, token):
        raise HTTPException(401, WRONG_TOKEN["detail"])
    return context.reviewers[number - 1]


CurrentReviewer = Annotated[Reviewer, Depends(current_reviewer)]
router = APIRouter(prefix="/r/{number}")


@router.get("/")
async def show_page(number: int, request: Request, context: Context, token: str | None = None) -> Response:
    """Send the page, with the token as a cookie. The token comes with the link, or from an earlier cookie."""
    name = ReviewerTokens.cookie_name(number, context.port)
    if token is None:
        token = cookie_value(request.headers.get("cookie", ""), name)
    if token is None or not context.tokens.matches(number, token):
        return Response(INVALID_LINK_PAGE, 401, media_type="text/html")
    answer = Response(request.app.state.page, media_type="text/html")
    answer.set_cookie(name, token, path=f"/r/{number}/", httponly=True, samesite="strict")
    return answer


@router.get("/api/session")
async def send_session(reviewer: CurrentReviewer, context: Context) -> dict[str, Any]:
    """Send what stays the same during the review, and the place where it goes on."""
    return {
        "set": context.root.name,
        "reviewer": reviewer.name,
        "blind": reviewer.blind,
        "verdicts": [
            {"id": verdict, **meaning._asdict(), "worded": verdict not in ("supported", "unsure")}
            for verdict, meaning in MEANINGS.items()
        ],
        "omission_verdicts": [
            {"id": verdict, **meaning._asdict(), "worded": verdict in MISSED}
            for verdict, meaning in OMISSION_MEANINGS.items()
        ],
        "choices": reviewer.filter_choices,
        "organs": context.organs,
        "place": reviewer.find_place(0, 1, {"verdict": NO_VERDICT}) or 1,
        **_progress(reviewer),
    }


@router.get("/api/item/{place}")
async def send_item(place: Number, reviewer: CurrentReviewer, context: Context) -> dict[str, Any]:
    """Send a caption beside its report."""
    with _unknown_place_is_404():
        return item_view(context.store, reviewer, place, context.system_of)


@router.get("/api/find")
async def find_place(
    request: Request, reviewer: CurrentReviewer, place: Number, step: int = 1
) -> dict[str, int | None]:
    """Send the next place whose caption passes the filters, which are further parameters of the query."""
    filters = {name: value for name, value in request.query_params.items() if name in reviewer.filters}
    with _unknown_place_is_404():
        return {"place": reviewer.find_place(place, step, filters)}


@router.post("/api/review")
async def save_review(body: ReviewRequest, reviewer: CurrentReviewer, context: Context) -> dict[str, Any]:
    """Save a review, and send it as it stands now. Answers 409 where the page did not show the latest one."""
    with _unknown_place_is_404():
        item = reviewer.item_at(body.place)
    _check_verdict(context.store, item, body.verdict)
    correction = await _verified_correction(context, item, body.correction)
    try:
        review = reviewer.save_review(item, body.last_event, body.verdict, body.note, correction)
    except ReviewConflict:
        raise HTTPException(409, "this caption was judged in another tab meanwhile; here is what stands") from None
    return {"review": review_view(review), **_progress(reviewer)}


@router.post("/api/undo")
async def undo(reviewer: CurrentReviewer) -> dict[str, Any]:
    """Take back the reviewer's last change, and send the place of its caption."""
    item = reviewer.undo()
    return {"place": None if item is None else reviewer.place_of(item), **_progress(reviewer)}


@router.post("/api/check")
async def check_correction(body: CheckRequest, reviewer: CurrentReviewer, context: Context) -> dict[str, Any]:
    """Verify a corrected caption against its report, and send what the verifier says of it."""
    with _unknown_place_is_404():
        item = reviewer.item_at(body.place)
    check = await _check(context, item, body.organ, body.caption)
    return {"problem": check.problem, "organ": check.organ, "status": check.status}


@router.get("/api/guideline")
async def send_guideline(reviewer: CurrentReviewer, context: Context) -> dict[str, str]:
    """Send the guideline as it is in the audit's folder now."""
    try:
        text = context.guideline.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        text = f"{context.guideline} cannot be read: {error.strerror}"
    return {"text": text, "file": str(context.guideline)}


async def _answer_not_saved(request: Request, error: Exception) -> Response:
    path = request.app.state.context.store.path
    detail = f"not saved: {error} ({path}). What was saved before is kept; see to its disk, then say this again"
    return JSONResponse({"detail": detail}, 503)


async def _answer_invalid(request: Request, error: Exception) -> Response:
    problems = error.errors() if isinstance(error, RequestValidationError) else []
    text = "; ".join(f"{'.'.join(map(str, problem['loc']))}: {problem['msg']}" for problem in problems)
    return JSONResponse({"detail": f"not saved: {text}"}, 422)


def _asset_sender(content: str, media_type: str) -> Callable[[], Any]:
    async def send() -> Response:
        return Response(content, media_type=media_type)

    return send


@contextmanager
def _unknown_place_is_404() -> Iterator[None]:
    try:
        yield
    except LookupError as error:
        raise HTTPException(404, str(error)) from None


def _progress(reviewer: Reviewer) -> dict[str, Any]:
    counts = reviewer.verdict_counts()
    return {"total": reviewer.total, "reviewed": sum(counts.values()), "counts": counts}


def _check_verdict(store: AuditStore, item: int, verdict: str | None) -> None:
    """Raise an HTTP error 422 for a verdict on a caption that is given to a statement without one, or the reverse."""
    kind = "statement that no caption covers" if store.caption_of(item).kind == "uncovered" else "caption"
    verdicts = [str(one) for one in (MEANINGS if kind == "caption" else OMISSION_MEANINGS)]
    if verdict is not None and verdict not in verdicts:
        raise HTTPException(422, f"not saved: {verdict} is no verdict on a {kind}; there are {', '.join(verdicts)}")


async def _check(context: ReviewContext, item: int, organ: str, caption: str) -> CorrectionCheck:
    report = context.store.report(context.store.caption_of(item).report)
    return await run_in_threadpool(context.check, report.text, report.sections, organ, caption)


async def _verified_correction(
    context: ReviewContext, item: int, request: CorrectionRequest | None
) -> Correction | None:
    """Return a correction with its evidence where the verifier finds it, and as it is where it does not."""
    if request is None:
        return None
    check = await _check(context, item, request.organ, request.caption)
    status = request.status or check.status or context.store.caption_of(item).status or "uncertain"
    if check.organ is None:
        raise HTTPException(422, f"not saved: {check.problem}; choose one of the list")
    if check.problem:
        return Correction(check.organ, request.caption, status)
    evidence = (check.start, check.end, check.score, check.section, check.spans)
    return Correction(check.organ, request.caption, status, *evidence)
