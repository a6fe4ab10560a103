"""Checks of a lexicon file beyond its form: no phrase means two things, denies inside a synonym, or cannot be matched.

They serve ``lexicon.yaml``, where tests ask them, and the files that a site adds to it (``site_lexicon.py``).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from pydantic import BaseModel

from ..word_lists import NOT_WORDS
from .lexicon_file import MODIFIERS, spelled_out

Place = tuple[str | int, ...]
"""The keys and numbers (from 0) that lead to a value of a file: ("synonyms", 3, 1)."""
Stems = Callable[[str], list[str]]

PHRASE = re.compile(r"[^\W_]+(?:['/][^\W\d_]+)?(?: [^\W_]+(?:['/][^\W\d_]+)?)*")
DENYING_WORDS = (NOT_WORDS - {"n't"}) | {"no", "without", "nor", "never"}
# The beginnings of a denial that goes on behind the phrase: "no acute abnormality or mass".
DENIAL_STARTS = ("no ", "without ", "free of ", "negative for ")


class WordProblem(NamedTuple):
    """What is wrong with a value of a lexicon file, and where the value stands."""

    place: Place
    value: str
    problem: str


class PhraseGroup(NamedTuple):
    """Phrases of one meaning, and where they stand; ``meaning`` is what to call it."""

    place: Place
    meaning: str
    phrases: Sequence[str]


def phrase_lists(value: object, place: Place = ()) -> Iterator[tuple[Place, list[str]]]:
    """Yield every list of phrases of a file with its place; of a table of phrases its keys."""
    if isinstance(value, BaseModel):
        value = value.model_dump()
    if isinstance(value, Mapping):
        if value and not any(isinstance(item, (Mapping, list)) for item in value.values()):
            yield place, list(value)
            return
        for key, item in value.items():
            yield from phrase_lists(item, (*place, key))
    elif isinstance(value, list) and not any(isinstance(item, (Mapping, list)) for item in value):
        yield place, value
    elif isinstance(value, list):
        for number, item in enumerate(value):
            yield from phrase_lists(item, (*place, number))


def odd_phrases(content: BaseModel) -> Iterator[WordProblem]:
    """Yield the phrases that no text can match: with capitals, hyphens or several spaces, or no word."""
    for place, phrases in phrase_lists(content):
        for number, phrase in enumerate(phrases):
            yield from odd_phrase((*place, number), phrase)


def odd_phrase(place: Place, phrase: str) -> Iterator[WordProblem]:
    """Yield the problem of a phrase that no text can match; nothing for any other."""
    if PHRASE.fullmatch(phrase) is None or phrase != phrase.lower():
        plain = " ".join(re.sub(r"[^\w\s'/]|_", " ", phrase.lower()).split())
        way_out = f"; write “{plain}”" if PHRASE.fullmatch(plain) else ""
        problem = "is not written in small letters with single spaces and no marks"
        yield WordProblem(place, phrase, problem + way_out)


def repeated_phrases(content: BaseModel) -> Iterator[WordProblem]:
    """Yield the phrases that stand twice in one list."""
    for place, phrases in phrase_lists(content):
        for number, phrase in enumerate(phrases):
            if phrase in phrases[:number]:
                yield WordProblem((*place, number), phrase, "stands twice in this list; leave one out")


def short_lists(content: BaseModel) -> Iterator[WordProblem]:
    """Yield the synonym groups of fewer than two phrases, and the classes of none."""
    for group in phrase_groups(content):
        if group.place[0] == "synonyms" and len(group.phrases) < 2:
            yield WordProblem(group.place, ", ".join(group.phrases), "is no group: it takes two phrases or more")
        elif not group.phrases:
            yield WordProblem(group.place, "[]", "is empty; leave it out")


def denying_phrases(content: BaseModel) -> Iterator[WordProblem]:
    """Yield the phrases of synonyms and of normality that deny.

    The longest phrase is matched, so that a "no" inside one would deny nothing behind it: "no mass or cyst".
    """
    for group in phrase_groups(content):
        if group.place[0] == "synonyms":
            for number, phrase in enumerate(group.phrases):
                if words := DENYING_WORDS & set(phrase.split()):
                    problem = f"holds “{min(words)}”, which would deny nothing behind it; a denial goes under negations"
                    yield WordProblem((*group.place, number), phrase, problem)
    for number, phrase in enumerate(getattr(content, "normality", ())):
        if phrase.startswith(DENIAL_STARTS):
            yield WordProblem(("normality", number), phrase, "begins a denial that may go on; it goes under negations")


def phrase_groups(content: BaseModel) -> Iterator[PhraseGroup]:
    """Yield the synonym groups and classes of a file, of which no two may have a phrase in common."""
    for number, phrases in enumerate(getattr(content, "synonyms", ())):
        yield PhraseGroup(("synonyms", number), f"“{phrases[0]}”" if phrases else "", phrases)
    for table in MODIFIERS:
        for name, phrases in getattr(content, table, {}).items():
            yield PhraseGroup((table, name), f"{table}: {name}", phrases)


def keys_of(group: PhraseGroup, stems: Stems) -> list[str]:
    """Return the stemmed phrases of a group, by which two ways to write the same phrase are the same."""
    return [" ".join(stems(phrase)) for phrase in group.phrases]


def phrases_of_two_meanings(
    groups: Iterable[PhraseGroup], stems: Stems, known: Mapping[str, str] | None = None
) -> Iterator[WordProblem]:
    """Yield the phrases that stand in two groups. ``known`` has the meanings of stemmed phrases from another file."""
    meanings: dict[str, str] = {}
    for group in groups:
        for number, phrase in enumerate(group.phrases):
            key = " ".join(stems(phrase))
            meaning = (known or {}).get(key) or meanings.setdefault(key, group.meaning)
            if meaning != group.meaning:
                problem = f"means {meaning} already, and not {group.meaning}; leave it out of one of them"
                yield WordProblem((*group.place, number), phrase, problem)


def cue_lists(content: BaseModel) -> Iterator[PhraseGroup]:
    """Yield the lists of cues: denials and hedges, before and after what they act on, with their words spelled out."""
    lists: dict[tuple[str, ...], BaseModel | None] = {("negations",): getattr(content, "negations", None)}
    lists |= {("hedges", strength): cues for strength, cues in getattr(content, "hedges", {}).items()}
    for place, cues in lists.items():
        for direction in ("before", "after"):
            if cues is not None:
                cue_words: Mapping[str, Sequence[str]] = getattr(content, "cue_words", {})
                phrases = [word for phrase in getattr(cues, direction) for word in spelled_out(phrase, cue_words)]
                yield PhraseGroup((*place, direction), " ".join([*place, direction]), phrases)
