"""A language model behind OpenAI's interface: vllm serve, SGLang, llama.cpp, Ollama, LM Studio or a cloud.

Servers fail in many ways, and a run of a night must outlive most of them. A failure that may pass is tried again after
a wait that grows and is drawn at random; a request that the server does not understand is sent in a simpler form; a
chat that fails all the same is given up alone, and the run stops only when no chat is answered any more.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from functools import partial
from typing import TypeVar

from curation.runtime.errors import InputError
from curation.runtime.terminal import log

from .chat import Answer, Chat, ChatFailed, EngineDown, TooLong
from .dialect import Dialect, read_completion
from .http_errors import RequestRefused, TransientError
from .openai_client import OpenAIClient
from .server import ServedModel, ServerSettings, choose_model, model_names

ResultT = TypeVar("ResultT")

FAILURES_IN_A_ROW = 8
"""Chats given up one after the other, at least, before the server is taken to be gone."""
CHARACTERS_PER_TOKEN = 3.5
"""Of English reports it is 4 and more; a server that counts fewer is believed."""
RESUME_HINT = "What is done is kept; run the same command to go on."


class OpenAIEngine:
    """Answers chats by asking a server, many at a time. It is built in the event loop that it is used in.

    ``context`` is the model's context in tokens, where the server says so.
    """

    name = "openai"

    def __init__(self, server: ServerSettings) -> None:
        self.settings = server
        self.client = OpenAIClient(server)
        self._redact = self.client.secrets.redact_error
        self.model = server.model or ""
        self.context: int | None = None
        self.in_flight = server.concurrency
        self.dialect = Dialect()
        self._answered_dialects: set[Dialect] = set()
        self._slots = asyncio.Semaphore(server.concurrency)
        self._not_before = 0.0  # of the loop's clock; all requests wait for it
        self._answer_count = 0
        self._failures = 0  # chats given up since the last answer
        self._down: str | None = None
        self.per_token = CHARACTERS_PER_TOKEN

    @classmethod
    async def connect(cls, server: ServerSettings) -> OpenAIEngine:
        """Return an engine whose server is known to answer and to have the model. Raises ``InputError``."""
        engine = cls(server)
        try:
            engine._use_model_of(await engine._models_at_start())
        except BaseException:
            await engine.close()
            raise
        return engine

    async def close(self) -> None:
        """Close the connections."""
        await self.client.close()

    async def answer(self, chat: Chat) -> Answer:
        """Answer one chat. Raises ``TooLong``, ``ChatFailed`` or ``EngineDown``."""
        async with self._slots:
            self.check_length(chat)
            count_before = self._answer_count
            failure: Exception
            try:
                answer = await self.with_retries(partial(self._ask, chat))
            except TransientError as error:
                failure = await self._out_of_attempts(error, count_before)
            except RequestRefused as error:
                failure = self._refusal(error)
            except EngineDown as error:
                failure = self._stop(str(error))
            except TooLong as error:
                failure = TooLong(self._redact(str(error)))
            else:
                self._answer_count += 1
                self._failures = 0
                self._update_per_token(chat, answer)
                return answer
        raise failure

    def check_length(self, chat: Chat) -> None:
        """Raise ``TooLong`` for a chat above the stated context, estimated by the characters per token so far."""
        context = self.settings.context
        if context is not None and (tokens := characters(chat) / self.per_token + chat.max_tokens) > context:
            raise TooLong(f"about {tokens:,.0f} tokens with its answer, and {context:,} fit (--context)")

    def _update_per_token(self, chat: Chat, answer: Answer) -> None:
        if answer.prompt_tokens:
            self.per_token = min(self.per_token, characters(chat) / answer.prompt_tokens)

    async def with_retries(self, call: Callable[[], Awaitable[ResultT]]) -> ResultT:
        """Return the result of a call, made again while its failure may pass.

        Raises the last ``TransientError`` when the attempts are used up. A server that only limits the rate costs a
        chat no attempt as long as it answers others meanwhile.
        """
        server, count_before, waits, attempts = self.settings, self._answer_count, 0, 0
        while True:
            await self._wait_for_turn()
            try:
                return await call()
            except TransientError as error:
                attempts += not (error.limited and self._answer_count > count_before)
                count_before = self._answer_count
                if attempts >= server.attempts:
                    raise
                self._not_before = max(self._not_before, asyncio.get_running_loop().time() + error.wait)
            await asyncio.sleep(_jitter(min(server.longest_wait, server.first_wait * 2.0 ** min(waits, 60))))
            waits += 1

    async def _wait_for_turn(self) -> None:
        """Wait until the server wants to be asked again; then not all at the same moment. Raises ``EngineDown``."""
        loop = asyncio.get_running_loop()
        while (wait := self._not_before - loop.time()) > 0:
            await asyncio.sleep(wait + _jitter(self.settings.first_wait))
        if self._down is not None:
            raise EngineDown(self._down)

    async def _ask(self, chat: Chat) -> Answer:
        """Send a chat to the server, in simpler forms where it is refused. Raises the first refusal when all are."""
        first_dialect = dialect = self.dialect
        first_refusal: RequestRefused | None = None
        while True:
            try:
                answer = read_completion(await self.client.complete(dialect.request(self.model, chat)))
            except RequestRefused as refusal:
                first_refusal = first_refusal or refusal
                simpler = dialect.fallback(refusal.text) if refusal.negotiable else None
            else:
                self._remember(first_dialect, dialect)
                return answer
            if simpler is None:
                raise first_refusal
            dialect = simpler

    def _remember(self, first: Dialect, answered: Dialect) -> None:
        """Use the dialect that was answered from now on, unless only this chat needs a simpler one.

        ``first`` is the dialect that the chat was first sent in: where others were answered in it, the chat is the
        exception. So is the very first chat, once another is answered in the dialect that it was refused in.
        """
        self._answered_dialects.add(answered)
        if answered.concessions < self.dialect.concessions:
            self.dialect = answered
        elif answered.concessions > self.dialect.concessions and first not in self._answered_dialects:
            self.dialect = answered
            log.warning("%s lacks %s", self.client.url, answered.notice())

    async def _models_at_start(self) -> list[ServedModel]:
        url = self.client.url
        try:
            return await self.with_retries(self.client.models)
        except EngineDown as error:
            raise InputError(str(error)) from None
        except TransientError as error:
            raise InputError(f"the server at {url} does not get ready ({error}): try again later") from None
        except RequestRefused as error:
            if error.status in (401, 403):
                raise InputError(self.client.key_problem(error)) from None
            return []  # a server need not list its models
        except TooLong:
            return []

    def _use_model_of(self, models: list[ServedModel]) -> None:
        url = self.client.url
        self.model, context = choose_model(models, self.settings.model, url)
        self.context = self.settings.context or context
        if models and all(model.name != self.model for model in models):
            log.warning("%s does not list the model %s; it lists %s", url, self.model, model_names(models))

    async def _out_of_attempts(self, error: TransientError, count_before: int) -> Exception:
        """Return the failure of a chat without attempts left: its own, or the end of a server that answers nobody."""
        if self._answer_count == count_before and self._down is None:
            try:
                await self.with_retries(self.client.models)
            except (EngineDown, TransientError) as server_error:
                return self._stop(f"the server at {self.client.url} has stopped answering: {server_error}")
            except (RequestRefused, TooLong):
                pass  # it is there
        return self._give_up(f"no answer after {self.settings.attempts} tries, the last: {error}")

    def _refusal(self, error: RequestRefused) -> Exception:
        """Return the failure of a refused chat: its own, or the end of the run for what holds for all chats."""
        if error.status == 401 or (error.status == 403 and not self._answer_count):
            return self._stop(self.client.key_problem(error))
        if error.status in (404, 405):
            return self._stop(
                f"{self.client.url} has no chats for the model {self.model} ({error}): correct --model or --base-url"
            )
        reason = f"refused: {error}" if error.status >= 300 else str(error)
        if self._answer_count:  # the server is there: it does not want this chat
            return ChatFailed(self._redact(reason))
        return self._give_up(reason)

    def _give_up(self, reason: str) -> Exception:
        """Return the failure of one chat, or the end of the run after too many of them in a row."""
        self._failures += 1
        if self._down is None and self._failures < max(FAILURES_IN_A_ROW, self.settings.concurrency):
            return ChatFailed(self._redact(reason))
        return self._stop(
            f"the server at {self.client.url} answers no more: {self._failures} chats in a row failed ({reason})"
        )

    def _stop(self, reason: str) -> EngineDown:
        self._down = self._down or f"{self._redact(reason)}. {RESUME_HINT}"
        return EngineDown(self._down)


def characters(chat: Chat) -> int:
    """Return how many characters the turns of a chat have."""
    return sum(len(message.content) for message in chat.messages)


def _jitter(longest: float) -> float:
    """Return a random wait, so that chats which failed together do not come back together."""
    return random.uniform(0.0, longest)
