"""Puts chats to an engine: each once, with a cache of usable answers and a count of the costs."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from curation.engines.chat import Answer, Chat, ChatEngine, TooLong

from .answer_parsing import AnswerForm, AnswerProblem, parse_answer
from .answer_store import AnswerCache, chat_key
from .responses import ResponseKind
from .usage import UsageCounts, UsageRecorder

MOST_TOKENS = 2**31 - 1


class ChatClient:
    """Puts chats to the engine unless the cache has their answer; the same chat is never under way twice.

    ``model`` keeps the answers of another model than that of the set apart from those in the cache.
    """

    def __init__(self, engine: ChatEngine, cache: AnswerCache, recorder: UsageRecorder, model: str = "") -> None:
        self._model = model
        self._engine = engine
        self._cache = cache
        self._recorder = recorder
        self._under_way: dict[bytes, asyncio.Future[tuple[Answer, AnswerProblem | None]]] = {}

    async def ask(
        self, chat: Chat, kind: ResponseKind, form: AnswerForm, organs: Sequence[str] = ()
    ) -> tuple[Answer, AnswerProblem | None]:
        """Return the answer to a chat and what is wrong with it; only a usable answer is cached.

        Raises what ``ChatEngine.answer`` does.
        """
        return await self.ask_checked(
            chat, kind, lambda answer: parse_answer(answer.content, answer.finish_reason, form, organs).problem
        )

    async def ask_checked(
        self, chat: Chat, kind: ResponseKind, problem_of: Callable[[Answer], AnswerProblem | None]
    ) -> tuple[Answer, AnswerProblem | None]:
        """Return the answer to a chat and what ``problem_of`` says is wrong with it; only a usable answer is cached.

        Raises what ``ChatEngine.answer`` does.
        """
        key = chat_key(chat, self._model)
        cached = self._cache.get(key)
        if cached is not None:
            return cached, None
        if key not in self._under_way:
            self._under_way[key] = asyncio.ensure_future(self._ask_and_check(key, chat, kind, problem_of))
            self._under_way[key].add_done_callback(lambda _: self._under_way.pop(key))
        return await asyncio.shield(self._under_way[key])

    async def _ask_and_check(
        self, key: bytes, chat: Chat, kind: ResponseKind, problem_of: Callable[[Answer], AnswerProblem | None]
    ) -> tuple[Answer, AnswerProblem | None]:
        answer = await self._ask_engine(chat, kind)
        problem = problem_of(answer)
        if problem is None:
            self._cache.keep(key, answer)
        return answer, problem

    async def _ask_engine(self, chat: Chat, kind: ResponseKind) -> Answer:
        self._recorder.begin()
        counts = UsageCounts(failures=1)
        try:
            answer = _with_valid_counts(await self._engine.answer(chat))
            counts = _usage_of(kind, answer)
        except TooLong:
            counts = UsageCounts()
            raise
        finally:
            self._recorder.end(counts)
        return answer._replace(content=answer.content.encode("utf-8", "replace").decode())


def _with_valid_counts(answer: Answer) -> Answer:
    """Return the answer with numbers of tokens that fit into a column, whatever the server says."""
    tokens = (min(max(count, 0), MOST_TOKENS) for count in (answer.prompt_tokens, answer.completion_tokens))
    return Answer(answer.content, answer.finish_reason, *tokens)


def _usage_of(kind: ResponseKind, answer: Answer) -> UsageCounts:
    tokens = UsageCounts(prompt_tokens=answer.prompt_tokens, completion_tokens=answer.completion_tokens)
    by_kind: dict[ResponseKind, UsageCounts] = {
        "question": UsageCounts(questions=1),
        "retry": UsageCounts(retries=1),
        "repair": UsageCounts(repairs=1),
        "opinion": UsageCounts(opinions=1),
    }
    return by_kind[kind].plus(tokens)
