"""Give list items that run on in one line a line each: "1. Gallstones 2. Left renal cyst 3. No ascites"."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator

from .edits import Edit

_NUMBER = re.compile(
    r"(?:(?<=\s)|\A|(?<=[a-z)][.;])(?=\d{1,2}[.)][A-Z]))"
    r"(?:(?P<open>\()?(?P<digits>\d{1,2})(?P<mark>[.)])|(?P<bracket>\()?(?P<letter>[a-h])\)|(?P<capital>[A-H])\.)"
    r"(?=\s+[\w(\"'“*]|[A-Z])"
)
# What stands before a number that is no item's: "segment 2.", "Bosniak 2.", "segments 1 and 2.".
_COUNTED = re.compile(
    r"(?:(?<![A-Za-z])(?:segments?|levels?|grade|series|images?|im|se|stage|type|class|score|category|(?:[a-z]+-)?rads|"
    r"birads|lirads|bosniak|deauville|gleason|zones?|stations?|ribs?|phases?|numbers?|no|nr|vertebra|target|and|or|to|of|"
    r"by|than|at|in|on|is|are|was|about|approximately|measur\w+|x)\.?|[-\u2013/&+:=])\s*\Z",
    re.IGNORECASE,
)
_ITEM_MAY_BEGIN = re.compile(
    r"(?:\A|\n|[.:;?!-]|\b(?:impressions?|conclusions?|findings|opinion|summary|diagnosis|assessment))\s*\Z",
    re.IGNORECASE,
)
_DASH_LINE = re.compile(r"(?:(?<=\n)|\A|(?<=:)|(?<=: ))[ \t]*(?P<dash>[-\u2013*])[ \t]?(?=\w)[^\n]*")
_FOLLOWING_DASH = r"(?<![\d(-])[ \t]+{dash}[ \t]*(?=[A-Z][A-Za-z]{{2,}}|(?:No|An?|In|At) |\d+(?:\.\d+)? ?[mc]m\b)"
# Behind a heading that a dash follows at once, dashes between words in small letters begin items as well.
_DASHED_SECTION = re.compile(
    r"\b(?:impressions?|conclusions?|findings|opinion|summary|diagnosis|assessment)[ \t]*:\s*(?=[-–*] ?[a-z][a-z])",
    re.IGNORECASE,
)
_SMALL_DASH = re.compile(r"(?<=[a-z.,)])[ \t]+(?=[-–*][ \t]+[a-z]{2})")
_LONGEST_LOOK_BACK = 24
_FIRST_MARKS = ("1.", "1)", "a)", "A.")


def item_edits(text: str) -> Iterator[Edit]:
    """Yield the edits that put a line break before each item that runs on from the one before it.

    Numbers make a list where they run on in order from 1 (or a), dashes where the line begins with one.
    """
    starts = set(_numbered_items(text)) if _has_first_item(text) else set()
    starts.update(_dashed_items(text))
    for start in sorted(starts):
        space = start
        while space and text[space - 1] in " \t":
            space -= 1
        if space and text[space - 1] != "\n":
            yield Edit(space, start, "\n", "list item")


def _has_first_item(text: str) -> bool:
    """Tell whether anything may be the mark of a first item, which every list has; quick, for most texts have none."""
    for mark in _FIRST_MARKS:
        place = text.find(mark)
        while place >= 0:
            following = text[place + 2 : place + 3]
            if following.isspace() or following.isupper():
                return True
            place = text.find(mark, place + 1)
    return False


def _numbered_items(text: str) -> Iterator[int]:
    """Yield the starts of the items of numbered lists."""
    runs: defaultdict[str, list[tuple[int, int]]] = defaultdict(list)
    for match in _NUMBER.finditer(text):
        style, value = _style(match)
        run, start = runs[style], match.start()
        before = text[max(0, start - _LONGEST_LOOK_BACK) : start]
        if value == 1 and _ITEM_MAY_BEGIN.search(before):
            yield from _items(run)
            runs[style] = [(start, 1)]
        elif run and value == run[-1][1] + 1 and not _COUNTED.search(before):
            run.append((start, value))
    for run in runs.values():
        yield from _items(run)


def _style(match: re.Match[str]) -> tuple[str, int]:
    """Return how an item is numbered, and its number."""
    if match["digits"]:
        return f"{match['open'] or ''}1{match['mark']}", int(match["digits"])
    letter = match["letter"] or match["capital"]
    return ("A." if match["capital"] else f"{match['bracket'] or ''}a)"), "abcdefgh".index(letter.lower()) + 1


def _items(run: list[tuple[int, int]]) -> list[int]:
    return [start for start, _ in run] if len(run) > 1 else []


def _dashed_items(text: str) -> Iterator[int]:
    """Yield the starts of the items behind the first of a line of dashes."""
    if " -" in text or " *" in text or " \u2013" in text:
        for line in _DASH_LINE.finditer(text):
            pattern = _FOLLOWING_DASH.format(dash=re.escape(line["dash"]))
            for match in re.compile(pattern).finditer(text, line.end("dash"), line.end()):
                yield match.end() - len(match[0].lstrip())
        for section in _DASHED_SECTION.finditer(text):
            end = text.find("\n", section.end())
            for match in _SMALL_DASH.finditer(text, section.end(), len(text) if end < 0 else end):
                yield match.end()
