"""Finding a server and its model."""

from __future__ import annotations

import socket
import sys
import time
from typing import Any

import pytest

from curation.engines.openai import OpenAIEngine
from curation.engines.server import ServerSettings, served_models
from curation.runtime.errors import InputError
from tests.curation.engines.server_chats import ask_one, server, use_engine
from tests.curation.engines.server_chats import no_server_known as no_server_known
from tests.curation.hostile_server import HostileServer

KEY = "sk-proj-very/secret+0123456789abcdef"

pytestmark = pytest.mark.usefixtures("no_server_known")


def connect(settings: ServerSettings) -> tuple[str, int | None]:
    async def use(engine: OpenAIEngine) -> tuple[str, int | None]:
        return engine.model, engine.context

    return use_engine(settings, use)


def test_the_only_model_is_taken() -> None:
    models = [{"id": "local.gguf", "meta": {"n_ctx": 2048, "n_ctx_train": 32768}}]
    with HostileServer(models=models) as hostile:
        assert connect(server(hostile)) == ("local.gguf", 2048)


def test_of_several_models_one_must_be_named(caplog: pytest.LogCaptureFixture) -> None:
    with HostileServer(models=[{"id": "a"}, {"id": "b", "max_model_len": 4096}]) as hostile:
        with pytest.raises(InputError, match="serves 2 models; choose one with --model: a, b"):
            connect(server(hostile))
        assert connect(server(hostile, model="b")) == ("b", 4096)
        assert not caplog.messages
        assert connect(server(hostile, model="c")) == ("c", None)
        assert "does not list the model c" in caplog.text


def test_a_server_that_lists_no_models() -> None:
    with HostileServer(models=None) as hostile:
        with pytest.raises(InputError, match="name one with --model"):
            connect(server(hostile))
        assert ask_one(hostile, model="m").finish_reason == "stop"
        assert hostile.log[0].body["model"] == "m"


def test_nothing_listens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    start = time.monotonic()
    with pytest.raises(InputError, match=rf"no server answers at http://127.0.0.1:{port}/v1 .*start one"):
        connect(ServerSettings(f"http://127.0.0.1:{port}", "m"))
    assert time.monotonic() - start < 2.0  # not tried again


def test_without_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "httpx", None)
    with pytest.raises(InputError, match=r"pip install '\.\[serve\]'"):
        connect(ServerSettings("http://127.0.0.1:9/v1", "m"))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"model": " "}, "leave --model out"),
        ({"concurrency": 0}, "concurrency is 0"),
        ({"timeout": 0.0}, "timeout is 0.0"),
        ({"timeout": float("nan")}, "timeout is nan"),
        ({"attempts": 0}, "attempts is 0"),
        ({"first_wait": -1.0}, "first_wait is -1"),
        ({"longest_wait": float("inf")}, "longest_wait is inf"),
        ({"base_url": "localhost:8000"}, "http://localhost:8000/v1"),
        ({"base_url": "http://[::1"}, "the base URL is not one"),
    ],
)
def test_settings_that_cannot_be(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        ServerSettings(**settings)


def test_where_the_server_is(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InputError, match="needs a server: start one"):
        ServerSettings().url()
    monkeypatch.setenv("OPENAI_API_KEY", KEY + "\n")
    assert (ServerSettings().url(), ServerSettings().key()) == ("https://api.openai.com/v1", KEY)
    monkeypatch.setenv("OPENAI_BASE_URL", "http://gpu:8000/")
    assert ServerSettings().url() == "http://gpu:8000/v1"
    assert ServerSettings("http://here:1/openai/").url() == "http://here:1/openai/"
    monkeypatch.setenv("OPENAI_API_KEY", "sk-part one")
    with pytest.raises(InputError) as wrong:
        ServerSettings().key()
    assert "part" not in str(wrong.value)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("<html>", []),
        ('{"data": null}', []),
        ("3", []),
        ('[{"id": "a", "context_length": 8}]', [("a", 8)]),
        ('{"data": [{"id": "a", "meta": null, "max_model_len": "long"}, {"id": 3}, "b"]}', [("a", None)]),
        ('{"data": [{"id": "a", "meta": {"n_ctx_train": 99}}]}', [("a", 99)]),
    ],
)
def test_lists_of_models(body: str, expected: list[tuple[str, int | None]]) -> None:
    assert served_models(body) == expected
