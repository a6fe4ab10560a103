"""Candidates for a site's own words: what a refused caption has and its evidence lacks, beside the opposite.

"Opal veil in the left lung", refused for "Milk glass in the left lung", makes "opal veil" and "milk glass" a pair.
That they mean the same is a guess: ``trials.py`` tells what it would save, and a person whether it is right.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Literal, NamedTuple

from curation.language.lexicon.checks import PHRASE
from curation.language.parsed_statement import ParsedStatement, Term
from curation.language.word_lists import FUNCTION_WORDS, SIDES
from curation.verification.report_statements import ReadReport
from curation.verification.verifier import Verifier

STATEMENTS = 2
"""Statements of a report that a refused caption is compared with where the verifier names no nearest one."""
MOST_PAIRS = 24
"""Pairs from one refused caption; one with more has little to do with what it is compared with."""
LONGEST_PHRASE = 4
"""Words of a phrase."""

CandidateKind = Literal["synonyms", "organs"]


class Candidate(NamedTuple):
    """Two phrases that may mean the same.

    Of synonyms ``first`` stands in the report and ``second`` in the caption; of organs ``first`` is the canonical name
    of one that we know, and ``second`` what may be another name of it.
    """

    kind: CandidateKind
    first: str
    second: str


class _Passage(NamedTuple):
    """A phrase of a statement, and whether the lexicon lists none of its words."""

    phrase: str
    unknown: bool


def candidates_of(verifier: Verifier, report: ReadReport, organ: str, caption: str) -> list[Candidate]:
    """Return the pairs of phrases that may be behind a refusal, each once; none where the caption is accepted."""
    verification = verifier.verify(report, organ, caption)
    if verification.accepted:
        return []
    claim = verifier.parser.parse(caption)
    unknown_organ = verifier.resolve(organ.strip()) is None
    nearest = (verification.start, verification.end) if verification.nearest else None
    pairs: dict[Candidate, None] = {}
    for evidence in _statements(report, claim, nearest):
        if unknown_organ:
            pairs.update(dict.fromkeys(_names_for(organ, evidence)))
            continue
        pairs.update(dict.fromkeys(_pairs(claim, evidence)))
    return list(pairs) if len(pairs) <= MOST_PAIRS else []


def _statements(report: ReadReport, claim: ParsedStatement, nearest: tuple[int, int] | None) -> list[ParsedStatement]:
    """Return the statements to compare a caption with: the nearest one, else those that share most words with it."""
    statements = [statement for statement in report.statements if not statement.heading]
    if nearest is not None:
        inside = [s.parse for s in statements if nearest[0] <= s.start and s.end <= nearest[1]]
        if inside:
            return inside[:STATEMENTS]
    words = {token.stem for token in claim.tokens if token.word not in FUNCTION_WORDS}
    shared = [(len(words.intersection(s.parse.stems)), -s.number, s.parse) for s in statements]
    best = sorted((row for row in shared if row[0]), key=lambda row: row[:2], reverse=True)
    return [parse for _, _, parse in best[:STATEMENTS]]


def _names_for(name: str, evidence: ParsedStatement) -> Iterator[Candidate]:
    """Yield each organ of the evidence with a name that we do not know."""
    phrase = " ".join(name.lower().replace("-", " ").split())
    if PHRASE.fullmatch(phrase):
        for term in evidence.terms:
            if term.mention and len(term.mention.names) == 1:
                yield Candidate("organs", term.key, phrase)


def _pairs(claim: ParsedStatement, evidence: ParsedStatement) -> Iterator[Candidate]:
    claimed, offered = list(_unmatched(claim, evidence)), list(_unmatched(evidence, claim))
    for phrase, _ in claimed:
        for other, _ in offered:
            yield Candidate("synonyms", other, phrase)
    for organ in _organs_missing(claim, evidence):
        yield from (Candidate("organs", organ, phrase) for phrase, unknown in offered if unknown)
    for organ in _organs_missing(evidence, claim):
        yield from (Candidate("organs", organ, phrase) for phrase, unknown in claimed if unknown)


def _organs_missing(statement: ParsedStatement, other: ParsedStatement) -> list[str]:
    """Return the organs that one statement names and the other does not."""
    named = {name for term in other.terms if term.mention for name in term.mention.names}
    organs = [term.mention.names for term in statement.terms if term.mention]
    return [names[0] for names in organs if len(names) == 1 and names[0] not in named]


def _unmatched(statement: ParsedStatement, other: ParsedStatement) -> Iterator[_Passage]:
    """Yield the findings and qualifiers of a statement that the other lacks, each alone and where they touch."""
    keys = {key for term in other.terms for key in (term.key, *term.parts)}.union(other.stems)
    lacking = [term for term in statement.terms if term.kind in ("finding", "modifier") and not _is_in(term, keys)]
    for run in _runs(statement, lacking):
        for first in range(len(run)):
            for last in range(first, len(run)):
                words = [token.word for token in statement.tokens[run[first].start : run[last].end]]
                phrase = " ".join(word for word in words if word[0].isalnum())
                if _may_be_a_phrase(phrase):
                    yield _Passage(phrase, all(term.entry is None for term in run[first : last + 1]))


def _is_in(term: Term, keys: set[str]) -> bool:
    return term.key in keys or (bool(term.parts) and keys.issuperset(term.parts))


def _runs(statement: ParsedStatement, terms: Iterable[Term]) -> list[list[Term]]:
    """Return the terms in runs of those that touch, or have only a mark between them: "opal-veil"."""
    runs: list[list[Term]] = []
    for term in terms:
        between = statement.tokens[runs[-1][-1].end : term.start] if runs else []
        if runs and all(token.word == "-" for token in between) and term.start >= runs[-1][-1].end:
            runs[-1].append(term)
        else:
            runs.append([term])
    return runs


def _may_be_a_phrase(phrase: str) -> bool:
    words: Sequence[str] = phrase.split()
    return (
        0 < len(words) <= LONGEST_PHRASE
        and PHRASE.fullmatch(phrase) is not None
        and not all(word in FUNCTION_WORDS or word in SIDES or word.isdigit() for word in words)
    )
