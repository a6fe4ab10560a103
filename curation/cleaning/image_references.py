"""Take references to images out: "(3:44)", "(series 3, image 44)", "[S4: 122]", "on image 40 of series 3".

They say where something was seen, and nothing of what was seen; their numbers and colons would be read as sizes, counts
and headings. What stands in the same brackets beside a reference stays.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from .edits import Edit

# The parts of a reference, from small to large; all are matched without regard to case.
_SERIES = r"(?:series|serial|serie|ser|se|srs|sr|seq|sequence)"
_IMAGE = r"(?:images?|imgs?|ims?|ima|slices?|slc?|sl|frames?)"
_PLANE = r"(?:axial|coronal|sagittal|transverse|ax|cor|sag|tra|oblique|key|scout|thin|lung|bone|mip)"
_SLICE = rf"(?:{_IMAGE}|sections?|cuts?)"  # words that mean something else without a series beside them
_NUMBER = r"\d{1,4}[a-z]?(?![\d.]\d|\s?(?:mm|cm|ml|hu|x\s?\d|%))"
_NUMBERS = rf"(?:{_NUMBER}(?:\s?(?:-|–|/|,|&|to|and|through|thru)\s?{_NUMBER})*)"
_COUNTED = r"[.#:]?\s?(?:(?:nos?|numbers?)[.:]?\s?)?#?\s?"
_OF_SERIES = rf"(?:{_SERIES}{_COUNTED}{_NUMBER})"
_OF_IMAGE = rf"(?:{_IMAGE}{_COUNTED}{_NUMBERS})"
_OF_SLICE = rf"(?:{_SLICE}{_COUNTED}{_NUMBERS})"
_TAIL = (
    rf"(?:\s(?:of|on|in)\s(?:the\s)?(?:{_PLANE}|current|present)\s"
    r"(?:images?|series|views?|planes?|mpr|re(?:format|construct)\w*|study|exam|examination|ct|scan))?"
)
_PART = rf"(?:(?:{_PLANE}\s)?(?:{_OF_SERIES}|{_OF_IMAGE}{_TAIL}))"
_LINK = r"(?:\s?(?:[,;:/.&|-]|of|on|in|and)\s?(?:(?:of|on|in|and|the)\s)?|\s)"
_IN_WORDS = rf"(?:{_PART}|{_OF_SLICE}(?={_LINK}{_PART}))(?:{_LINK}(?:{_PART}|{_OF_SLICE}|{_NUMBER}))*"
_MORE = r"(?:\s?(?:-|–|,|/|&|to|and)\s?\d{1,4}(?!\s?[:.]?\d|\s?[a-z]))*"
_PAIR = rf"(?:(?:{_PLANE}\s)?#?\d{{1,4}}\s?:\s?#?\d{{1,4}}{_MORE})"
# "(3/44)" is no date and no part of a whole; "(3/12)" may be either.
_SLASHED = r"(?:(?:[1-3]?\d|40|[2-9]\d\d)\s?/\s?(?:3[2-9]|[4-9]\d|[1-9]\d\d|1[0-8]\d\d))"
# "S4" alone is a segment or a vertebra; with the number of an image it is series 4.
_LETTERS = (
    r"(?:s\s?#?\d{1,4}(?:\s?[:,/;]\s?|\s)(?:i|im|img|image)?\.?\s?#?\d{1,4}(?:\s?(?:-|–|,)\s?i?\d{1,4})*"
    r"|i\s?#?\d{1,4}(?:\s?[:,/;]\s?|\s)s\s?#?\d{1,4})"
)
_LISTS = "|".join(rf"{item}(?:\s?[,;]\s?{item})*" for item in (_PAIR, _SLASHED, _LETTERS))
_REFERENCE = rf"(?:{_IN_WORDS}|{_OF_SLICE}|{_LISTS})"
_VERB = r"(?:seen|noted|visuali[sz]ed|demonstrated|shown|marked|annotated|measured|identified|depicted|appreciated)"
_LEAD = (
    rf"(?:(?:see|e\.g\.,?|eg|best|well|{_VERB}|on|at|in|for example|example|representative|the|reference|ref\.?|cf\.?|"
    r"arrows?|circled)\s(?:the\s)?)*"
)

_BRACKETS = re.compile(r"\(([^()\[\]]{1,160})\)|\[([^()\[\]]{1,160})\]|\{([^{}]{1,160})\}")
_WHOLE = re.compile(rf"\s*{_LEAD}{_REFERENCE}(?:\s?(?:[,;/&]|and)\s?{_LEAD}{_REFERENCE})*\.?\s*", re.IGNORECASE)
_WORDS = re.compile(rf"\b(?:{_SERIES}|{_IMAGE})(?:\b|(?=\d))", re.IGNORECASE)
_HINT = re.compile(rf"\b(?:{_SERIES}|{_SLICE})(?:\b|(?=\d))|\d\s?[:/]\s?\d|\b[si]\s?#?\d", re.IGNORECASE)
# Looked for first, in small letters: a search for words costs a tenth of one for the pattern.
_NAMED = ("image", "serie", "serial", "img", "slice", "frame", " im ", " im.", " se ", " se.", " ser", " sl ", " seq")
_NUMBER_BEHIND = re.compile(r"[a-z]{0,6}[.#:]?\s?(?:(?:nos?|numbers?)[.:]?\s?)?#?\s?\d")
_PIECES = re.compile(r"\s*[,;]\s*")
# What a viewer writes beside the numbers of its images.
_LABEL = re.compile(
    r"(?:target|lesion|nodule|mass|label|marker|annotation|index|measurement|ref|key images?|circled|roi|bookmark|"
    rf"arrows?)\s?#?\d{{0,3}}|\d{{4}}-\d\d-\d\d|\d+|{_PART}\s[A-Z]{{1,3}}",
    re.IGNORECASE,
)
_RATIO_OR_TIME = re.compile(r"ratio|\d\s?:\s?\d+\s*(?:[ap]\.?m\b|h\b|hrs|hours|o'clock|min\b|titer)", re.IGNORECASE)
# Outside brackets a reference needs its words, and a preposition or both series and image.
_AT = r"(?:(?:(?:at|in|on) the level of|on|in|at|see|per)\s(?:the\s)?)"
_FURTHER = rf"(?:(?:{_LINK}|,?\s(?:and\s)?{_AT})(?:{_PART}|{_OF_SLICE}))*"
_RUNNING = re.compile(
    rf",?\s?\b(?:(?P<lead>(?:(?:as|is|are|was|were)\s)?(?:(?:best|well)\s)?(?:{_VERB}\s)?{_AT}){_PART}{_FURTHER}"
    rf"|(?:{_PLANE}\s)?(?:{_OF_SERIES}{_LINK}{_OF_SLICE}|{_OF_SLICE}{_LINK}{_OF_SERIES}){_FURTHER})(?![\w:]|\.\d)",
    re.IGNORECASE,
)
_PREDICATE = re.compile(rf"\b(?:is|are|was|were)\s(?:(?:best|well)\s)?{_VERB}\b", re.IGNORECASE)


def reference_edits(text: str) -> Iterator[Edit]:
    """Yield the edits that take references to images out, with the space in front of them."""
    for match in _BRACKETS.finditer(text):
        inside = match[1] or match[2] or match[3]
        if not _HINT.search(inside) or _RATIO_OR_TIME.search(inside):
            continue
        rest = _without_references(inside)
        if rest == "":
            yield Edit(_space_before(text, match.start()), match.end(), "", "image reference")
        elif rest is not None:
            yield Edit(match.start() + 1, match.end() - 1, rest, "image reference")
    if _names_a_number(text.lower()):
        yield from _running_edits(text)


def _names_a_number(folded: str) -> bool:
    """Tell whether a number stands shortly behind a word for a series or an image, in a text in small letters."""
    for word in _NAMED:
        place = folded.find(word)
        while place >= 0:
            place += len(word)
            if _NUMBER_BEHIND.match(folded, place):
                return True
            place = folded.find(word, place)
    return False


def _without_references(inside: str) -> str | None:
    """Return what brackets hold beside references to images; None where they hold no such reference."""
    if _WHOLE.fullmatch(inside):
        return ""
    pieces = [piece for piece in _PIECES.split(inside.strip()) if piece]
    rest = [piece for piece in pieces if not _WHOLE.fullmatch(piece)]
    if len(rest) == len(pieces):
        return None
    return "" if all(_LABEL.fullmatch(piece) for piece in rest) else ", ".join(rest)


def _running_edits(text: str) -> Iterator[Edit]:
    """Yield edits outside brackets; of "is seen on image 40" the predicate stays."""
    for match in _RUNNING.finditer(text):
        predicate = _PREDICATE.search(text, match.start(), match.end("lead")) if match["lead"] else None
        start = predicate.end() if predicate else _space_before(text, match.start())
        yield Edit(start, match.end(), "", "image reference")


def _space_before(text: str, place: int) -> int:
    while place > 0 and text[place - 1] in " \t":
        place -= 1
    return place
