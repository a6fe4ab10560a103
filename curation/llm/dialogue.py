"""Holds the dialogue about one report: its questions, one more try after an unusable answer, and repairs."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from curation.engines.chat import Answer, Chat, ChatFailed, Message, TooLong
from curation.engines.thinking.thoughts import after_thoughts
from curation.report import Report
from prompts.prompt_file import Prompt

from .answer_parsing import AnswerForm, is_loop
from .chat_client import ChatClient
from .questions import Question, halves, split_questions
from .repairs import RepairRequest
from .responses import ModelResponse, ResponseKind

TOO_LONG = "too_long"
"""Finish reason of a question that was never asked, because even a single statement does not fit."""
SHOWN_AGAIN = 1_500
"""Characters of an unusable answer that the model is shown with its error."""
SHOWN_OF_A_LOOP = 300
"""Fewer of an answer that repeats itself: a model that sees more of it goes on with it."""
REPAIRS_PER_CHAT = 12

_TRY_AGAIN = "This answer cannot be used: {problem}. Answer again, with nothing but the JSON that was asked for."


def with_error(chat: Chat, answer: Answer, problem: str) -> Chat:
    """Return the chat with two more turns: an answer that cannot be used, and why."""
    looping = is_loop(answer.content, answer.finish_reason)
    shown = after_thoughts(answer.content).strip()[: SHOWN_OF_A_LOOP if looping else SHOWN_AGAIN] or "{}"
    turns = (Message("assistant", shown), Message("user", _TRY_AGAIN.format(problem=problem)))
    return chat._replace(messages=(*chat.messages, *turns))


def first_chats(prompt: Prompt, max_tokens: int, report: Report, any_language: bool = False) -> list[Chat]:
    """Return the chats that a dialogue about a report begins with."""
    questions = split_questions(report, prompt.file.unit, prompt.file.window, any_language)
    return [_question_chat(prompt, max_tokens, report, question) for question in questions]


def _question_chat(prompt: Prompt, max_tokens: int, report: Report, question: Question) -> Chat:
    section = "" if prompt.file.unit == "report" else question.section
    turns = prompt.messages(question.text(report), section)
    return Chat(tuple(Message(*turn) for turn in turns), prompt.schema, max_tokens)


class Dialogue:
    """Asks the model about reports as a prompt says, with ``any_language`` also about those that are not English."""

    def __init__(self, prompt: Prompt, max_tokens: int, client: ChatClient, any_language: bool = False) -> None:
        self._any_language = any_language
        self._prompt = prompt
        self._form: AnswerForm = prompt.file.response.form
        self._organs = prompt.file.response.organs
        self._max_tokens = max_tokens
        self._client = client

    async def about(self, report: Report) -> list[ModelResponse]:
        """Return all answers about a report, in its order. Raises ``EngineDown``."""
        file = self._prompt.file
        questions = split_questions(report, file.unit, file.window, self._any_language)
        answered = await asyncio.gather(*(self._ask_question(report, question) for question in questions))
        groups = [group for question_groups in answered for group in question_groups]
        return [row._replace(number=number) for number, group in enumerate(groups) for row in group]

    async def _ask_question(self, report: Report, question: Question) -> list[list[ModelResponse]]:
        """Return the answer to a question with its retry; several where the question is too long and is cut."""
        try:
            chat = self._chat(report, question)
        except Exception as error:  # a template is a program, and not ours
            return [[_unanswered("question", question, f"the prompt {self._prompt.name} cannot be filled in: {error}")]]
        try:
            answer, problem = await self._client.ask(chat, "question", self._form, self._organs)
        except ChatFailed as error:
            return [[_unanswered("question", question, str(error))]]
        except TooLong as error:
            cut = halves(report, question)
            if cut is None:
                return [[_unanswered("question", question, str(error))._replace(finish_reason=TOO_LONG)]]
            both = await asyncio.gather(*(self._ask_question(report, half) for half in cut))
            return [group for groups in both for group in groups]
        rows = [_answered("question", question, answer)]
        if problem is not None:
            rows += await self._retry(report, question, chat, answer, problem.detail)
        return [rows]

    def _chat(self, report: Report, question: Question) -> Chat:
        return _question_chat(self._prompt, self._max_tokens, report, question)

    async def _retry(
        self, report: Report, question: Question, chat: Chat, answer: Answer, problem: str
    ) -> list[ModelResponse]:
        """Ask once more: by halves after an answer that ran out of tokens, else with the error."""
        looping = is_loop(answer.content, answer.finish_reason)
        cut = halves(report, question) if answer.finish_reason == "length" and not looping else None
        if cut is not None:
            return await asyncio.gather(*(self._ask_retry(half, self._chat(report, half)) for half in cut))
        row = await self._ask_retry(question, with_error(chat, answer, problem))
        return [] if row.finish_reason == TOO_LONG else [row]  # the error did not fit: the first answer stands

    async def _ask_retry(self, question: Question, chat: Chat) -> ModelResponse:
        try:
            answer, _ = await self._client.ask(chat, "retry", self._form, self._organs)
            return _answered("retry", question, answer)
        except ChatFailed as error:
            return _unanswered("retry", question, str(error))
        except TooLong as error:
            return _unanswered("retry", question, str(error))._replace(finish_reason=TOO_LONG)

    async def repair(self, refused: Sequence[RepairRequest], number: int) -> list[ModelResponse]:
        """Send refused captions back with what is missing and the nearest passage, and return the model's answers.

        ``number`` is that of the round. Raises ``EngineDown``.
        """
        groups = [refused[start : start + REPAIRS_PER_CHAT] for start in range(0, len(refused), REPAIRS_PER_CHAT)]
        rows = await asyncio.gather(*(self._ask_repair(group, number) for group in groups))
        return [row for row in rows if row is not None]

    async def _ask_repair(self, refused: Sequence[RepairRequest], number: int) -> ModelResponse | None:
        turns = self._prompt.repair_messages([row.values(position) for position, row in enumerate(refused, 1)])
        chat = Chat(tuple(Message(*turn) for turn in turns), self._prompt.repair_schema, self._max_tokens)
        try:
            answer, _ = await self._client.ask(chat, "repair", "captions")
            return _answered("repair", None, answer)._replace(number=number)
        except ChatFailed as error:
            return _unanswered("repair", None, str(error))._replace(number=number)
        except TooLong:
            return None


def _answered(kind: ResponseKind, question: Question | None, answer: Answer) -> ModelResponse:
    start, end = (question.start, question.end) if question else (None, None)
    return ModelResponse(kind, 0, start, end, *answer, error=None)


def _unanswered(kind: ResponseKind, question: Question | None, error: str) -> ModelResponse:
    start, end = (question.start, question.end) if question else (None, None)
    return ModelResponse(kind, 0, start, end, None, None, 0, 0, error)
