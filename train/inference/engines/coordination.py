"""Prompts that name several structures at once: "upper and lower lobes of both lungs" is two prompts, one for each.

What members share is given to each: a noun that stands once ("upper and lower lobes", "ribs 3 and 4"), and a side
("left upper and lower lobes", "left kidney and ureter"). A range is the list of all that lie in it ("L1-L3
vertebrae", "ribs 3 to 5"). Other words between names join nothing: of "liver or spleen"
and "liver without gallbladder" one prompt cannot be made.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from prompts.vocabulary import Vocabulary
from train.data.structure_prompts import INCOMPLETE

from .anatomy_names import BOTH, SIDES, organs_named
from .number_ranges import written_out

JOINS = re.compile(r"\s*(?:[,;&+/]\s*(?:and\b)?|\band\b|\bplus\b|\bas well as\b)\s*", re.IGNORECASE)
BOTH_SIDES = re.compile(
    r"\b(?:left\s*(?:and|&|/|,|\+)\s*(?:the\s+)?right|right\s*(?:and|&|/|,|\+)\s*(?:the\s+)?left)\b", re.IGNORECASE
)
ARTICLE = re.compile(r"^(?:the|an?)\s+", re.IGNORECASE)
# A side behind the last name, which the names before it share: "kidney and ureter on the left".
SIDE_BEHIND = re.compile(r"\s(?:(?:on|of)\s+)?(?:the\s+)?(?:left|right|both)(?:\s+sides?)?$", re.IGNORECASE)
MOST_MEMBERS = 40


def members_of(text: str, vocabulary: Vocabulary) -> tuple[str, ...]:
    """Return a prompt for each structure that `text` names side by side; () where it is one name, or one is unknown.

    Each member is a name that the vocabulary knows, or that of a part of what it knows.
    """
    listed = written_out(BOTH_SIDES.sub("both", text.strip()))
    organs = organs_named(text, vocabulary).organs
    if organs and (len(organs) == 1 or listed == text):  # "liver segments 5-8" names the first and the last
        return ()
    parts = [ARTICLE.sub("", part) for part in JOINS.split(listed)]
    if not 2 <= len(parts) <= MOST_MEMBERS or not all(parts):
        return ()
    members: list[str] = []
    side, is_shared = "", False
    for number, part in enumerate(parts):
        found = _complete(part, parts, number, vocabulary) or _numbered(part, members, vocabulary)
        if found is None:
            return ()
        words = part.lower().split()
        own = next((word for word in words if word in SIDES | BOTH), "")
        if own:
            side, is_shared = own, found != part
        elif side and organs_named(sided := f"{side} {found}", vocabulary).organs:
            if is_shared or _is_one_of_pair(found, vocabulary) or _is_another(found, sided, vocabulary):
                found = sided
        members.append(found)
    return tuple(members)


def _complete(part: str, parts: list[str], number: int, vocabulary: Vocabulary) -> str | None:
    """Return a member with what it shares with the others; None where nothing makes a name of it."""
    last, before = parts[-1], parts[number - 1] if number else ""
    if number < len(parts) - 1 and (behind := SIDE_BEHIND.search(last)) and not SIDES & {*part.lower().split()}:
        sided = part + behind[0]
        if organs_named(sided, vocabulary).organs:
            return sided
    named = organs_named(part, vocabulary).organs
    names_parts = any(part.lower() in vocabulary.organs[name].part_words for name in named)
    is_partial = names_parts or bool(INCOMPLETE & {*named})
    if named and not is_partial and not _is_adjective(part, vocabulary):
        return part
    for candidate in (*_with_tail(part, last if part is not last else ""), *_with_head(part, before)):
        if organs_named(candidate, vocabulary).organs:
            return candidate
    return part if named and not _is_adjective(part, vocabulary) else None


def _numbered(part: str, members: list[str], vocabulary: Vocabulary) -> str | None:
    """Return a number with the noun of the member before it: the 5 of "ribs 3, 4, 5"; None for what is no number."""
    if not members or not part.isdigit():
        return None
    return next((name for name in _with_head(part, members[-1]) if organs_named(name, vocabulary).organs), None)


def _with_tail(part: str, last: str) -> Iterator[str]:
    """Yield a member with the last words of the last one, as many as may be."""
    words = last.split()
    yield from (f"{part} {' '.join(words[first:])}" for first in range(1, len(words)))


def _with_head(part: str, before: str) -> Iterator[str]:
    """Yield a member with the first words of the one before it, as many as may be."""
    words = before.split()
    yield from (f"{' '.join(words[:count])} {part}" for count in range(len(words) - 1, 0, -1))


def _is_adjective(part: str, vocabulary: Vocabulary) -> bool:
    """Whether a text is an adjective alone: "hepatic" of "hepatic and portal veins" is no liver."""
    mentions = vocabulary.find(part)
    return len(mentions) == 1 and mentions[0].adjective and mentions[0].text.strip() == part.strip()


def _is_one_of_pair(part: str, vocabulary: Vocabulary) -> bool:
    """Whether a name stands in the singular for one of a left and a right organ."""
    organs = organs_named(part, vocabulary).organs
    is_plural = part.lower().split()[-1] not in vocabulary.words_of(part)
    return len(organs) == 1 and bool(vocabulary.organs[organs[0]].sides) and not is_plural


def _is_another(part: str, sided: str, vocabulary: Vocabulary) -> bool:
    """Whether a name means another organ with its side than without: a ventricle of the heart, or of the brain."""
    of_part, of_sided = ({*organs_named(text, vocabulary).organs} for text in (part, sided))
    return not any(organ in of_part or of_part & vocabulary.ancestors(organ) for organ in of_sided)
