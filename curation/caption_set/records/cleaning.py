"""What an audit has changed in a caption set, as it stands in the manifest of the cleaned one."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class _CleaningPart(BaseModel):
    """A part of the manifest; an unknown key is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class AuditChange(_CleaningPart):
    """A caption that was changed after an audit: removed where ``after`` is null, else replaced by ``after``.

    ``verdict`` is the one that its reviewers came to. ``found`` says whether the verifier finds ``after`` in
    the report.
    """

    report_id: str
    organ: str
    caption: str
    verdict: str
    after: dict[str, str] | None = None
    found: bool | None = None


class CleaningRecord(_CleaningPart):
    """Where a cleaned caption set comes from: the set that was audited, the audit's results, and what was changed.

    ``source`` is the folder of the audited set and ``set`` its identity. ``rate`` is the audited set's hallucination
    rate (a share, 0 to 1) with the 95 % interval from ``low`` to ``high``.
    """

    source: str
    set: str
    applied: str
    captions: int
    sample: int
    reviewed: int
    reviewers: int
    guideline: str
    rate: float | None
    low: float
    high: float
    verdicts: dict[str, int]
    changes: tuple[AuditChange, ...]
