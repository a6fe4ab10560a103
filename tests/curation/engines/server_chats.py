"""Chats for a hostile server, each asked in an event loop of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import pytest

from curation.engines.chat import Answer, Chat, Message
from curation.engines.openai import OpenAIEngine
from curation.engines.server import ServerSettings
from tests.curation.hostile_server import HostileServer

Result = TypeVar("Result")
SCHEMA = {"type": "object", "properties": {"liver": {"type": "string", "maxLength": 200}}, "required": ["liver"]}


@pytest.fixture
def no_server_known(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing in the environment says where to go or with what key."""
    proxies = ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy")
    for name in ("OPENAI_API_KEY", "OPENAI_ORG_ID", "OPENAI_PROJECT_ID", "OPENAI_BASE_URL", *proxies):
        monkeypatch.delenv(name, raising=False)


def chat(question: str = "Report: the liver is normal.") -> Chat:
    return Chat((Message("system", "Be brief."), Message("user", question)), SCHEMA, 64)


def server(hostile: HostileServer, **settings: Any) -> ServerSettings:
    return ServerSettings(hostile.url, **{"first_wait": 0.002, "timeout": 5.0, **settings})


def use_engine(settings: ServerSettings, use: Callable[[OpenAIEngine], Awaitable[Result]]) -> Result:
    async def run() -> Result:
        engine = await OpenAIEngine.connect(settings)
        try:
            return await use(engine)
        finally:
            await engine.close()

    return asyncio.run(run())


def ask(hostile: HostileServer, *questions: str, **settings: Any) -> list[Answer | BaseException]:
    """Return the answers to chats that are asked at the same time, or their errors."""

    async def use(engine: OpenAIEngine) -> list[Answer | BaseException]:
        return await asyncio.gather(*(engine.answer(chat(question)) for question in questions), return_exceptions=True)

    return use_engine(server(hostile, **settings), use)


def ask_one(hostile: HostileServer, **settings: Any) -> Answer:
    return use_engine(server(hostile, **settings), lambda engine: engine.answer(chat()))


def echo(turns: list[dict[str, str]]) -> str:
    return f"you said: {turns[-1]['content']}"
