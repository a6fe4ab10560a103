"""Classifies a server's errors by what a chat has to do: try again later, in another form, ask about less, or stop.

Servers that speak OpenAI's interface do not share its error codes, and many say what is wrong in prose only; so the
text is searched too. Each expression below names the servers that it was written for.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from .chat import EngineDown, TooLong

LONGEST_RETRY_AFTER = 600.0  # s; a server that asks for more is asked again after this
SEARCHED_CHARACTERS = 20_000
SHOWN_CHARACTERS = 300

TOO_LONG = re.compile(
    r"context_length_exceeded|exceed_context_size"  # OpenAI; llama.cpp
    r"|maximum context|context (?:length|window|size) (?:has been exceeded|of only)"  # OpenAI, vLLM, SGLang; LM Studio
    r"|exceeds? (?:the |this )?(?:model'?s? |available |max(?:imum)? )*context"  # llama.cpp, Ollama, llama-cpp-python
    r"|longer than the (?:model'?s |maximum )+(?:context|model|allowed)|max_model_len"  # SGLang, vLLM
    r"|max_tokens must be at least 1, got -"  # older vLLM: the chat alone fills the context
    r"|prompt (?:is )?too long|maximum prompt length|(?:input|prompt) is too (?:long|large)"  # Ollama, xAI, Bedrock
    r"|input token count .{0,40}exceeds|reduce the length of the (?:messages|input|prompt)"  # Gemini, Groq
    r"|too large for model with|max_new_tokens. must be|must have less than \d+ tokens",  # Mistral; TGI
    re.IGNORECASE,
)
REQUEST_TOO_LARGE = re.compile(r"request too large", re.IGNORECASE)
"""OpenAI and Groq with 429: one request alone is above the tokens of a minute."""
NO_CREDIT_LEFT = re.compile(r"insufficient_quota|billing_hard_limit|insufficient[ _](?:balance|credits?|funds)", re.I)
UNSUPPORTED_FEATURE = re.compile(
    r"response_format|json_?schema|\bgrammar\b|guided|structured.?output"  # llama.cpp, which says 500
    r"|system role|roles must alternate|jinja|chat.?template",
    re.IGNORECASE,
)
RETRY_STATUSES = frozenset((408, 409, 425, 429))
OTHER_FORM_STATUSES = frozenset((400, 404, 415, 422, 500, 501))


class TransientError(Exception):
    """A failure that may pass. ``limited`` where the server is well but asked too often; ``wait`` in seconds."""

    def __init__(self, message: str, wait: float = 0.0, *, limited: bool = False) -> None:
        super().__init__(message)
        self.wait = wait
        self.limited = limited


class ServerUnreachable(TransientError):
    """No server listens at the address."""


class RequestRefused(Exception):
    """The server refuses the request as it is. ``text`` is the whole text of its error."""

    def __init__(self, status: int, message: str, text: str) -> None:
        super().__init__(message)
        self.status = status
        self.text = text

    @property
    def negotiable(self) -> bool:
        """Whether the same chat may be accepted in another form."""
        return self.status in OTHER_FORM_STATUSES


def classify_error(
    status: int, headers: Mapping[str, str], text: str
) -> TransientError | RequestRefused | TooLong | EngineDown:
    """Return the exception that a response with an error status stands for. ``text`` must be free of secrets."""
    text = text[:SEARCHED_CHARACTERS]
    message = f"{status}: {error_text(text)}".rstrip(": ")
    if status == 402 or (status in (403, 429) and NO_CREDIT_LEFT.search(text)):
        return EngineDown(f"the account behind the key has nothing left to spend ({message})")
    too_large = status == 413 or (status == 429 and REQUEST_TOO_LARGE.search(text))
    if too_large or (status in (400, 422, 500) and TOO_LONG.search(text)):
        return TooLong(message)
    if status == 501 or (status == 500 and UNSUPPORTED_FEATURE.search(text)):
        return RequestRefused(status, message, text)
    if status in RETRY_STATUSES or status >= 500:
        return TransientError(message, retry_after_seconds(headers), limited=status == 429)
    return RequestRefused(status, message, text)


def error_text(body: str) -> str:
    """Return the message of an error on one line: that in its JSON, or the plain text; nothing of an HTML page."""
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        value = "" if body.lstrip().startswith("<") else body
    for name in ("error", "message", "detail"):
        if isinstance(value, dict) and value.get(name):
            value = value[name]
    line = " ".join((value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)).split())
    return line if len(line) <= SHOWN_CHARACTERS else f"{line[:SHOWN_CHARACTERS]} …"


def retry_after_seconds(headers: Mapping[str, str]) -> float:
    """Return how long the server asks to wait before the next request, in seconds (RFC 9110, 10.2.3); 0 by default."""
    for name, unit in (("retry-after-ms", 1000.0), ("retry-after", 1.0)):
        value = headers.get(name, "").strip()
        try:
            seconds = float(value) / unit
        except ValueError:
            seconds = _seconds_until(value) if unit == 1.0 else 0.0
        if seconds > 0:
            return min(seconds, LONGEST_RETRY_AFTER)
    return 0.0


def _seconds_until(date_text: str) -> float:
    """Return the seconds until a date in HTTP's format; 0 for what is no date."""
    try:
        date = parsedate_to_datetime(date_text)
    except (TypeError, ValueError, OverflowError):
        return 0.0
    return (date.replace(tzinfo=date.tzinfo or UTC) - datetime.now(UTC)).total_seconds()
