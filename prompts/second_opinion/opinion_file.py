"""The prompt of a second opinion: a language model is asked whether words of a caption and of a passage mean the same.

It comes with ``ovct`` and is the same for all: what its answer may change is decided elsewhere
(``curation/llm/opinions.py``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from importlib.resources import files
from typing import Annotated, Any, Literal

from pydantic import Field

from ..answer_form import compact_json, object_schema
from ..prompt_file import Turn
from ..templates import render
from ..yaml_file import FileSection, NonEmptyText, load_mapping

MOST_WORDS = 6
"""The most words of a caption, each a word or a phrase, that one question is about."""
LONGEST_WORDS = 80
"""The most characters of words of a passage that are taken to mean the same."""


class EqualWords(FileSection):
    """Words of a caption, and those of the passage that mean the same; empty where it has none."""

    caption: NonEmptyText
    report: str


class OpinionExample(FileSection):
    """A passage, an organ, a caption, and the answer that a model should give."""

    passage: NonEmptyText
    organ: NonEmptyText
    caption: NonEmptyText
    words: tuple[EqualWords, ...]
    answer: Literal["yes", "no"]


class OpinionResponse(FileSection):
    """Limits of an answer: ``max_tokens`` for the whole of it."""

    max_tokens: Annotated[int, Field(strict=True, ge=1, le=100_000)]


class OpinionFile(FileSection):
    """The content of the file. The template ``message`` is given ``passage``, ``organ``, ``caption`` and ``words``."""

    description: NonEmptyText
    system: NonEmptyText
    message: NonEmptyText
    examples: tuple[OpinionExample, ...]
    response: OpinionResponse


@dataclass(frozen=True)
class OpinionPrompt:
    """The prompt of a second opinion."""

    file: OpinionFile = field(repr=False)

    def messages(self, passage: str, organ: str, caption: str, words: Sequence[str]) -> tuple[Turn, ...]:
        """Return the chat about words of a caption; what is the same for all comes first, so that it is read once."""
        return (*self._opening, ("user", self._question(passage, organ, caption, words)))

    @cached_property
    def schema(self) -> dict[str, Any]:
        """The JSON schema of an answer; the same object each time. A model looks for words before it decides."""
        words = object_schema(
            {
                "caption": {"type": "string", "maxLength": LONGEST_WORDS},
                "report": {"type": "string", "maxLength": LONGEST_WORDS},
            }
        )
        listed = {"type": "array", "items": words, "minItems": 1, "maxItems": MOST_WORDS}
        return object_schema({"words": listed, "answer": {"type": "string", "enum": ["yes", "no"]}})

    @cached_property
    def _opening(self) -> tuple[Turn, ...]:
        turns: list[Turn] = [("system", self.file.system)]
        for example in self.file.examples:
            words = [row.caption for row in example.words]
            turns.append(("user", self._question(example.passage, example.organ, example.caption, words)))
            answer = {"words": [row.model_dump() for row in example.words], "answer": example.answer}
            turns.append(("assistant", compact_json(answer)))
        return tuple(turns)

    def _question(self, passage: str, organ: str, caption: str, words: Sequence[str]) -> str:
        values = {"passage": passage, "organ": organ, "caption": caption, "words": words}
        return render(self.file.message, values)


@lru_cache(maxsize=1)
def load_opinion_prompt() -> OpinionPrompt:
    """Load the prompt that comes with ``ovct``."""
    return OpinionPrompt(
        OpinionFile.model_validate(load_mapping(files(__package__).joinpath("opinion.yaml").read_bytes()))
    )
