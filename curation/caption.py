"""A caption on its way from draft to outcome: drafted by an engine, then accepted or refused by the verifier."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Literal, NamedTuple

from pydantic_core import from_json, to_json


@dataclass(frozen=True, slots=True)
class Draft:
    """One claimed caption: an organ (any name the vocabulary resolves) and a short statement about it.

    ``near`` is the number of the report's statement that it was made from, where the engine knows it; the verifier
    looks there first.
    """

    organ: str
    caption: str
    near: int | None = None


class AcceptedCaption(NamedTuple):
    """A caption that holds: its evidence is ``text[start:end]`` of the report."""

    organ: str
    caption: str
    status: str
    start: int
    end: int
    section: str
    score: float


class RefusedCaption(NamedTuple):
    """A caption that does not hold, and why."""

    organ: str
    caption: str
    reason: str
    detail: str
    nearest: str | None


class ReportOutcome(NamedTuple):
    """All that one report gave. It names no report, so that every row with the same text can share it.

    ``responses`` are a language model's answers. Of the refused captions ``returned`` went back to it, and it put
    ``repaired`` right. ``failed``: the engine failed on the report, or on a part of it, rather than answered.
    """

    accepted: list[AcceptedCaption]
    refused: list[RefusedCaption]
    responses: Sequence[tuple[Any, ...]] = ()
    returned: int = 0
    repaired: int = 0
    failed: bool = False

    def pack(self) -> bytes:
        """Compressed JSON of the columns; zlib's checksum tells a damaged one."""
        columns = [list(zip(*rows, strict=True)) for rows in self[:3]]
        return zlib.compress(to_json([*columns, self.returned, self.repaired]), 1)


class OutcomeColumns(NamedTuple):
    """An outcome as it is written: columns instead of rows, none where there are no rows."""

    accepted: list[list[Any]]
    refused: list[list[Any]]
    responses: Sequence[list[Any]] = ()
    returned: int = 0
    repaired: int = 0

    @classmethod
    def unpack(cls, packed: bytes) -> OutcomeColumns:
        """Read what ``ReportOutcome.pack`` made."""
        return cls(*from_json(zlib.decompress(packed)))

    def rows(self) -> ReportOutcome:
        """The outcome, row by row."""
        return ReportOutcome(
            [AcceptedCaption(*row) for row in zip(*self.accepted, strict=True)],
            [RefusedCaption(*row) for row in zip(*self.refused, strict=True)],
            tuple(zip(*self.responses, strict=True)),
            self.returned,
            self.repaired,
        )


Status = Literal["normal", "abnormal", "uncertain"]


class Reason(StrEnum):
    """Why a caption was refused. One enum for every engine and for ``ovct verify``."""

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


class MadeBy(NamedTuple):
    """What stands beside each caption; ``prompt`` is the prompt file's hash."""

    engine: str
    model: str | None
    prompt: str | None
