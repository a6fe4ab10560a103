"""Findings that adjectives share under a denial: "no loculated or free fluid" denies fluid of either kind."""

from __future__ import annotations

from ..assertion import Polarity
from ..parsed_statement import ParsedStatement, Term
from ..word_lists import LIST_JOINERS


def shared_head(statement: ParsedStatement, index: int) -> tuple[Term, Term] | None:
    """Return the quality that ends segment ``index``, and the finding of the next one that it qualifies too.

    Both are denied. The segment has no finding but that quality, and nothing stands between it and the joiner.
    """
    segments = statement.segments
    following = segments[index + 1] if index + 1 < len(segments) else None
    if following is None or following.joiner not in LIST_JOINERS or following.joiner == ",":
        return None
    qualities = [term for term in segments[index].terms if term.kind not in ("negation", "hedge")]
    if (
        len(qualities) != 1
        or qualities[0].kind not in ("finding", "modifier")
        or qualities[0].end != following.start - 1
    ):
        return None
    head = next((term for term in following.terms if term.kind == "finding" and not term.attribute), None)
    if head is None or not head.polarity == qualities[0].polarity == Polarity.NEGATED:
        return None
    before = [term for term in following.terms if term.start < head.start]
    is_phrase = all(term.kind in ("finding", "modifier", "organ", "side") for term in before)
    return (qualities[0], head) if is_phrase and following.terms[0].start == following.start else None
