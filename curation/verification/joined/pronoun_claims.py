"""Cuts of a caption before a word that stands for its finding: "nodes, none enlarged", "lesions, the one in segment 7".

What follows is a claim of its own once the finding is named in it: "no enlarged nodes", "lesions in segment 7".
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice

from curation.language.parsed_statement import ParsedStatement, Term
from curation.language.parser import StatementParser
from curation.runtime.limits import LINKS_OF_CAPTION

from .caption_parts import is_doubted, is_listed, says_something
from .hosts import is_adjective

_NONE = re.compile(
    r",\s+(?:but\s+|and\s+)?(?:none|neither)\s+(?:of\s+(?:them|these|which)\s+)?(?:(?:is|are|being|was|were)\s+)?",
    re.IGNORECASE,
)
_ONE = re.compile(
    r",\s+(?:and\s+|with\s+)?(?:the\s+(?:one|other)|one(?:\s+of\s+(?:them|these|which))?)\s+", re.IGNORECASE
)
_INCLUDING = re.compile(r",\s+including\s+", re.IGNORECASE)
_PRONOUN = re.compile(r"\bones?\b", re.IGNORECASE)
_NUMBER = re.compile(r"(?:two|three|four|five|six|several|a\s+few|\d+)\s+", re.IGNORECASE)


def pronoun_claims(parser: StatementParser, caption: ParsedStatement) -> Iterator[tuple[str, str]]:
    """Yield the two claims around each word that stands for the finding of a caption, which is named in the second."""
    text = caption.text
    for pattern in (_NONE, _ONE, _INCLUDING):
        for match in islice(pattern.finditer(text), LINKS_OF_CAPTION.most):
            first, rest = parser.parse(text[: match.start()]), text[match.end() :].rstrip(". ")
            noun = _noun_phrase(first)
            if noun and rest and says_something(first) and not is_doubted(first):
                yield from ((first.text, claim) for claim in _with_noun(parser, pattern, noun, rest))


def _with_noun(parser: StatementParser, pattern: re.Pattern[str], noun: str, rest: str) -> Iterator[str]:
    """Yield what follows the word with the noun that it stands for."""
    if pattern is _NONE:
        terms = parser.parse(rest).terms
        if terms and not any(term.measure or term.mention for term in terms):
            yield f"no {rest} {noun}"
    elif pattern is _INCLUDING:
        if _PRONOUN.search(rest):
            yield _PRONOUN.sub(noun, rest, count=1)
        elif number := _NUMBER.match(rest):
            yield f"{number.group()}{noun} {rest[number.end() :]}"
    elif not any(is_listed(term) for term in parser.parse(rest).terms):
        yield f"{noun} {rest}"


def _noun_phrase(part: ParsedStatement) -> str:
    """Return the noun that a part ends its first phrase with and the adjectives before it: "hypodense lesions"."""
    heads = [term for term in part.terms if _may_head(part, term)]
    if not heads:
        return ""
    head = heads[-1]
    start, before = head.start, [term for term in part.terms if term.end <= head.start]
    for term in reversed(before):
        if term.end != start or term.kind not in ("finding", "modifier", "organ") or _counts(term):
            break
        start = term.start
    return part.text_between(start, head.end)


def _may_head(part: ParsedStatement, term: Term) -> bool:
    is_nodes = term.mention is not None and not term.mention.place and term.key.endswith("lymph nodes")
    return is_nodes or (is_listed(term) and not is_adjective(part, term))


def _counts(term: Term) -> bool:
    """Tell whether a term tells how many or how large: "several", "5 mm"."""
    return term.measure is not None or (term.entry is not None and term.entry.modifier in ("quantity", "size"))
