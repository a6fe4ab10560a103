"""Engines and a verifier that do next to nothing, and recipes of them that worker processes can build."""

from __future__ import annotations

import asyncio
import csv
import json
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from curation.caption import Draft, MadeBy, Reason, Status
from curation.engines.chat import Answer, Chat, ChatEngine
from curation.extraction.text_engine import TextRecipe
from curation.llm.pool import ChatRecipe
from curation.report import Report, Section
from curation.report_language.languages import LanguageChoice
from curation.verification.answers import Verification
from prompts.prompt_file import read_prompt

ORGANS = ("liver", "spleen", "left kidney", "right kidney", "heart", "aorta")


@dataclass
class FakeEngine:
    """Yields one draft for each sentence, or what its queue holds; keeps a history, and a log that processes share.

    A report that holds the word CRASH makes it fail; INVENT makes it claim something that the report does not say.
    """

    queue: deque[list[Draft]] = field(default_factory=deque)
    history: list[list[str]] = field(default_factory=list)
    log: Path | None = None
    seconds: float = 0.0

    name = "fake"
    model: str | None = "fake-1"
    prompt: str | None = None

    def extract(self, reports: Sequence[Report]) -> Iterator[Iterable[Draft]]:
        self.history.append([report.report_id for report in reports])
        for report in reports:
            time.sleep(self.seconds)
            if self.log:
                with self.log.open("a") as file:
                    file.write(f"{report.report_id}\n")
            if "CRASH" in report.text:
                raise RuntimeError("the fake engine crashed")
            yield self.queue.popleft() if self.queue else drafts_of(report.text)


def drafts_of(text: str) -> list[Draft]:
    sentences = [sentence.strip() + "." for sentence in text.replace("\n", " ").split(".") if sentence.strip()]
    drafts = [Draft(ORGANS[len(sentence) % len(ORGANS)], sentence) for sentence in sentences]
    return [*drafts, Draft("liver", "There is a second liver.")] if "INVENT" in text else drafts


class FakeVerifier:
    """Accepts captions that stand in the report word for word."""

    def read(self, text: str, sections: Sequence[Section]) -> str:
        return text

    def claims(self, caption: str, organ: str) -> frozenset[tuple[str, object]]:
        return frozenset({(caption, True)})

    def verify(self, report: str, organ: str, caption: str, near: Sequence[int] = ()) -> Verification:
        start = report.find(caption)
        if start < 0:
            return Verification(
                False, organ, None, Reason.NOT_GROUNDED, "not in the report", -1, -1, None, 0.0, report[:40] or None
            )
        status: Status = "normal" if "normal" in caption else "abnormal"
        end = start + len(caption)
        return Verification(True, organ, status, None, None, start, end, "findings", 100.0, None, spans=((start, end),))


def fake_recipe(log: Path | None = None, seconds: float = 0.0, engine: str = "fake") -> TextRecipe:
    made_by = MadeBy(engine, FakeEngine.model, FakeEngine.prompt)
    return TextRecipe(made_by, partial(build_fakes, log, seconds))


def build_fakes(log: Path | None, seconds: float) -> tuple[FakeEngine, FakeVerifier]:
    return FakeEngine(log=log, seconds=seconds), FakeVerifier()


def write_reports(path: Path, count: int, *, distinct: int | None = None, extra: str = "") -> Path:
    """Write a CSV of short reports; only ``distinct`` of their texts differ (by default all)."""
    with path.open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(["VolumeName", "Findings_EN", "Impressions_EN", "PatientAge"])
        for number in range(count):
            text = number % (distinct or count)
            findings = f"The liver is normal. A lesion of {text} mm is seen. Kidney {text} is of normal size. {extra}"
            rows.writerow([f"scan_{number}.nii.gz", findings, f"Lesion of {text} mm.", f"{number % 90:03d}Y"])
    return path


PROMPT = b"""
description: for tests
unit: report
system: Cut the report into captions.
message: "Report: {{ text }}"
examples:
  - report: The spleen is normal.
    captions: [{organ: spleen, caption: The spleen is normal}]
response: {form: captions, max_captions: 40, max_characters: 300, max_tokens: 500}
"""


def answer(captions: Iterable[tuple[str, str]]) -> str:
    """Return an answer in the form of ``PROMPT``."""
    return json.dumps({"captions": [{"organ": organ, "caption": caption} for organ, caption in captions]})


def sentences(text: str) -> str:
    """Return an answer with a caption for each sentence."""
    captions = [sentence.strip() for sentence in text.replace("\n", " ").split(".") if sentence.strip()]
    return answer((next((organ for organ in ORGANS if organ in text.lower()), "liver"), text) for text in captions)


@dataclass
class FakeChat:
    """A model that answers with what ``respond`` makes of the last message, at once; keeps a history.

    ``respond`` may return a whole ``Answer``, or raise.
    """

    respond: Callable[[str], str | Answer] = sentences
    history: list[Chat] = field(default_factory=list)
    seconds: float = 0.0
    closed: bool = False

    name = "fake"
    model = "fake-1"
    in_flight = 64
    context: int | None = None

    async def answer(self, chat: Chat) -> Answer:
        await asyncio.sleep(self.seconds)
        self.history.append(chat)
        response = self.respond(chat.messages[-1].content)
        return response if isinstance(response, Answer) else Answer(response, "stop", 100, len(response) // 4)

    async def close(self) -> None:
        self.closed = True


def chat_recipe(
    chat: FakeChat,
    prompt: bytes = PROMPT,
    *,
    max_tokens: int = 500,
    repair: int = 0,
    language: LanguageChoice = "en",
) -> ChatRecipe:
    async def connect() -> ChatEngine:
        return chat

    read = read_prompt(prompt, "test")
    return ChatRecipe(MadeBy("fake", "fake-1", read.hash), read, connect, max_tokens, repair, language=language)
