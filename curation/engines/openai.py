"""A language model behind OpenAI's interface: vllm serve, SGLang, llama.cpp, Ollama, LM Studio or a cloud.

Servers fail in many ways, and a run of a night must outlive most of them. What may pass is tried again after a wait
that grows and is drawn at random; what the server does not know is asked for in another form; a chat that fails all
the same is given up alone, and the run stops only when no chat is answered any more.
"""

from __future__ import annotations

import asyncio
import importlib.util
import logging
import random
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, TypeVar

from curation.runtime.errors import InputError

from .chat import Answer, Chat, ChatFailed, EngineDown, TooLong
from .dialect import Dialect, read_completion
from .http_errors import Passing, Refused, Unreachable, meaning, words
from .server import EXAMPLES, NO_KEY, Secrets, Served, Server, chosen, names, served_models, shown

Result = TypeVar("Result")

IN_A_ROW = 8
"""Chats given up one after the other, at least, before the server is taken to be gone."""
CHARACTERS_PER_TOKEN = 3.5
"""Of English reports it is 4 and more; an answer that shows fewer is believed."""
AGAIN = "What is done is kept; run the same command to go on."

log = logging.getLogger("ovct")


class OpenAIEngine:
    """Answers chats by asking a server, many at a time. Made in the event loop that it is used in.

    ``context`` is the model's context in tokens, where the server says so.
    """

    name = "openai"

    def __init__(self, server: Server) -> None:
        if importlib.util.find_spec("openai") is None:
            raise InputError("engine openai needs the package openai: pip install 'ovct[serve]'")
        from openai import AsyncOpenAI

        self._server = server
        url, self._key = server.url(), server.key()
        self._url = shown(url)
        self._secrets = Secrets(url, self._key)
        self._client = AsyncOpenAI(base_url=url, api_key=self._key, max_retries=0, timeout=server.timeout)
        self.model = server.model or ""
        self.context: int | None = None
        self.in_flight = server.concurrency
        self.dialect = Dialect()
        self._understood: set[Dialect] = set()
        self._slots = asyncio.Semaphore(server.concurrency)
        self._not_before = 0.0  # of the loop's clock; all requests wait for it
        self._answered = 0
        self._given_up = 0  # since the last answer
        self._down: str | None = None
        self._per_token = CHARACTERS_PER_TOKEN

    @classmethod
    async def connect(cls, server: Server) -> OpenAIEngine:
        """An engine whose server is known to answer and to have the model. Raises ``InputError``."""
        engine = cls(server)
        try:
            engine._take(await engine._models_at_start())
        except BaseException:
            await engine.close()
            raise
        return engine

    async def close(self) -> None:
        """Close the connections."""
        await self._client.close()

    async def answer(self, chat: Chat) -> Answer:
        """Answer one chat. Raises ``TooLong``, ``ChatFailed`` or ``EngineDown``."""
        async with self._slots:
            self._check_length(chat)
            before = self._answered
            failed: Exception
            try:
                answer = await self._patiently(partial(self._ask, chat))
            except Passing as error:
                failed = await self._exhausted(error, before)
            except Refused as error:
                failed = self._refusal(error)
            except EngineDown as error:
                failed = self._stop(str(error))
            except TooLong as error:
                failed = TooLong(self._secrets.hidden_in_error(str(error)))
            else:
                self._answered += 1
                self._given_up = 0
                self._learn_length(chat, answer)
                return answer
        raise failed

    def _check_length(self, chat: Chat) -> None:
        """Raise ``TooLong`` for what does not fit into the context that was stated, by the tokens seen so far."""
        room = self._server.context
        if room is not None and (tokens := _length(chat) / self._per_token + chat.max_tokens) > room:
            raise TooLong(f"about {tokens:,.0f} tokens with its answer, and {room:,} fit (--context)")

    def _learn_length(self, chat: Chat, answer: Answer) -> None:
        if answer.prompt_tokens:
            self._per_token = min(self._per_token, _length(chat) / answer.prompt_tokens)

    async def _patiently(self, work: Callable[[], Awaitable[Result]]) -> Result:
        """Do some work, again while its failure may pass. Raises the last ``Passing`` when the attempts are used up.

        A server that only limits the rate costs a chat no attempt as long as it answers others meanwhile.
        """
        server, before, waits, tries = self._server, self._answered, 0, 0
        while True:
            await self._held_back()
            try:
                return await work()
            except Passing as error:
                tries += not (error.limited and self._answered > before)
                before = self._answered
                if tries >= server.attempts:
                    raise
                self._not_before = max(self._not_before, asyncio.get_running_loop().time() + error.wait)
            await asyncio.sleep(_jitter(min(server.longest_wait, server.first_wait * 2.0 ** min(waits, 60))))
            waits += 1

    async def _held_back(self) -> None:
        """Wait until the server wants to be asked again; then not all at the same moment."""
        loop = asyncio.get_running_loop()
        while (wait := self._not_before - loop.time()) > 0:
            await asyncio.sleep(wait + _jitter(self._server.first_wait))
        if self._down is not None:
            raise EngineDown(self._down)

    async def _ask(self, chat: Chat) -> Answer:
        """Put a chat to the server, in simpler forms where it is refused. Raises the first refusal when all are."""
        asked = dialect = self.dialect
        first: Refused | None = None
        while True:
            request = dialect.request(self.model, chat)
            try:
                body = await self._send(partial(self._client.chat.completions.with_raw_response.create, **request))
                answer = read_completion(body)
            except Refused as refused:
                first = first or refused
                simpler = dialect.after(refused.text) if refused.negotiable else None
            else:
                self._remember(asked, dialect)
                return answer
            if simpler is None:
                raise first
            dialect = simpler

    def _remember(self, asked: Dialect, found: Dialect) -> None:
        """Keep to the form that was understood; but one chat that needs less speaks for itself alone.

        So does the first chat of all, once another is answered in the form that it was refused in.
        """
        self._understood.add(found)
        if found.concessions < self.dialect.concessions:
            self.dialect = found
        elif found.concessions > self.dialect.concessions and asked not in self._understood:
            self.dialect = found
            log.warning("%s lacks %s", self._url, found.notice())

    async def _send(self, call: Callable[[], Awaitable[Any]]) -> str:
        """One request, from beginning to end within the time-out: the body of the answer, without secrets.

        Errors of the client library hold the request with its key: none of them gets out of here.
        """
        from openai import APIError, APIStatusError, APITimeoutError

        try:
            async with asyncio.timeout(self._server.timeout):
                response = await call()
            return self._secrets.hidden_in_answer(response.content.decode("utf-8", "replace"))
        except (TimeoutError, APITimeoutError):
            problem: Exception = Passing(f"no answer within {self._server.timeout:g} s (--timeout)")
        except APIStatusError as error:
            said = self._secrets.hidden_in_error(error.response.text)
            problem = meaning(error.status_code, error.response.headers, said)
        except APIError as error:
            cause = error.__cause__ or error
            unreachable = type(cause).__name__ == "ConnectError"  # of httpx or httpx2, whichever the client uses
            reason = self._secrets.hidden_in_error(" ".join(str(cause).split())) or type(cause).__name__
            problem = Unreachable(reason) if unreachable else Passing(f"connection lost: {reason}")
        raise problem

    async def _models(self) -> list[Served]:
        try:
            return served_models(await self._send(self._client.models.with_raw_response.list))
        except Unreachable as error:
            raise EngineDown(
                f"no server answers at {self._url} ({error}): start one ({EXAMPLES}), or correct --base-url"
            ) from None

    async def _models_at_start(self) -> list[Served]:
        try:
            return await self._patiently(self._models)
        except EngineDown as error:
            raise InputError(str(error)) from None
        except Passing as error:
            raise InputError(f"the server at {self._url} does not get ready ({error}): try again later") from None
        except Refused as error:
            if error.status in (401, 403):
                raise InputError(self._key_refused(error)) from None
            return []  # a server need not list its models
        except TooLong:
            return []

    def _take(self, models: list[Served]) -> None:
        self.model, context = chosen(models, self._server.model, self._url)
        self.context = self._server.context or context
        if models and all(model.name != self.model for model in models):
            log.warning("%s does not list the model %s; it lists %s", self._url, self.model, names(models))

    async def _exhausted(self, error: Passing, before: int) -> Exception:
        """A chat has used up its attempts: its own fault, or is the server gone? Who answers nobody is asked."""
        if self._answered == before and self._down is None:
            try:
                await self._patiently(self._models)
            except (EngineDown, Passing) as gone:
                return self._stop(f"the server at {self._url} has stopped answering: {gone}")
            except (Refused, TooLong):
                pass  # it is there
        return self._give_up(f"no answer after {self._server.attempts} tries, the last: {error}")

    def _refusal(self, error: Refused) -> Exception:
        """One chat that the server will not answer; or, for what holds for all of them, the end of the run."""
        if error.status == 401 or (error.status == 403 and not self._answered):
            return self._stop(self._key_refused(error))
        if error.status in (404, 405):
            return self._stop(
                f"{self._url} has no chats for the model {self.model} ({error}): correct --model or --base-url"
            )
        if self._answered:  # the server is there: it does not want this chat
            return ChatFailed(self._secrets.hidden_in_error(f"refused: {error}"))
        return self._give_up(f"refused: {error}")

    def _key_refused(self, error: Refused) -> str:
        if self._key == NO_KEY:
            return f"{self._url} wants a key ({error.status}): put it into OPENAI_API_KEY"
        said = f": {words(error.text)}" if error.status == 403 and words(error.text) else ""
        return f"{self._url} refuses the key in OPENAI_API_KEY ({error.status}{said})"

    def _give_up(self, reason: str) -> Exception:
        self._given_up += 1
        if self._down is None and self._given_up < max(IN_A_ROW, self._server.concurrency):
            return ChatFailed(self._secrets.hidden_in_error(reason))
        return self._stop(
            f"the server at {self._url} answers no more: {self._given_up} chats in a row failed ({reason})"
        )

    def _stop(self, reason: str) -> EngineDown:
        self._down = self._down or f"{self._secrets.hidden_in_error(reason)}. {AGAIN}"
        return EngineDown(self._down)


def _length(chat: Chat) -> int:
    return sum(len(message.content) for message in chat.messages)


def _jitter(longest: float) -> float:
    """A wait that is drawn at random, so that chats which failed together do not come back together."""
    return random.uniform(0.0, longest)
