"""Dialogues with a fake model about short reports."""

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from curation.engines.chat import Answer
from curation.llm.answer_store import AnswerStore
from curation.llm.chat_client import ChatClient
from curation.llm.dialogue import Dialogue
from curation.llm.repairs import RepairRequest
from curation.llm.responses import ModelResponse
from curation.llm.usage import UsageMeter
from curation.readers.sections import split_sections
from curation.report import Report
from prompts.prompt_file import read_prompt
from tests.curation.fakes import PROMPT, FakeChat, answer, sentences

TEXT = "The liver is normal. The spleen is enlarged. The heart is normal. No ascites."
GOOD = answer([("liver", "The liver is normal")])
BY_STATEMENT = PROMPT.replace(b"unit: report", b"unit: statement\nwindow: 2")


def report(text: str = TEXT) -> Report:
    return Report("a", text, split_sections(text), {}, 1)


class FakeDialogue:
    """A dialogue with a fake model, and its store and meter."""

    def __init__(self, folder: Path, chat: FakeChat, prompt: bytes = PROMPT) -> None:
        self.chat = chat
        self.store = AnswerStore(folder / "responses.sqlite", "mine")
        self.meter = UsageMeter(self.store.usage(), None, self.store.add_usage, lambda _: None)
        self.dialogue = Dialogue(read_prompt(prompt, "test"), 500, ChatClient(chat, self.store, self.meter))

    def about(self, *reports: Report) -> list[list[ModelResponse]]:
        async def ask_all() -> list[list[ModelResponse]]:
            return await asyncio.gather(*map(self.dialogue.about, reports))

        return asyncio.run(ask_all())

    def repair(self, refused: Sequence[RepairRequest]) -> list[ModelResponse]:
        return asyncio.run(self.dialogue.repair(refused, 0))

    def reopened(self, folder: Path, chat: FakeChat, prompt: bytes = PROMPT) -> "FakeDialogue":
        self.meter.flush()
        self.store.close()
        return FakeDialogue(folder, chat, prompt)


@pytest.fixture
def new_dialogue(tmp_path: Path) -> Callable[..., FakeDialogue]:
    dialogues: list[FakeDialogue] = []

    def build(respond: Callable[[str], str | Answer] = sentences, prompt: bytes = PROMPT) -> FakeDialogue:
        dialogues.append(FakeDialogue(tmp_path, FakeChat(respond), prompt))
        return dialogues[-1]

    return build


def in_turn(*answers: str | Answer | Exception) -> Callable[[str], str | Answer]:
    remaining = list(answers)

    def respond(message: str) -> str | Answer:
        answer_or_error = remaining.pop(0)
        if isinstance(answer_or_error, Exception):
            raise answer_or_error
        return answer_or_error

    return respond


def cut_off(content: str) -> Answer:
    return Answer(content, "length", 100, 500)
