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


def write_known(texts: Sequence[str], path: Path) -> None:
    """What the rules make of each statement that names its organ itself, in these reports, as JSON."""
    engine = RulesEngine()
    known: dict[str, list[dict[str, str]]] = {}
    for text in texts:
        read = engine.verifier.read(text, split_sections(text))
        drafts = engine.drafts(read)
        for statement in read.statements:
            if not statement.context:
                found = [draft for draft in drafts if draft.statement == statement.number]
                rows = [{"organ": draft.organ, "caption": draft.caption} for draft in found]
                known[text[statement.start : statement.end]] = rows
    path.write_text(json.dumps(known))


class InstantChat:
    """Answers from a table of statements."""

    name = "instant"
    model = "table"
    in_flight = 256
    context: int | None = None

    def __init__(self, known: Path) -> None:
        known_captions = json.loads(known.read_text())
        self._known = {
            words.rstrip("."): json.dumps(rows).strip("[]") for words, rows in known_captions.items() if rows
        }

    async def answer(self, chat: Chat) -> Answer:
        text = chat.messages[-1].content
        said = ", ".join(filter(None, (self._known.get(words) for words in text.split(". "))))
        content = f'{{"captions": [{said}]}}'
        return Answer(content, "stop", 1_500, len(content) // 4)

    async def close(self) -> None:
        """There is nothing to let go of."""


def instant_recipe(known: Path) -> ChatRecipe:
    async def connect() -> ChatEngine:
        return InstantChat(known)

    prompt = load_prompt(PROMPT)
    return ChatRecipe(MadeBy("instant", "table", prompt.hash), prompt, connect, prompt.file.response.max_tokens)
