"""What a qualifier qualifies: in "mild stranding around a loop" "mild" qualifies the stranding, and not the loop.

Where a caption draws on several statements, a size, grade or property must be said there of what it is said of in the
caption.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from curation.language.parsed_statement import ParsedStatement, Segment, Term
from curation.language.structure.reference_words import DETERMINERS, PHRASE_ENDS
from curation.language.word_lists import ACCOMPANIMENTS, VERBS


def is_qualifier(statement: ParsedStatement, term: Term) -> bool:
    """Tell whether a term qualifies a thing and is none itself: a size, a grade, "calcified" before a noun."""
    if term.kind in ("modifier", "measure"):
        return True
    return term.kind == "finding" and (term.attribute or term.entry is None or is_adjective(statement, term))


def is_adjective(statement: ParsedStatement, term: Term) -> bool:
    """Tell whether a finding stands there as an adjective: "thickened", "enhancing lesion", but not "stranding"."""
    word = statement.tokens[term.end - 1].word
    if word.endswith("ing"):
        behind = [other for other in statement.terms if other.start == term.end and other.kind in ("finding", "organ")]
        return any(statement.tokens[other.start].word not in PHRASE_ENDS for other in behind)
    return word.endswith(_ADJECTIVE_ENDINGS)


_ADJECTIVE_ENDINGS = ("ed", "ic", "al", "ous", "ive", "ar", "ant", "ent", "oid", "ile", "ary")


def hosts_of(statement: ParsedStatement, segment: Segment, term: Term) -> frozenset[str]:
    """Return the keys of what a term of a segment may qualify: the noun behind it, or else the subject before it."""
    behind = _noun_behind(statement, segment, term)
    return frozenset(key for host in behind or _noun_before(statement, segment, term) for key in host_keys(host))


def subject_of(statement: ParsedStatement, segment: Segment) -> frozenset[str]:
    """Return the keys of the first thing that a segment names."""
    first = next((term for term in segment.terms if _is_noun(term) and not is_qualifier(statement, term)), None)
    if first is None:
        return frozenset()
    nouns = [first, *_noun_behind(statement, segment, first)] if first.mention else [first]
    return frozenset(key for noun in nouns for key in host_keys(noun))


def host_keys(term: Term) -> Iterable[str]:
    """Return the keys by which a thing is recognised in another statement."""
    nodes = ("lymph nodes",) if term.key.endswith("lymph nodes") else ()
    return (term.key, *term.parts, *nodes)


def _noun_behind(statement: ParsedStatement, segment: Segment, term: Term) -> Sequence[Term]:
    """Return the nouns of the phrase in which a term stands before them: "a thickened loop of jejunum"."""
    tokens, nouns = statement.tokens, list[Term]()
    at = term.end
    while at < segment.end:
        word = tokens[at].word
        if word in VERBS or (word in PHRASE_ENDS and (word != "of" or not nouns)):
            break
        covering = [other for other in segment.terms if other.start <= at < other.end and other.start >= term.end]
        starting = max(covering, key=lambda other: other.end, default=None)  # "renal cyst" begins inside "left renal"
        if starting is not None and starting.entry is None and _governs(statement, starting):
            break
        if starting is not None and _is_noun(starting):
            if nouns and tokens[at - 1].word != "of" and starting.start <= nouns[-1].end == at:
                nouns.pop()  # the last noun of a phrase is its head
            nouns.append(starting)
        at = starting.end if starting is not None else at + 1
    return nouns


def _governs(statement: ParsedStatement, term: Term) -> bool:
    """Tell whether an unlisted word stands before an article, as a verb does: "edema surrounds the loop"."""
    behind = statement.tokens[term.end : term.end + 1]
    return term.kind == "finding" and any(token.word in DETERMINERS for token in behind)


def _noun_before(statement: ParsedStatement, segment: Segment, term: Term) -> Sequence[Term]:
    """Return the noun of the subject, or of what the subject is said to have: "a mass with a rim, 3 mm"."""
    tokens = statement.tokens
    start = segment.start
    for at in range(segment.start, term.start):
        if tokens[at].word in ACCOMPANIMENTS:
            start = at + 1
    nouns: list[Term] = []
    for other in segment.terms:
        if other.start < start or other.end > term.start or not _is_noun(other):
            continue
        between = tokens[nouns[-1].end : other.start] if nouns else []
        if any(token.word in PHRASE_ENDS or token.word in VERBS for token in between):
            break
        if nouns and other.entry is None and _governs(statement, other):
            break
        nouns = [other]
    return nouns


def _is_noun(term: Term) -> bool:
    return term.kind in ("finding", "organ") and not term.is_normality and not term.attribute
