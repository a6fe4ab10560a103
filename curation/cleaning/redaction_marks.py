"""Read the marks that de-identification leaves: a name or a date is taken out, an unknown word becomes ``BLANK``.

"[**Hospital 12**]" says what stood there: a person, a place, a date or a number of a record, none of them a finding.
"XXXX" and "___" do not: they may stand for any word, also for "normal" or "no". Where such a mark follows what only a
name or a date follows ("Dr. XXXX", "compared with XXXX") it is taken out as well.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from .edits import Edit

BLANK = "___"
"""What stands in a clean text for a word that was made unreadable, and for an empty field of a form."""
IDENTITY_MARK = "▮"
"""Stands for each character of a name, a date or a number that ``ovct curate --drop-phi`` has taken out."""

_PEOPLE = "patient|person|per|doctor|physician|radiologist|provider|surgeon|md|staff|resident|signature|initials"
_PLACES = (
    "hospital|clinic|institution|organi[sz]ation|org|department|ward|facility|location|loc|gpe|address|street|city|"
    "state|country|zip|zipcode"
)
_DATES = "dates?|datetime|time|year|month|day|holiday|age|dob|birthdate"
_NUMBERS = (
    "phone|telephone|tel|fax|pager|contact|e-?mail|url|ip|ids?|mrn|ssn|accession|number|identifier|account|record|"
    "numeric identifier|job number|clip number|unit number|md number"
)
_NAMES = "names?|patientname|firstname|lastname|(?:known )?(?:first|last) name|known"
_IDENTITY = rf"(?:{_NAMES}|{_PEOPLE}|{_PLACES}|{_DATES}|{_NUMBERS})"
_OPEN, _CLOSE = r"[\[<{(]{1,2}", r"[\]>})]{1,2}"
_STARRED = re.compile(r"\[\*\*[^\]\n]{0,80}\*\*\]")  # as in MIMIC
_TYPED = re.compile(
    rf"{_OPEN}(?:(?:patient|pt|hospital|exam|study|report|us|phi|redacted|deid|deidentified)[ _:-]?)?{_IDENTITY}"
    rf"(?:[ _:-]?(?:of birth|name|number|first|last|\d{{1,4}}|[A-Z]))*{_CLOSE}",
    re.IGNORECASE,
)
# "**NAME[AAA, BBB]" of De-ID, "<PHI TYPE=\"NAME\">Smith</PHI>" of i2b2, "[HIPAA: name removed]".
_NAMED_MARK = re.compile(r"\*\*[A-Z][A-Z-]{1,24}\[[^\]\n]{0,60}\]")
_ELEMENT = re.compile(
    rf"<(?P<name>phi|{_NAMES}|{_DATES}|{_PLACES}|{_PEOPLE}|{_NUMBERS})(?:\s[^<>]{{0,200}})?>[^<>]{{0,120}}</(?P=name)\s*>",
    re.IGNORECASE,
)
_DATE = re.compile(r"\b[Xx]{1,2}([/.-])[Xx]{1,2}(?:\1[Xx]{2,4})?\b")
_OURS = re.compile(f"{IDENTITY_MARK}+")
_SMALL_LETTERS = re.compile(r"[a-z]")
_REDACTED = "redacted|removed|deleted|de-?identified|anonymi[sz]ed|masked|phi|hidden|blank|censored|xx+"
_ABOUT_PRIVACY = r"(?:hipaa|phi|pii|privacy|confidential\w*|(?:name|date|number|identifier|information|data|text)s?)"
_TOLD_REDACTED = rf"{_ABOUT_PRIVACY}\W[^\[\]{{}}<>\n]{{0,30}}(?:{_REDACTED}|withheld|suppressed|omitted)"
_IN_ROUND_BRACKETS = re.compile(rf"\((?i:{_REDACTED})\)")
_UNKNOWN = re.compile(
    rf"{_OPEN}(?:{_REDACTED}){_CLOSE}|[\[<{{]{_TOLD_REDACTED}[\]>}}]"
    r"|(?:(?<=:)|(?<=: ))(?:<<[^<>\n]{1,40}>>|\{[A-Za-z][^{}\n\d]{1,60}\}|"
    r"\[[^\[\]\n|]{2,60}(?:\|[^\[\]\n|]{2,60}){1,8}\])"  # fields of a template
    r"|\bx{3,}\b|(?<![\w*])\*{3,}(?![\w*])|(?<![\w#])#{3,}(?![\w#])|(?<!\w)_{2,}(?!\w)|[█▇]+|■{3,}"
    r"|(?:(?<=:)|(?<=: ))\.{4,}|…{2,}",
    re.IGNORECASE,
)
_SIGNS = ("[", "<", "{", "XXX", "xxx", "Xxx", "***", "###", "__", "█", "▇", "■", ".....", "……")
# What only a name, a date or a place follows, and what only they stand before.
_BEFORE_IDENTITY = re.compile(
    r"\b(?:(?:dr|mr|mrs|ms|prof|doctor|md|rn|np|pa)\.?|by|dated|since|from|on|at|date|dob|mrn|accession|age|comparison|"
    r"(?:exam|examination|study|ct|scan|mri|radiographs?) of|comparison is made (?:to|with)|compared (?:to|with)|"
    r"(?:discussed|communicated|reviewed|conveyed|called|given|reported) (?:with|to))(?: the)?[\s,:]*$",
    re.IGNORECASE,
)
_BEHIND_IDENTITY = re.compile(r"\s*,?\s*(?:m\.?d\.?\b|year[- ]old|y/?o\b|hours?\b|[ap]\.?m\.?\b)", re.IGNORECASE)


def identity_edits(text: str) -> Iterator[Edit]:
    """Yield the edits that take out marks which say that a name, a place, a date or a number stood there."""
    for match in _OURS.finditer(text) if IDENTITY_MARK in text else ():
        yield Edit(match.start(), match.end(), "", "identity")
    if "xx" in text or "XX" in text:
        for match in _DATE.finditer(text):
            yield Edit(match.start(), match.end(), "", "identity")
    if not any(sign in text for sign in "[<{("):
        return
    for pattern in (_STARRED, _NAMED_MARK, _ELEMENT):
        for match in pattern.finditer(text):
            yield Edit(match.start(), match.end(), "", "identity")
    for match in _TYPED.finditer(text):
        # "(date)", "(day 3)" in round brackets and small letters are words of the report
        if match[0][0] != "(" or not _SMALL_LETTERS.search(match[0]):
            yield Edit(match.start(), match.end(), "", "identity")


def unreadable_edits(text: str) -> Iterator[Edit]:
    """Yield the edits that write unreadable words as ``BLANK``, or take them out where only a name or a date stands."""
    if not any(sign in text for sign in _SIGNS) and not _IN_ROUND_BRACKETS.search(text):
        return
    for match in _UNKNOWN.finditer(text):
        before = text[max(0, match.start() - 60) : match.start()]
        identity = _BEFORE_IDENTITY.search(before) or _BEHIND_IDENTITY.match(text, match.end())
        yield Edit(match.start(), match.end(), "" if identity else BLANK, "identity" if identity else "unreadable word")
