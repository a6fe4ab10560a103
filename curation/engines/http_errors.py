"""What a server's error means for a chat: wait and try again, ask otherwise, ask about less, or stop.

Servers that speak OpenAI's interface do not share its error codes, and many say what is wrong in prose only; so the
words are looked at too. Each expression below names the servers that it was written for.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from .chat import EngineDown, TooLong

LONGEST_RETRY_AFTER = 600.0  # s; who asks for more is asked again after this
LOOKED_AT = 20_000
SHOWN = 300

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
TOO_LARGE_A_REQUEST = re.compile(r"request too large", re.IGNORECASE)
"""OpenAI and Groq with 429: one request alone is above the tokens of a minute."""
NOTHING_LEFT = re.compile(r"insufficient_quota|billing_hard_limit|insufficient[ _](?:balance|credits?|funds)", re.I)
NOT_UNDERSTOOD = re.compile(
    r"response_format|json_?schema|\bgrammar\b|guided|structured.?output"  # llama.cpp, which says 500
    r"|system role|roles must alternate|jinja|chat.?template",
    re.IGNORECASE,
)
LATER = frozenset((408, 409, 425, 429))
NEGOTIABLE = frozenset((400, 404, 415, 422, 500, 501))


class Passing(Exception):
    """A failure that may pass. ``limited`` where the server is well but asked too often; ``wait`` in seconds."""

    def __init__(self, message: str, wait: float = 0.0, *, limited: bool = False) -> None:
        super().__init__(message)
        self.wait = wait
        self.limited = limited


class Unreachable(Passing):
    """Nothing listens there."""


class Refused(Exception):
    """The server understood that it does not want this. ``text`` is all that it said."""

    def __init__(self, status: int, message: str, text: str) -> None:
        super().__init__(message)
        self.status = status
        self.text = text

    @property
    def negotiable(self) -> bool:
        """Whether the same chat may be welcome in another form."""
        return self.status in NEGOTIABLE


def meaning(status: int, headers: Mapping[str, str], text: str) -> Passing | Refused | TooLong | EngineDown:
    """What an answer with an error status means. ``text`` must be free of secrets."""
    text = text[:LOOKED_AT]
    said = f"{status}: {words(text)}".rstrip(": ")
    if status == 402 or (status in (403, 429) and NOTHING_LEFT.search(text)):
        return EngineDown(f"the account behind the key has nothing left to spend ({said})")
    too_large = status == 413 or (status == 429 and TOO_LARGE_A_REQUEST.search(text))
    if too_large or (status in (400, 422, 500) and TOO_LONG.search(text)):
        return TooLong(said)
    if status == 501 or (status == 500 and NOT_UNDERSTOOD.search(text)):
        return Refused(status, said, text)
    if status in LATER or status >= 500:
        return Passing(said, seconds_to_wait(headers), limited=status == 429)
    return Refused(status, said, text)


def words(text: str) -> str:
    """What an error says, on one line: the message in its JSON, or the plain text; nothing of a page in HTML."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        found = "" if text.lstrip().startswith("<") else text
    for name in ("error", "message", "detail"):
        if isinstance(found, dict) and found.get(name):
            found = found[name]
    line = " ".join((found if isinstance(found, str) else json.dumps(found, ensure_ascii=False)).split())
    return line if len(line) <= SHOWN else f"{line[:SHOWN]} …"


def seconds_to_wait(headers: Mapping[str, str]) -> float:
    """What the server asks to wait before the next request, in seconds (RFC 9110, 10.2.3); 0 where it does not."""
    for name, unit in (("retry-after-ms", 1000.0), ("retry-after", 1.0)):
        said = headers.get(name, "").strip()
        try:
            seconds = float(said) / unit
        except ValueError:
            seconds = _until(said) if unit == 1.0 else 0.0
        if seconds > 0:
            return min(seconds, LONGEST_RETRY_AFTER)
    return 0.0


def _until(said: str) -> float:
    """Seconds until a date as HTTP writes it."""
    try:
        date = parsedate_to_datetime(said)
    except (TypeError, ValueError, OverflowError):
        return 0.0
    return (date.replace(tzinfo=date.tzinfo or UTC) - datetime.now(UTC)).total_seconds()
