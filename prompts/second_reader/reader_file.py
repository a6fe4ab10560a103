"""The prompt of a second reader: a language model reads organ and status of all captions of a report by itself.

It comes with ``ovct`` and is the same for all, so that readers can be compared with each other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from hashlib import sha256
from importlib.resources import files
from typing import Annotated, Any, Literal

from pydantic import Field

from ..answer_form import LONGEST_ORGAN, compact_json, object_schema
from ..prompt_file import Turn
from ..templates import render
from ..yaml_file import FileSection, NonEmptyText, load_mapping

MOST_CAPTIONS = 20
"""The most captions that one question is about."""
STATUSES = ("normal", "abnormal", "uncertain")

_Count = Annotated[int, Field(strict=True, ge=1, le=10_000)]


class ReadCaption(FileSection):
    """A caption, and what a reader should say of it."""

    caption: NonEmptyText
    organ: NonEmptyText
    status: Literal["normal", "abnormal", "uncertain"]
    said: Literal["yes", "no"]


class ReaderExample(FileSection):
    """A report with captions, each with the answer that a reader should give."""

    report: NonEmptyText
    captions: tuple[ReadCaption, ...]


class ReaderResponse(FileSection):
    """Limits of an answer: tokens for each caption, and for what stands beside them."""

    tokens_for_caption: _Count
    tokens_beside: _Count


class ReaderFile(FileSection):
    """The content of the file. The template ``message`` is given ``report`` and ``captions``, which are texts."""

    description: NonEmptyText
    system: NonEmptyText
    message: NonEmptyText
    examples: tuple[ReaderExample, ...]
    response: ReaderResponse


@dataclass(frozen=True)
class ReaderPrompt:
    """The prompt of a second reader. ``hash`` is the SHA-256 (hex) of its file."""

    hash: str
    file: ReaderFile = field(repr=False)

    def messages(self, report: str, captions: Sequence[str]) -> tuple[Turn, ...]:
        """Return the chat about captions of a report; what is the same for all comes first, so that it is read once."""
        return (*self._opening, ("user", self._question(report, captions)))

    def max_tokens(self, captions: int) -> int:
        """Return the most tokens that an answer about so many captions may have."""
        return self.file.response.tokens_beside + captions * self.file.response.tokens_for_caption

    @cached_property
    def schema(self) -> dict[str, Any]:
        """The JSON schema of an answer; the same object each time."""
        row = object_schema(
            {
                "number": {"type": "integer", "minimum": 1, "maximum": MOST_CAPTIONS},
                "organ": {"type": "string", "maxLength": LONGEST_ORGAN},
                "status": {"type": "string", "enum": list(STATUSES)},
                "said": {"type": "string", "enum": ["yes", "no"]},
            }
        )
        return object_schema({"captions": {"type": "array", "items": row, "minItems": 1, "maxItems": MOST_CAPTIONS}})

    @cached_property
    def _opening(self) -> tuple[Turn, ...]:
        turns: list[Turn] = [("system", self.file.system)]
        for example in self.file.examples:
            turns.append(("user", self._question(example.report, [row.caption for row in example.captions])))
            rows = [
                {"number": number, "organ": row.organ, "status": row.status, "said": row.said}
                for number, row in enumerate(example.captions, 1)
            ]
            turns.append(("assistant", compact_json({"captions": rows})))
        return tuple(turns)

    def _question(self, report: str, captions: Sequence[str]) -> str:
        return render(self.file.message, {"report": report, "captions": captions})


@lru_cache(maxsize=1)
def load_reader_prompt() -> ReaderPrompt:
    """Load the prompt that comes with ``ovct``."""
    source = files(__package__).joinpath("reader.yaml").read_bytes()
    return ReaderPrompt(sha256(source).hexdigest(), ReaderFile.model_validate(load_mapping(source)))
