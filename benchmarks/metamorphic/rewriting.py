"""What a rewrite and a change are, and the sentences of a text as rewriting sees them.

Sentences are found in a simpler way than in `curation`, so that the benchmark does not share the blind spots of the
code that it measures: where it is in doubt, it sees no sentence, and what is rewritten sentence by sentence stays.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from random import Random
from typing import Literal, NamedTuple

Kind = Literal["references", "characters", "lines", "markup", "sections", "order", "numbers", "wording"]
Edit = Callable[[str, Random], "str | None"]


@dataclass(frozen=True, slots=True)
class Rewrite:
    """A way to write a report down anew that changes nothing of what it says.

    ``edit`` is a pure function of a text and a seeded source of choices; it returns None where the rewrite does not
    apply, or might change the meaning. ``cells`` says which texts of a report are rewritten, where it has several.
    """

    name: str
    what: str
    kind: Kind
    edit: Edit
    cells: Literal["all", "first", "last"] = "all"


class Sentence(NamedTuple):
    """A sentence of a text: ``text[start:end]`` with its full stop, and ``line``, the number of its line."""

    start: int
    end: int
    line: int


_STOP = re.compile(r"[.?!]+(?=[\"”)]*(?:\s|$))[\"”)]*")
_OPEN = frozenset(
    "dr mr mrs ms prof st vs approx ca fig e.g i.e eg ie cf al no nr lt rt seg assoc assist spec op dept exp uz max "
    "min incl resp dia diam inf sup ant post lat med vert".split()
)
_WORD_BEFORE = re.compile(r"[A-Za-z][A-Za-z.]*$|\d+$")
_INNER_END = re.compile(r"[.?!][\"”)]*\s+[\"“]*[A-Z]")
_LIST_MARK = re.compile(r"[\"“”•·*\s-]*(?:\(?\d{1,2}[.)]\s*)?[\"“”•·*\s-]*")
_LINE = re.compile(r"[^\r\n]+")


def sentences(text: str) -> list[Sentence]:
    """Return the sentences of each line, without list marks and the white space around them."""
    return [
        Sentence(start, end, number)
        for number, line in enumerate(_LINE.finditer(text))
        for start, end in _cut(text, line.start(), line.end())
    ]


def _cut(text: str, start: int, end: int) -> Iterable[tuple[int, int]]:
    begin = start
    for stop in _STOP.finditer(text, start, end):
        if stop.end() < end and _goes_on(text, begin, stop):
            continue
        yield from _stripped(text, begin, stop.end())
        begin = stop.end()
    yield from _stripped(text, begin, end)


def _goes_on(text: str, begin: int, stop: re.Match[str]) -> bool:
    if text.count("(", begin, stop.end()) > text.count(")", begin, stop.end()):
        return True
    word = _WORD_BEFORE.search(text, begin, stop.start())
    following = text[stop.end() :].lstrip()[:1]
    if following.islower() or word is None:
        return following.islower() or text[stop.start() - 1 : stop.start()] not in (")", "%", "]")
    alone = not text[begin : word.start()].strip(' "“”-•·*(')
    return word[0].lower() in _OPEN or len(word[0]) == 1 or (word[0].isdigit() and alone)


def _stripped(text: str, start: int, end: int) -> Iterable[tuple[int, int]]:
    mark = _LIST_MARK.match(text, start, end)
    start = mark.end() if mark else start
    end = start + len(text[start:end].rstrip())
    if start < end:
        yield start, end


def is_plain(sentence: str) -> bool:
    """Return whether a text is one sentence with a full stop: of a few words, no heading, and no list."""
    return (
        sentence.endswith(".")
        and sentence[-2:-1].isalnum()
        and len(sentence.split()) >= 3
        and ":" not in sentence
        and sentence.count("(") == sentence.count(")")
        and not _INNER_END.search(sentence)
    )


def edit_sentences(text: str, edit: Callable[[str], str | None]) -> str | None:
    """Return the text with each plain sentence edited for which ``edit`` returns another; None if none was."""
    pieces: list[str] = []
    at = 0
    for start, end, _ in sentences(text):
        sentence = text[start:end]
        edited = edit(sentence) if is_plain(sentence) else None
        if edited is not None and edited != sentence:
            pieces += [text[at:start], edited]
            at = end
    return "".join([*pieces, text[at:]]) if pieces else None


def changed(text: str, rewritten: str) -> str | None:
    """Return what was rewritten, None where it is the text itself."""
    return rewritten if rewritten != text else None


def with_case_of(original: str, word: str) -> str:
    """Return a word written as another one is: in capitals, with a capital, or as it stands."""
    if original.isupper() and len(original) > 1:
        return word.upper()
    return word[:1].upper() + word[1:] if original[:1].isupper() else word


def sub(pattern: str, new: str | Callable[[re.Match[str]], str], flags: int = 0) -> Edit:
    """Return the edit that replaces a pattern wherever it stands."""
    compiled = re.compile(pattern, flags)
    return lambda text, rng: changed(text, compiled.sub(new, text))


def lower_first(text: str) -> str:
    """Return a text with a small first letter, unless its first word is an abbreviation or a name of a level."""
    return text if text[:2].isupper() or not text[1:2].isalpha() else text[:1].lower() + text[1:]


def upper_first(text: str) -> str:
    """Return a text with a capital first letter."""
    return text[:1].upper() + text[1:]
