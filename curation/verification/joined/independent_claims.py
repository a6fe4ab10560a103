"""Cuts of a caption into two claims that do not depend on each other, so that each may be verified by itself.

"Normal spleen with a small accessory spleen" is cut at "with", "a mass with calcification" is not: what is calcified
there is the mass. A claim depends on the other where a size, grade, time or doubt may be meant of both, where it goes
on about the other, or names no site and says what the other has.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache

from curation.language.parsed_statement import ParsedStatement, Term
from curation.language.parser import StatementParser
from curation.language.tokens import stem

from .caption_parts import (
    RELATION_STEMS,
    ends_with_adjective,
    has_shareable_grade,
    is_denied,
    is_doubted,
    is_listed,
    is_noun_alone,
    keeps_its_terms,
    last_site,
    names_device,
    opens_with_denial,
    says_something,
)
from .linked_claims import IndependentClaims, linked_claims, with_own_organs
from .references import refers_back

_JOINERS = frozenset(("with", "without", "and", "or", "but", ";", ",", "nor"))
_BEFORE_DENIAL = re.compile(r",?\s+(?=without\b|with no\b)|[,;]\s+(?:(?:and|but)\s+)?(?=no\b)", re.IGNORECASE)
_MEASURE_WORDS = frozenset(("measuring", "of", "at", "is", "measures", ",", "(", "now", "about", "approximately"))
_ENDS = frozenset((".", ")"))
# Findings that are a size of their organ: what measures 45 mm is the dilated vessel.
_SIZES_OF_ORGAN = frozenset(
    map(stem, ("dilatation", "dilation", "dilated", "ectasia", "ectatic", "enlargement", "enlarged", "distended"))
)
MOST_JOINERS = 20
"""A caption with more joiners than these is not cut: what it says would be tried in hundreds of pieces."""


class ClaimCutter:
    """Cuts captions into claims that are independent of each other."""

    def __init__(self, parser: StatementParser) -> None:
        self._parser = parser
        self._cached_cuts = lru_cache(maxsize=2_000)(self._cuts)

    def cuts(self, caption: str) -> tuple[IndependentClaims, ...]:
        """Return the ways to cut a caption in two independent claims, in the order of the cuts."""
        return self._cached_cuts(caption)

    def _cuts(self, text: str) -> tuple[IndependentClaims, ...]:
        caption = self._parser.parse(text)
        joiners = [at for at, token in enumerate(caption.tokens) if token.word in _JOINERS]
        if len(joiners) > MOST_JOINERS:
            return ()
        cuts = [
            IndependentClaims(text[: match.start()], text[match.end() :]) for match in _BEFORE_DENIAL.finditer(text)
        ]
        cuts = [cut for cut in cuts if cut.first]
        cuts += [cut for at in joiners if 0 < at < len(caption.tokens) - 1 for cut in self._cut_at(caption, at)]
        cuts = [with_own_organs(self._parser, cut) for cut in cuts]
        return (*cuts, *self._size_of_organ(caption), *linked_claims(self._parser, caption))

    def _cut_at(self, caption: ParsedStatement, at: int) -> Iterator[IndependentClaims]:
        tokens, joiner = caption.tokens, caption.tokens[at].word
        if tokens[at - 1].word in _JOINERS or _is_inside(caption.terms, at):
            return
        behind = at
        while behind < len(tokens) and tokens[behind].word in _JOINERS and tokens[behind].word != "without":
            behind += 1
        if behind >= len(tokens):
            return
        first = self._parser.parse(caption.text[: tokens[at - 1].end])
        if not keeps_its_terms(caption, 0, at, first) or not says_something(first):
            return
        cue, rest = self._shared_cue(caption, first, at, behind), caption.text[tokens[behind].start :]
        second = self._parser.parse(f"{cue} {rest}" if cue else rest)
        if not second.terms or not keeps_its_terms(caption, behind, len(tokens), second):
            return
        if _is_apart(joiner, caption.text, first, second, denies_both=bool(cue)):
            own = any(term.mention and not term.mention.place for term in second.terms)
            sites = () if own else last_site(first)
            yield IndependentClaims(first.text, second.text, sites)

    def _shared_cue(self, caption: ParsedStatement, first: ParsedStatement, at: int, behind: int) -> str:
        """Return the cue of the denial that both parts of a list are under: "without" of "without stones or masses"."""
        cues = [term for term in first.terms if term.kind == "negation"]
        following = [term for term in caption.terms if term.start >= behind]
        if caption.tokens[at].word not in ("or", "and", ",") or not cues or len(cues) > 1:
            return ""
        if any(term.kind == "negation" for term in following) or not any(map(is_denied, following)):
            return ""
        word = caption.tokens[cues[0].start].word
        return word if word in ("no", "without") and all(map(is_denied, filter(is_listed, following))) else ""

    def _size_of_organ(self, caption: ParsedStatement) -> Iterator[IndependentClaims]:
        """Yield a dilated or enlarged organ and its size apart: "Dilated ascending aorta, 45 mm"."""
        measures = [term for term in caption.terms if term.measure]
        sites = [term for term in caption.terms if term.mention and not term.mention.place]
        findings = [term for term in caption.terms if is_listed(term)]
        if len(measures) != 1 or len(sites) != 1 or not findings or is_doubted(caption):
            return
        measure, site = measures[0], sites[0]
        if measure.measure is None or measure.measure.kind != "length" or site.end > measure.start:
            return
        tokens = caption.tokens
        last = len(tokens) - sum(token.word in _ENDS for token in tokens[measure.end :])
        start = measure.start
        while start > site.end and tokens[start - 1].word in _MEASURE_WORDS:
            start -= 1
        names = {word for finding in findings for word in caption.stems[finding.start : finding.end]}
        if last != measure.end or start == measure.start or names.isdisjoint(_SIZES_OF_ORGAN):
            return
        if caption.stems[findings[-1].end - 1] not in _SIZES_OF_ORGAN:
            return
        rest = caption.text[: tokens[start - 1].end] if start else ""
        size = f"{caption.text_of(site)} {caption.text_of(measure)}"
        yield IndependentClaims(rest, size)


def _is_inside(terms: Sequence[Term], at: int) -> bool:
    """Tell whether a token stands within a term that is no cue."""
    return any(term.start <= at < term.end and term.kind != "negation" for term in terms)


def _is_apart(joiner: str, text: str, first: ParsedStatement, second: ParsedStatement, *, denies_both: bool) -> bool:
    """Tell whether the second part of a caption means the same without the first, and the other way round."""
    if not (says_something(first) and says_something(second)) or refers_back(second):
        return False
    if denies_both:
        return True
    if not RELATION_STEMS.isdisjoint((*second.stems, *first.stems[-1:])):
        return False
    findings = [term for term in second.terms if is_listed(term)]
    has_normality = any(term.is_normality for term in second.terms)
    if findings and all(map(is_denied, findings)) and not has_normality and opens_with_denial(second):
        return True
    if is_doubted(first) or is_doubted(second) or any(term.measure for term in second.terms if not findings):
        return False
    has_site = any(term.mention and not term.mention.place for term in second.terms)
    first_has_site = any(term.mention and not term.mention.place for term in first.terms)
    if joiner == ";":
        return bool(findings) or (has_site and has_normality)
    if joiner in ("with", "or", "nor", "without"):
        return joiner == "with" and has_site and not any(map(is_listed, first.terms))
    if has_normality:
        return has_site and first_has_site
    if not findings and not names_device(second):
        return False
    if has_shareable_grade(first.terms, second.terms) or ends_with_adjective(first) or ends_with_adjective(second):
        return False
    if has_site:
        return first_has_site
    return joiner == "and" and is_noun_alone(second)
