"""The rows of the table ``responses``: what a model answered about a report."""

from __future__ import annotations

from typing import Literal, NamedTuple

ResponseKind = Literal["question", "retry", "repair", "opinion"]


class ModelResponse(NamedTuple):
    """One answer about a report, or the reason why there is none; its fields are columns of ``responses``.

    ``number`` counts the report's questions, or its rounds of repair and of second opinions. A retry follows its
    question, about the same stretch of text or, in two rows, about its halves; it takes the question's place. ``start``
    and ``end`` count characters of the report's text; a repair is about refused captions and has none. ``content`` is
    None where there is an ``error`` instead. ``organ`` and ``caption`` are those that an opinion is about, and
    ``opinion_by`` is the engine and the model that gave it.
    """

    kind: ResponseKind
    number: int
    start: int | None
    end: int | None
    content: str | None
    finish_reason: str | None
    prompt_tokens: int
    completion_tokens: int
    error: str | None
    organ: str | None = None
    caption: str | None = None
    opinion_by: str | None = None
