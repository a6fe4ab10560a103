"""Requests to a server and what is passed on of its answers."""

from __future__ import annotations

import time

import pytest

from curation.engines.chat import Answer
from tests.curation import server_faults
from tests.curation.engines.server_chats import ask_one, echo
from tests.curation.engines.server_chats import no_server_known as no_server_known
from tests.curation.hostile_server import Act, HostileServer
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
