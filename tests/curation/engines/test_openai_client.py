"""Requests to a server and what is passed on of its answers."""

from __future__ import annotations

import gzip
import json
import logging
import time
import tracemalloc
import zlib
from typing import Any

import pytest

from curation.engines.chat import Answer, ChatFailed, EngineDown
from curation.engines.openai_client import MOST_BYTES
from curation.engines.server import ServerSettings
from curation.runtime.errors import InputError
from tests.curation import server_faults
from tests.curation.engines.server_chats import ask, ask_one, echo
from tests.curation.engines.server_chats import no_server_known as no_server_known
from tests.curation.hostile_server import Act, Exchange, HostileServer, answers
from tests.curation.server_faults import in_turn

pytestmark = pytest.mark.usefixtures("no_server_known")


def test_slow_bytes_do_not_outlive_the_time_out() -> None:
    with HostileServer(echo, in_turn(server_faults.drips(30.0))) as hostile:
        start = time.monotonic()
        assert ask_one(hostile, timeout=0.3).content.startswith("you said")
        assert time.monotonic() - start < 3.0


@pytest.mark.parametrize(
    ("act", "content", "finish_reason"),
    [
        (server_faults.says("{", "length"), "{", "length"),
        (server_faults.says(None, "content_filter"), "", "content_filter"),
        (server_faults.says(None, "tool_calls"), "", "tool_calls"),
        (server_faults.NOT_JSON, "Sure! Here are the captions you asked for: the liver is normal.", "stop"),
        (server_faults.says("***Liver***: sk-no-secret"), "***Liver***: sk-no-secret", "stop"),
    ],
)
def test_what_a_model_says_is_passed_on(act: Act, content: str, finish_reason: str) -> None:
    with HostileServer(echo, in_turn(act)) as hostile:
        assert ask_one(hostile)[:2] == (content, finish_reason)
        assert len(hostile.log) == 1


def test_a_server_that_counts_no_tokens() -> None:
    body = b'{"choices": [{"message": {"content": "x"}}]}'
    with HostileServer(echo, in_turn(lambda exchange, request: exchange.reply(200, body))) as hostile:
        assert ask_one(hostile) == Answer("x", "stop", 0, 0)


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_to_another_server_is_not_followed(status: int) -> None:
    with HostileServer(echo) as other:
        elsewhere = server_faults.redirects(f"{other.url}/chat/completions?key=secret", status)
        with HostileServer(echo, in_turn(then=elsewhere)) as hostile, pytest.raises(EngineDown) as told:
            ask_one(hostile)
        assert (other.log, other.listed) == ([], 0)
    assert other.url in str(told.value) and "--base-url" in str(told.value) and "secret" not in str(told.value)


@pytest.mark.parametrize("location", ["//example.org/x", "https://127.0.0.1/v1", "ftp://127.0.0.1/", "http:"])
def test_an_odd_redirect_is_not_followed(location: str) -> None:
    elsewhere = server_faults.redirects(location)
    with HostileServer(echo, in_turn(then=elsewhere)) as hostile, pytest.raises(EngineDown, match="--base-url"):
        ask_one(hostile)


def test_a_redirect_on_the_same_server_is_followed_and_told_once(caplog: pytest.LogCaptureFixture) -> None:
    def behave(request: Any) -> Act:
        return answers if request.number % 2 else server_faults.redirects("/other/chat/completions")

    with HostileServer(echo, behave) as hostile, caplog.at_level(logging.WARNING, "ovct"):
        assert all(isinstance(answer, Answer) for answer in ask(hostile, "a", "b", concurrency=1))
        assert len(hostile.log) == 4 and hostile.log[1].body == hostile.log[0].body
    assert len(caplog.messages) == 1 and "/other/chat/completions" in caplog.messages[0]


def test_redirects_in_a_circle_end() -> None:
    circle = server_faults.redirects("/v1/chat/completions")
    with HostileServer(echo, in_turn(then=circle)) as hostile, pytest.raises(EngineDown, match="on and on"):
        ask_one(hostile)


def test_a_list_of_models_that_is_elsewhere_ends_the_run_before_it_begins() -> None:
    class Moved(Exchange):
        def do_GET(self) -> None:
            self.reply(307, b"", {"Location": "http://example.org/v1/models"})

    with HostileServer(echo) as hostile:
        hostile._server.RequestHandlerClass = Moved
        with pytest.raises(InputError, match=r"http://example.org/v1/models.*name it with --base-url"):
            ask_one(hostile)


BOMB = gzip.compress(b" " * 100 * 2**20, 9)


@pytest.mark.parametrize("act", [server_faults.too_large, server_faults.packed(BOMB)], ids=["endless", "packed"])
def test_an_answer_without_a_bound_is_not_read_to_its_end(act: Act) -> None:
    with HostileServer(echo, in_turn(act)) as hostile:
        tracemalloc.start()
        (failed,) = ask(hostile, "one")
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert len(hostile.log) == 1, "it is not asked for again"
    assert isinstance(failed, ChatFailed) and "more than 4 MiB" in str(failed)
    assert most < 8 * MOST_BYTES


def test_a_long_error_is_read_in_part() -> None:
    body = json.dumps({"error": {"message": "x" * 10**7}}).encode()
    with HostileServer(echo, in_turn(lambda exchange, request: exchange.reply(400, body))) as hostile:
        assert ask_one(hostile).content.startswith("you said")


@pytest.mark.parametrize("pack", [gzip.compress, zlib.compress])
def test_a_packed_answer_is_unpacked(pack: Any) -> None:
    body = pack(b'{"choices": [{"message": {"content": "x"}}]}')
    encoding = "gzip" if pack is gzip.compress else "deflate"
    with HostileServer(echo, in_turn(server_faults.packed(body, encoding))) as hostile:
        assert ask_one(hostile).content == "x"
        assert len(hostile.log) == 1


@pytest.mark.parametrize(
    ("body", "encoding"),
    [(b"no gzip", "gzip"), (BOMB[:50], "gzip"), (b"x", "br"), (b"x", "gzip, gzip")],
    ids=["not packed", "cut", "unknown", "twice"],
)
def test_what_cannot_be_unpacked_may_pass(body: bytes, encoding: str) -> None:
    with HostileServer(echo, in_turn(server_faults.packed(body, encoding))) as hostile:
        assert ask_one(hostile).content.startswith("you said")
        assert len(hostile.log) == 2


def test_half_a_character_anywhere_costs_no_answer() -> None:
    broken = server_faults.message(
        {"content": "liver \ud800"}, "st\udfffop", usage={"prompt_tokens": 1e400, "x": "\ud800"}
    )
    with HostileServer(echo, in_turn(broken), models=[{"id": "m\udc00"}]) as hostile:
        assert ask_one(hostile) == Answer("liver ?", "st?op", 0, 0)
        assert hostile.log[0].body["model"] == "m?"


def test_half_a_character_in_a_question_is_sent() -> None:
    with HostileServer(echo) as hostile:
        assert isinstance(ask(hostile, "a \ud800")[0], Answer)


def test_further_fields_and_headers_go_along_and_no_header_is_shown() -> None:
    secret = "team-secret-0123456789"
    seen: list[str | None] = []

    def shows(exchange: Exchange, request: Any) -> None:
        seen.append(exchange.headers["X-Team"])
        exchange.error(400, f"the team {exchange.headers['X-Team']} may not")

    with HostileServer(echo, in_turn(then=shows)) as hostile:
        settings = {"request_options": {"top_k": 20, "temperature": 0.6}, "headers": {"X-Team": secret}}
        (failed,) = ask(hostile, "one", **settings)
        body = hostile.log[0].body
    assert (body["top_k"], body["temperature"]) == (20, 0.6)
    assert seen[0] == secret and isinstance(failed, ChatFailed) and secret not in str(failed) and "***" in str(failed)


def test_the_account_of_the_environment_goes_along_and_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[str | None, str | None]] = []

    def shows(exchange: Exchange, request: Any) -> None:
        seen.append((exchange.headers["OpenAI-Organization"], exchange.headers["OpenAI-Project"]))
        exchange.error(400, f"{exchange.headers['OpenAI-Organization']} has no {exchange.headers['OpenAI-Project']}")

    monkeypatch.setenv("OPENAI_ORG_ID", "org-0123456789abcdef")
    monkeypatch.setenv("OPENAI_PROJECT_ID", "proj-0123456789abcdef")
    with HostileServer(echo, in_turn(then=shows)) as hostile:
        (failed,) = ask(hostile, "one")
        ask(hostile, "one", headers={"openai-project": "another"})
    assert seen[0] == ("org-0123456789abcdef", "proj-0123456789abcdef") and seen[-1][1] == "another"
    assert isinstance(failed, ChatFailed) and "0123456789abcdef" not in str(failed)
    monkeypatch.delenv("OPENAI_ORG_ID")
    monkeypatch.setenv("OPENAI_PROJECT_ID", " ")
    with HostileServer(echo, in_turn(then=shows)) as hostile:
        ask(hostile, "one")
    assert seen[-1] == (None, None)
    monkeypatch.setenv("OPENAI_ORG_ID", "org\x1bsecret")
    with pytest.raises(InputError, match="OpenAI-Organization") as error:
        ServerSettings("http://localhost:1/v1")
    assert "secret" not in str(error.value)
