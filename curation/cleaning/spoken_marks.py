"""Write the marks that a dictation spells out: "the lungs are clear period new paragraph no effusion comma …".

Only where a text has hardly any marks of its own and spells out several: "a period of rest" stands in any report, and
"colon" is an organ.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from .edits import Edit

FEWEST_SPOKEN_STOPS = 3
"""Full stops that are spelled out before a text counts as a dictation."""
_STOPS = r"period|full stop|point final"
_SPOKEN_STOP = re.compile(rf"(?<=\w) +(?:{_STOPS})(?= +(?!of\b|in\b|for\b|is\b|was\b)|\s*\Z|\n)", re.IGNORECASE)
_WRITTEN_STOP = re.compile(r"[a-z]{2}[.!?](?:\s|\Z)", re.IGNORECASE)
_HEADINGS = r"findings|impression|conclusion|technique|indication|history|comparison|clinical history|recommendation"
_MARK = re.compile(
    rf"\s*(?:\b(?P<stop>{_STOPS})\b|\b(?P<line>new (?:paragraph|line)|next (?:paragraph|line))\b|"
    r"\b(?P<comma>comma)\b|\b(?P<semicolon>semi ?colon)\b|\b(?P<open>open (?:paren(?:thesis)?|bracket))\b\s*|"
    r"\b(?P<close>close (?:paren(?:thesis)?|bracket))\b)",
    re.IGNORECASE,
)
_WRITTEN = {"stop": ".", "line": "\n", "comma": ",", "semicolon": ";", "open": " (", "close": ")"}
_HEADING = re.compile(rf"\s*\b(?P<heading>{_HEADINGS})\b(?:\s+colon\b)?\s*(?=\w)", re.IGNORECASE)
_NEXT_LETTER = re.compile(r"\s*([a-z])")


def spoken_mark_edits(text: str) -> Iterator[Edit]:
    """Yield one edit for each mark of a dictation, and for the word that begins the sentence behind a full stop."""
    if "period" not in text.lower() and "full stop" not in text.lower():
        return
    spoken = len(_SPOKEN_STOP.findall(text))
    if spoken < FEWEST_SPOKEN_STOPS or len(_WRITTEN_STOP.findall(text)) > spoken // 3:
        return
    place = 0
    for match in _MARK.finditer(text):
        if match.start() < place:
            continue
        kind = match.lastgroup or ""
        written, place = _WRITTEN[kind], match.end()
        if kind in ("stop", "line"):
            while (again := _MARK.match(text, place)) and again.lastgroup in ("stop", "line"):
                written += _WRITTEN[again.lastgroup]
                place = again.end()
            if heading := _HEADING.match(text, place):
                written += f"\n{heading['heading'].upper()}: "
                place = heading.end()
            elif letter := _NEXT_LETTER.match(text, place):
                written += " "
                place = letter.start(1)
            if letter := _NEXT_LETTER.match(text, place):
                written += letter[1].upper()
                place = letter.end()
        yield Edit(match.start(), place, written, "spoken mark")
