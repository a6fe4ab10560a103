"""Why a prompt names nothing by the vocabulary: a side or a number that there is not, or words around a name."""

from __future__ import annotations

import re
from typing import NamedTuple

from prompts.vocabulary import Mention, Vocabulary

from .anatomy_names import organs_named, without_sides

MOST_QUOTED = 60
MOST_LISTED = 6
# What joins names, or stands beside one, and is not told of.
JOINING = frozenset({"&", "a", "an", "and", "of", "or", "plus", "the", "with"})


class UnknownPrompt(NamedTuple):
    """Why a prompt is unknown, in words that follow it, and the organ, if any, whose names are near it."""

    reason: str
    organ: str | None = None


def quoted(text: str) -> str:
    """Return a prompt in quotes, a long one by its beginning."""
    return repr(text) if len(text) <= MOST_QUOTED else f"{text[:MOST_QUOTED]!r}…"


def why_unknown(text: str, vocabulary: Vocabulary) -> UnknownPrompt | None:
    """Return why a text is no name; None where no name stands in it."""
    mentions = [mention for mention in vocabulary.find(text) if not mention.adjective]
    names = [*dict.fromkeys(mention.text for mention in mentions)]
    if not names:
        return None
    words = vocabulary.words_of(text)
    unsided = without_sides(words)
    if len(unsided) < len(words) and (organ := _organ(unsided, vocabulary)):
        return UnknownPrompt(_about_sides(organ, vocabulary), organ)
    numbers = [word for word in words if any(character.isdigit() for character in word)]
    if numbers and (organ := _organ([word for word in unsided if word not in numbers], vocabulary)):
        written = [word for word in text.split() if any(character.isdigit() for character in word)]
        return UnknownPrompt(f": of {organ} there is none with the number {_listed(written)}", organ)
    if len(names) > 1:
        return UnknownPrompt(f"; it holds the names {_listed(names)}: give each a prompt of its own")
    around = _words_around(text, mentions)
    if not around:
        return None
    are = "is" if len(around) == 1 else "are"
    listed = _listed([quoted(word) for word in around])
    return UnknownPrompt(f": beside the name {names[0]!r}, {listed} {are} not understood; a prompt is a name alone")


def _organ(words: list[str], vocabulary: Vocabulary) -> str | None:
    organs = organs_named(" ".join(words), vocabulary).organs
    return organs[0] if len(organs) == 1 else None


def _about_sides(organ: str, vocabulary: Vocabulary) -> str:
    if sides := vocabulary.organs[organ].sides:
        return f": of the sides, name one or both: {', '.join((*sides, organ))}"
    return f": {organ} has no left and right"


def _words_around(text: str, mentions: list[Mention]) -> list[str]:
    """Return the words of a text that belong to no name in it."""
    for mention in mentions:
        text = text[: mention.start] + " " * (mention.end - mention.start) + text[mention.end :]
    words = dict.fromkeys(re.findall(r"[^\s,;()]+", text))
    return [word for word in words if word.lower() not in JOINING and any(map(str.isalnum, word))]


def _listed(names: list[str]) -> str:
    more = f", {len(names) - MOST_LISTED} more" if len(names) > MOST_LISTED else ""
    return ", ".join(names[:MOST_LISTED]) + more
