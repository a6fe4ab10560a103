"""Words what a statement says of both sides of an organ for one of them: "Left kidney is normal", of both kidneys."""

from __future__ import annotations

import re
from collections.abc import Sequence

from curation.engines.agreement import is_plural
from curation.language.parsed_statement import ParsedStatement, Segment, Term
from curation.language.structure.listed_subjects import SINGULAR_VERBS
from curation.language.word_lists import BOTH_SIDES_ADJECTIVES, NAME_JOINERS, SIDES, VERBS

_BOTH = re.compile(r"\b(?:both|bilateral|bilaterally|each|either)(?:\s+of)?(?:\s+the)?\s*$", re.IGNORECASE)
_STILL_BOTH = re.compile(
    rf"\b(?:both|bilateral|bilaterally|{'|'.join(sorted(BOTH_SIDES_ADJECTIVES))})\b", re.IGNORECASE
)
_LOCATIVE = re.compile(r"\b(?:in|at|within|on|for)$", re.IGNORECASE)
_SECOND_VERB = re.compile(
    r"^((?:is|was) \w+ (?:and|but) )(show|appear|remain|contain|demonstrate|measure|are|have)\b", re.I
)
_PLURAL_VERB = re.compile(rf"^((?:\w+ ){{0,2}}?)({'|'.join(SINGULAR_VERBS)})\b", re.IGNORECASE)
_SIDES_AND_JOINERS = SIDES.keys() | NAME_JOINERS
_NODES = re.compile(r"\s*lymph nodes?\b", re.IGNORECASE)
_SAME_WORD = 4
"""Letters in which the singular and the plural of a name agree."""


def for_one_side(name: str, organ: str, term: Term, statement: ParsedStatement, first: Segment, last: Segment) -> str:
    """Return "Left kidney is normal" for "Both kidneys are normal", the ``term`` of which is named for ``organ``.

    Sizes are not repeated for each side, nor is what another organ on one side takes part in.
    """
    mention = term.mention
    assert mention is not None
    whole = _between(statement, first.start, last.end)
    terms = [term for term in statement.terms if first.start <= term.start < last.end]
    if any(term.kind == "measure" or (term.kind == "side" and term.key != "side:both") for term in terms):
        return whole
    if _names_other_side(term, terms) or (name == organ and _names_a_part(name, term, statement)):
        return whole
    before, after = _between(statement, first.start, mention.start), _between(statement, mention.end, last.end)
    before = _BOTH.sub("", before).rstrip()
    if name.split()[0] in SIDES and name.split()[0] != organ.split()[0]:
        return whole  # both are filed under one organ: lobes of the liver
    if mention.adjective:  # "left pleural effusion", not "left pleura effusion"
        noun = next(i for i in range(mention.start, mention.end) if statement.tokens[i].word not in _SIDES_AND_JOINERS)
        name = f"{name.split()[0]} {_between(statement, noun, mention.end)}"
    verb = next((i for i in range(first.start, mention.start) if statement.tokens[i].word in VERBS), None)
    if verb is None and not _LOCATIVE.search(before) and not is_plural(name):
        after = _PLURAL_VERB.sub(lambda match: match[1] + SINGULAR_VERBS[match[2].lower()], after, count=1)
        after = _SECOND_VERB.sub(lambda match: match[1] + SINGULAR_VERBS[match[2].lower()], after, count=1)
    if mention.station and (nodes := _NODES.match(after)):
        after = after[nodes.end() :]  # it is in the name of the station
    text = f"{before} {name} {after}".strip()
    return whole if _STILL_BOTH.search(text) else text


def _names_other_side(named: Term, terms: Sequence[Term]) -> bool:
    """Tell whether another organ is named on one side: "emboli in both arteries, into the right upper lobe"."""
    others = [term.mention for term in terms if term.mention and term is not named]
    return any(len(other.names) == 1 and other.names[0].split()[0] in ("left", "right") for other in others)


def _names_a_part(name: str, term: Term, statement: ParsedStatement) -> bool:
    """Tell whether the words for an organ are those for what it consists of: "The ossicles", of the middle ears."""
    if term.mention is None or term.mention.adjective:
        return False
    noun = statement.tokens[term.mention.end - 1].word
    return not any(word[:_SAME_WORD] == noun[:_SAME_WORD] for word in name.split())


def _between(statement: ParsedStatement, start: int, end: int) -> str:
    return statement.text_between(start, end) if start < end else ""
