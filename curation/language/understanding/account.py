"""How much of a statement was understood: the words on which what it says rests, where we do not know them.

Every word of a statement is an organ, a finding, a qualifier, a cue or a measure; one that the lexicon does not list is
known too where it is a word of grammar or general English (``general_words.py``), or names a finding by its ending
("-itis"). Of the others it depends where they stand in their passage whether they can turn its meaning. They cannot

- as qualifiers of a finding that is known, affirmed or denied: "a ropy cyst" is a cyst, "no ropy cyst" no such cyst;
- as what is called normal, or the place where it is, in a passage that names its organ: "the spleen's girth is normal";
- beside what is said to be larger, smaller, denser in a passage that names its organ.

They can, and the passage rests on them,

- where nothing else says anything: "the spleen is oblique", "crossed displacement of the kidney";
- as a noun before "of" and a finding: "dispersal of the clot", and as all that is said of one: "the clot has dispersed";
- as a verb between an organ and a finding, where there is no other: "the liver lacks cysts";
- right before a word of normality, or behind it where it names no organ: "barely normal", "given the normal lipase";
- as the noun of a grade: "mild ropiness".
"""

from __future__ import annotations

from collections.abc import Sequence

from ..assertion import Polarity
from ..parsed_statement import ParsedStatement, Term
from ..structure.usable_terms import is_whereabouts
from ..word_lists import ARTICLES, AUXILIARIES, NEUTRAL_STEMS, REPORTING_STEMS, VERBS
from .general_words import FINDING_ENDINGS, GENERAL_STEMS, NO_FINDINGS_BY_ENDING
from .passages import StatementPassage


def is_unknown(term: Term) -> bool:
    """Tell whether a term is a word that we do not know."""
    if term.kind != "finding" or term.entry is not None or term.attribute or not term.key[0].isalpha():
        return False
    return not (
        is_whereabouts(term)
        or term.key in GENERAL_STEMS
        or term.key in NEUTRAL_STEMS
        or term.key in REPORTING_STEMS
        or len(term.key) == 1
    )


def is_finding_by_ending(statement: ParsedStatement, term: Term) -> bool:
    """Tell whether a word that the lexicon does not list names a finding by its ending: "panniculitis"."""
    if term.kind != "finding" or term.entry is not None:
        return False
    word = statement.tokens[term.end - 1].word
    return word.endswith(FINDING_ENDINGS) and not word.endswith(NO_FINDINGS_BY_ENDING)


def words_not_understood(statement: ParsedStatement, passage: StatementPassage) -> list[Term]:
    """Return the unknown words on which a passage rests; none where what it says does not depend on them."""
    unknown = [t for t in passage.own if is_unknown(t) and not is_finding_by_ending(statement, t)]
    if not unknown:
        return []
    findings = [term for term in passage.terms if _is_known_finding(statement, term)]
    if findings:
        return [term for term in unknown if _governs(statement, passage, term, findings)]
    normal = [term for term in passage.terms if term.is_normality]
    if normal:
        return [term for term in unknown if _turns_normality(statement, passage, term, normal)]
    qualities = [term for term in passage.terms if term.kind == "modifier"]
    if qualities and passage.names_site and _has_own_property(passage):
        return []
    if qualities and passage.names_site:
        return [term for term in unknown if not _is_before_all(term, qualities)]
    return unknown


def _is_known_finding(statement: ParsedStatement, term: Term) -> bool:
    if term.mention is not None:
        return term.mention.device or term.mention.finding
    if term.kind != "finding" or term.attribute or term.is_normality:
        return False
    return (term.entry is not None) or is_finding_by_ending(statement, term)


def _has_own_property(passage: StatementPassage) -> bool:
    return any(term.attribute for term in passage.own)


def _is_before_all(term: Term, others: Sequence[Term]) -> bool:
    return all(term.end <= other.start for other in others)


def _governs(statement: ParsedStatement, passage: StatementPassage, term: Term, findings: Sequence[Term]) -> bool:
    """Tell whether an unknown word says what became of a finding, or whether it is there."""
    tokens = statement.tokens
    before = [finding for finding in findings if finding.end <= term.start]
    behind = [finding for finding in findings if finding.start >= term.end]
    following = tokens[term.end].word if term.end < passage.end else ""
    if behind and not before and following == "of":
        return True  # "dispersal of the clot"
    previous = tokens[term.start - 1].word if term.start > passage.start else ""
    if before and not behind and previous in AUXILIARIES:
        last = max(finding.end for finding in before)
        return not any(last <= t.start < term.start and t.kind in ("modifier", "hedge", "negation") for t in passage.own)
    if passage.has_verb or not behind or before:
        return False
    is_behind_organ = any(site.end == term.start and not site.mention.adjective for site in passage.own if site.mention)
    word = tokens[term.start].word
    return is_behind_organ and word.endswith("s") and not word.endswith(("ss", "us", "is"))


def _turns_normality(statement: ParsedStatement, passage: StatementPassage, term: Term, normal: Sequence[Term]) -> bool:
    """Tell whether an unknown word may take back that something is normal, or make it a thing of its own."""
    tokens = statement.tokens
    if all(other.polarity == Polarity.NEGATED for other in normal):
        return False
    if any(term.end == other.start for other in normal):
        return tokens[term.start].word.endswith("ly") or _is_behind_verb(statement, passage, term)
    if not passage.names_site:
        return True
    before = [other for other in normal if other.end <= term.start]
    if not before:
        return False
    between = [token.word for token in tokens[before[-1].end : term.start]]
    return any(word in VERBS for word in between)


def _is_behind_verb(statement: ParsedStatement, passage: StatementPassage, term: Term) -> bool:
    return any(statement.tokens[index].word in VERBS for index in range(passage.start, term.start))


__all__ = ["is_finding_by_ending", "is_unknown", "words_not_understood", "ARTICLES"]
