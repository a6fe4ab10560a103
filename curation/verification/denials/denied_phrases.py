"""Noun phrases that a statement denies, and what narrows each of them: "no suspicious nodule above 5 mm".

Less is denied with a qualifier than without: "no new nodule" leaves room for old ones. So everything that stands with
the denied finding narrows it, whether the lexicon knows the word or not, apart from the few words that only report.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

from curation.language.assertion import Polarity
from curation.language.denial_words import ADJECTIVE_ENDINGS, GENERAL_QUALIFIER_STEMS, IMPLIES_ANOTHER_STEMS
from curation.language.parsed_statement import ParsedStatement, Segment, Term
from curation.language.structure.clauses import Clause

from .denied_parts import DeniedPart, Qualifier, are_listed, continues_list, denied_parts, only_reports

# Kinds of qualifiers that fit any finding, so that the first one of a list may hold for all of it.
_GENERAL_MODIFIERS = frozenset(("time", "severity", "size"))
# Qualifiers that say that there is or was another finding of the kind.
_EARLIER_TIMES = (
    "stable increased progressed worsened decreased regressed improved resolved previous persistent recurrent residual"
)
_IMPLY_ANOTHER = frozenset(f"time:{name}" for name in _EARLIER_TIMES.split())


class DeniedPhrase(NamedTuple):
    """The terms of one segment of a statement that one cue denies.

    ``head`` is the finding (or organ) that the phrase is about; of each tuple in ``narrowed_by`` one qualifier is
    enough, for they are alternatives ("no new or enlarging nodule"). ``before`` are qualifiers before the head.
    """

    segment: int
    terms: tuple[Term, ...]
    head: Term
    before: tuple[Term, ...]
    narrowed_by: tuple[tuple[Qualifier, ...], ...]

    @property
    def keys(self) -> set[str]:
        """What its terms and their parts mean."""
        return term_keys(self.terms)


def denied_phrases(statement: ParsedStatement) -> tuple[DeniedPhrase, ...]:
    """Return the phrases of a statement that are denied, in order."""
    return _cached_denied_phrases(statement)


def qualifiers_of_denied(clause: Clause, caption: ParsedStatement) -> Iterator[Term]:
    """Yield the qualifiers before what a clause of a caption denies, which needs no evidence for them.

    "No suspicious nodule" follows from "no nodule". It does not where the qualifier says that there is or was such a
    finding: "no residual stone", "no other cyst".
    """
    if all(term.polarity != Polarity.NEGATED for term in clause.segment.terms):
        return
    for phrase in denied_phrases(caption):
        segment = caption.segments[phrase.segment]
        if segment is clause.segment and phrase.head.kind == "finding" and not phrase.head.attribute:
            yield from (term for term in phrase.before if _only_narrows(term, caption))
            yield from (term for term in phrase.terms if term.measure is not None and term.measure.bound == ">")


def _only_narrows(term: Term, caption: ParsedStatement) -> bool:
    if term.key in IMPLIES_ANOTHER_STEMS or term.key in _IMPLY_ANOTHER:
        return False
    is_finding = term.kind == "finding" and not term.is_normality
    return term.kind == "modifier" or (is_finding and caption.tokens[term.end - 1].word.endswith(ADJECTIVE_ENDINGS))


def coordination(segments: Sequence[Segment], index: int) -> range:
    """Return the segments that are listed with one of them under the same denial: "no nodule, mass or cyst"."""
    first = index
    while first and continues_list(segments[first]):
        first -= 1
    last = index
    while last + 1 < len(segments) and continues_list(segments[last + 1]):
        last += 1
    return range(first, last + 1)


@lru_cache(maxsize=2_048)
def _cached_denied_phrases(statement: ParsedStatement) -> tuple[DeniedPhrase, ...]:
    parts = denied_parts(statement)
    return tuple(
        _phrase(parts, at, statement)
        for at, part in enumerate(parts)
        if (part.core or part.after) and not _lends_qualifiers(parts, at, statement.segments)
    )


def _lends_qualifiers(parts: Sequence[DeniedPart], at: int, segments: Sequence[Segment]) -> bool:
    return parts[at].is_headless and at + 1 < len(parts) and are_listed(parts[at], parts[at + 1], segments)


def _phrase(parts: Sequence[DeniedPart], at: int, statement: ParsedStatement) -> DeniedPhrase:
    part = parts[at]
    terms = part.core + part.after
    head = _head(part.core or terms[:1])
    groups: list[tuple[Qualifier, ...]] = [(word,) for word in part.cue_words]
    for term in terms:
        if not _overlap(term, head) and _narrows(term, statement):
            last = groups[-1][-1].end if groups else 0
            if last == term.start - 1 and statement.tokens[last].word in ("or", "/"):
                groups[-1] = (*groups[-1], _qualifier(term))  # "no calcified or enhancing mass"
            else:
                groups.append((_qualifier(term),))
    shared: list[tuple[Qualifier, ...]] = []
    for earlier in _listed_before(parts, at, statement.segments):
        if earlier.is_headless and any(term.mention for term in earlier.core):
            if not shared and not groups:  # "no suspicious hepatic or splenic lesion"
                shared += [(word,) for word in earlier.cue_words]
                shared += [(_qualifier(term),) for term in earlier.core if _narrows(term, statement)]
        elif earlier.is_headless:
            qualifiers = [*earlier.cue_words, *map(_qualifier, earlier.core)]
            option = qualifiers.pop()
            shared += [(qualifier,) for qualifier in qualifiers]  # "no suspicious lytic or blastic lesion"
            own = groups.pop(0) if groups else (_qualifier(head),) if head.end - head.start > 1 else ()
            groups.insert(0, (*own, option))
        elif len(part.core) < 2 and not part.cue_words:
            general = [word for word in earlier.cue_words if statement.stems[word.start] in GENERAL_QUALIFIER_STEMS]
            general += [_qualifier(term) for term in earlier.core[:-1] if _fits_any_finding(term)]
            groups += [(qualifier,) for qualifier in general]
    groups += shared
    if not any(_narrows(term, statement) for term in part.after):
        for later in _listed_behind(parts, at, statement.segments):
            groups += [(_qualifier(term),) for term in later.after if _narrows(term, statement)]
    before = tuple(term for term in part.core if not _overlap(term, head))
    return DeniedPhrase(part.segment, terms, head, before, tuple(groups))


def _head(core: Sequence[Term]) -> Term:
    """Return what a phrase is about: the last term, and of an organ's name that is a finding as well, the finding."""
    last = core[-1]
    return next((term for term in core if term.kind == "finding" and _overlap(term, last)), last)


def _overlap(first: Term, second: Term) -> bool:
    return first.start < second.end and second.start < first.end


def _qualifier(term: Term) -> Qualifier:
    return Qualifier(term.start, term.end, term)


def _listed_before(parts: Sequence[DeniedPart], at: int, segments: Sequence[Segment]) -> Iterator[DeniedPart]:
    """Yield the members that a member of a list may share a qualifier with, the nearest first."""
    while at and are_listed(parts[at - 1], parts[at], segments):
        at -= 1
        yield parts[at]
        if not parts[at].is_headless:
            return


def _listed_behind(parts: Sequence[DeniedPart], at: int, segments: Sequence[Segment]) -> Iterator[DeniedPart]:
    """Yield the members behind which a qualifier of a whole list may stand: "no nodule or mass above 5 mm"."""
    while at + 1 < len(parts) and (
        _is_listed_place(parts[at + 1], segments)
        or (parts[at + 1].core and are_listed(parts[at], parts[at + 1], segments))
    ):
        at += 1
        yield parts[at]


def _is_listed_place(part: DeniedPart, segments: Sequence[Segment]) -> bool:
    """Tell whether a part only adds another place: "no node in the axilla, neck (and in the groin above 5 mm)"."""
    if not continues_list(segments[part.segment]) or not (part.core or segments[part.segment].preposed):
        return False
    return all(term.kind in ("organ", "side") for term in part.core or part.after[:1])


def _narrows(term: Term, statement: ParsedStatement) -> bool:
    """Tell whether less is denied with a term than without it. Sides and organs are compared where organs are."""
    if term.mention is not None:
        return term.mention.place and not term.mention.finding
    if term.measure is not None:
        return term.measure.narrows_denial
    if term.kind in ("side", "hedge") or (term.entry is not None and term.entry.flags & {"reporting", "limitation"}):
        return False
    return not all(only_reports(at, statement) for at in range(term.start, term.end))


def _fits_any_finding(term: Term) -> bool:
    if term.kind == "modifier" and term.entry is not None:
        return term.entry.modifier in _GENERAL_MODIFIERS
    return term.key in GENERAL_QUALIFIER_STEMS


def term_keys(terms: Iterable[Term]) -> set[str]:
    """Return what terms and their parts mean."""
    return {key for term in terms for key in (term.key, *term.parts)}
