"""What a thinking model says before its answer: told apart by the marks that models put around it.

Each expression names the models that it was written for. What stands between such marks is no answer: a draft in it may
be the opposite of what the model says in the end.
"""

from __future__ import annotations

import re
from itertools import islice

from pydantic_core import from_json

_NAME = r"(?:think(?:ing)?|thoughts?|reason(?:ing)?|reflection)"
_OPENING = re.compile(
    rf"<(?:seed:)?{_NAME}>"  # DeepSeek, Qwen, EXAONE, Seed-OSS and many more
    rf"|<\|(?:start|begin(?:_of)?)_{_NAME}\|>"  # Command A, OpenThinker
    r"|\[THINK\]|◁think▷|<unused94>(?:thought)?"  # Magistral, Kimi, MedGemma
    r"|<\|?channel\|?>\s*(?:analysis|commentary|thought)\b"  # gpt-oss, Gemma
    r"|\A\s*analysis(?=[A-Z].*assistantfinal)"  # gpt-oss, its marks left out
    r"|\A\s*here(?:['’]s| is| are) my (?:thought process|reasoning steps):",  # Granite, Apriel
    re.IGNORECASE | re.DOTALL,
)
_END = re.compile(
    rf"</(?:seed:)?{_NAME}>|<\|end(?:_of)?_{_NAME}\|>|\[/THINK\]|◁/think▷|<unused95>|<channel\|>"
    r"|<\|channel\|>\s*final\b[^<{\[]{0,80}(?:<\|message\|>)?|(?<=[^\s\w])assistantfinal(?=\s*[{\[`])"
    r"|\bhere(?:['’]s| is) my response:|\[BEGIN FINAL RESPONSE\]",
    re.IGNORECASE,
)
_TOKEN = re.compile(r"<\|[a-z_]{1,40}\|>|</?(?:answer|output|response|final)>|\[END FINAL RESPONSE\]", re.IGNORECASE)
"""What templates put around an answer."""
_FENCE_END = re.compile(r"\n?[ \t]*```\s*\Z")
_VALUE_START = re.compile(r"[{\[]")
SEARCHED_CHARACTERS = 200_000
MOST_FIRST, MOST_LAST = 50, 2_000
"""How far from the end of thoughts an answer is looked for, and at how many brackets, the first ones and the last."""


def as_thought(text: str) -> str:
    """Return thoughts that a server gave apart from the answer as models write them themselves."""
    return f"<think>{text}</think>"


def after_thoughts(content: str) -> str:
    """Return the answer: what follows the thoughts; all of it where there are none.

    Where nothing follows, the answer is the JSON value that the thoughts end with, "" where they end with none.
    """
    ends = [match.end() for match in _END.finditer(content)]
    rest = content[ends[-1] :] if ends else content
    opening = _OPENING.search(rest)
    if opening is not None:
        rest = rest[: opening.start()]
    if not ends and opening is None:
        return content
    answer = _TOKEN.sub("", rest)
    return answer if answer.strip() else _value_at_the_end(content)


def is_only_thoughts(content: str) -> bool:
    """Return whether there are thoughts in an answer, and nothing else."""
    return bool(content.strip()) and not after_thoughts(content).strip()


def _value_at_the_end(content: str) -> str:
    """Return the JSON object or list that a text ends with; "" where it ends with something else."""
    text = _FENCE_END.sub("", _TOKEN.sub("", _END.sub("", content)).rstrip()).rstrip()
    if not text.endswith(("}", "]")):
        return ""
    for start in _starts(text):
        try:
            from_json(text[start:])
        except ValueError:
            continue
        return text[start:]
    return ""


def _starts(text: str) -> list[int]:
    """Return where a value may begin, in order: the first places, and those that are not far from the end."""
    first = [match.start() for match in islice(_VALUE_START.finditer(text), MOST_FIRST)]
    begin = max(len(text) - SEARCHED_CHARACTERS, first[-1] + 1 if first else 0)
    return first + [match.start() for match in _VALUE_START.finditer(text, begin)][-MOST_LAST:]
