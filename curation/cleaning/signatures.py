"""Find where a report's findings end in a signature, an attestation or a note on who was told."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

# Looked for first: a search for a word costs a hundredth of one for a pattern with several ways to start.
SIGNATURE_WORDS = (
    "electronically", "dictated", "transcribed", "signed", "personally reviewed", "thank you", "end of", "dr.",
    "communicated", "discussed", "conveyed", "called", "reported", "attending", "teaching", "personally", "informed",
    "notified", "paged", "contacted", "relayed", "nurse", "/s/",
)  # fmt: skip
SIGNATURE = re.compile(
    r"(?:^[ \t]*|(?<=[.?!][ \t]))(?P<heading>(?:\d{1,2}[.)] ?)?(?:this (?:report|document) (?:has been|was|is) )?"
    r"(?:electronically (?:signed|verified|approved)|dictated (?:by|and)|transcribed by|signed by\b|/s/\s|"
    r"reported and signed|i,? (?:the .{0,60}|have )?personally reviewed|thank you for (?:the|this|your|referring)|"
    r"(?:(?:assist|assoc|spec|op)\. ?)?(?:prof\. ?)?dr\. ?\w|end of (?:the )?report|"
    r"results? (?:were|was) (?:communicated|discussed|called|conveyed)|"
    r"(?:the )?(?:above )?findings (?:were|was) (?:communicated|discussed|reported|called|conveyed) (?:to|with|by)))",
    re.M | re.IGNORECASE,
)

# The same behind a sentence that has no full stop: "Fatty liver As attending radiologist, I have …".
RUN_ON_SIGNATURE = re.compile(
    r"(?<=[A-Za-z0-9)])[ \t]+(?P<heading>(?:this (?:report|document) (?:has been|was|is) )?"
    r"(?:electronically (?:signed|verified|approved)|dictated (?:by|and)|transcribed (?:by|on)|reported and signed|"
    r"as (?:the |an )?(?:attending|teaching|supervising|staff) (?:radiologist|physician)|"
    r"(?:attending|teaching) (?:radiologist|physician)(?:'s)? (?:statement|attestation|note)|"
    r"i,? (?:(?:the|as the) (?:attending|teaching|supervising|undersigned)|(?:have )?"
    r"personally (?:review|read|interpret|view|examin|supervis))|end of (?:the )?report))",
    re.IGNORECASE,
)
RUN_ON_NOTICE = re.compile(
    r"(?<=[A-Za-z0-9)])[ \t]+(?P<heading>"
    r"(?:(?:[Tt]hese|[Tt]he|[Aa]bove|[Cc]ritical|[Ss]ignificant) )*(?:[Ff]indings?|[Rr]esults?) "
    r"(?:(?:were|was|have been|has been|are) )?(?:discussed|communicated|conveyed|relayed|reported|called) "
    r"(?:with|to|by)|"
    r"(?:Dr|Doctor|Nurse)\b\.?(?: [A-Z][\w.'-]*){0,3} (?:was|has been) "
    r"(?:informed|notified|called|paged|contacted|told)|"
    r"[Dd]iscussed with (?:[Dd]r|the (?:referring|ordering)))\b"
)
NOTICE_END = re.compile(r"(?<!\b[A-Z])(?<!\b[Dd]r)(?<!\bm)[.!?]+(?=\s+[A-Z0-9]|\s*$)|[\r\n]|$")


class Signature(NamedTuple):
    """A signature or note begins at ``start``; it takes up the rest of its ``whole_line``, or ends at ``end``."""

    start: int
    end: int
    whole_line: bool


def find_signatures(text: str) -> Iterator[Signature]:
    """Yield signatures and attestations, on a line of their own or behind a sentence, and notes behind a sentence."""
    folded = text.lower()
    if any(word in folded for word in SIGNATURE_WORDS):
        for pattern in (SIGNATURE, RUN_ON_SIGNATURE):
            for match in pattern.finditer(text):
                yield Signature(match.start("heading"), match.end(), whole_line=True)
        for match in RUN_ON_NOTICE.finditer(text):
            stop = NOTICE_END.search(text, match.end())
            yield Signature(match.start("heading"), stop.end() if stop else len(text), whole_line=False)
