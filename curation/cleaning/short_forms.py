"""Write out what dictations shorten with a slash, a full stop or to a letter: "w/o", "s/p", "Rt. kidney", "R normal".

The slash would be read as one of a list, the full stop as the end of a sentence, and "L 2 nodules" as a vertebra.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from .edits import Edit

WITH_SLASH = {
    "w/o": "without", "w/": "with", "c/w": "consistent with", "s/p": "status post", "b/l": "bilateral",
    "h/o": "history of", "d/t": "due to", "r/o": "rule out", "f/u": "follow-up",
}  # fmt: skip
WITH_STOP = {
    "rt": "right", "lt": "left", "bilat": "bilateral", "prob": "probably", "poss": "possibly", "susp": "suspected",
    "incl": "including", "excl": "excluding", "esp": "especially",
}  # fmt: skip
_SLASH = re.compile(r"(?<![\w/.-])(?:(?P<bare>[wcsbhdrf]/[owplutr])(?![\w/])|(?P<glued>w/)(?=\s?[A-Za-z0-9]))", re.I)
# "on the lt. The spleen …" ends a sentence; "Rt. Kidney" does not where it opens a line or a sentence.
_STOP = re.compile(
    r"(?<![\w.])(?i:rt|lt|bilat|prob|poss|susp|incl|excl|esp)\.(?=[ \t]+[a-z0-9])|"
    r"(?:(?<=\n)|(?<=[.:;,(] )|\A)(?i:rt|lt|bilat)\.(?=[ \t]+[A-Z])"
)

# A letter for a side stands before a word in small letters or a size: "R normal, L 5 mm stone"; "L spine" is no side.
_SIDE = re.compile(
    r"(?<![\w/.+'’-])(?<!\d )(?<!type )(?<!grade )(?<!group )(?<!class )(?<!stage )(?<!level )(?<!and )[LR]"
    r"(?=[ \t]+(?!spine\b|or\b)(?:[a-z]{2}|\d+(?:[.,]\d+)?[ \t]?(?:mm\b|cm\b|%)|\d{1,2} [a-z]+s\b))"
)
_VESSEL = re.compile(r"\b[A-Za-z]{3,}(?:ic|al|ar|ary|iac|id|ian) ([va]\.)(?=[ \t]*(?:[:;,)]|(?:is|and|with|patent)\b))")
_SIDES = {"L": "left", "R": "right"}
# Looked for first: a search for a few letters costs a hundredth of one for the pattern.
_ENDINGS = ("rt.", "lt.", "Rt.", "Lt.", "RT.", "LT.", "ilat.", "ILAT.", "rob.", "oss.", "usp.", "ncl.", "xcl.", "sp.")
# "The gallbladder's been taken out", "the kidney's fine"; "the patient's left" has a possessive.
_IS = re.compile(
    r"(?<=[a-z])['’]s(?= (?:been|not|no|an?|normal|unremarkable|ok|okay|fine|clear|intact|patent|enlarged)\b)",
    re.IGNORECASE,
)
# Of two organs: "the RV:LV ratio". A colon would end a label.
_RATIO = re.compile(r"\b[A-Z]{1,4}( ?: ?)[A-Z]{1,4} ratio\b")
_WORD = re.compile(r"\s*([A-Za-z]{2,})")
_BEGINNING = re.compile(r"(?:\A|\n|[.:?!]\s)\s*\Z")


def short_form_edits(text: str) -> Iterator[Edit]:
    """Yield one edit for each short form, in the order of the text."""
    edits = [*_slashes(text), *_stops(text), *_contractions(text), *_letters(text), *_vessels(text), *_ratios(text)]
    yield from sorted(edits)


def _slashes(text: str) -> Iterator[Edit]:
    if "/" not in text or not any(form in text.lower() for form in WITH_SLASH):
        return
    for match in _SLASH.finditer(text):
        words = WITH_SLASH.get(match[0].lower())
        if words:
            glued = match["glued"] and not text[match.end()].isspace()
            yield Edit(match.start(), match.end(), _cased(text, match, words) + " " * bool(glued), "short form")


def _contractions(text: str) -> Iterator[Edit]:
    if "'s " not in text and "’s " not in text:
        return
    for match in _IS.finditer(text):
        verb = " has" if text[match.end() :].lower().startswith(" been") else " is"
        yield Edit(match.start(), match.end(), verb, "short form")


def _ratios(text: str) -> Iterator[Edit]:
    for match in _RATIO.finditer(text) if " ratio" in text else ():
        yield Edit(*match.span(1), "/", "short form")


def _stops(text: str) -> Iterator[Edit]:
    if not any(ending in text for ending in _ENDINGS):
        return
    for match in _STOP.finditer(text):
        words = WITH_STOP[match[0][:-1].lower()]
        yield Edit(match.start(), match.end(), _cased(text, match, words), "short form")


def _vessels(text: str) -> Iterator[Edit]:
    """Yield the edits of "splenic v." and "hepatic a.", which are no end of a sentence."""
    if " v." in text or " a." in text:
        for match in _VESSEL.finditer(text):
            yield Edit(match.start(1), match.end(1), "vein" if match[1][0] == "v" else "artery", "short form")


def _letters(text: str) -> Iterator[Edit]:
    if "L " in text or "R " in text:
        for match in _SIDE.finditer(text):
            side, before = _SIDES[match[0]], text[: match.start()].rstrip(" \t")[-1:]
            yield Edit(match.start(), match.end(), side.capitalize() if before in ".\n" else side, "short form")


def _cased(text: str, match: re.Match[str], words: str) -> str:
    """Return words in capitals before a word in capitals, and with a capital where a line or a sentence begins."""
    following = _WORD.match(text, match.end())
    if following and following[1].isupper() and match[0].isupper():
        return words.upper()
    return words[:1].upper() + words[1:] if _BEGINNING.search(text, max(0, match.start() - 3), match.start()) else words
