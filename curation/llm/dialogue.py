"""The conversation about one report: its questions, one more try where an answer cannot be used, and repairs."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from curation.caption import RefusedCaption
from curation.engines.chat import Answer, Chat, ChatEngine, ChatFailed, Message, TooLong
from curation.report import Report
from prompts.prompt_file import Prompt

from .answers import Form, Problem, is_loop, read_answer
from .questions import Question, halves, questions
from .responses import Answers, Kind, Response, chat_key
from .usage import Ledger, Spent

TOO_LONG = "too_long"
"""Finish reason of a question that was never asked, for even a single statement does not fit."""
SHOWN_AGAIN = 1_500
"""Characters of an unusable answer that the model is shown with its error."""
SHOWN_OF_A_LOOP = 300
"""Fewer of one that went round in circles: whoever sees it goes on with it."""
REPAIRED_AT_ONCE = 12
MOST_TOKENS = 2**31 - 1

_TRY_AGAIN = "This answer cannot be used: {problem}. Answer again, with nothing but the JSON that was asked for."


def with_error(chat: Chat, answer: Answer, problem: str) -> Chat:
    """The chat once more, with an answer that cannot be used, and why."""
    looping = is_loop(answer.content, answer.finish_reason)
    shown = answer.content.strip()[: SHOWN_OF_A_LOOP if looping else SHOWN_AGAIN] or "{}"
    turns = (Message("assistant", shown), Message("user", _TRY_AGAIN.format(problem=problem)))
    return chat._replace(messages=(*chat.messages, *turns))


class Asker:
    """Puts chats to the engine, unless the store has their answer; the same chat is never put twice at a time."""

    def __init__(self, engine: ChatEngine, store: Answers, meter: Ledger) -> None:
        self._engine = engine
        self._store = store
        self._meter = meter
        self._under_way: dict[bytes, asyncio.Future[tuple[Answer, Problem | None]]] = {}

    async def ask(
        self, chat: Chat, kind: Kind, form: Form, organs: Sequence[str] = ()
    ) -> tuple[Answer, Problem | None]:
        """The answer to a chat, and what is wrong with it; only one that is usable is kept.

        Raises what ``ChatEngine.answer`` does.
        """
        key = chat_key(chat)
        kept = self._store.get(key)
        if kept is not None:
            return kept, None
        if key not in self._under_way:
            self._under_way[key] = asyncio.ensure_future(self._judged(key, chat, kind, form, organs))
            self._under_way[key].add_done_callback(lambda _: self._under_way.pop(key))
        return await asyncio.shield(self._under_way[key])

    async def _judged(
        self, key: bytes, chat: Chat, kind: Kind, form: Form, organs: Sequence[str]
    ) -> tuple[Answer, Problem | None]:
        answer = await self._put(chat, kind)
        problem = read_answer(answer.content, answer.finish_reason, form, organs).problem
        if problem is None:
            self._store.keep(key, answer)
        return answer, problem

    async def _put(self, chat: Chat, kind: Kind) -> Answer:
        self._meter.begin()
        spent = Spent(failures=1)
        try:
            answer = _counted(await self._engine.answer(chat))
            spent = _spent_on(kind, answer)
        except TooLong:
            spent = Spent()
            raise
        finally:
            self._meter.end(spent)
        return answer._replace(content=answer.content.encode("utf-8", "replace").decode())


def _counted(answer: Answer) -> Answer:
    """With numbers of tokens that fit into a column, whatever the server says."""
    tokens = (min(max(count, 0), MOST_TOKENS) for count in (answer.prompt_tokens, answer.completion_tokens))
    return Answer(answer.content, answer.finish_reason, *tokens)


def _spent_on(kind: Kind, answer: Answer) -> Spent:
    tokens = Spent(prompt_tokens=answer.prompt_tokens, completion_tokens=answer.completion_tokens)
    if kind == "question":
        return tokens._replace(questions=1)
    return tokens._replace(retries=1) if kind == "retry" else tokens._replace(repairs=1)


def first_chats(prompt: Prompt, max_tokens: int, report: Report) -> list[Chat]:
    """The chats that a dialogue about a report begins with."""
    asked = questions(report, prompt.file.unit, prompt.file.window)
    return [_chat(prompt, max_tokens, report, question) for question in asked]


def _chat(prompt: Prompt, max_tokens: int, report: Report, question: Question) -> Chat:
    section = "" if prompt.file.unit == "report" else question.section
    turns = prompt.messages(question.text(report), section)
    return Chat(tuple(Message(*turn) for turn in turns), prompt.schema, max_tokens)


class Dialogue:
    """Asks about reports as a prompt says."""

    def __init__(self, prompt: Prompt, max_tokens: int, asker: Asker) -> None:
        self._prompt = prompt
        self._form: Form = prompt.file.response.form
        self._organs = prompt.file.response.organs
        self._max_tokens = max_tokens
        self._asker = asker

    async def about(self, report: Report) -> list[Response]:
        """All answers about a report, in its order. Raises ``EngineDown``."""
        asked = questions(report, self._prompt.file.unit, self._prompt.file.window)
        found = await asyncio.gather(*(self._question(report, question) for question in asked))
        groups = [group for several in found for group in several]
        return [row._replace(number=number) for number, group in enumerate(groups) for row in group]

    async def _question(self, report: Report, question: Question) -> list[list[Response]]:
        """The answer to a question with its retry; several where the question is too long and is cut."""
        try:
            chat = self._chat(report, question)
        except Exception as error:  # a template is a program, and not ours
            return [[_unanswered("question", question, f"the prompt {self._prompt.name} cannot be filled in: {error}")]]
        try:
            answer, problem = await self._asker.ask(chat, "question", self._form, self._organs)
        except ChatFailed as error:
            return [[_unanswered("question", question, str(error))]]
        except TooLong as error:
            cut = halves(report, question)
            if cut is None:
                return [[_unanswered("question", question, str(error))._replace(finish_reason=TOO_LONG)]]
            both = await asyncio.gather(*(self._question(report, half) for half in cut))
            return [group for groups in both for group in groups]
        rows = [_row("question", question, answer)]
        if problem is not None:
            rows += await self._again(report, question, chat, answer, problem.detail)
        return [rows]

    def _chat(self, report: Report, question: Question) -> Chat:
        return _chat(self._prompt, self._max_tokens, report, question)

    async def _again(
        self, report: Report, question: Question, chat: Chat, answer: Answer, problem: str
    ) -> list[Response]:
        """One more try: by halves after an answer that ran out of tokens, else with the error."""
        looping = is_loop(answer.content, answer.finish_reason)
        cut = halves(report, question) if answer.finish_reason == "length" and not looping else None
        if cut is not None:
            return await asyncio.gather(*(self._retry(half, self._chat(report, half)) for half in cut))
        row = await self._retry(question, with_error(chat, answer, problem))
        return [] if row.finish_reason == TOO_LONG else [row]  # the error did not fit: the first answer stands

    async def _retry(self, question: Question, chat: Chat) -> Response:
        try:
            answer, _ = await self._asker.ask(chat, "retry", self._form, self._organs)
            return _row("retry", question, answer)
        except ChatFailed as error:
            return _unanswered("retry", question, str(error))
        except TooLong as error:
            return _unanswered("retry", question, str(error))._replace(finish_reason=TOO_LONG)

    async def repair(self, refused: Sequence[RefusedCaption], number: int) -> list[Response]:
        """What the model makes of refused captions, once it is told why and shown the nearest passage."""
        groups = [refused[at : at + REPAIRED_AT_ONCE] for at in range(0, len(refused), REPAIRED_AT_ONCE)]
        rows = await asyncio.gather(*(self._repair(group, number) for group in groups))
        return [row for row in rows if row is not None]

    async def _repair(self, refused: Sequence[RefusedCaption], number: int) -> Response | None:
        turns = self._prompt.repair_messages(
            [
                {
                    "number": at,
                    "organ": row.organ,
                    "caption": row.caption,
                    "reason": row.detail or str(row.reason),
                    "passage": row.nearest or "",
                }
                for at, row in enumerate(refused, 1)
            ]
        )
        chat = Chat(tuple(Message(*turn) for turn in turns), self._prompt.repair_schema, self._max_tokens)
        try:
            answer, _ = await self._asker.ask(chat, "repair", "captions")
            return _row("repair", None, answer)._replace(number=number)
        except ChatFailed as error:
            return _unanswered("repair", None, str(error))._replace(number=number)
        except TooLong:
            return None


def _row(kind: Kind, question: Question | None, answer: Answer) -> Response:
    start, end = (question.start, question.end) if question else (None, None)
    return Response(kind, 0, start, end, *answer, error=None)


def _unanswered(kind: Kind, question: Question | None, error: str) -> Response:
    start, end = (question.start, question.end) if question else (None, None)
    return Response(kind, 0, start, end, None, None, 0, 0, error)
