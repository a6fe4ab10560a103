"""Statements that mean one of several things named before, or a place that is named elsewhere.

"Another measures 5 mm", "Those in the left lung", "A drain was placed into it", "The right kidney contains none".
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

from ..parsed_statement import ParsedStatement
from ..word_lists import ARTICLES, COPULAS, PLACE_OPENERS, VERBS
from .reference_words import DEMONSTRATIVES, DETERMINERS

# As the subject of a clause, these mean one of several things that were named before.
ELLIPTICAL = frozenset("one another some others both each several most all".split())
ELLIPTICAL_BEHIND_ARTICLE = frozenset(
    "other others latter former first second third smaller larger bigger dominant remaining rest".split()
)
OBJECTS = frozenset("it them either".split())
_PREPOSITIONS = frozenset("into to of from with in within around through by on at beyond behind below above".split())
_JUDGEMENTS = frozenset("possible impossible difficult hard important".split())
_LABEL = re.compile(r"^[^:]{2,40}:\s")
POINTING = (["which"], ["them"], ["these"], ["those"])
_BETWEEN_WHICH = frozenset("them these those".split())
# Behind "similar", they compare with an earlier day: "Similar appearance of the cyst".
_COMPARED = frozenset("in appearance size extent degree distribution configuration number volume , . :".split())
_NUMBERS = frozenset("one two three several multiple few other further additional some".split())
_BEHIND_ELLIPSIS = VERBS | frozenset("in of on at which measuring , up".split())


def opening(statement: ParsedStatement) -> list[str]:
    """Return the first words of a statement, of a labelled one those behind its label."""
    label = _LABEL.match(statement.text)
    start = label.end() if label else 0
    return [token.word for token in statement.tokens if token.start >= start][:8]


def is_expletive(words: Sequence[str]) -> bool:
    """Return whether "it" stands for nothing: "it is noted that …", "it is not possible to exclude …"."""
    if words[:1] != ["it"]:
        return False
    is_judged = words[1:2] and words[1] in COPULAS and not _JUDGEMENTS.isdisjoint(words[2:4])
    return "that" in words or bool(is_judged)


def ends_in_pronoun(caption: ParsedStatement) -> bool:
    """Return whether a caption ends in "it", and names no more than what that is beside: "… is associated with it"."""
    if not caption.tokens:
        return False
    if caption.tokens[-1].word == "none":  # "The right kidney contains none"
        return any(token.word in VERBS for token in caption.tokens)
    if caption.tokens[-1].word not in OBJECTS:
        return False
    return sum(term.kind in ("finding", "organ") and not term.attribute for term in caption.terms) < 3


def names_no_place(caption: ParsedStatement) -> bool:
    """Return whether "it" or "this" behind a preposition is a place that is not named: "A drain was placed into it"."""
    for at, token in enumerate(caption.tokens[1:], start=1):
        if token.word in _BETWEEN_WHICH and _lies_between_others(caption, at):
            return True
        if token.word not in OBJECTS | DEMONSTRATIVES or caption.tokens[at - 1].word not in _PREPOSITIONS:
            continue
        if at > 1 and caption.tokens[at - 2].word in ("apart", "aside"):
            continue  # "Apart from this" says no more than "otherwise"
        following = caption.tokens[at + 1].word if at + 1 < len(caption.tokens) else ""
        is_alone = token.word in OBJECTS - {"either"} or following in DETERMINERS or not following.isalpha()
        before = [term for term in caption.terms if term.end <= at]
        if is_alone and not any(
            (term.mention and not term.mention.device) or (term.kind == "finding" and term.entry and not term.attribute)
            for term in before
        ):
            return True
    return False


def _is_likened(words: Sequence[str]) -> bool:
    """Return whether the subject is like something named before: "A smaller similar opacity in the left lung"."""
    at = words.index("similar") if "similar" in words[:4] else len(words)
    following = words[at + 1 : at + 2]
    return (
        bool(following)
        and all(word in ARTICLES or word.endswith(("er", "ly")) or word in _NUMBERS for word in words[:at])
        and following[0] not in _COMPARED
        and not {"to", "as"}.intersection(words[at:])
    )


def _lies_between_others(caption: ParsedStatement, at: int) -> bool:
    """Return whether "between them" means two things that are not named: "The bowel between them is thick-walled"."""
    return caption.tokens[at - 1].word == "between" and not any(
        token.word in ("and", "two") or token.word.endswith("s") for token in caption.tokens[: at - 1]
    )


@lru_cache(maxsize=2_048)
def opens_with_ellipsis(statement: ParsedStatement) -> bool:
    """Return whether a statement opens with what means one of several: "Another measures 5 mm", "The other is …"."""
    words = opening(statement)
    if words[:1] in (["that"], ["those"]) and words[1:2] and words[1] in PLACE_OPENERS | {"with", "of"}:
        return True  # "Those in the right lung are unchanged"
    bare = [token.word for token in statement.tokens[:2]]
    if bare[:1] == ["none"] and bare[1:] and bare[1] in PLACE_OPENERS | _PREPOSITIONS and bare[1] != "of":
        return True  # "None in the left lung": of what?
    if _is_likened(words):
        return True
    is_behind_article = words[:1] == ["the"]
    if is_behind_article and {"one", "ones"}.intersection(words[2:3]) and words[1].isalpha():
        return True  # "The dominant one is in the right lobe"
    first = words[1:2] if is_behind_article else words[:1]
    named = ELLIPTICAL_BEHIND_ARTICLE if is_behind_article else ELLIPTICAL
    following = words[2:3] if is_behind_article else words[1:2]
    if not first or first[0] not in named or not following:
        return False
    behind = words[words.index(following[0]) + 1 :][:1]
    is_named = following[0] == "of" and behind[:1] not in POINTING
    return (following[0] in _BEHIND_ELLIPSIS or following[0][0].isdigit()) and not is_named
