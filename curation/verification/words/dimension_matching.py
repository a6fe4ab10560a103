"""Words that only say that a measure is a size: "a nodule of 4 mm in diameter" is a nodule that measures 4 mm."""

from __future__ import annotations

from curation.language.parsed_statement import ParsedStatement, Segment, Term
from curation.language.structure.reference_words import PART_NOUN_STEMS
from curation.language.tokens import stem

from ..evidence import SegmentEvidence

_SIZE_STEMS = frozenset(map(stem, ("size", "sized")))
_DIAMETER_STEM = stem("diameter")
_ATTENUATION = "attenu"
_HOUNSFIELD = "HU"
_OTHER_DIMENSIONS = frozenset(
    map(stem, "thickness thick width wide length long height depth deep distance axis".split())
)
_FARTHEST = 2
"""Words between a measure and the word that says what it measures: "4 mm in mean diameter"."""


def only_names_dimension(term: Term, segment: Segment, caption: ParsedStatement) -> bool:
    """Tell whether a word of a caption only says that the length beside it is a size, or the diameter of a finding.

    The diameter of an organ is another thing than its size: a spleen of 13 cm is that long.
    """
    if term.kind != "finding":
        return False
    if term.key == _ATTENUATION:
        return any(other.measure and other.measure.kind == _HOUNSFIELD for other in segment.terms)
    if term.key not in _SIZE_STEMS and term.key != _DIAMETER_STEM:
        return False
    lengths = [other for other in segment.terms if other.measure and other.measure.kind == "length"]
    if not any(0 <= max(term.start - other.end, other.start - term.end) <= _FARTHEST for other in lengths):
        return False
    stems = caption.stems[segment.start : segment.end]
    if not _OTHER_DIMENSIONS.isdisjoint(stems):
        return False
    is_of_finding = any(
        other.kind == "finding" and other.entry and not other.attribute and not other.is_normality
        for other in segment.terms
        if other is not term
    )
    return term.key in _SIZE_STEMS or is_of_finding


def gives_plain_size(evidence: SegmentEvidence) -> bool:
    """Tell whether the evidence has one length, and does not say of which dimension or part it is."""
    if any(term.measure and term.measure.kind == _HOUNSFIELD for term in evidence.terms):
        return True  # "an attenuation of 10 HU"
    lengths = [term for term in evidence.terms if term.measure and term.measure.kind == "length"]
    return len(lengths) == 1 and (_OTHER_DIMENSIONS | PART_NOUN_STEMS).isdisjoint(evidence.statement.stems)
