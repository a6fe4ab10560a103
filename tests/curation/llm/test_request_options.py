"""Fields and headers that a person adds to requests."""

from typing import Any

import pytest

from curation.engines.server import ServerSettings
from curation.llm.request_options import read_headers, read_request_options
from curation.runtime.errors import InputError

SECRET = "secret-0123456789"


@pytest.mark.parametrize(
    ("effort", "options", "expected"),
    [
        (None, [], {}),
        ("none", [], {"reasoning_effort": "none"}),
        (None, ["top_k=20", "seed=1.5", "stop=null"], {"top_k": 20, "seed": 1.5, "stop": None}),
        (
            None,
            ['chat_template_kwargs={"enable_thinking": false}'],
            {"chat_template_kwargs": {"enable_thinking": False}},
        ),
        (None, ["service_tier=flex", "user=a=b", "x="], {"service_tier": "flex", "user": "a=b", "x": ""}),
        (None, ["temperature=0.6"], {"temperature": 0.6}),
    ],
)
def test_fields(effort: str | None, options: list[str], expected: dict[str, Any]) -> None:
    assert read_request_options(effort, options) == expected


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["top_k"], "expected NAME=VALUE"),
        (["=3"], "expected NAME=VALUE"),
        (["a b=3"], "expected NAME=VALUE"),
        (["model=x"], "that is --model"),
        (["max_tokens=9"], "that is --max-tokens"),
        (["stream=true"], "ovct says that itself"),
        (["top_k=1", "top_k=2"], "given twice"),
        (["chat_template_kwargs={enable_thinking: false}"], "begins like JSON"),
        (["x=" + "[" * 100_000], "begins like JSON"),
    ],
)
def test_fields_that_cannot_be(options: list[str], message: str) -> None:
    with pytest.raises(InputError, match=message):
        read_request_options(None, options)


def test_headers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEAM_KEY", f" {SECRET}\n")
    headers = read_headers(["X-Team=env:TEAM_KEY", "Authorization=Basic abc="])
    assert headers == {"X-Team": "env:TEAM_KEY", "Authorization": "Basic abc="}  # as they go to other machines
    assert ServerSettings(headers=headers).header_values() == {"X-Team": SECRET, "Authorization": "Basic abc="}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ([SECRET], "expected NAME=VALUE"),
        ([f"a b={SECRET}"], "expected NAME=VALUE"),
        ([f"Host={SECRET}"], "ovct says that itself"),
        ([f"X={SECRET}", f"x={SECRET}"], "given twice"),
        ([f"X={SECRET}\r\nY: z"], "characters that no header has"),
        (["X="], "is empty"),
        (["X=env:NO_SUCH_VARIABLE"], "no environment variable NO_SUCH_VARIABLE"),
    ],
)
def test_headers_that_cannot_be_are_not_shown(options: list[str], message: str) -> None:
    with pytest.raises(InputError, match=message) as error:
        ServerSettings(headers=read_headers(options))
    assert SECRET not in str(error.value)
