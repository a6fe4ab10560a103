"""What an audit found, as it is written to ``audit/summary.json`` and read by the data card."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, ValidationError

from .manifest import Manifest

AUDIT = "audit"
SUMMARY_FILE = "summary.json"
FORMAT: Literal["ovct audit 1"] = "ovct audit 1"


class _AuditRecord(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Estimate(_AuditRecord):
    """A share of the whole set, from what was reviewed, with its 95 % interval; all shares are 0 to 1.

    ``reviewed`` captions were decided and ``hits`` of them have what is counted. ``rate`` is weighted where the sample
    is; ``effective`` is the size of a simple random sample that would know as much. Without any, ``rate`` is null.
    """

    rate: float | None
    low: float
    high: float
    hits: int
    reviewed: int
    effective: float


class Agreement(_AuditRecord):
    """How far two readers agree on what both have decided, ``reviewed`` captions.

    ``percent`` and the coefficients are about the seven verdicts, those called ``binary`` about hallucinated or not. A
    coefficient is null where it is not defined (both readers said one and the same thing all the time, for kappa).
    """

    first: str
    second: str
    reviewed: int
    percent: Estimate
    kappa: float | None
    kappa_low: float | None
    kappa_high: float | None
    ac1: float | None
    ac1_low: float | None
    ac1_high: float | None
    binary_percent: Estimate
    binary_kappa: float | None
    binary_ac1: float | None


class ScoreBand(_AuditRecord):
    """The ``captions`` of the set whose score is over ``above`` (in the first band: at least) and at most ``upto``."""

    above: float
    upto: float
    captions: int
    hallucinated: Estimate


class VerifierQuality(_AuditRecord):
    """How good the verifier is, as the reviewers see it.

    A caption is carried when it is no hallucination. ``precision``: share of the accepted captions that are carried;
    ``recall``: share of the carried ones that were accepted, and ``recall_of_supported`` of those that are supported,
    for advice and the like is carried and yet wanted by nobody; ``caught``: share of the hallucinations that were
    refused; ``rightly_refused``: share of the refused captions that are hallucinations.
    """

    precision: Estimate
    recall: Estimate
    recall_of_supported: Estimate
    caught: Estimate
    rightly_refused: Estimate


class AuditResults(_AuditRecord):
    """The summary of an audit.

    ``captions`` and ``refused`` are all of the set (refusals that are judgements, not duplicates or failures of the
    engine), ``sample`` and ``sample_refused`` those drawn. ``reviewers`` are names with their numbers of verdicts, of
    which ``blind`` in all were given before anything of the verifier was shown.
    """

    format: Literal["ovct audit 1"] = FORMAT
    set: str
    made: str
    design: str
    seed: int
    captions: int
    refused: int
    sample: int
    sample_refused: int
    reviewed: int
    reviewed_refused: int
    unsure: int
    corrected: int
    reviewers: dict[str, int]
    overlap: float
    blind: int
    guideline: str
    hallucination: Estimate
    hallucination_with_unsure: Estimate
    verdicts: dict[str, Estimate]
    by_organ: dict[str, Estimate]
    by_status: dict[str, Estimate]
    by_engine: dict[str, Estimate]
    by_reason: dict[str, Estimate]
    by_reviewer: dict[str, Estimate] = {}
    verifier: VerifierQuality
    agreement: tuple[Agreement, ...]
    judges: tuple[Agreement, ...]
    calibration: tuple[ScoreBand, ...]


def known_results(root: Path, manifest: Manifest) -> AuditResults | None:
    """The summary that was last written for a caption set, if it is about the set as it is now."""
    try:
        found = AuditResults.model_validate_json((root / AUDIT / SUMMARY_FILE).read_bytes())
    except (OSError, ValidationError):
        return None
    return found if found.set == manifest.identity() else None


class Verdict(StrEnum):
    """A reviewer's, or a judge's, verdict on one caption."""

    SUPPORTED = "supported"
    HALLUCINATED = "hallucinated"
    WRONG_ORGAN = "wrong_organ"
    WRONG_POLARITY_OR_SIDE = "wrong_polarity_or_side"
    WRONG_MEASUREMENT = "wrong_measurement"
    INCOMPLETE = "incomplete"
    UNSURE = "unsure"


class Meaning(NamedTuple):
    """A verdict for people: its key on the keyboard, its name, and what it says of a caption."""

    key: str
    name: str
    says: str


MEANINGS = {
    Verdict.SUPPORTED: Meaning("s", "supported", "the report says it, of this organ"),
    Verdict.HALLUCINATED: Meaning("h", "hallucinated", "the report does not say it"),
    Verdict.WRONG_ORGAN: Meaning("o", "wrong organ", "said, but of another organ or part"),
    Verdict.WRONG_POLARITY_OR_SIDE: Meaning(
        "p", "wrong polarity or side", "denied for affirmed, normal for abnormal, doubt lost, left for right"
    ),
    Verdict.WRONG_MEASUREMENT: Meaning("m", "wrong measurement", "another number, unit or comparison"),
    Verdict.INCOMPLETE: Meaning("i", "incomplete", "nothing false, but what is left out misleads"),
    Verdict.UNSURE: Meaning("u", "unsure", "cannot be decided from the report"),
}
