"""What goes out: captions of a report, from an engine's draft to the outcome (accepted or refused by the verifier)."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Literal, NamedTuple

from pydantic_core import from_json, to_json

# What a caption says of its organ: "normal" is stated as unremarkable, or a finding denied.
Status = Literal["normal", "abnormal", "uncertain"]
# What an accepted caption rests on: "rules" is the verifier's reading of the report; "quote" a passage in another
# language, which the caption quotes with the same numbers and sides; "model" is for a second opinion about a word.
Basis = Literal["rules", "quote", "model"]
# Places in a report's text, each its start and end in characters from 0, in their order.
Spans = tuple[tuple[int, int], ...]


class Reason(StrEnum):
    """Why a caption was refused: one enum for every engine and for ``ovct verify``."""

    SCHEMA = "schema"
    UNKNOWN_ORGAN = "unknown_organ"
    NOT_GROUNDED = "not_grounded"
    WRONG_ORGAN = "wrong_organ"
    LATERALITY = "laterality"
    NEGATION = "negation"
    MEASUREMENT = "measurement"
    MODIFIER = "modifier"
    DUPLICATE = "duplicate"
    TRUNCATED = "truncated"
    ENGINE_ERROR = "engine_error"
    LANGUAGE = "language"
    PHI = "phi"
    NOT_UNDERSTOOD = "not_understood"
    MACHINE_TEXT = "machine_text"


@dataclass(frozen=True, slots=True)
class Draft:
    """A caption as an engine claims it, before the verifier has compared it with the report.

    - ``organ``: any name that the vocabulary resolves, such as "hepatic".
    - ``caption``: a short statement about that organ.
    - ``statement``: number of the report's statement that it was made from (``ReportStatement.number`` of
      ``curation.verification.report_statements``), where the engine knows it; the verifier looks there first.
    - ``quotes``: the passages that it was made from, word for word, where the prompt asks a language model for them.
    - ``not_understood``: the words that it rests on and that the engine does not know, so that it vouches for nothing.
    """

    organ: str
    caption: str
    statement: int | None = None
    quotes: tuple[str, ...] = ()
    not_understood: str = ""


class AcceptedCaption(NamedTuple):
    """A caption that its report supports: a row of the table ``captions``.

    - ``organ``: canonical name of the organ in the vocabulary.
    - ``start``, ``end``: place of the evidence in the report's ``text``, in characters from 0; ``text[start:end]`` is
      the evidence, verbatim.
    - ``section``: name of the section that the evidence stands in.
    - ``score``: 0 to 100, how much of the caption its evidence covers.
    - ``basis``: what it rests on.
    - ``spans``: all passages that it rests on, the first of them as above; empty where that is the only one.
    """

    organ: str
    caption: str
    status: Status
    start: int
    end: int
    section: str
    score: float
    basis: Basis = "rules"
    spans: Spans = ()

    @property
    def passages(self) -> Spans:
        """All passages that the caption rests on, one of them or more."""
        return self.spans or ((self.start, self.end),)


class RefusedCaption(NamedTuple):
    """A caption that its report does not support, or that could not be made: a row of the table ``rejects``.

    - ``organ``: canonical name of the organ, or the name as it was claimed where the vocabulary has none; "" for a
      failure of the engine.
    - ``reason``: a value of ``Reason``.
    - ``detail``: the reason in words, with the words or numbers that are missing in the report.
    - ``nearest``: the passage of the report that comes nearest, None where none does.
    """

    organ: str
    caption: str
    reason: str
    detail: str
    nearest: str | None


class ReportOutcome(NamedTuple):
    """All that was made of one report. It has no report id, so that every report with the same text can share it.

    - ``responses``: a language model's answers, as rows of the table ``responses`` without id and engine.
    - ``returned``: how many refused captions went back to the model.
    - ``repaired``: how many captions the model put right.
    - ``failed``: whether the engine failed on the report, or on a part of it, rather than answered. It is not packed.
    - ``language``: the code of the report's language, as in ``curation.report_language``.
    """

    accepted: list[AcceptedCaption]
    refused: list[RefusedCaption]
    responses: Sequence[tuple[Any, ...]] = ()
    returned: int = 0
    repaired: int = 0
    failed: bool = False
    language: str = "und"

    def pack(self) -> bytes:
        """Return the outcome as compressed JSON, column by column; zlib's checksum shows whether it was damaged."""
        columns = [list(zip(*rows, strict=True)) for rows in self[:3]]
        return zlib.compress(to_json([*columns, self.returned, self.repaired, self.language]), 1)


class OutcomeColumns(NamedTuple):
    """A report's outcome as it is written: each table as a list of its columns, which is empty without rows.

    Columns come in the order of the fields of ``AcceptedCaption`` and ``RefusedCaption``.
    """

    accepted: list[list[Any]]
    refused: list[list[Any]]
    responses: Sequence[list[Any]] = ()
    returned: int = 0
    repaired: int = 0
    language: str = "und"

    @classmethod
    def unpack(cls, packed: bytes) -> OutcomeColumns:
        """Read what ``ReportOutcome.pack`` returned. Raises ``zlib.error`` where it is damaged."""
        return cls(*from_json(zlib.decompress(packed)))

    def rows(self) -> ReportOutcome:
        """Return the same outcome row by row."""
        return ReportOutcome(
            [accepted_caption(row) for row in zip(*self.accepted, strict=True)],
            [RefusedCaption(*row) for row in zip(*self.refused, strict=True)],
            tuple(zip(*self.responses, strict=True)),
            self.returned,
            self.repaired,
            language=self.language,
        )


def accepted_caption(row: Sequence[Any]) -> AcceptedCaption:
    """Return an accepted caption from its values, as JSON has kept them."""
    caption = AcceptedCaption(*row)
    return caption._replace(spans=tuple((start, end) for start, end in caption.spans))


class MadeBy(NamedTuple):
    """What made a caption, in the last columns of each row of captions, rejects and responses.

    ``engine`` is the engine's name, ``model`` the language model's name and ``prompt`` the sha256 of the prompt file;
    both are None for an engine without a model.
    """

    engine: str
    model: str | None
    prompt: str | None
