"""What of a claim was understood: a claim rests on known words, or no caption is made of it.

Of a claim with several clauses those that were not understood are left out, unless they only qualify a finding.
``curation/language/understanding/account.py`` tells on which words a passage rests.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import NamedTuple

from curation.language.assertion import Polarity
from curation.language.forms.findings import is_noun_finding
from curation.language.numbers.scores import grades_by_number
from curation.language.parsed_statement import ParsedStatement, Term
from curation.language.structure.clauses import Clause
from curation.language.understanding.account import PassageAccount, account_of, is_unknown_word
from curation.language.understanding.passages import passages_in, passages_of
from curation.verification.report_statements import ReportStatement
from prompts.vocabulary import Vocabulary

from .caption_wording import OrganClaim
from .claimed_organs import KINDS_OF_ORGANS

_ADJECTIVE_ENDINGS = (
    "ed",
    "ing",
    "al",
    "ic",
    "ous",
    "ive",
    "ar",
    "ary",
    "ent",
    "ant",
    "able",
    "ible",
    "oid",
    "ful",
    "less",
)

# They name a side by another that is named elsewhere.
_OF_THE_OTHER_SIDE = frozenset(("contralateral", "ipsilateral", "contralaterally", "ipsilaterally"))


class UnderstoodClaim(NamedTuple):
    """What of a claim was understood, None for nothing, and the words that were not, with their clauses."""

    claim: OrganClaim | None
    unknown: tuple[Term, ...]
    left_out: tuple[Clause, ...]


def understood_part(
    claim: OrganClaim, statement: ParsedStatement, vocabulary: Vocabulary, *, from_context: bool = False
) -> UnderstoodClaim:
    """Return the part of a claim that was understood.

    Of "The liver is normal, the bile duct frobnicated" the claim about the liver is; "The spleen is lopsided" is not.
    A clause that was not understood may stay where it only qualifies a finding that is there, or where it denies.
    ``from_context``: the statement names no organ, so that an unknown word may be the name of another: behind what is
    said of the bladder, "appy normal" is not about it.
    """
    strangers = tuple(term for term in statement.terms if _may_name_an_organ(statement, term)) if from_context else ()
    strangers = strangers or _unknown_subject(claim, statement)
    if strangers:
        return UnderstoodClaim(None, strangers, claim.clauses)
    accounts = {clause: _accounts(clause, statement) for clause in claim.clauses}
    everything = [account for of_clause in accounts.values() for account in of_clause]
    understood = [account for account in everything if account.says_something and not account.unknown]
    unknown = [term for account in everything for term in account.unknown]
    is_denied = any(term.polarity == Polarity.NEGATED for term in unknown)
    if not understood and not is_denied and _has_finding_elsewhere(claim, statement, vocabulary):
        return UnderstoodClaim(claim, (), ())
    if not understood:
        return UnderstoodClaim(None, tuple(unknown or _words_without_meaning(claim)), claim.clauses)
    if not unknown:
        return UnderstoodClaim(claim, (), ())
    affirms = any(account.affirms_finding for account in understood)
    left_out = [clause for clause, of_clause in accounts.items() if _turns(clause, of_clause, affirms)]
    kept = [clause for clause in claim.clauses if clause not in left_out]
    if claim.term is not None and any(claim.term in clause.segment.terms for clause in left_out):
        kept = [clause for clause in kept if clause.segment.start > claim.term.start]  # "No clot, aorta frobnicated"
    if not any(account in understood for clause in kept for account in accounts[clause]):
        return UnderstoodClaim(None, tuple(unknown), claim.clauses)
    terms = tuple(term for clause in left_out for account in accounts[clause] for term in account.unknown)
    return UnderstoodClaim(replace(claim, clauses=tuple(kept)), terms, tuple(left_out))


def _may_name_an_organ(statement: ParsedStatement, term: Term) -> bool:
    """Tell whether a term is an unknown word that is no adjective: "appy", unlike "occupying"."""
    word = statement.tokens[term.end - 1].word
    return is_unknown_word(statement, term) and not word.endswith(_ADJECTIVE_ENDINGS)


def _unknown_subject(claim: OrganClaim, statement: ParsedStatement) -> tuple[Term, ...]:
    """Return the words of an unknown label of which a claim only tells how it is: "ATA: occluded mid calf".

    What stands behind such a label and names its own thing needs no label: "Zone 3: nodule in the right kidney".
    """
    opposite = tuple(term for term in statement.terms if statement.tokens[term.start].word in _OF_THE_OTHER_SIDE)
    if opposite:
        return opposite
    at = claim.term.start if claim.term else len(statement.tokens) * (claim.organ in KINDS_OF_ORGANS)
    labels = [one for one, other in pairwise(statement.segments) if other.joiner == ":" and one.end <= at]
    if not labels:
        return ()
    label = labels[-1]
    if any(term.mention or term.entry is not None for term in label.terms if term.kind != "modifier"):
        return ()
    unknown = tuple(term for term in label.terms if is_unknown_word(statement, term))
    terms = [term for clause in claim.clauses for term in clause.segment.terms if term.start >= label.end]
    findings = [term for term in terms if term.kind == "finding" and not term.attribute]
    if not unknown or (claim.term is not None and any(is_noun_finding(statement, term) for term in findings)):
        return ()
    opens = min((term.start for term in findings), default=len(statement.tokens))
    return () if at < opens else unknown


def _has_finding_elsewhere(claim: OrganClaim, statement: ParsedStatement, vocabulary: Vocabulary) -> bool:
    """Tell whether another part of the statement has a finding, of which the claim only says where.

    "Several nodules, the largest of which is 2 mm, in the interstitium of both lungs".
    """
    for passage in passages_of(statement):
        account = account_of(passage)
        if account.unknown or not account.affirms_finding:
            continue
        sites = {name for term in passage.sites if term.mention and passage.names_site for name in term.mention.names}
        if not sites or any(vocabulary.related(claim.organ, name) for name in sites):
            return True
    return False


def _words_without_meaning(claim: OrganClaim) -> list[Term]:
    """Return the words of a claim that may be said of anything, and say nothing alone: "The spleen is similar"."""
    terms = [term for clause in claim.clauses for term in clause.segment.terms]
    return [term for term in terms if term.kind == "finding" and term.entry is None and not term.attribute]


def _accounts(clause: Clause, statement: ParsedStatement) -> list[PassageAccount]:
    return [account_of(passage) for passage in passages_in(clause, statement)]


def _turns(clause: Clause, accounts: Sequence[PassageAccount], affirms: bool) -> bool:
    """Tell whether a clause may take back what the rest of its claim says.

    It does not where it denies ("…, without ropiness"), or where it qualifies a finding that is there, in neither case
    with a verb or an organ of its own.
    """
    unknown = [term for account in accounts for term in account.unknown]
    says_more = any(account.says_something and not account.unknown for account in accounts)
    on_its_own = (clause.segment.verb is not None or bool(clause.segment.sites)) and not says_more
    if all(term.polarity == Polarity.NEGATED for term in unknown):
        return bool(unknown) and on_its_own and not affirms
    return not affirms or on_its_own


def words_of(terms: Iterable[Term], statement: ParsedStatement) -> str:
    """Return words that were not understood as they stand in the detail of a refusal."""
    return ", ".join(dict.fromkeys(f"“{statement.text_of(term).lower()}”" for term in terms))


def asserts_something(clause: Clause, statement: ParsedStatement) -> bool:
    """Tell whether a clause says something: a finding, a quality, a size, or an organ that is missing.

    A bare number tells nothing where no score is named: "RCA = 45", "total 168".
    """
    is_bare = not any(grades_by_number(term.key) for term in statement.terms) and any(
        map(_is_bare_number, clause.terms)
    )
    return any(
        (_is_quality(term) and not (is_bare and _only_counts(term)))
        or _is_missing_organ(term)
        or (term.mention is not None and (term.mention.device or term.key.endswith("lymph nodes")))
        for term in clause.terms
    )


def _only_counts(term: Term) -> bool:
    return _is_bare_number(term) or (term.entry is not None and term.entry.modifier in ("extent", "quantity"))


def _is_bare_number(term: Term) -> bool:
    return term.measure is not None and term.measure.kind == "number"


def is_assertion(term: Term) -> bool:
    """Tell whether a term is something said: a finding, a quality, a size, or an organ that is missing."""
    if term.mention is None:
        return _is_quality(term)
    mention = term.mention
    return mention.device or mention.finding or _is_missing_organ(term) or term.key.endswith("lymph nodes")


def _is_quality(term: Term) -> bool:
    return term.kind in ("finding", "modifier", "measure") and not term.attribute


def _is_missing_organ(term: Term) -> bool:
    """Return whether a term is an organ that is denied: "The uterus is not identified" says something of it."""
    is_adjective = term.mention is not None and term.mention.adjective
    return term.kind == "organ" and term.polarity == Polarity.NEGATED and not is_adjective


def context_of(statement: ReportStatement, vocabulary: Vocabulary) -> tuple[str, ...]:
    """Return the organs that a statement goes on about; none where it lies beside or reaches into others alone.

    Behind what is said of the ascending aorta, "The dissection extends into the iliac artery" is not about that.
    """
    mentions = [term.mention for term in statement.parse.terms if term.mention and not term.mention.device]
    places = [mention for mention in mentions if mention.place]
    beside = [any(vocabulary.related(name, o) for name in m.names for o in statement.context) for m in places]
    return statement.context if all(beside) else ()
