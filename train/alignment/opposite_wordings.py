"""Sentences that may say the opposite of a caption, made by exchanging words: side, denial, size.

They are candidates: `Opposites` keeps those that the verifier takes for an opposite.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

_BE = r"(?:is|are|was|were)"
_SEEN = r"(?:seen|observed|detected|noted|present|identified|evident|visible|found|demonstrated)"
_DENIAL = re.compile(r"\b(?:no|not|without|absent|free of|negative|neither|nor)\b", re.IGNORECASE)
# What stands before a caption: "LIVER: ".
_HEADING = re.compile(r"^[A-Za-z ]{2,40}: +")
_SIDES = {"left": "right", "right": "left"}
_SIZES = {
    "enlarged": "small", "small": "large", "large": "small", "increased": "decreased", "decreased": "increased",
    "increase": "decrease", "decrease": "increase", "larger": "smaller", "smaller": "larger", "dilated": "narrowed",
    "narrowed": "dilated", "thickened": "thinned", "hypodense": "hyperdense", "hyperdense": "hypodense",
    "shrunken": "enlarged", "distended": "collapsed", "collapsed": "distended",
}  # fmt: skip
_NORMAL = r"(?:normal|unremarkable|natural|clear|patent)"
_STATE = r"(?:enlarged|dilated|thickened|distended|increased|decreased|larger|smaller)"
# A denial taken away, or added: what is found, and what takes its place.
_AFFIRMED = (
    (rf"\b({_BE}) not (?={_SEEN}|{_STATE}|{_NORMAL})", r"\1 "),
    (r"\b(There (?:is|are|was|were)) no (?:evidence (?:of|for) )?", r"\1 "),
    (r"^no (?:evidence (?:of|for) )?(?=\w)", ""),
    (r" without (?:evidence of )?", " with "),
    (r" free of ", " with "),
)
_DENIED = (
    (rf"\b({_BE}) (?={_SEEN}|{_STATE}|{_NORMAL})", r"\1 not "),
    (r"\b(There (?:is|are|was|were)) (?:an? )?", r"\1 no "),
    (r"\b(contains?|shows?) (?:an? )?", r"\1 no "),
    (rf" (?={_NORMAL}\b)", " not "),
)
# Of a claim without a verb ("Gallstone, 12 mm").
_VERBLESS = re.compile(rf"(?!.*\b(?:{_BE}|status|prior)\b)(?:an? )?([A-Z0-9].*)", re.IGNORECASE)


def opposite_wordings(caption: str) -> Iterator[str]:
    """Yield sentences with one thing exchanged: the side, then the denial, then the size."""
    heading = _HEADING.match(caption)
    start = heading.end() if heading else 0
    before, claim = caption[:start], caption[start:]
    for changed in dict.fromkeys(_candidates(claim)):
        if changed != claim:
            yield before + changed[:1].upper() + changed[1:]


def _candidates(claim: str) -> Iterator[str]:
    if len({word.lower() for word in re.findall(r"\b(?:left|right)\b", claim, re.IGNORECASE)}) == 1:
        yield _exchanged(claim, _SIDES)
    rules = _AFFIRMED if _DENIAL.search(claim) else _DENIED
    for old, new in rules:
        changed = re.sub(old, new, claim, count=1, flags=re.IGNORECASE)
        if changed != claim:
            yield changed
            break
    else:
        if rules is _DENIED and (phrase := _VERBLESS.fullmatch(claim)):
            first = phrase[1]
            # An abbreviation keeps its capitals.
            yield f"no {first if first[:2].isupper() else first[:1].lower() + first[1:]}"
    if sum(len(re.findall(rf"\b{word}\b", claim, re.IGNORECASE)) for word in _SIZES) == 1:
        yield _exchanged(claim, _SIZES)


def _exchanged(claim: str, words: Mapping[str, str]) -> str:
    """Return the claim with each of the words exchanged; a capital stays one."""

    def other(match: re.Match[str]) -> str:
        word = words[match[0].lower()]
        return word.capitalize() if match[0][0].isupper() else word

    return re.sub(rf"\b(?:{'|'.join(words)})\b", other, claim, flags=re.IGNORECASE)
