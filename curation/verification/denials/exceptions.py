"""Does a caption leave off that something is excepted from what it denies, or calls normal?

"The spleen is normal" follows neither from "the spleen is normal apart from a cyst" nor from "the spleen is otherwise
normal", wherever the cyst is told of; "the rest of the spleen is normal" follows from both. What is excepted is there:
"apart from a cyst" carries "cyst".
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from curation.caption import Reason
from curation.language.assertion import Polarity
from curation.language.denial_words import OTHER_WORDS
from curation.language.lexicon.lexicon import PhraseMatch
from curation.language.parsed_statement import ParsedStatement, Segment, Term
from curation.language.structure.clauses import Clause
from curation.language.word_lists import ARTICLES, COORDINATORS, LIST_JOINERS, REMAINDER_WORDS, SENTENCE_BREAKS

from ..organs import subject_organs
from ..refusals import RefusalCause
from ..status import UNREMARKABLE

Related = Callable[[str, str], bool]
"""Tells whether two organs are the same, or one is part of the other."""
# They stand with what is said: "is otherwise normal" …
_WITH_THE_PREDICATE = frozenset(("otherwise", "elsewhere"))
# … these with one thing that it is said of, and all others with a list: "the rest of the liver and spleen".
_ADJECTIVES = frozenset(("other", "remaining"))
_WORDS_OF_OTHERS = REMAINDER_WORDS | OTHER_WORDS
_WORDS_FOR_REMAINDERS = REMAINDER_WORDS | frozenset(("rest", "other"))


def dropped_exceptions(
    clause: Clause, index: int, caption: ParsedStatement, statement: ParsedStatement, organ: str, related: Related
) -> Iterator[RefusalCause]:
    """Yield a cause where segment ``index`` holds but for an exception that the caption does not speak of.

    ``organ`` is the one that the caption is filed under, ``related`` tells which organs have to do with each other.
    """
    if not _claims_all(clause.terms) or is_restricted(caption):
        return
    organs = subject_organs(clause.terms) or [organ]
    for match in statement.exceptions:
        if _is_excepted_from(match, index, statement) and _may_concern(match, organs, statement, related):
            yield RefusalCause(Reason.NEGATION, f"leaves off “{statement.text_between(match.start, match.end)} …”")
    if _WORDS_FOR_REMAINDERS.isdisjoint(statement.words):
        return
    for at, token in enumerate(statement.tokens):
        if _is_remainder(at, statement) and _holds_for(at, index, statement):
            if not _is_denied_besides(clause, at, statement):
                yield RefusalCause(Reason.NEGATION, f"leaves off “{token.word}”: not all is what the evidence is about")


def is_restricted(statement: ParsedStatement) -> bool:
    """Tell whether a statement says that there is something else than what it denies or calls normal."""
    return bool(statement.exceptions) or not _WORDS_OF_OTHERS.isdisjoint(statement.words)


def _claims_all(terms: Sequence[Term]) -> bool:
    """Tell whether terms deny something or call it normal, which an exception restricts."""
    return any((term.polarity == Polarity.NEGATED and term.kind != "negation") or _calls_normal(term) for term in terms)


def _calls_normal(term: Term) -> bool:
    return term.polarity == Polarity.AFFIRMED and (term.is_normality or term.key in UNREMARKABLE)


def _is_excepted_from(exception: PhraseMatch, index: int, statement: ParsedStatement) -> bool:
    """Tell whether an exception stands in the same sentence as segment ``index``, and is not that segment itself.

    What is excepted denies nothing by itself: "no renal mass, except for a small one".
    """
    segment = statement.segments[index]
    if segment.excepted and segment.start >= exception.end:
        return not _claims_all(segment.terms)
    first, last = sorted((exception.start, segment.start))
    return not any(token.word in SENTENCE_BREAKS for token in statement.tokens[first:last])


def _may_concern(exception: PhraseMatch, organs: Sequence[str], statement: ParsedStatement, related: Related) -> bool:
    """Tell whether an exception may be one from what is said of ``organs``.

    It is not where it is about another one of the organs of which the same is said: "liver and spleen are normal but
    for a splenic cyst" calls all of the liver normal.
    """
    excepted: list[str] = []
    listed: list[str] = []
    for segment in statement.segments:
        if segment.excepted and segment.start >= exception.end:
            excepted += subject_organs(segment.terms)
        elif not segment.excepted:
            listed += subject_organs(segment.terms)
    if not excepted or any(related(organ, name) for organ in organs for name in excepted):
        return True
    return not any(related(other, name) for other in listed for name in excepted)


def _is_remainder(at: int, statement: ParsedStatement) -> bool:
    word = statement.tokens[at].word
    if word == "rest":
        return at > 0 and statement.tokens[at - 1].word == "the"
    if word == "other":
        following = statement.tokens[at + 1 : at + 2]
        return bool(following) and following[0].word not in ("than", "hand")
    return word in REMAINDER_WORDS


def _holds_for(at: int, index: int, statement: ParsedStatement) -> bool:
    """Tell whether the "rest" or "otherwise" at token ``at`` restricts what segment ``index`` says."""
    segments, word = statement.segments, statement.tokens[at].word
    home = next((number for number, segment in enumerate(segments) if segment.start <= at < segment.end), None)
    if home is None:  # "Otherwise, no mass or cyst"
        home = next((number for number, segment in enumerate(segments) if segment.start > at), len(segments))
        return home <= index and not any(map(_opens_sentence, segments[home + 1 : index + 1]))
    if index >= home:
        joiners = COORDINATORS if word in _ADJECTIVES else LIST_JOINERS
        return all(_goes_on(home, number, joiners, statement) for number in range(home + 1, index + 1))
    return word in _WITH_THE_PREDICATE and all(
        segments[number].verb is None and _is_listed(segments[number + 1], LIST_JOINERS)
        for number in range(index, home)
    )


def _goes_on(home: int, index: int, joiners: frozenset[str], statement: ParsedStatement) -> bool:
    """Tell whether a "rest of" in segment ``home`` goes on in segment ``index``: "the rest of the liver and spleen".

    An article begins another subject, a heading has all that is under it.
    """
    segment = statement.segments[index]
    if any(other.joiner == ":" for other in statement.segments[home + 1 : index + 1]):
        return not _opens_sentence(segment)
    has_article = statement.tokens[segment.start].word in ARTICLES
    has_predicate = any(other.verb is not None for other in statement.segments[home:index])
    return _is_listed(segment, joiners) and not has_article and not (has_predicate and segment.verb is not None)


def _is_denied_besides(clause: Clause, at: int, statement: ParsedStatement) -> bool:
    """Tell whether a clause only denies what is denied behind "otherwise": "is otherwise normal without mass"."""
    if statement.tokens[at].word != "otherwise" or any(map(_calls_normal, clause.terms)):
        return False
    normal = next((term for term in statement.terms if term.start > at and _calls_normal(term)), None)
    cues = [term for term in statement.terms if term.kind == "negation"]
    return normal is not None and bool(cues) and all(cue.start >= normal.end for cue in cues)


def _opens_sentence(segment: Segment) -> bool:
    return not SENTENCE_BREAKS.isdisjoint(segment.joiner.split())


def _is_listed(segment: Segment, joiners: frozenset[str]) -> bool:
    return bool(segment.joiner) and joiners.issuperset(segment.joiner.split())
