"""Cuts of a caption into two claims that do not depend on each other, so that each may be verified by itself.

"Normal spleen with a small accessory spleen" is cut at "with", "a mass with calcification" is not: what is calcified
there is the mass. A claim depends on the other where a size, grade, time or doubt may be meant of both, where it goes
on about the other, or names no site and says what the other has.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

from curation.language.assertion import Polarity
from curation.language.parsed_statement import ParsedStatement, Term
from curation.language.parser import StatementParser
from curation.language.structure.clauses import rivalry
from curation.language.structure.usable_terms import is_whereabouts
from curation.language.tokens import stem

from ..answers import Spans
from ..report_statements import ReadReport, ReportStatement
from .hosts import is_adjective
from .references import refers_back

_JOINERS = frozenset(("with", "without", "and", "or", "but", ";", ",", "nor"))
_BEFORE_DENIAL = re.compile(r",?\s+(?=without\b|with no\b)|[,;]\s+(?:(?:and|but)\s+)?(?=no\b)", re.IGNORECASE)
_MEASURE_WORDS = frozenset(("measuring", "of", "at", "is", "measures", ",", "(", "now", "about", "approximately"))
_ENDS = frozenset((".", ")"))
# Findings that are a size of their organ: what measures 45 mm is the dilated vessel.
_SIZES_OF_ORGAN = frozenset(
    map(stem, ("dilatation", "dilation", "dilated", "ectasia", "ectatic", "enlargement", "enlarged", "distended"))
)
# Words that say what a finding does to something else, or what it comes from.
_RELATIONS = frozenset(
    map(
        stem,
        (
            "invasion invading invades infiltration infiltrating extension extending extends encasement encasing "
            "compression compressing displacement displacing effacement effacing involvement involving abutting "
            "causing caused due secondary resulting from because which that effect into onto through toward"
        ).split(),
    )
)
MOST_JOINERS = 20
"""A caption with more joiners than these is not cut: what it says would be tried in hundreds of pieces."""
_TIED_KINDS = frozenset(("severity", "size", "change", "quantity", "time", "extent", "density", "certainty"))


class IndependentClaims(NamedTuple):
    """Two claims of a caption. ``sites`` are the organs that the second is about, where only the first names them."""

    first: str
    second: str
    sites: tuple[str, ...] = ()


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
        if sum(token.word in _JOINERS for token in caption.tokens) > MOST_JOINERS:
            return ()
        cuts = [
            IndependentClaims(text[: match.start()], text[match.end() :]) for match in _BEFORE_DENIAL.finditer(text)
        ]
        cuts = [cut for cut in cuts if cut.first]
        cuts += [cut for at in range(1, len(caption.tokens) - 1) for cut in self._cut_at(caption, at)]
        return (*cuts, *self._size_of_organ(caption))

    def _cut_at(self, caption: ParsedStatement, at: int) -> Iterator[IndependentClaims]:
        tokens, joiner = caption.tokens, caption.tokens[at].word
        if joiner not in _JOINERS or tokens[at - 1].word in _JOINERS or _is_inside(caption.terms, at):
            return
        behind = at
        while behind < len(tokens) and tokens[behind].word in _JOINERS and tokens[behind].word != "without":
            behind += 1
        if behind >= len(tokens):
            return
        first, second = self._parts(caption, at, behind)
        if second is None:
            return
        cue = self._shared_cue(caption, first, at, behind)
        if cue:
            second = self._parser.parse(f"{cue} {second.text}")
        if not (_keeps(caption, 0, at, first) and _keeps(caption, behind, len(tokens), second)):
            return
        if _is_apart(joiner, caption.text, first, second, denies_both=bool(cue)):
            own = any(term.mention and not term.mention.place for term in second.terms)
            sites = () if own else _sites(first)
            yield IndependentClaims(first.text, second.text, sites)

    def _parts(self, caption: ParsedStatement, at: int, behind: int) -> tuple[ParsedStatement, ParsedStatement | None]:
        tokens = caption.tokens
        first = self._parser.parse(caption.text[: tokens[at - 1].end])
        second = self._parser.parse(caption.text[tokens[behind].start :])
        return first, second if second.terms else None

    def _shared_cue(self, caption: ParsedStatement, first: ParsedStatement, at: int, behind: int) -> str:
        """Return the cue of the denial that both parts of a list are under: "without" of "without stones or masses"."""
        cues = [term for term in first.terms if term.kind == "negation"]
        following = [term for term in caption.terms if term.start >= behind]
        if caption.tokens[at].word not in ("or", "and", ",") or not cues or len(cues) > 1:
            return ""
        if any(term.kind == "negation" for term in following) or not any(map(_is_denied, following)):
            return ""
        word = caption.tokens[cues[0].start].word
        return word if word in ("no", "without") and all(map(_is_denied, filter(_is_listed, following))) else ""

    def _size_of_organ(self, caption: ParsedStatement) -> Iterator[IndependentClaims]:
        """Yield a dilated or enlarged organ and its size apart: "Dilated ascending aorta, 45 mm"."""
        measures = [term for term in caption.terms if term.measure]
        sites = [term for term in caption.terms if term.mention and not term.mention.place]
        findings = [term for term in caption.terms if _is_listed(term)]
        if len(measures) != 1 or len(sites) != 1 or not findings or _is_doubted(caption):
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


def _keeps(caption: ParsedStatement, start: int, end: int, part: ParsedStatement) -> bool:
    """Tell whether the terms of a part are meant as in the caption: each is named, denied and doubted alike."""
    inside = [term for term in caption.terms if start <= term.start and term.end <= end]
    return [(term.key, term.polarity) for term in inside if term.kind not in ("negation", "hedge")] == [
        (term.key, term.polarity) for term in part.terms if term.kind not in ("negation", "hedge")
    ]


def _is_apart(joiner: str, text: str, first: ParsedStatement, second: ParsedStatement, *, denies_both: bool) -> bool:
    """Tell whether the second part of a caption means the same without the first, and the other way round."""
    if not (_says_something(first) and _says_something(second)) or refers_back(second):
        return False
    if denies_both:
        return True
    if not _RELATIONS.isdisjoint((*second.stems, *first.stems[-1:])):
        return False
    findings = [term for term in second.terms if _is_listed(term)]
    has_normality = any(term.is_normality for term in second.terms)
    if findings and all(map(_is_denied, findings)) and not has_normality and _opens_with_denial(second):
        return True
    if _is_doubted(first) or _is_doubted(second) or any(term.measure for term in second.terms if not findings):
        return False
    has_site = any(term.mention and not term.mention.place for term in second.terms)
    first_has_site = any(term.mention and not term.mention.place for term in first.terms)
    if joiner == ";":
        return bool(findings) or (has_site and has_normality)
    if joiner in ("with", "or", "nor", "without"):
        return joiner == "with" and has_site and not any(map(_is_listed, first.terms))
    if has_normality:
        return has_site and first_has_site
    if not findings and not _names_device(second):
        return False
    if has_shareable_grade(first.terms, second.terms) or _ends_with_adjective(first) or _ends_with_adjective(second):
        return False
    if has_site:
        return first_has_site
    return joiner == "and" and _is_noun_alone(second)


def _is_noun_alone(part: ParsedStatement) -> bool:
    """Tell whether a part is one noun phrase with nothing behind its noun that might be said of both: "and clips"."""
    nouns = [term for term in part.terms if _is_listed(term) or _names(term)]
    return len(nouns) == 1 and part.terms[-1] is nouns[0] and nouns[0].end >= len(part.tokens) - 1


def _opens_with_denial(part: ParsedStatement) -> bool:
    """Tell whether a part begins with the cue of its denial, so that it needs no other words: "no stones"."""
    return bool(part.terms) and part.terms[0].kind == "negation" and part.terms[0].start == 0


def _says_something(part: ParsedStatement) -> bool:
    """Tell whether a part says more than where."""
    graded_organ = any(term.kind == "modifier" for term in part.terms) and any(term.mention for term in part.terms)
    return graded_organ or any(_is_listed(term) or term.is_normality or _names(term) for term in part.terms)


def _is_listed(term: Term) -> bool:
    is_finding = term.kind == "finding" and not term.attribute and not term.is_normality
    return is_finding and term.entry is not None and not is_whereabouts(term)


def _names(term: Term) -> bool:
    return term.mention is not None and (term.mention.device or term.mention.finding)


def _names_device(part: ParsedStatement) -> bool:
    return any(map(_names, part.terms))


def _is_denied(term: Term) -> bool:
    return term.polarity == Polarity.NEGATED


def _is_doubted(part: ParsedStatement) -> bool:
    return any(
        term.kind == "hedge" or term.polarity not in (Polarity.AFFIRMED, Polarity.NEGATED) for term in part.terms
    )


def has_shareable_grade(first: Iterable[Term], second: Iterable[Term]) -> bool:
    """Tell whether a grade before the first noun may be meant of the second: "mild thickening and stranding"."""
    first, own = list(first), {rivalry(term) for term in second}
    head = next((term.start for term in first if _is_listed(term) or term.mention), first[-1].end if first else 0)
    return any(term.end <= head and (kind := rivalry(term)) in _TIED_KINDS and kind not in own for term in first)


def _ends_with_adjective(part: ParsedStatement) -> bool:
    """Tell whether a part has no noun of a finding: "calcified" of "calcified and enlarged nodes"."""
    findings = [term for term in part.terms if _is_listed(term)]
    return bool(findings) and is_adjective(part, findings[-1])


def is_denied_of_another(denying: Iterable[ReportStatement], first: Iterable[ReportStatement]) -> bool:
    """Tell whether statements deny something of a finding which is not the one that the statements ``first`` name.

    "A mass without calcification" does not follow from "2 cm mass without calcification", said of another mass.
    """
    numbers = {statement.number for statement in first}
    for statement in denying:
        for segment in statement.parse.segments if statement.number not in numbers else ():
            listed = [term for term in segment.terms if _is_listed(term)]
            if any(map(_is_denied, listed)) and not all(map(_is_denied, listed)):
                return True
    return False


def statements_in(report: ReadReport, spans: Spans) -> list[ReportStatement]:
    """Return the statements of a report that some of its passages hold."""
    return [
        statement
        for statement in report.statements
        if any(start <= statement.start and statement.end <= end for start, end in spans)
    ]


def _sites(part: ParsedStatement) -> tuple[str, ...]:
    """Return the organs that the last site of a part names."""
    sites = [term.mention for term in part.terms if term.mention and not term.mention.place]
    return sites[-1].names if sites else ()
