"""What an audit finds to be missing from a caption set: verdicts on statements that no caption covers, and shares."""

from __future__ import annotations

from enum import StrEnum

from .estimates import AuditRecord, Estimate, Meaning


class OmissionVerdict(StrEnum):
    """A reviewer's verdict on a statement of a report that no caption covers."""

    MISSED_FINDING = "missed_finding"
    MISSED_NORMALITY = "missed_normality"
    COVERED = "covered"
    NO_FINDING = "no_finding"
    UNSURE = "unsure"


OMISSION_MEANINGS = {
    OmissionVerdict.MISSED_FINDING: Meaning("m", "missed finding", "it says what is abnormal, and no caption does"),
    OmissionVerdict.MISSED_NORMALITY: Meaning(
        "a", "missed normality", "it says that an organ is normal or something absent, and no caption does"
    ),
    OmissionVerdict.COVERED: Meaning("e", "said elsewhere", "a caption of another passage says the same"),
    OmissionVerdict.NO_FINDING: Meaning("x", "no finding", "technique, history, comparison, advice, or no statement"),
    OmissionVerdict.UNSURE: Meaning("u", "unsure", "cannot be decided from the report"),
}
MISSED = frozenset((OmissionVerdict.MISSED_FINDING, OmissionVerdict.MISSED_NORMALITY))
"""Verdicts by which a caption is missing: these make the rate of omissions."""


class OmissionResults(AuditRecord):
    """What was missed, by the verdicts on a sample of the statements that no caption covers.

    ``reports`` of the set were read for it, all of them or a random sample. Their findings and impressions have
    ``statements``, of which ``uncovered`` share no word with the evidence of a caption, and of which ``sample`` were
    drawn.

    - ``missed``: share of the uncovered statements that a caption is missing for; ``missed_findings`` of those alone
      that say what is abnormal.
    - ``without_caption``: share of all statements worth a caption that have none. All covered statements count as
      worth one.
    - ``verdicts``: share of each verdict; ``by_section`` and ``by_system``: the share ``missed`` of each section of
      the report and each organ system that the statement names.
    """

    reports: int
    statements: int
    uncovered: int
    sample: int
    reviewed: int
    unsure: int
    written: int
    missed: Estimate
    missed_findings: Estimate
    without_caption: Estimate
    verdicts: dict[str, Estimate]
    by_section: dict[str, Estimate]
    by_system: dict[str, Estimate]
