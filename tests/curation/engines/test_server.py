"""Finding a server and its model, and keeping its key to ourselves."""

from __future__ import annotations

import logging
import socket
import sys
import time
from collections.abc import Iterator
from typing import Any

import pytest

from curation.engines.chat import ChatFailed, EngineDown
from curation.engines.openai import OpenAIEngine
from curation.engines.server import Secrets, Server, served_models, shown
from curation.runtime.errors import InputError
from tests.curation.hostile import Act, Asked, Hostile
from tests.curation.llm.asking import ask, echo, one, server, within
from tests.curation.llm.asking import no_server_known as no_server_known
from tests.curation.mischief import in_turn

KEY = "sk-proj-very/secret+0123456789abcdef"

pytestmark = pytest.mark.usefixtures("no_server_known")


def connect(made: Server) -> tuple[str, int | None]:
    async def use(engine: OpenAIEngine) -> tuple[str, int | None]:
        return engine.model, engine.context

    return within(made, use)


def test_the_only_model_is_taken() -> None:
    models = [{"id": "local.gguf", "meta": {"n_ctx": 2048, "n_ctx_train": 32768}}]
    with Hostile(models=models) as hostile:
        assert connect(server(hostile)) == ("local.gguf", 2048)


def test_of_several_models_one_must_be_named(caplog: pytest.LogCaptureFixture) -> None:
    with Hostile(models=[{"id": "a"}, {"id": "b", "max_model_len": 4096}]) as hostile:
        with pytest.raises(InputError, match="serves 2 models; choose one with --model: a, b"):
            connect(server(hostile))
        assert connect(server(hostile, model="b")) == ("b", 4096)
        assert not caplog.messages
        assert connect(server(hostile, model="c")) == ("c", None)
        assert "does not list the model c" in caplog.text


def test_a_server_that_lists_no_models() -> None:
    with Hostile(models=None) as hostile:
        with pytest.raises(InputError, match="name one with --model"):
            connect(server(hostile))
        assert one(hostile, model="m").finish_reason == "stop"
        assert hostile.log[0].body["model"] == "m"


def test_nothing_listens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    start = time.monotonic()
    with pytest.raises(InputError, match=rf"no server answers at http://127.0.0.1:{port}/v1 .*start one"):
        connect(Server(f"http://127.0.0.1:{port}", "m"))
    assert time.monotonic() - start < 2.0  # not tried again


def test_without_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "openai", None)
    with pytest.raises(InputError, match=r"pip install 'ovct\[serve\]'"):
        connect(Server("http://127.0.0.1:9/v1", "m"))


@pytest.mark.parametrize(
    ("said", "words"),
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
def test_settings_that_cannot_be(said: dict[str, Any], words: str) -> None:
    with pytest.raises(InputError, match=words):
        Server(**said)


def test_where_the_server_is(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InputError, match="needs a server: start one"):
        Server().url()
    monkeypatch.setenv("OPENAI_API_KEY", KEY + "\n")
    assert (Server().url(), Server().key()) == ("https://api.openai.com/v1", KEY)
    monkeypatch.setenv("OPENAI_BASE_URL", "http://gpu:8000/")
    assert Server().url() == "http://gpu:8000/v1"
    assert Server("http://here:1/openai/").url() == "http://here:1/openai/"
    monkeypatch.setenv("OPENAI_API_KEY", "sk-part one")
    with pytest.raises(InputError) as wrong:
        Server().key()
    assert "part" not in str(wrong.value)


def test_a_password_in_the_url_is_not_shown() -> None:
    url = "http://me:pass-word-secret@[::1]:8000/v1?token=abc"
    assert shown(url) == "http://[::1]:8000/v1"
    assert "pass-word" not in repr(Server(url))


def test_short_keys_are_hidden_where_they_stand_alone() -> None:
    secrets = Secrets("http://x/v1", "secret")
    assert secrets.hidden_in_error("Bearer secret, secretions") == "Bearer ***, secretions"
    assert secrets.hidden_in_answer("a secret") == "a secret"
    assert Secrets("http://x/v1", "no-key").hidden_in_error("no-key") == "no-key"


@pytest.mark.parametrize(
    ("body", "found"),
    [
        ("<html>", []),
        ('{"data": null}', []),
        ("3", []),
        ('[{"id": "a", "context_length": 8}]', [("a", 8)]),
        ('{"data": [{"id": "a", "meta": null, "max_model_len": "long"}, {"id": 3}, "b"]}', [("a", None)]),
        ('{"data": [{"id": "a", "meta": {"n_ctx_train": 99}}]}', [("a", 99)]),
    ],
)
def test_lists_of_models(body: str, found: list[tuple[str, int | None]]) -> None:
    assert served_models(body) == found


@pytest.fixture
def all_logged(caplog: pytest.LogCaptureFixture) -> Iterator[pytest.LogCaptureFixture]:
    with caplog.at_level(logging.DEBUG):
        yield caplog


def everything(error: BaseException | None) -> str:
    """All that a traceback, even one that hides nothing, would show of an error."""
    return "" if error is None else f"{error!r} {everything(error.__cause__)} {everything(error.__context__)}"


def leak(status: int) -> Act:
    def act(exchange: Any, asked: Asked) -> None:
        url = f"http://user:pass-word-secret@host/{KEY}"
        exchange.error(status, f"bad header {dict(exchange.headers)} {url} {KEY[:9]}*****{KEY[-4:]} {'x' * 250}{KEY}")

    return act


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 429, 500, 503])
def test_the_key_is_shown_nowhere(
    status: int, monkeypatch: pytest.MonkeyPatch, all_logged: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    with Hostile(echo, in_turn(then=leak(status)), key=KEY) as hostile:
        (found,) = ask(hostile, "q", attempts=2)
    assert isinstance(found, ChatFailed | EngineDown)
    said = everything(found) + all_logged.text
    assert f"{status}" in said
    for part in (KEY, KEY[:9], KEY[-8:], "pass-word-secret"):
        assert part not in said


def test_a_wrong_key_and_none(monkeypatch: pytest.MonkeyPatch) -> None:
    with Hostile(echo, key="the right one") as hostile:
        with pytest.raises(InputError, match="wants a key"):
            connect(server(hostile))
        monkeypatch.setenv("OPENAI_API_KEY", KEY)
        with pytest.raises(InputError, match="refuses the key in OPENAI_API_KEY") as refused:
            connect(server(hostile))
    said = everything(refused.value)
    assert KEY not in said and KEY[:8] not in said


def test_an_answer_that_gives_the_key_away_is_cleaned(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    with Hostile(lambda turns: f"key\n{KEY}", key=KEY) as hostile:
        assert one(hostile).content == "key\n***"
