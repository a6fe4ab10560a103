"""The classification of a server's errors."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from curation.engines.chat import EngineDown, TooLong
from curation.engines.http_errors import (
    LONGEST_RETRY_AFTER,
    RequestRefused,
    TransientError,
    classify_error,
    error_text,
    retry_after_seconds,
)


@pytest.mark.parametrize(
    "message",
    [
        # vLLM
        "This model's maximum context length is 16384 tokens. However, you requested 19591 tokens (9591 in the",
        "'max_tokens' or 'max_completion_tokens' is too large: 500. This model's maximum context length is 128 tokens",
        "The decoder prompt (length 900) is longer than the maximum model length of 512.",
        "max_tokens must be at least 1, got -186.",
        # llama.cpp and llama-cpp-python
        "request (4390 tokens) exceeds the available context size (4096 tokens), try increasing it",
        "the request exceeds the available context size. try increasing the context size or enable context shift",
        "Requested tokens (2285) exceed context window of 2048",
        # SGLang
        "The input (61709 tokens) is longer than the model's context length (40960 tokens).",
        "Requested token count exceeds the model's maximum context length of 512 tokens.",
        # Ollama, LM Studio, TGI
        "prompt too long; exceeded max context length by 12 tokens",
        "Trying to keep the first 5000 tokens. However, the model is loaded with context length of only 4096 tokens",
        "`inputs` tokens + `max_new_tokens` must be <= 4096. Given: 4000 `inputs` tokens and 500 `max_new_tokens`",
        # clouds
        "Please reduce the length of the messages or completion.",
        "prompt is too long: 210000 tokens > 200000 maximum",
        "The input token count (1200000) exceeds the maximum number of tokens allowed (1048576).",
        "Prompt contains 40000 tokens, too large for model with 32768 maximum context length",
    ],
)
@pytest.mark.parametrize("status", [400, 422, 500])
def test_too_long(message: str, status: int) -> None:
    assert isinstance(classify_error(status, {}, json.dumps({"error": {"message": message}})), TooLong)


@pytest.mark.parametrize(
    ("status", "text", "kind"),
    [
        (413, "", TooLong),
        (429, "Request too large for gpt-x on tokens per min (TPM): Limit 10000, Requested 12000.", TooLong),
        (429, "Rate limit reached on tokens per min. Please reduce the length of the messages.", TransientError),
        (503, "Loading model", TransientError),
        (529, "Overloaded", TransientError),
        (500, "internal error", TransientError),
        (500, "Failed to initialize samplers: failed to parse grammar", RequestRefused),
        (500, "Jinja Exception: System role not supported", RequestRefused),
        (501, "", RequestRefused),
        (400, "max_tokens is not supported", RequestRefused),
        (400, "the context of the conversation is inappropriate", RequestRefused),
        (401, "", RequestRefused),
        (402, "", EngineDown),
        (403, '{"error": {"code": "insufficient_quota"}}', EngineDown),
        (418, "", RequestRefused),
    ],
)
def test_an_error_is_classified(status: int, text: str, kind: type[Exception]) -> None:
    error = classify_error(status, {}, text)
    assert type(error) is kind
    assert str(status) in str(error)


def test_a_limited_rate_is_told_from_a_failing_server() -> None:
    limited, busy = classify_error(429, {"retry-after": "7"}, ""), classify_error(503, {"retry-after": "7"}, "")
    assert isinstance(limited, TransientError) and limited.limited and limited.wait == 7.0
    assert isinstance(busy, TransientError) and not busy.limited and busy.wait == 7.0


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, 0.0),
        ({"retry-after": "20"}, 20.0),
        ({"retry-after": " 0.5 "}, 0.5),
        ({"retry-after-ms": "1500", "retry-after": "2"}, 1.5),
        ({"retry-after-ms": "soon", "retry-after": "2"}, 2.0),
        ({"retry-after": "86400"}, LONGEST_RETRY_AFTER),
        ({"retry-after": "inf"}, LONGEST_RETRY_AFTER),
        ({"retry-after": "nan"}, 0.0),
        ({"retry-after": "-5"}, 0.0),
        ({"retry-after": "soon"}, 0.0),
        ({"retry-after": "Wed, 21 Oct 2015 07:28:00 GMT"}, 0.0),
        ({"retry-after": "Wed, 99 Oct 2015 07:28:00 GMT"}, 0.0),
    ],
)
def test_how_long_to_wait(headers: dict[str, str], seconds: float) -> None:
    assert retry_after_seconds(headers) == seconds


def test_a_date_to_wait_for() -> None:
    date = format_datetime(datetime.now(UTC) + timedelta(seconds=90), usegmt=True)
    assert 85 < retry_after_seconds({"retry-after": date}) <= 90


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ('{"error": {"message": "no\\n model", "code": 3}}', "no model"),
        ('{"error": "no model"}', "no model"),
        ('{"object": "error", "message": "no model"}', "no model"),
        ('{"detail": [{"msg": "field"}]}', '[{"msg": "field"}]'),
        ("no model", "no model"),
        ("<html><h1>502", ""),
        ("", ""),
        ("x" * 400, "x" * 300 + " …"),
        ("[" * 100_000, "[" * 300 + " …"),
    ],
)
def test_the_text_of_an_error(body: str, expected: str) -> None:
    assert error_text(body) == expected
