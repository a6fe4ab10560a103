"""The rows of a caption set: pydantic models to check them, and the one place where their Parquet schemas live."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

if TYPE_CHECKING:
    import pyarrow as pa

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


class Row(BaseModel):
    """Base of all rows: unknown fields are an error, and a row cannot change once it is checked."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class CaptionIn(Row):
    """A caption from anywhere, before it is held against its report."""

    report_id: str = Field(min_length=1)
    organ: str
    caption: str


class Caption(Row):
    """An accepted caption. ``evidence_start`` and ``evidence_end`` count characters of the report's ``text``."""

    report_id: str
    organ: str
    caption: str = Field(min_length=1)
    status: Status
    evidence: str = Field(min_length=1)
    evidence_start: int = Field(ge=0)
    evidence_end: int
    section: str
    score: float = Field(ge=0, le=100)
    engine: str
    model: str | None = None
    prompt: str | None = None

    @model_validator(mode="after")
    def _span_fits_evidence(self) -> Caption:
        if self.evidence_end - self.evidence_start != len(self.evidence):
            raise ValueError(
                f"evidence has {len(self.evidence)} characters, its span {self.evidence_start}:{self.evidence_end}"
            )
        return self


class Reject(Row):
    """A refused caption, with its reason and the passage of the report that comes nearest."""

    report_id: str
    organ: str
    caption: str
    reason: Reason
    detail: str
    nearest: str | None = None
    engine: str
    model: str | None = None
    prompt: str | None = None


class Verified(Row):
    """One row of ``ovct verify``: what was claimed, and what the report says to it."""

    report_id: str
    organ: str
    caption: str
    accepted: bool
    reason: Reason | None
    detail: str | None
    evidence: str | None
    evidence_start: int | None
    evidence_end: int | None
    score: float = Field(ge=0, le=100)


def parquet_schema(table: Literal["captions", "rejects", "reports", "responses", "verified"]) -> pa.Schema:
    """Arrow schema of one table of a caption set.

    ``reports`` carries the source columns as strings behind its own; their names differ from input to input.
    """
    import pyarrow as pa

    text, span, label = pa.string(), pa.int32(), pa.dictionary(pa.int32(), pa.string())
    made_by = [("engine", label), ("model", label), ("prompt", label)]
    claim = [("report_id", text), ("organ", text), ("caption", text)]
    evidence = [("evidence", text), ("evidence_start", span), ("evidence_end", span)]
    section = pa.struct([("name", text), ("start", span), ("end", span)])
    fields = {
        "captions": [
            *claim, ("status", text), *evidence, ("section", text), ("score", pa.float32()), *made_by,
        ],
        "rejects": [*claim, ("reason", text), ("detail", text), ("nearest", text), *made_by],
        "reports": [("report_id", text), ("text", text), ("sections", pa.list_(section))],
        "responses": [
            ("report_id", text), ("kind", text), ("number", span), ("start", span), ("end", span), ("content", text),
            ("finish_reason", text), ("prompt_tokens", span), ("completion_tokens", span), ("error", text), *made_by,
        ],
        "verified": [
            *claim, ("accepted", pa.bool_()), ("reason", text), ("detail", text), *evidence, ("score", pa.float32()),
        ],
    }  # fmt: skip
    return pa.schema(fields[table])
