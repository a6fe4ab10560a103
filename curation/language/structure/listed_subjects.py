"""Subjects of a list that have a quality of their own before them: "the large hepatic and portal veins are open".

They take the predicate behind the list as bare names do. The verb has to be in the plural: in "a small left kidney and
the right kidney is normal" it belongs to the last one alone.
"""

from __future__ import annotations

from ..denial_words import OTHER_WORDS
from ..parsed_statement import ParsedStatement, Segment, Term
from ..word_lists import LIST_JOINERS

# Plural verbs with the singular that a caption about one member of a list needs.
SINGULAR_VERBS = {
    "are": "is", "were": "was", "have": "has", "show": "shows", "appear": "appears", "look": "looks", "seem": "seems",
    "remain": "remains", "demonstrate": "demonstrates", "measure": "measures", "contain": "contains",
    "enhance": "enhances", "excrete": "excretes", "opacify": "opacifies", "communicate": "communicates", "lie": "lies",
    "arise": "arises", "extend": "extends", "produce": "produces", "enter": "enters", "involve": "involves",
    "reach": "reaches", "abut": "abuts", "taper": "tapers", "do": "does", "fill": "fills",
}  # fmt: skip


def is_listed_subject(statement: ParsedStatement, index: int) -> bool:
    """Tell whether a segment names one of several subjects of a plural verb, with no more than what qualifies it."""
    segment = statement.segments[index]
    if segment.verb is not None or not segment.organs or segment.excepted:
        return False
    first = segment.organs[0].start
    if not all(_qualifies(statement, term, first) for term in segment.terms if not term.mention):
        return False
    for following in statement.segments[index + 1 :]:
        if any(word not in LIST_JOINERS for word in following.joiner.split()):
            return False
        if following.verb is not None:
            return _is_last_subject(statement, following)
        if not following.silent:
            return False
    return False


def _qualifies(statement: ParsedStatement, term: Term, name: int) -> bool:
    """Tell whether a term stands before the name and only says which one or how large: "large", "other"."""
    is_other = statement.tokens[term.start].word in OTHER_WORDS
    is_quality = term.kind in ("modifier", "side") and not term.is_normality
    return term.start < name and (is_quality or term.attribute or is_other)


def _is_last_subject(statement: ParsedStatement, segment: Segment) -> bool:
    """Tell whether the plural verb of a segment stands behind a bare name: "and portal veins are open"."""
    verb = segment.verb
    if verb is None or statement.tokens[verb].word not in SINGULAR_VERBS:
        return False
    before = [term for term in segment.terms if term.end <= verb]
    return bool(before) and all(term.mention or term.kind == "side" for term in before)
