"""An engine whose answers are looked at: half characters are taken out, and a model that only thinks is found out.

Such a model spends its tokens on thoughts, and each report would be refused for an empty answer.
"""

from __future__ import annotations

from curation.runtime.terminal import log, without_surrogates

from ..chat import Answer, Chat, ChatEngine, EngineDown
from .thoughts import is_only_thoughts

FEW, MANY = 3, 32
"""Answers of thoughts alone, with no other answer yet, after which the run says so, and after which it stops."""
SERVER_HINT = (
    "--reasoning-effort none switches thinking off where the server knows it; "
    "--request-option 'chat_template_kwargs={\"enable_thinking\": false}' does with vLLM, SGLang and llama.cpp"
)
VLLM_HINT = "a model that answers without thinking may do better"


class WatchedEngine:
    """Passes chats on to an engine. Raises ``EngineDown`` too when the first ``MANY`` answers are thoughts alone."""

    def __init__(self, engine: ChatEngine) -> None:
        self.name, self.model = engine.name, engine.model
        self.in_flight, self.context = engine.in_flight, engine.context
        self._engine = engine
        self._thoughts = 0
        self._has_answered = False

    @property
    def inner(self) -> ChatEngine:
        """The engine that chats are passed on to."""
        return self._engine

    async def answer(self, chat: Chat) -> Answer:
        """Answer one chat. Raises ``TooLong``, ``ChatFailed`` or ``EngineDown``; may be called concurrently."""
        if self._thoughts >= MANY and not self._has_answered:
            raise EngineDown(self._told(chat))
        content, ending, *tokens = await self._engine.answer(chat)
        answer = Answer(without_surrogates(content), without_surrogates(ending), *tokens)
        if not is_only_thoughts(answer.content):
            self._has_answered |= bool(answer.content.strip())
        elif not self._has_answered:
            self._thoughts += 1
            if self._thoughts == FEW:
                log.warning("%s", self._told(chat))
        return answer

    async def close(self) -> None:
        """Release the model or the connections."""
        await self._engine.close()

    def _told(self, chat: Chat) -> str:
        hint = VLLM_HINT if self.name == "vllm" else SERVER_HINT
        return (
            f"the model only thinks: {self._thoughts} answers of {self.model} hold thoughts, and no answer after them. "
            f"{hint}; a larger --max-tokens (now {chat.max_tokens:,}) leaves room for both"
        )
