"""A second opinion: a language model is asked whether words of a refused caption mean the same as words of its passage.

It is asked about captions alone that are refused for a word while all the rest is in order
(``Verification.for_words``), and its yes decides about that word alone: the caption is verified with the words of the
report in its place (``curation/verification/other_bases/equal_words.py``).
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from curation.caption import Reason
from curation.engines.chat import Answer, Chat, ChatFailed, Message, TooLong
from curation.verification.answers import Verification
from prompts.second_opinion.opinion_file import LONGEST_WORDS, MOST_WORDS, load_opinion_prompt

from .answer_parsing import AnswerProblem, json_problem, json_value, without_wrapping
from .chat_client import ChatClient
from .dialogue import with_error
from .responses import ModelResponse

CaptionKey = tuple[str, str]
"""The organ and the caption."""


class OpinionRequest(NamedTuple):
    """A caption that is refused for ``words`` alone, which ``passage`` lacks: text[start:end] of the report."""

    organ: str
    caption: str
    words: tuple[str, ...]
    passage: str
    start: int
    end: int

    @property
    def key(self) -> CaptionKey:
        """Organ and caption: a caption is asked about once."""
        return self.organ, self.caption


def opinion_request(caption: str, refusal: Verification) -> OpinionRequest | None:
    """Return what to ask about a refused caption; None where it is refused for anything but words alone."""
    if not refusal.for_words or not refusal.nearest or not 0 < len(refusal.missing) <= MOST_WORDS:
        return None
    return OpinionRequest(refusal.organ, caption, refusal.missing, refusal.nearest, refusal.start, refusal.end)


class ParsedOpinion(NamedTuple):
    """What a model answered: for words of the caption those of the passage, none where it said no."""

    equal_words: Mapping[str, str]
    problem: AnswerProblem | None = None


def parse_opinion(content: str, finish_reason: str) -> ParsedOpinion:
    """Parse an answer; whatever is not a plain yes with its words counts as no."""
    body = without_wrapping(content)
    try:
        value = json_value(body)
    except ValueError as error:
        return ParsedOpinion({}, json_problem(content, body, finish_reason, str(error)))
    problem = AnswerProblem(Reason.SCHEMA, 'an object with "words" and "answer", "yes" or "no", was expected')
    if not isinstance(value, dict) or not isinstance(value.get("words"), list):
        return ParsedOpinion({}, problem)
    verdict = value.get("answer")
    if not isinstance(verdict, str) or verdict.strip(" .").lower() not in ("yes", "no"):
        return ParsedOpinion({}, problem)
    pairs = [pair for row in value["words"][:MOST_WORDS] if (pair := _pair(row)) is not None]
    return ParsedOpinion(dict(pairs) if verdict.strip(" .").lower() == "yes" else {})


def _pair(row: Any) -> tuple[str, str] | None:
    if not isinstance(row, dict):
        return None
    words, substitute = row.get("caption"), row.get("report")
    if not isinstance(words, str) or not isinstance(substitute, str):
        return None
    return (words, substitute) if max(len(words), len(substitute)) <= LONGEST_WORDS else None


def opinions_in(responses: Iterable[ModelResponse]) -> dict[CaptionKey, Mapping[str, str]]:
    """Return the equal words of each caption that answers are about; the last usable answer counts."""
    opinions: dict[CaptionKey, Mapping[str, str]] = {}
    for row in responses:
        if row.kind == "opinion" and row.organ is not None and row.caption is not None and row.content is not None:
            parsed = parse_opinion(row.content, row.finish_reason or "")
            if parsed.problem is None:
                opinions[row.organ, row.caption] = parsed.equal_words
    return opinions


class SecondOpinion:
    """Asks a model about words of captions. ``name`` is what is recorded with each answer: engine and model."""

    def __init__(self, name: str, client: ChatClient, max_tokens: int | None = None) -> None:
        self._name, self._client = name, client
        self._prompt = load_opinion_prompt()
        self._max_tokens = max_tokens or self._prompt.file.response.max_tokens

    async def about(self, requests: Sequence[OpinionRequest], number: int) -> list[ModelResponse]:
        """Return the answers about some captions of one report; ``number`` is that of the round.

        Raises ``EngineDown``.
        """
        answered = await asyncio.gather(*map(self._ask, requests))
        return [row._replace(number=number) for rows in answered for row in rows]

    async def _ask(self, request: OpinionRequest) -> list[ModelResponse]:
        """Return the answer about a caption, with that to a second try where the first cannot be used."""
        turns = self._prompt.messages(request.passage, request.organ, request.caption, request.words)
        chat = Chat(tuple(Message(*turn) for turn in turns), self._prompt.schema, self._max_tokens)
        rows: list[ModelResponse] = []
        for _ in range(2):
            try:
                answer, problem = await self._client.ask_checked(chat, "opinion", _problem_of)
            except (ChatFailed, TooLong) as error:
                return [*rows, self._row(request, Answer("", "", 0, 0), str(error))]
            rows.append(self._row(request, answer, None))
            if problem is None:
                break
            chat = with_error(chat, answer, problem.detail)
        return rows

    def _row(self, request: OpinionRequest, answer: Answer, error: str | None) -> ModelResponse:
        content, finish_reason = (answer.content, answer.finish_reason) if error is None else (None, None)
        tokens = answer.prompt_tokens, answer.completion_tokens
        about = request.organ, request.caption, self._name
        return ModelResponse("opinion", 0, request.start, request.end, content, finish_reason, *tokens, error, *about)


def _problem_of(answer: Answer) -> AnswerProblem | None:
    return parse_opinion(answer.content, answer.finish_reason).problem
