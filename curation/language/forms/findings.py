"""Findings that a form may ask for, and words that only qualify one."""

from __future__ import annotations

import re

from curation.language.parsed_statement import ParsedStatement, Term
from curation.language.word_lists import POSITION_STEMS

# With one of these flags a phrase of the lexicon is no finding that a form could ask for.
_NO_FINDING = frozenset(("attribute", "limitation", "history", "recommendation", "scope_end", "exception", "normality"))
_ADJECTIVE = re.compile(r"(?:ed|ing|ic|al|ous|ive|ent|ant|ary|ory|oid|ular|form|like|ble|lytic|glass|dense)$")
_NOUNS_IN_ING = frozenset("thickening stranding swelling narrowing bleeding scarring bruising coiling mottling".split())


def is_listed_finding(term: Term) -> bool:
    """Tell whether a term is a finding that the lexicon lists."""
    return term.kind == "finding" and term.entry is not None and not term.entry.flags & _NO_FINDING


def is_adjective(statement: ParsedStatement, term: Term) -> bool:
    """Tell whether a finding qualifies another rather than being one: "calcified", "enhancing", "segmental"."""
    if term.kind != "finding":
        return False
    word = statement.tokens[term.end - 1].word
    is_lexical = is_listed_finding(term) or term.attribute or term.key in POSITION_STEMS
    return is_lexical and ends_like_adjective(word)


def ends_like_adjective(word: str) -> bool:
    """Tell whether a word has the ending of an adjective or participle."""
    return bool(_ADJECTIVE.search(word)) and word not in _NOUNS_IN_ING and not word.endswith("ment")


def is_noun_finding(statement: ParsedStatement, term: Term) -> bool:
    """Tell whether a term is a finding by itself, named by the lexicon or together with its organ."""
    if term.mention and term.mention.finding:
        return True
    return is_listed_finding(term) and not is_adjective(statement, term)
