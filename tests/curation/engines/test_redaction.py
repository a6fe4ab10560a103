"""The key of a server, and the password in its URL, are shown nowhere."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

import pytest

from curation.engines.chat import ChatFailed, EngineDown
from curation.engines.redaction import Secrets, redacted_url
from curation.engines.server import ServerSettings
from curation.runtime.errors import InputError
from tests.curation.engines.server_chats import ask, ask_one, echo
from tests.curation.engines.server_chats import no_server_known as no_server_known
from tests.curation.hostile_server import Act, ChatRequest, HostileServer
from tests.curation.server_faults import in_turn

KEY = "sk-proj-very/secret+0123456789abcdef"

pytestmark = pytest.mark.usefixtures("no_server_known")


def test_a_password_in_the_url_is_not_shown() -> None:
    url = "http://me:pass-word-secret@[::1]:8000/v1?token=abc"
    assert redacted_url(url) == "http://[::1]:8000/v1"
    assert "pass-word" not in repr(ServerSettings(url))


def test_short_keys_are_hidden_where_they_stand_alone() -> None:
    secrets = Secrets("http://x/v1", "secret")
    assert secrets.redact_error("Bearer secret, secretions") == "Bearer ***, secretions"
    assert secrets.redact_answer("a secret") == "a secret"
    assert Secrets("http://x/v1", "no-key").redact_error("no-key") == "no-key"


@pytest.fixture
def all_logged(caplog: pytest.LogCaptureFixture) -> Iterator[pytest.LogCaptureFixture]:
    with caplog.at_level(logging.DEBUG):
        yield caplog


def everything(error: BaseException | None) -> str:
    """Return all that a traceback, even one that hides nothing, would show of an error."""
    return "" if error is None else f"{error!r} {everything(error.__cause__)} {everything(error.__context__)}"


def leak(status: int) -> Act:
    def act(exchange: Any, request: ChatRequest) -> None:
        url = f"http://user:pass-word-secret@host/{KEY}"
        exchange.error(status, f"bad header {dict(exchange.headers)} {url} {KEY[:9]}*****{KEY[-4:]} {'x' * 250}{KEY}")

    return act


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 429, 500, 503])
def test_the_key_is_shown_nowhere(
    status: int, monkeypatch: pytest.MonkeyPatch, all_logged: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    with HostileServer(echo, in_turn(then=leak(status)), key=KEY) as hostile:
        (failure,) = ask(hostile, "q", attempts=2)
    assert isinstance(failure, ChatFailed | EngineDown)
    shown = everything(failure) + all_logged.text
    assert f"{status}" in shown
    for part in (KEY, KEY[:9], KEY[-8:], "pass-word-secret"):
        assert part not in shown


def test_a_wrong_key_and_none(monkeypatch: pytest.MonkeyPatch) -> None:
    with HostileServer(echo, key="the right one") as hostile:
        with pytest.raises(InputError, match="wants a key"):
            ask_one(hostile)
        monkeypatch.setenv("OPENAI_API_KEY", KEY)
        with pytest.raises(InputError, match="refuses the key in OPENAI_API_KEY") as refused:
            ask_one(hostile)
    shown = everything(refused.value)
    assert KEY not in shown and KEY[:8] not in shown


def test_an_answer_that_gives_the_key_away_is_cleaned(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    with HostileServer(lambda turns: f"key\n{KEY}", key=KEY) as hostile:
        assert ask_one(hostile).content == "key\n***"
