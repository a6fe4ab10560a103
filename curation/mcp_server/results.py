"""What the tools on reports and captions return, and how large it may become."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

# Characters of one answer, about 10,000 tokens.
ANSWER_CHARACTERS = 40_000
TEXT_CHARACTERS = 20_000
FIELD_CHARACTERS = 2_000
MOST_PASSAGES = 20


class EvidencePassage(BaseModel):
    """A passage of a report: its text, and where it begins and ends, in characters from 0."""

    model_config = ConfigDict(frozen=True)

    text: str
    start: int
    end: int


class CaptionAnswer(BaseModel):
    """A caption held against its report.

    ``evidence`` are the passages that an accepted caption rests on, or those that come nearest to a refused one, which
    has ``reason`` and ``detail``.
    """

    model_config = ConfigDict(frozen=True)

    organ: str
    caption: str
    accepted: bool
    status: str | None = None
    score: float | None = None
    reason: str | None = None
    detail: str | None = None
    evidence: tuple[EvidencePassage, ...] = ()

    @property
    def characters(self) -> int:
        """About how much room it takes in an answer."""
        texts = (self.organ, self.caption, self.reason or "", self.detail or "", *(one.text for one in self.evidence))
        return 200 + sum(map(len, texts))


class VerifyAnswer(BaseModel):
    """Captions held against the text of their report, in the order in which they were given."""

    model_config = ConfigDict(frozen=True)

    accepted: int
    refused: int
    captions: tuple[CaptionAnswer, ...]


class ReportAnswer(BaseModel):
    """A report with captions of it, from the ``first_caption``-th of ``total_captions`` on.

    The text stands with the first captions of a report; ``text_cut`` says that its end is missing.
    """

    model_config = ConfigDict(frozen=True)

    report_id: str
    text: str | None
    text_cut: bool = False
    first_caption: int
    total_captions: int
    captions: tuple[CaptionAnswer, ...]


class CaptionPage(BaseModel):
    """Reports with their captions. ``next`` is the ``start`` of a call for those that follow, None at the end."""

    model_config = ConfigDict(frozen=True)

    total_reports: int
    reports: tuple[ReportAnswer, ...]
    next: str | None = Field(description="pass it to `show` as `start` for what follows; null at the end")


class CurateAnswer(BaseModel):
    """What came of reports: counts, the first reports with their captions, and where the caption set is.

    ``folder`` is None where nothing was written. ``more`` says that not all captions have room here: `show` gives the
    rest of a set that was written; without one, ask for fewer reports at once.
    """

    model_config = ConfigDict(frozen=True)

    folder: str | None
    already_done: bool
    reports: int
    accepted: int
    refused: int
    refused_by_reason: dict[str, int]
    problems: tuple[str, ...]
    problem_count: int
    warnings: tuple[str, ...]
    page: CaptionPage
    more: bool


def shortened(text: str, most: int = FIELD_CHARACTERS) -> str:
    """Return a text, with an ellipsis in place of what is beyond so many characters."""
    return text if len(text) <= most else text[: most - 1] + "…"


def passages(text: str, spans: Sequence[tuple[int, int]]) -> tuple[EvidencePassage, ...]:
    """Return passages of a text by their bounds."""
    return tuple(EvidencePassage(text=shortened(text[a:b]), start=a, end=b) for a, b in list(spans)[:MOST_PASSAGES])


def caption_answer(organ: str, caption: str, accepted: bool, **rest: Any) -> CaptionAnswer:
    """Return a caption for an answer, each of its texts within bounds."""
    short = {name: shortened(value) if isinstance(value, str) else value for name, value in rest.items()}
    own = {"organ": shortened(organ), "caption": shortened(caption), "accepted": accepted}
    return CaptionAnswer.model_validate({**short, **own})
