"""Cuts of a caption where it links two findings: "enlarged uterus containing calcifications", ", in line with colitis".

What stands behind the link is a claim of its own where it cannot be a feature of the finding before it. A calcification
may be that of a mass, and so needs a statement about that mass; the calcification of an organ does not.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import NamedTuple

from curation.language.parsed_statement import ParsedStatement, Term
from curation.language.parser import StatementParser
from curation.language.structure.quality_kinds import rivalry
from curation.language.tokens import stem
from curation.runtime.limits import LINKS_OF_CAPTION

from ..organs import implied_organs
from .caption_parts import (
    RELATION_STEMS,
    TIED_KINDS,
    ends_with_adjective,
    has_shareable_grade,
    is_doubted,
    is_listed,
    is_single_thing,
    is_thing_by_name,
    keeps_its_terms,
    last_organ,
    says_something,
)
from .pronoun_claims import pronoun_claims
from .references import refers_back

_ACCOMPANIMENT = re.compile(
    r",?\s+(?:with|containing|(?:which|that)\s+contains?|accompanied\s+by|accompanying|associated\s+with|"
    r"(?:along|together)\s+with|in\s+association\s+with|and)\s+(?!no\b)",
    re.IGNORECASE,
)
_BACK_REFERENCE = re.compile(r"\s+(?:in|within|inside)\s+it(?=\W*$)", re.IGNORECASE)
LINKING_STEMS = frozenset(
    map(stem, "accompanied accompanying associated association containing along together".split())
)
"""Words that only link two findings, so that no statement needs to have them."""
# Hedges that give what a finding is read as: where the report states that plainly, they say no more than it does.
_READINGS = frozenset(
    ("in keeping with", "consistent with", "compatible with", "in line with", "representing", "indicating")
)


class IndependentClaims(NamedTuple):
    """Two claims of a caption.

    ``sites`` are the organs that the second is about, where only the first names them, ``first_sites`` those of the
    first, where only the second does. ``own_organs`` are those that each names or implies: it may be about them, and
    not about the one that the caption is filed under, as long as the other is. ``same_place``: both are said of one
    place. ``is_reading``: the second tells what the first is read as. ``is_list``: "and" links them, so that
    two statements are needed: whether a single one has the whole list has been decided.
    """

    first: str
    second: str
    sites: tuple[str, ...] = ()
    first_sites: tuple[str, ...] = ()
    own_organs: tuple[tuple[str, ...], tuple[str, ...]] = ((), ())
    same_place: bool = False
    is_reading: bool = False
    is_list: bool = False

    def topics(self, organ: str) -> Iterator[tuple[str, tuple[tuple[str, ...], ...]]]:
        """Yield each claim with the organs that it may be about, the first that carry it: all of one group."""
        claims = ((self.first, self.first_sites), (self.second, self.sites))
        for (claim, sites), own in zip(claims, self.own_organs, strict=True):
            yield claim, tuple(group for group in (sites or (organ,), own) if group)


def linked_claims(parser: StatementParser, caption: ParsedStatement) -> Iterator[IndependentClaims]:
    """Yield the claims before and behind each link of a caption that are independent of each other."""
    for match in islice(_ACCOMPANIMENT.finditer(caption.text), LINKS_OF_CAPTION.most):
        first = parser.parse(caption.text[: match.start()])
        second = parser.parse(_BACK_REFERENCE.sub("", caption.text[match.end() :]))
        is_list = match.group().strip(" ,").lower() == "and"
        if _keep_their_terms(caption, match.start(), match.end(), first, second):
            if _stand_apart(parser, first, second, is_list=is_list):
                yield _claims(parser, first, second, second.text)._replace(is_list=is_list)
    for claim, other in pronoun_claims(parser, caption):
        first, second = parser.parse(claim), parser.parse(other)
        yield _claims(parser, first, second, other)._replace(same_place=False)
    hedges = [term for term in caption.terms if term.kind == "hedge" and term.start > 0]
    for hedge in hedges[: LINKS_OF_CAPTION.most]:
        yield from _reading(parser, caption, hedge)


def _reading(parser: StatementParser, caption: ParsedStatement, hedge: Term) -> Iterator[IndependentClaims]:
    """Yield a finding and what it is read as apart: "fat stranding, in keeping with colitis"."""
    tokens = caption.tokens
    if hedge.end >= len(tokens):
        return
    first = parser.parse(caption.text[: tokens[hedge.start].start].rstrip(" ,;"))
    second = parser.parse(caption.text[tokens[hedge.start].start :])
    plain = parser.parse(caption.text[tokens[hedge.end].start :])
    if not _keep_their_terms(caption, tokens[hedge.start].start, tokens[hedge.start].start, first, second):
        return
    if (
        is_doubted(first)
        or not _stand_apart(parser, first, plain, is_list=False)
        or first.segments[-1].verb is not None
    ):
        return
    if any(is_single_thing(term) for term in plain.terms if is_listed(term)):
        return  # a metastasis may be another lesion
    yield _claims(parser, first, plain, second.text, is_reading=True)
    if caption.text_of(hedge).lower() in _READINGS and not is_doubted(plain):
        yield _claims(parser, first, plain, plain.text, is_reading=True)


def with_own_organs(parser: StatementParser, cut: IndependentClaims) -> IndependentClaims:
    """Return two claims with the organs that each of them names or implies."""
    first, second = (_own_organs(parser, parser.parse(claim)) for claim in (cut.first, cut.second))
    return cut._replace(own_organs=(first, second), sites=() if second else cut.sites)


def _claims(
    parser: StatementParser, first: ParsedStatement, second: ParsedStatement, text: str, *, is_reading: bool = False
) -> IndependentClaims:
    own = (_own_organs(parser, first), _own_organs(parser, second))
    names_site = any(term.mention and not term.mention.place for term in second.terms)
    return IndependentClaims(
        first.text,
        text,
        () if own[1] else last_organ(first),
        last_organ(second) if names_site and not own[0] else (),
        (own[0], () if is_reading else own[1]),
        same_place=not all(own) or _are_related(parser, own[0], own[1]),
        is_reading=is_reading,
    )


def _are_related(parser: StatementParser, names: Sequence[str], others: Sequence[str]) -> bool:
    """Tell whether an organ is another one, or one is part of the other."""
    return any(parser.organ_finder.related(name, other) for name in names for other in others)


def _own_organs(parser: StatementParser, part: ParsedStatement) -> tuple[str, ...]:
    """Return the organs that a part names, or else those that its findings imply; a device lies in some other organ."""
    return last_organ(part) or implied_organs(parser, part.terms)


def _keep_their_terms(
    caption: ParsedStatement, end: int, start: int, first: ParsedStatement, second: ParsedStatement
) -> bool:
    """Tell whether both parts, up to and from a place in the text, mean what they do in the caption."""
    tokens = caption.tokens
    last = sum(token.end <= end for token in tokens)
    begin = sum(token.start < start for token in tokens)
    stop = len(tokens)
    return keeps_its_terms(caption, 0, last, first) and keeps_its_terms(caption, begin, stop, second)


def _stand_apart(parser: StatementParser, first: ParsedStatement, second: ParsedStatement, *, is_list: bool) -> bool:
    """Tell whether what stands behind a link is no feature of the finding before it, and shares no quality with it."""
    if not (says_something(first) and says_something(second)) or refers_back(second) or not first.terms:
        return False
    if first.terms[-1].kind in ("hedge", "negation") or any(term.kind == "negation" for term in second.terms):
        return False
    things = [term for term in second.terms if is_listed(term) or is_thing_by_name(term)]
    if not things or (is_listed(things[-1]) and ends_with_adjective(second)):
        return False
    if _ends_with_quality(first, second) or not RELATION_STEMS.isdisjoint((*second.stems, *first.stems[-1:])):
        return False
    if is_list and (ends_with_adjective(first) or has_shareable_grade(first.terms, second.terms)):
        return False
    heads = [term for term in first.terms if is_listed(term)]
    if not any(is_single_thing(term) for term in heads) or ends_with_adjective(first):
        return True
    own, others = _own_organs(parser, second), _own_organs(parser, first)
    return bool(own and others) and not _are_related(parser, own, others)


def _ends_with_quality(first: ParsedStatement, second: ParsedStatement) -> bool:
    """Tell whether a quality behind the second may be meant of the first too: "nodules and granulomas, new"."""
    kinds = {rivalry(term) for term in first.terms}
    head = max((term.end for term in second.terms if is_listed(term) or is_thing_by_name(term)), default=0)
    return any(
        term.start >= head and (kind := rivalry(term)) and (kind in TIED_KINDS or term.measure) and kind not in kinds
        for term in second.terms
    ) or any(term.kind == "hedge" and term.start >= head for term in second.terms)
