"""Everything that goes to the screen: texts from outside lose what a terminal would obey.

Names of models, files, columns, reviewers and reports, the errors of servers and what stands in manifests may hold
escape sequences, which move the cursor, rename the window or hide a line. Here each character that is no letter, sign
or white space for people is written as its escape (``\\x1b``). Tests hold that no other module prints.
"""

from __future__ import annotations

import json
import logging
import re
import sys
import warnings
from collections.abc import Mapping
from typing import Any

_UNSAFE = re.compile(
    "\r(?!\n)|[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f"  # all controls but tab and ends of lines
    "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"  # the direction of what follows
    "\u2028\u2029\ufff9-\ufffb\ud800-\udfff]"  # other ends of lines, annotations, halves of characters
)


def escaped(text: str) -> str:
    """Return a text with escapes (``\\x1b``) for what a terminal would obey, or could not show."""
    return _UNSAFE.sub(lambda match: _escape(match[0]), text)


def on_one_line(text: str) -> str:
    """Return a text from outside, escaped, as part of a line: its own ends of lines are escaped too."""
    return escaped(text).replace("\n", "\\n").replace("\t", "\\t")


def _escape(character: str) -> str:
    code = ord(character)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"


def without_surrogates(text: str) -> str:
    """Return a text with "?" for halves of characters, which no file and no terminal takes."""
    return text.encode("utf-8", "replace").decode()


def say(text: str, *, err: bool = False, end: str = "\n") -> None:
    """Print a text for people, escaped, on stdout or with ``err`` on stderr."""
    stream = sys.stderr if err else sys.stdout
    stream.write(escaped(text) + end)
    stream.flush()


def json_text(figures: Mapping[str, Any]) -> str:
    """Return figures as one JSON object for people and programs: the same values, and nothing that a terminal obeys."""
    text = json.dumps(figures, ensure_ascii=False, indent=2, allow_nan=False)
    return _UNSAFE.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


class EscapingFilter(logging.Filter):
    """Escapes the messages of a logger."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Escape a message and let it pass."""
        record.msg, record.args = escaped(record.getMessage()), ()
        return True


class EscapingFormatter(logging.Formatter):
    """Escapes what a handler writes, tracebacks included."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the text of a record, escaped."""
        return escaped(super().format(record))


log = logging.getLogger("ovct")
"""The log of all modules: what is told beside the output."""
log.addFilter(EscapingFilter())


def escape_warnings() -> None:
    """Have Python's warnings escaped too, for the rest of this process."""
    formatted = warnings.formatwarning

    def format_warning(*arguments: Any, **options: Any) -> str:
        return escaped(formatted(*arguments, **options))

    warnings.formatwarning = format_warning
