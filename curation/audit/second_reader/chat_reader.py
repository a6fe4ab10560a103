"""A language model as second reader: it reads all captions of a report at once, and its answers are read one by one.

Captions with the same words are asked about once. What cannot be read of an answer is asked once more, and then counts
as no reading.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from curation.engines.chat import Answer, Chat, ChatEngine, ChatFailed, Message, TooLong
from curation.llm.answer_parsing import json_problem, json_value, without_wrapping
from curation.llm.dialogue import with_error
from prompts.second_reader.reader_file import MOST_CAPTIONS, STATUSES, ReaderPrompt

from .comparison import ReaderAnswer

LONGEST_PROBLEM = 200
"""The most characters of a problem that are stored with each caption."""


class TokenCount(NamedTuple):
    """What was asked: requests that were answered, and their tokens in and out."""

    requests: int = 0
    prompt: int = 0
    completion: int = 0

    def plus(self, other: TokenCount) -> TokenCount:
        """Return the sum of both."""
        return TokenCount._make(mine + theirs for mine, theirs in zip(self, other, strict=True))


Readings = dict[str, ReaderAnswer]
"""The reading of each caption, by its words."""


class ParsedReadings(NamedTuple):
    """The readings in an answer by the caption's number, from 1, and what is wrong with the rest; "" if nothing is."""

    readings: dict[int, ReaderAnswer]
    problem: str


def question_groups(captions: Sequence[str]) -> list[tuple[str, ...]]:
    """Return the captions of a report, each wording once, in groups of which a question is about one."""
    texts = tuple(dict.fromkeys(captions))
    count = -(-len(texts) // MOST_CAPTIONS)
    return [texts[len(texts) * index // count : len(texts) * (index + 1) // count] for index in range(count)]


def reading_chat(prompt: ReaderPrompt, report: str, captions: Sequence[str], max_tokens: int | None) -> Chat:
    """Return the question about some captions of a report."""
    turns = prompt.messages(report, captions)
    limit = max_tokens or prompt.max_tokens(len(captions))
    return Chat(tuple(Message(*turn) for turn in turns), prompt.schema, limit)


class ChatReader:
    """Asks a model about captions; ``tokens`` counts what that has cost."""

    def __init__(self, engine: ChatEngine, prompt: ReaderPrompt, max_tokens: int | None = None) -> None:
        self._engine = engine
        self._prompt = prompt
        self._max_tokens = max_tokens
        self.tokens = TokenCount()

    async def read(self, report: str, captions: Sequence[str]) -> Readings:
        """Return the reading of each caption of a report. Raises ``EngineDown``."""
        groups = question_groups(captions)
        answered = await asyncio.gather(*(self._read_group(report, group, again=True) for group in groups))
        return {text: reading for readings in answered for text, reading in readings.items()}

    async def _read_group(self, report: str, texts: Sequence[str], *, again: bool) -> Readings:
        chat = reading_chat(self._prompt, report, texts, self._max_tokens)
        try:
            answer = await self._ask(chat)
        except ChatFailed as failure:
            return _without_reading(texts, str(failure))
        except TooLong as too_long:
            if len(texts) == 1:
                return _without_reading(texts, f"too long for the model: {too_long}")
            return await self._read_halves(report, texts, again=again)
        parsed = parse_answer(answer.content, answer.finish_reason, len(texts))
        readings = _by_text(parsed, texts)
        missing = [text for text in texts if text not in readings]
        if missing and again:
            readings |= await self._ask_again(report, chat, answer, parsed, missing)
        return readings | _without_reading([text for text in missing if text not in readings], parsed.problem)

    async def _read_halves(self, report: str, texts: Sequence[str], *, again: bool) -> Readings:
        middle = len(texts) // 2
        halves = (self._read_group(report, part, again=again) for part in (texts[:middle], texts[middle:]))
        first, second = await asyncio.gather(*halves)
        return first | second

    async def _ask_again(
        self, report: str, chat: Chat, answer: Answer, parsed: ParsedReadings, missing: Sequence[str]
    ) -> Readings:
        """Ask about what is missing: alone where some was read, by halves after a cut, else with the error."""
        if parsed.readings:
            return await self._read_group(report, missing, again=False)
        if answer.finish_reason == "length" and len(missing) > 1:
            return await self._read_halves(report, missing, again=False)
        try:
            second = await self._ask(with_error(chat, answer, parsed.problem))
        except ChatFailed as failure:
            return _without_reading(missing, str(failure))
        except TooLong:
            return {}  # the error did not fit: the first answer stands
        return _by_text(parse_answer(second.content, second.finish_reason, len(missing)), missing)

    async def _ask(self, chat: Chat) -> Answer:
        answer = await self._engine.answer(chat)
        counts = (max(0, answer.prompt_tokens), max(0, answer.completion_tokens))
        self.tokens = self.tokens.plus(TokenCount(1, *counts))
        return answer


def _by_text(parsed: ParsedReadings, texts: Sequence[str]) -> Readings:
    return {texts[number - 1]: reading for number, reading in parsed.readings.items()}


def _without_reading(texts: Sequence[str], problem: str) -> Readings:
    return {text: ReaderAnswer(problem=problem[:LONGEST_PROBLEM]) for text in texts}


def parse_answer(content: str, finish_reason: str, count: int) -> ParsedReadings:
    """Read an answer about ``count`` captions. Of a caption that it reads in two ways it holds no reading."""
    text = content.encode("utf-8", "replace").decode()
    body = without_wrapping(text)
    try:
        value = json_value(body)
    except ValueError as error:
        return ParsedReadings({}, json_problem(text, body, finish_reason, str(error)).detail)
    rows = value.get("captions") if isinstance(value, dict) else None
    if not isinstance(rows, list):
        return ParsedReadings({}, 'an object with a list "captions" was expected')
    readings: dict[int, ReaderAnswer] = {}
    contradicted: set[int] = set()
    problem = ""
    for row in rows:
        try:
            number, reading = _parse_row(row, count)
        except ValueError as error:
            problem = problem or str(error)
            continue
        if readings.setdefault(number, reading) != reading:
            contradicted.add(number)
            problem = problem or f"caption {number} has two different answers"
    for number in contradicted:
        del readings[number]
    missing = sorted(set(range(1, count + 1)) - readings.keys())
    if missing and not problem:
        problem = f"nothing is said of caption {', '.join(map(str, missing))}"
    return ParsedReadings(readings, problem)


def _parse_row(row: Any, count: int) -> tuple[int, ReaderAnswer]:
    """Return number and reading of one row. Raises ``ValueError`` with what is wrong."""
    if not isinstance(row, Mapping):
        raise ValueError("each caption needs an object with number, organ, status and said")
    number = _number(row.get("number"))
    if number is None or not 1 <= number <= count:
        raise ValueError(f"number: 1 to {count} was expected, not {_shown(row.get('number'))}")
    said = {"yes": True, "no": False, "true": True, "false": False}.get(_word(row.get("said")))
    if said is None:
        raise ValueError(f'said: "yes" or "no" was expected, not {_shown(row.get("said"))}')
    status: str | None = _word(row.get("status"))
    if status not in STATUSES:
        if said:
            raise ValueError(f"status: one of {', '.join(STATUSES)} was expected, not {_shown(row.get('status'))}")
        status = None  # of what the report does not say there is none
    organ = row.get("organ")
    return number, ReaderAnswer((organ.strip(),) if isinstance(organ, str) and organ.strip() else (), status, said)


def _number(value: Any) -> int | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, str) and value.strip().rstrip(".").isdecimal():
        return int(value.strip().rstrip("."))
    return value if isinstance(value, int) else None


def _word(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return value.strip(" .").lower() if isinstance(value, str) else ""


def _shown(value: Any) -> str:
    return repr(value)[:60]
