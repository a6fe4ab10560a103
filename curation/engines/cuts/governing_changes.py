"""Changes that are the point of a statement, for each member of its list: "regression of hilar and axillary nodes".

A caption of one member has to say it too: "axillary lymphadenopathy", cut from that, would be true and would say the
opposite of what the statement is about.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

from curation.language.parsed_statement import ParsedStatement, Segment, Term
from curation.language.structure.clauses import Clause
from curation.language.word_lists import LIST_JOINERS

_CHANGES = frozenset(
    f"time:{change}"
    for change in (
        "increased progressed worsened decreased regressed improved resolved near_resolved largely_resolved stable"
    ).split()
)
_OF_EACH = frozenset(("both", "all", "each"))
_OF_WHAT = frozenset(("of", "in"))
_LONGEST_LINK = 4
"""Tokens between a change and what has changed: "decrease in the size of"."""
_SINGULAR_VERBS = frozenset("is was has shows measures appears remains".split())


def governing_changes(clauses: Sequence[Clause], statement: ParsedStatement) -> frozenset[str]:
    """Return the words of the changes that a claim shares with the other members of its list, in small letters."""
    segments = statement.segments
    changes = [(at, term) for at, segment in enumerate(segments) for term in segment.terms if term.key in _CHANGES]
    if len(segments) < 2 or not (changes or _OF_EACH & statement.words):
        return frozenset()
    of_claim = {id(clause.segment) for clause in clauses}
    governing = [
        (statement.text_of(term), segment)
        for at, term in changes
        for segment in _governed(statement, segments, at, term)
    ]
    governing += _of_each(statement, segments)
    return frozenset(words.lower() for words, segment in governing if id(segment) in of_claim)


def _of_each(statement: ParsedStatement, segments: Sequence[Segment]) -> Iterator[tuple[str, Segment]]:
    """Yield what is said of each member of a list behind it, with the members: "left and right nodes, both smaller"."""
    for at, segment in enumerate(segments):
        opens = statement.tokens[segment.start].word
        if opens in _OF_EACH and segment.joiner == "," and not segment.organs and segment.verb is None:
            listed = [one for one, other in pairwise(segments[:at]) if _is_listed(other.joiner)]
            if listed and len(listed) == at - 1:
                words = statement.text_between(listed[0].start, segment.end)
                yield from ((words, member) for member in (*listed, segments[at - 1]))


def _governed(statement: ParsedStatement, segments: Sequence[Segment], at: int, change: Term) -> Iterator[Segment]:
    """Yield the other segments of which a change in the segment at ``at`` is said."""
    if _opens_list(statement, segments[at], change):
        for segment in segments[at + 1 :]:
            if not _is_listed(segment.joiner) or segment.verb is not None or _has_own_change(segment):
                return
            yield segment
    elif (verb := segments[at].verb) is not None and change.end > verb:
        if statement.tokens[verb].word in _SINGULAR_VERBS:
            return
        for segment, following in reversed(list(pairwise(segments[: at + 1]))):
            if not _is_listed(following.joiner) or segment.verb is not None or _has_own_change(segment):
                return
            yield segment


def _opens_list(statement: ParsedStatement, segment: Segment, change: Term) -> bool:
    """Tell whether a change stands before what has changed: "regression of the nodes", "decrease in size of"."""
    behind = statement.tokens[change.end : min(segment.end, change.end + _LONGEST_LINK)]
    return bool(behind) and behind[0].word in _OF_WHAT and any(token.word == "of" for token in behind)


def _is_listed(joiner: str) -> bool:
    return bool(joiner) and all(word in LIST_JOINERS for word in joiner.split())


def _has_own_change(segment: Segment) -> bool:
    """Tell whether a segment says itself how its organ has become: "…, stable nodes and a normal spleen"."""
    return any(term.key.startswith("time:") or term.is_normality for term in segment.terms)
