"""Statements that speak of one thing: there, whatever is said is said of it, in whichever segment it stands.

"The diameter of the ascending aorta is 45 mm, and wider than normal" has one organ, one finding and one size, so that
a caption may draw all of it together. As soon as two things could be meant, segments keep what is theirs.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from functools import lru_cache

from ..parsed_statement import ParsedStatement, Term
from ..word_lists import ADJECTIVE_ENDINGS
from .attachments import attachments_of
from .quality_kinds import is_whereabouts, rivalry


@lru_cache(maxsize=2_048)
def speaks_of_one_thing(statement: ParsedStatement) -> bool:
    """Tell whether a statement has at most one finding and one organ, and no quality twice."""
    if len(set(_things(statement))) > 1 or statement.exceptions:
        return False
    polarities = {term.polarity for term in statement.terms if term.kind in ("finding", "modifier", "measure")}
    return len(polarities) <= 1 and _has_one_place(statement) and not _has_rivals(statement.terms)


def _things(statement: ParsedStatement) -> Iterator[str]:
    """Yield what is found: nouns that the lexicon has, and others that have a size or grade of their own."""
    for head in attachments_of(statement).heads:
        if head.mention or statement.tokens[head.end - 1].word.endswith(ADJECTIVE_ENDINGS):
            continue
        segment = next(segment for segment in statement.segments if head in segment.terms)
        if head.entry is not None or any(map(rivalry, segment.terms)):
            yield head.key


def _has_one_place(statement: ParsedStatement) -> bool:
    """Tell whether one segment names all organs and sides, and no two whereabouts are told apart.

    A heading ("Lung bases: …") names what encloses the others.
    """
    segments = [segment for segment in statement.segments if any(map(_is_subject, segment.terms))]
    names_no_pair = not any(term.mention and term.mention.pair for term in segments[0].terms) if segments else True
    if len(segments) > 1 and segments[0].silent and segments[1].joiner == ":" and names_no_pair:
        segments = segments[1:]
    sides = {term.key for term in statement.terms if term.kind == "side"}
    return len(segments) <= 1 and len(sides) <= 1 and sum(map(is_whereabouts, statement.terms)) <= 1


def _is_subject(term: Term) -> bool:
    return term.kind == "side" or (term.mention is not None and not term.mention.place)


def _has_rivals(terms: list[Term]) -> bool:
    """Tell whether two sizes, grades or times are told."""
    values: defaultdict[str, list[Term]] = defaultdict(list)
    for term in terms:
        if (kind := rivalry(term)) and kind != "side":
            values[kind].append(term)
    return any(len({(term.key, term.measure) for term in rivals}) > 1 for rivals in values.values())
