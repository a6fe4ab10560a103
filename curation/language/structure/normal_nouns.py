"""The noun that "normal" is said of, where it is not the organ itself: "a normal duct", "the gastric folds are normal".

It stands right behind an attributive "normal", or heads the subject of the clause that ends with "normal".
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ..assertion import Polarity
from ..parsed_statement import ParsedStatement, Segment, Term
from ..word_lists import (
    ADJECTIVE_ENDINGS,
    ATTRIBUTE_STEMS,
    COPULAS,
    GENERIC_FINDING_STEMS,
    NEUTRAL_STEMS,
    PARTS_AND_REMAINS_STEMS,
    PLACE_OPENERS,
    REMAINDER_WORDS,
    REPORTING_STEMS,
)

_SHORTEST_ADJECTIVE = 4
"""Letters beyond which a word may have the ending of an adjective: a "bed" has none."""
MANNER = "manner"
"""Aspect of what happens "normally": "the vein opacifies normally"."""
_SAYS_NOTHING_OF_ITS_OWN = ATTRIBUTE_STEMS | NEUTRAL_STEMS | GENERIC_FINDING_STEMS | REPORTING_STEMS
_ENDS_OF_SUBJECT = PLACE_OPENERS | frozenset(("of", "with", "for", "by"))


def noun_called_normal(normality: Term, segment: Segment, statement: ParsedStatement) -> frozenset[str]:
    """Return the key of the noun that ``normality`` is said of; nothing where it is said of an organ."""
    if statement.tokens[normality.start].word == "normally":
        return frozenset((MANNER,))
    head = head_of_normal(normality, segment, statement)
    if head is None:
        return frozenset()
    if head.mention:
        return _parts_in_name(head, statement)
    return frozenset((head.key,)) if _is_noun(head, statement) else frozenset()


def head_of_normal(normality: Term, segment: Segment, statement: ParsedStatement) -> Term | None:
    """Return the last term of the phrase that ``normality`` is said of: "haustral (markings)"."""
    copulas = (at for at in range(segment.start, normality.start) if statement.tokens[at].word in COPULAS)
    copula = next(copulas, None)
    if copula is None:
        following = _adjacent(normality.end, [term for term in segment.terms if term.start >= normality.end])
        if following:
            return following[-1]
    stop = normality.start if copula is None else copula
    subject = [term for term in segment.terms if term.end <= stop]
    if not subject:
        return None
    inside = range(subject[0].end, stop)
    cut = next((at for at in inside if statement.tokens[at].word in _ENDS_OF_SUBJECT), stop)
    head = [term for term in subject if term.end <= cut][-1]
    return head if head.end == cut else None


def qualified_key(term: Term, key: str, terms: Iterable[Term]) -> str:
    """Return the key of an aspect with the word right before it that says of what it is: "chamber size"."""
    owner = next((other for other in terms if other.end == term.start), None)
    if owner is None or owner.kind != "finding" or owner.entry is not None or owner.attribute:
        return key
    return f"{owner.key} {key}"


def _adjacent(end: int, terms: Sequence[Term]) -> list[Term]:
    """Return the first of ``terms`` that follow each other from token ``end`` on, up to a denial or doubt."""
    run: list[Term] = []
    for term in terms:
        if term.start > end or term.kind in ("negation", "hedge", "measure") or term.is_normality:
            break
        run.append(term)
        end = max(end, term.end)
    return run


def _parts_in_name(organ: Term, statement: ParsedStatement) -> frozenset[str]:
    """Return what stands inside the name of an organ and is not all of it: "gallbladder (fundus)"."""
    stems = statement.stems[organ.start : organ.end]
    parts = PARTS_AND_REMAINS_STEMS.intersection(stems) if len(stems) > 1 else frozenset[str]()
    return frozenset(part for part in parts if part not in organ.key)


def _is_noun(head: Term, statement: ParsedStatement) -> bool:
    """Tell whether the last term of a phrase is a noun of its own, and no organ, adjective, place or picture."""
    word = statement.tokens[head.end - 1].word
    if head.end < len(statement.stems) and statement.stems[head.end] in _SAYS_NOTHING_OF_ITS_OWN:
        return False  # "normal postcontrast appearance"
    names = head.kind == "finding" or (head.kind == "modifier" and head.key.startswith("morphology:"))
    if not names or head.attribute or head.polarity == Polarity.NEGATED or head.key in _SAYS_NOTHING_OF_ITS_OWN:
        return False
    return word not in REMAINDER_WORDS | PLACE_OPENERS and not (
        len(word) > _SHORTEST_ADJECTIVE and word.endswith(ADJECTIVE_ENDINGS)
    )
