"""Does a caption deny more than its evidence, because it leaves off what narrows the denial?

"No nodule" does not follow from "no suspicious nodule". The other way round it does: a qualifier of what the caption
denies needs no evidence where the evidence denies the same without it (``denied_phrases.qualifiers_of_denied``).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from curation.caption import Reason
from curation.language.assertion import Polarity
from curation.language.denial_words import GENERAL_QUALIFIER_STEMS, OTHER_WORDS
from curation.language.parsed_statement import ParsedStatement, Term
from curation.language.structure.clauses import Clause
from curation.language.word_lists import VERBS

from ..refusals import RefusalCause
from .denied_parts import Qualifier, only_reports
from .denied_phrases import DeniedPhrase, coordination, denied_phrases, term_keys
from .exceptions import is_restricted


def widened_denials(
    clause: Clause, index: int, caption: ParsedStatement, statement: ParsedStatement
) -> Iterator[RefusalCause]:
    """Yield a cause where a clause of the caption leaves off what narrows the denial in segment ``index``."""
    denied = [term for term in clause.segment.terms if term.polarity == Polarity.NEGATED and term.kind != "negation"]
    if not denied:
        return
    wording = _Wording(clause, caption)
    phrases = _phrases_about(denied, wording.heads, index, denied_phrases(statement))
    if not phrases:
        return
    if wording.resolves:
        return  # what is gone was a certain one: "the mural thrombus is no longer seen"
    if wording.denies_findings and all(term.kind in ("organ", "side") for term in denied):
        return  # it only adds a place to a finding that another segment denies
    left_off = [next(_left_off(phrase, wording, statement), None) for phrase in phrases]
    first = left_off[0]
    if first is not None and None not in left_off:
        words = statement.text_between(*first)
        yield RefusalCause(Reason.MODIFIER, f"leaves off “{words}”, which narrows the denial")


class _Wording:
    """The words of a caption that may qualify what one of its clauses denies: those of the same list."""

    def __init__(self, clause: Clause, caption: ParsedStatement) -> None:
        index = next(at for at, segment in enumerate(caption.segments) if segment is clause.segment)
        segments = [caption.segments[at] for at in coordination(caption.segments, index)]
        terms = [*clause.terms, *(term for segment in segments for term in segment.terms)]
        self.denies_findings = any(term.kind == "finding" and term.polarity == Polarity.NEGATED for term in terms)
        heads = self.heads = [phrase.head for phrase in denied_phrases(caption) if phrase.segment == index]
        self.head_keys = {key for head in heads for key in (head.key, *head.parts[-1:])}
        self.keys = term_keys(terms)
        self.kinds = frozenset[str]().union(*(head.entry.kinds for head in heads if head.entry is not None))
        self.stems = {word for segment in segments for word in caption.stems[segment.start : segment.end]}
        self.measures = [term.measure for term in terms if term.measure is not None]
        self.words = self.keys | self.stems
        self.resolves = any(term.is_resolution for term in terms)
        self.is_restricted = is_restricted(caption)

    def has(self, qualifier: Qualifier | Term, statement: ParsedStatement) -> bool:
        """Tell whether a qualifier of the evidence is among them, by itself or in a synonym.

        What the caption denies may have it by its kind: a metastasis is malignant.
        """
        term = qualifier if isinstance(qualifier, Term) else qualifier.term
        if term is not None and term.measure is not None:
            return any(term.measure.carries(other) and other.carries(term.measure) for other in self.measures)
        if term is not None and term.key == "time:previous" and self.resolves:
            return True  # what has resolved was there before
        if term is not None:
            wordings = (*term.entry.wordings, term.parts) if term.entry else (term.parts,)
            if term.key in self.keys or (term.key in self.kinds and term.key not in GENERAL_QUALIFIER_STEMS):
                return True
            if any(wording and self.words.issuperset(wording) for wording in wordings):
                return True
        if self.is_restricted and statement.tokens[qualifier.start].word in OTHER_WORDS:
            return True
        words = {stem for stem in statement.stems[qualifier.start : qualifier.end] if stem[0].isalnum()}
        return self.stems.issuperset(words)


def _phrases_about(
    denied: Sequence[Term], heads: Sequence[Term], index: int, phrases: Sequence[DeniedPhrase]
) -> list[DeniedPhrase]:
    """Return the phrases that a caption may have drawn its ``denied`` terms from, those of segment ``index`` first.

    ``heads`` are what the caption denies.
    """
    findings = [term for term in denied if term.kind == "finding"]
    head_keys = {key for head in heads if head.kind == "finding" for key in (head.key, *head.parts[-1:])}
    for keys in (head_keys, term_keys(findings), term_keys(denied)):
        about = [phrase for phrase in phrases if not keys.isdisjoint(phrase.keys)]
        if about:
            return [phrase for phrase in about if phrase.segment == index] or about
    return [phrase for phrase in phrases if phrase.segment == index]


def _left_off(phrase: DeniedPhrase, wording: _Wording, statement: ParsedStatement) -> Iterator[tuple[int, int]]:
    """Yield the tokens of the evidence that a caption leaves off and without which more would be denied."""
    for alternatives in phrase.narrowed_by:
        if not any(wording.has(qualifier, statement) for qualifier in alternatives):
            yield alternatives[0].start, alternatives[0].end
    head = phrase.head
    beside = term_keys(term for term in phrase.terms if term is not head and term.kind == "finding")
    if head.kind == "finding" and not beside.isdisjoint(wording.head_keys) and not wording.has(head, statement):
        if not _is_opinion_on(head, statement):
            yield head.start, head.end
    yield from _words_left_off(head, wording, statement)


def _words_left_off(head: Term, wording: _Wording, statement: ParsedStatement) -> Iterator[tuple[int, int]]:
    """Yield the words of a compound of which a caption only has the others: "hiatal" of "no hiatal hernia".

    Words for an organ are compared where organs are.
    """
    if head.kind != "finding" or head.end - head.start < 2 or wording.has(head, statement):
        return
    names = [range(term.start, term.end) for term in statement.terms if term.mention and term is not head]
    rest = [at for at in range(head.start, head.end) if not wording.words & {statement.stems[at], *_part_at(head, at)}]
    if len(rest) == head.end - head.start:
        return
    for at in rest:
        if statement.tokens[at].word.isalpha() and not only_reports(at, statement):
            if not any(at in name for name in names):
                yield at, at + 1


def _part_at(term: Term, at: int) -> tuple[str, ...]:
    """Return the key of the word of a phrase that stands at a token, where all its words are parts."""
    index = at - term.start
    return term.parts[index : index + 1] if len(term.parts) == term.end - term.start else ()


def _is_opinion_on(head: Term, statement: ParsedStatement) -> bool:
    """Tell whether a finding only stands for another: "no lesion suspicious for metastasis" denies a metastasis.

    "No suspicious finding in favor of metastasis" denies only the suspicious ones.
    """
    hedges = (term.start for term in statement.terms if term.kind == "hedge")
    return any(
        start == head.end or (start == head.end + 1 and statement.tokens[head.end].word in VERBS) for start in hedges
    )
