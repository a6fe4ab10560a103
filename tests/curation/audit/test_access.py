"""Which requests are refused before their content is looked at, also in a real browser."""

import asyncio
from pathlib import Path

import pytest
from starlette.types import Message, Receive, Scope, Send

from curation.audit.access import (
    MAX_BODY_BYTES,
    AccessMiddleware,
    ReviewerTokens,
    refusal_reason,
    reviewer_of_api,
)
from curation.runtime.local_server.access import cookie_value
from tests.curation.audit.builders import plain_reports, review_process, saved_verdicts, write_set
from tests.curation.chromium import PageReader, launched_browser, needs_chromium

POST = {
    "host": "127.0.0.1:8765",
    "origin": "http://127.0.0.1:8765",
    "content-type": "application/json",
    "content-length": "9",
}


@pytest.mark.parametrize("host", ["127.0.0.1:8765", "localhost:1", "localhost", "[::1]:8765"])
def test_our_own_page_may_read_and_write(host: str) -> None:
    assert refusal_reason("GET", {"host": host}) is None
    assert refusal_reason("POST", {**POST, "host": host, "origin": f"http://{host}"}) is None
    assert refusal_reason("POST", {**POST, "sec-fetch-site": "same-origin"}) is None


@pytest.mark.parametrize("host", ["evil.test", "127.0.0.1.evil.test", "evil.test:8765", "", "[::1", "192.168.0.7:8765"])
def test_a_name_that_points_here_is_not_ours(host: str) -> None:
    assert refusal_reason("GET", {"host": host})
    assert refusal_reason("POST", {**POST, "host": host, "origin": f"http://{host}"})
    assert refusal_reason("GET", {})


@pytest.mark.parametrize(
    "change",
    [
        {"origin": "http://evil.test"},
        {"origin": "null"},
        {"origin": "http://127.0.0.1:8766"},
        {"origin": "https://127.0.0.1:8765"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"content-type": "text/plain"},
        {"content-type": "application/x-www-form-urlencoded"},
        {"content-length": str(MAX_BODY_BYTES + 1)},
        {"content-length": "-1"},
        {"content-length": "²"},
        {"content-length": "9" * 5_000},
        {"transfer-encoding": "chunked"},
    ],
)
def test_what_another_site_can_send_is_refused(change: dict[str, str]) -> None:
    assert refusal_reason("POST", POST) is None
    assert refusal_reason("POST", POST | change)
    assert refusal_reason("DELETE", POST | change)


@pytest.mark.parametrize("body", [{"content-length": "1"}, {"transfer-encoding": "chunked"}])
def test_a_request_to_read_has_no_body(body: dict[str, str]) -> None:
    assert refusal_reason("GET", {"host": "localhost", "content-length": "0"}) is None
    assert refusal_reason("GET", {"host": "localhost", **body})


@pytest.mark.parametrize(
    ("path", "number"),
    [("/r/2/api/review", 2), ("/r/02/api", 2), ("/r/+1/api/x", 0), ("/r//api/x", 0), ("/r/x/api/x", 0), ("/r/1/", None),
     ("/app.js", None), ("/r/1/apis", None)],
)  # fmt: skip
def test_whose_api_a_path_is(path: str, number: int | None) -> None:
    assert reviewer_of_api(path) == number


@pytest.mark.parametrize(
    ("headers", "status", "is_read"),
    [
        ({}, 401, 0),
        ({"cookie": "ovct-8765-1=wrong"}, 401, 0),
        ({"cookie": "ovct-8765-1=TOKEN", "transfer-encoding": "chunked"}, 403, 0),
        ({"cookie": "ovct-8765-1=TOKEN"}, 200, 2),
    ],
)
def test_no_body_is_read_before_the_token_is_known_to_be_right(
    headers: dict[str, str], status: int, is_read: int
) -> None:
    """Two parts come of a body that never ends: the second is more than is taken."""
    tokens = ReviewerTokens.create(1)
    read, sent = [], []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        assert [(await receive())["type"] for _ in range(2)] == ["http.request", "http.disconnect"]
        await send({"type": "http.response.start", "status": 200, "headers": []})

    async def receive() -> Message:
        read.append(1)
        return {"type": "http.request", "body": b"x" * MAX_BODY_BYTES, "more_body": True}

    async def send(message: Message) -> None:
        sent.append(message)

    given = {name: value.replace("TOKEN", tokens.tokens[0]) for name, value in (POST | headers).items()}
    pairs = [(name.encode(), value.encode()) for name, value in given.items()]
    scope = {"type": "http", "method": "POST", "path": "/r/1/api/review", "headers": pairs}
    asyncio.run(AccessMiddleware(app, tokens, 8765)(scope, receive, send))
    assert sent[0]["status"] == status and len(read) == is_read
    assert status == 200 or (b"connection", b"close") in sent[0]["headers"]


@pytest.mark.parametrize("missing", ["origin", "content-type", "content-length"])
def test_what_a_page_always_sends_must_be_there(missing: str) -> None:
    assert refusal_reason("POST", {name: value for name, value in POST.items() if name != missing})


def test_each_reviewer_has_a_key_of_their_own() -> None:
    tokens = ReviewerTokens.create(2)
    others = ReviewerTokens.create(2)
    assert len({*tokens.tokens, *others.tokens}) == 4 and min(map(len, tokens.tokens)) >= 32
    assert tokens.matches(1, tokens.tokens[0]) and tokens.matches(2, tokens.tokens[1])
    first, second = tokens.tokens
    for number, token in [(1, second), (0, first), (3, first), (-1, second), (1, ""), (1, None), (1, "é")]:
        assert not tokens.matches(number, token)
    assert first not in repr(tokens)


def test_cookies_are_told_apart_by_reviewer_and_port() -> None:
    assert len({ReviewerTokens.cookie_name(number, port) for number in (1, 2) for port in (80, 81)}) == 4
    assert cookie_value("a=1; ovct-80-1=xyz", "ovct-80-1") == "xyz"
    assert cookie_value("", "a") is None and cookie_value("a", "a") is None


ATTACK = """async (target) => {
    const tries = {};
    const body = JSON.stringify({ place: 1, last_event: 0, verdict: "hallucinated" });
    const send = async (name, options) => {
        try { const answer = await fetch(target, options); tries[name] = answer.type + answer.status; }
        catch { tries[name] = "failed"; }
    };
    const headers = { "Content-Type": "application/json" };
    await send("json", { method: "POST", credentials: "include", headers, body });
    await send("plain", { method: "POST", credentials: "include", mode: "no-cors", body });
    await send("read", { credentials: "include" });
    const form = document.createElement("form");
    Object.assign(form, { method: "POST", action: target, enctype: "text/plain", target: "_blank" });
    const field = document.createElement("input");
    field.name = body.slice(0, -1) + ',"x":"'; field.value = '"}';
    form.append(field); document.body.append(form); form.submit();
    await new Promise((done) => setTimeout(done, 500));
    return tries;
}"""


@needs_chromium
def test_another_site_in_the_same_browser_can_neither_post_nor_read(tmp_path: Path) -> None:
    write_set(tmp_path / "set", plain_reports(4))
    with review_process(tmp_path / "set", "--reviewer", "ann") as server, launched_browser() as browser:
        reader = PageReader(browser, server.links[0])
        target = server.links[0].partition("?")[0] + "api/review"
        # "localhost" is another site than "127.0.0.1" to the browser, and a page of ours may not even be framed there.
        evil_page = reader.context.new_page()
        evil_page.route("http://evil.test/", lambda route: route.fulfill(body="<p>evil</p>", content_type="text/html"))
        evil_page.goto("http://evil.test/")
        tries = evil_page.evaluate(ATTACK, target)
        assert tries["json"] == "failed" and tries["read"] == "failed"  # and what no-cors brings is opaque
        assert tries["plain"] in ("opaque0", "failed")
        reader.page.wait_for_timeout(300)
        assert saved_verdicts(tmp_path / "set") == {}
        reader.judge("s")
        assert saved_verdicts(tmp_path / "set") == {"ann": ["supported"]}
        reader.context.close()
