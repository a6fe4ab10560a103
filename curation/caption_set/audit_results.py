"""The results of an audit, as they are written to ``audit/summary.json`` and read by the data card.

The names of the fields are the keys of the file.
"""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationError

from curation.runtime.digests import unsealed

from .manifest import Manifest
from .records.estimates import AuditRecord, Estimate, Meaning
from .records.omissions import OMISSION_MEANINGS, OmissionResults, OmissionVerdict

AUDIT = "audit"
SUMMARY_FILE = "summary.json"
FORMAT: Literal["ovct audit 1"] = "ovct audit 1"


class Agreement(AuditRecord):
    """How far two readers agree on the ``reviewed`` captions that both have decided.

    ``percent`` is the share on which they agree, ``kappa`` is Cohen's and ``ac1`` Gwet's coefficient, with 95 %
    intervals. They are about the seven verdicts, those called ``binary`` about hallucinated or not. A coefficient is
    null where it is not defined (kappa, where both readers give the same verdict to all captions).
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


class ScoreBand(AuditRecord):
    """A band of scores: over ``above`` (in the first band: at least) and at most ``upto``, 0 to 100.

    ``captions`` counts the captions of the set in it, ``hallucinated`` estimates their hallucination rate.
    """

    above: float
    upto: float
    captions: int
    hallucinated: Estimate


class VerifierQuality(AuditRecord):
    """How good the verifier is, as the reviewers judge its decisions.

    A caption is carried by its report when it is no hallucination.

    - ``precision``: share of the accepted captions that are carried.
    - ``recall``: share of the carried captions that were accepted.
    - ``recall_of_supported``: the same of the captions with the verdict "supported" (advice and the like is carried,
      but not worth a caption).
    - ``caught``: share of the hallucinations that were refused.
    - ``rightly_refused``: share of the refused captions that are hallucinations.
    """

    precision: Estimate
    recall: Estimate
    recall_of_supported: Estimate
    caught: Estimate
    rightly_refused: Estimate


class ReaderAgreement(AuditRecord):
    """How far a second reader agrees with the set on one thing, over the ``compared`` captions where it read it.

    ``percent`` is the share on which both agree, ``kappa`` is Cohen's and ``ac1`` Gwet's coefficient, with 95 %
    intervals; null where it is not defined.
    """

    compared: int
    same: int
    percent: float | None
    kappa: float | None
    kappa_low: float | None
    kappa_high: float | None
    ac1: float | None
    ac1_low: float | None
    ac1_high: float | None


class SecondReader(AuditRecord):
    """What a second reader makes of the accepted captions of a set.

    Of ``captions``, ``agrees`` and ``disagrees`` count those that were read, ``unread`` those without a reading that
    can be used, ``not_asked`` the others. A caption disagrees in ``organ_differs``, ``status_differs`` or ``not_said``
    (the reader does not see that the report says it), or in several. ``organ`` holds where one organ is part of the
    other.
    """

    reader: str
    captions: int
    agrees: int
    disagrees: int
    unread: int
    not_asked: int
    organ_differs: int
    status_differs: int
    not_said: int
    organ: ReaderAgreement
    status: ReaderAgreement


class AuditSummary(AuditRecord):
    """The results of an audit.

    ``set`` is the identity of the audited set (``Manifest.identity``). ``captions`` and ``refused`` count all captions
    of the set (of the refused ones without duplicates and failures of the engine, which are no judgements), ``sample``
    and ``sample_refused`` those drawn. ``reviewers`` maps names to numbers of verdicts, of which ``blind`` in all were
    given before anything of the verifier was shown. ``overlap`` is the share of the sample that two reviewers get.
    ``omissions`` is null where no statement without a caption was drawn.
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
    by_reviewer: dict[str, Estimate] = Field(default_factory=dict)
    by_basis: dict[str, Estimate] = Field(default_factory=dict)
    by_second_reader: dict[str, Estimate] = Field(default_factory=dict)
    second_readers: tuple[SecondReader, ...] = ()
    verifier: VerifierQuality
    agreement: tuple[Agreement, ...]
    judges: tuple[Agreement, ...]
    calibration: tuple[ScoreBand, ...]
    omissions: OmissionResults | None = None


def read_summary(root: Path, manifest: Manifest) -> AuditSummary | None:
    """Read the results that were last written for a caption set; None if there are none of the set as it is now.

    A file that is damaged, or of another version, counts as none: `ovct audit --summary` writes it anew.
    """
    results = _sound_summary(root)
    return results if results is not None and results.set == manifest.identity() else None


def damaged_summary(root: Path) -> str | None:
    """Return a sentence on results that are there and cannot be used as they are; None where all is well."""
    path = root / AUDIT / SUMMARY_FILE
    if not path.exists() or _sound_summary(root) is not None:
        return None
    return (
        f"{path} is not as it was written, or of another version: nothing is taken from it. `ovct audit --summary "
        f"{root}` writes it anew"
    )


def _sound_summary(root: Path) -> AuditSummary | None:
    try:
        content, holds = unsealed((root / AUDIT / SUMMARY_FILE).read_bytes())
        results = AuditSummary.model_validate_json(content)
    except (OSError, ValidationError):
        return None
    return None if holds is False else results


class Verdict(StrEnum):
    """A reviewer's, or a judge's, verdict on one caption."""

    SUPPORTED = "supported"
    HALLUCINATED = "hallucinated"
    WRONG_ORGAN = "wrong_organ"
    WRONG_POLARITY_OR_SIDE = "wrong_polarity_or_side"
    WRONG_MEASUREMENT = "wrong_measurement"
    INCOMPLETE = "incomplete"
    UNSURE = "unsure"


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


def verdict_of(name: str) -> Verdict | OmissionVerdict:
    """Return the verdict of a name, on a caption or on a statement without one. Raises ``ValueError`` for none."""
    return Verdict(name) if name in MEANINGS else OmissionVerdict(name)


def verdict_name(verdict: str) -> str:
    """Return what people call a verdict, on a caption or on a statement without one."""
    return (MEANINGS[Verdict(verdict)] if verdict in MEANINGS else OMISSION_MEANINGS[OmissionVerdict(verdict)]).name
