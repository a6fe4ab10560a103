"""Statements that only tell how large a finding was before: "The nodule measures 12 mm. It previously measured 9 mm."

Together with the statement before it such a one reads "The nodule measures 12 mm (previously 9 mm)", from which the
change between the two days follows.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from curation.language.assertion import Polarity
from curation.language.parsed_statement import ParsedStatement, Term

from ..report_statements import ReadReport, ReportStatement
from ..size_changes import DECREASED, INCREASED, STABLE

_CHANGES = frozenset((INCREASED, DECREASED, STABLE, "size:larger", "size:smaller"))


def compares_sizes(caption: ParsedStatement) -> bool:
    """Tell whether a caption says how a size changed, or what it was before."""
    return any(
        term.key in _CHANGES or (term.measure is not None and term.measure.role == "earlier") for term in caption.terms
    )


def with_earlier_sizes(report: ReadReport) -> Iterator[tuple[str, ReportStatement, ReportStatement]]:
    """Yield each statement with the earlier size that the next one tells, and both statements."""
    for statement, following in pairwise(report.statements):
        if statement.section != following.section or statement.heading or following.heading:
            continue
        size = _earlier_size(following.parse)
        heads = [term for term in statement.parse.terms if _is_finding(term)]
        if size is None or len(heads) != 1 or heads[0].polarity != Polarity.AFFIRMED:
            continue
        named = [term.key for term in following.parse.terms if _is_finding(term)]
        sizes = [term.measure for term in statement.parse.terms if term.measure and term.measure.has_unit]
        if all(key == heads[0].key for key in named) and len(sizes) == 1 and not sizes[0].role:
            text = statement.parse.text.rstrip(". ")
            yield f"{text} (previously {following.parse.text_of(size)})", statement, following


def _earlier_size(statement: ParsedStatement) -> Term | None:
    """Return the earlier size that a statement tells and no more: it names no organ, and denies and doubts nothing."""
    sizes = [term for term in statement.terms if term.measure and term.measure.has_unit]
    if len(sizes) != 1 or any(term.mention or term.kind in ("negation", "hedge", "side") for term in statement.terms):
        return None
    measure = sizes[0].measure
    is_earlier = measure is not None and measure.role == "earlier" and measure.kind != "duration"
    return sizes[0] if is_earlier else None


def _is_finding(term: Term) -> bool:
    return term.kind == "finding" and term.entry is not None and "finding" in term.entry.flags
