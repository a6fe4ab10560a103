"""A language model that answers at once: it looks up what the rules make of each sentence (`bench_curate`)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from curation.caption import MadeBy
from curation.engines.chat import Answer, Chat, ChatEngine
from curation.engines.rules import RulesEngine
from curation.llm.pool import ChatRecipe
from curation.readers.sections import split_sections
from prompts.prompt_file import load_prompt

PROMPT = "organ_captions_short"


def write_answers(texts: Sequence[str], path: Path) -> None:
    """Write as JSON what the rules make of each statement in these reports that names its organ itself."""
    engine = RulesEngine()
    captions: dict[str, list[dict[str, str]]] = {}
    for text in texts:
        read = engine.verifier.read(text, split_sections(text))
        drafts = engine.drafts(read)
        for statement in read.statements:
            if not statement.context:
                matching = [draft for draft in drafts if draft.statement == statement.number]
                rows = [{"organ": draft.organ, "caption": draft.caption} for draft in matching]
                captions[text[statement.start : statement.end]] = rows
    path.write_text(json.dumps(captions))


class InstantChat:
    """Answers from a table of statements."""

    name = "instant"
    model = "table"
    in_flight = 256
    context: int | None = None

    def __init__(self, answers: Path) -> None:
        captions = json.loads(answers.read_text())
        self._answers = {words.rstrip("."): json.dumps(rows).strip("[]") for words, rows in captions.items() if rows}

    async def answer(self, chat: Chat) -> Answer:
        text = chat.messages[-1].content
        captions = ", ".join(filter(None, (self._answers.get(words) for words in text.split(". "))))
        content = f'{{"captions": [{captions}]}}'
        return Answer(content, "stop", 1_500, len(content) // 4)

    async def close(self) -> None:
        """Do nothing: there is nothing to release."""


def instant_recipe(answers: Path) -> ChatRecipe:
    async def connect() -> ChatEngine:
        return InstantChat(answers)

    prompt = load_prompt(PROMPT)
    return ChatRecipe(MadeBy("instant", "table", prompt.hash), prompt, connect, prompt.file.response.max_tokens)
