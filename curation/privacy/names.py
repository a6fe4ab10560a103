"""Names of persons in a text: behind a title or a label, before a degree, or with the "^" of HL7 and DICOM.

A name that stands in a sentence without any of these is not found: nothing but the world tells it from "Baker cyst".
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from .identifiers import Identifier, IdentifierKind
from .name_words import may_be_name

MOST_WORDS = 4
_LETTER = r"[^\W\d_]"
# "Smith", "O'Neil", "Smith-Jones", "KILIÇ"; "J." and "J.-P.": a "." belongs to an initial alone.
_WORD = re.compile(rf"[ \t]*({_LETTER}\.(?:-?{_LETTER}\.)*|{_LETTER}(?:{_LETTER}|['’-](?={_LETTER}))*)")
_PARTICLES = frozenset("van von de del della den der di da dos la le el al bin ibn ten ter".split())
_TITLE = re.compile(
    r"(?:Drs?|Prof|Mrs?|Ms|Miss|Doctor|Professor|Nurse|Smt|Shri|DRS?|PROF|MRS?|MS|dr)"
    r"(?:\.[ \t]*:?\s*|\s+)(?:\(?(?:Dr|Prof|Mrs?|Ms|DR|PROF)\b\)?(?:\.\)?\s*|\s+))*"
)
# "MR. No change", "MS plaques", "on DR": these capitals are titles only where somebody is addressed or listed.
_AMBIGUOUS_TITLES = ("MR", "MS", "MRS", "DR")
_ADDRESSED = re.compile(r"(?:^|[\n:;(,/]|\b(?:with|by|to|for|from|named|and|patient))\s*$", re.IGNORECASE)
_PERSON = (
    r"(?:physician|doctor|md|dr|provider|clinician|radiologist|consultant|surgeon|resident|fellow|technologist"
    r"|technician|tech|practitioner|nurse)"
)
_ROLE = (
    r"(?:referring|ordering|attending|requesting|consulting|primary(?:\s+care)?|reading|reporting|interpreting|admitting"
    r"|supervising|performing|responsible|referral)"
)
# Who somebody is, before the name: "the ordering physician Jane Doe", "attending radiologist Jane Doe".
_ROLES = (
    r"(?:(?:the|our|her|his|on-call|referring|ordering|attending|treating|requesting|consulting|primary|care|emergency|er|ed"
    r"|icu|interventional|radiology|physician|doctor|radiologist|surgeon|resident|fellow|nurse|oncologist|pulmonologist"
    r"|urologist|neurologist|cardiologist|gastroenterologist|practitioner|assistant|provider|clinician|patient)\s+){0,4}"
)
_NAME_FIELD = (
    r"(?:(?:patient|pt\.?|client|subject|mother|father|spouse|guardian)(?:['’]?s)?[ \t_]{0,5})?"
    r"(?:full|last|first|middle|maiden|family|given|sur)?[ \t_]{0,5}name"
)
_FIELD = re.compile(
    rf"(?<![\w/-])(?:(?P<name>{_NAME_FIELD})|patient|pt|{_ROLE}(?:\s+{_PERSON})?|{_PERSON}|ref(?:err?ed)?\.?\s+(?:by|dr|doctor)\.?|pcp|radiographer|sonographer"
    r"|author|dictator|transcriptionist|typist|reader|referrer|operator|next\s+of\s+kin|contact(?:\s+person)?|attn"
    r"|signature)(?:['’]?s)?(?:[ \t]+name)?(?:\(s\))?(?:[ \t]*:|[ \t]+[-–](?=[ \t]))[ \t]*",
    re.IGNORECASE,
)
_BY = re.compile(r"by\b(?P<colon>[ \t]*[:–-])?\s*" + _ROLES, re.IGNORECASE)
_WHAT_WAS_DONE = re.compile(
    r"\b(?:(?P<strong>(?:co-?|e-?)?signed|dictated|transcribed|typed|attested|authenticated|finali[sz]ed|authored)"
    r"|read|reported|reviewed|interpreted|verified|approved|authori[sz]ed|requested|ordered|referred|performed|prepared"
    r"|edited|entered|validated|supervised|confirmed|released|written|seen|examined|electronically)"
    r"(?:[ \t]+(?:and|&)[ \t]+\w+|[ \t]+off)?(?:[ \t]+electronically)?[ \t]+$",
    re.IGNORECASE,
)
_LONGEST_DEED = 50
_TELLING = (
    "discuss", "spoke", "communicat", "review", "shared", "convey", "reported", "relayed", "called", "phoned", "given",
    "faxed", "texted", "paged", "notified", "informed", "alerted", "contacted", "messaged", "dear", "patient,",
)  # fmt: skip
_TOLD = re.compile(
    r"\b(?:(?:discussed|spoke|spoken|communicated|reviewed|shared)\s+(?:\w+\s+){0,2}?(?:with|to)"
    r"|(?:communicated|conveyed|reported|relayed|called|phoned|telephoned|given|faxed|texted|paged)\s+(?:\w+\s+)?to"
    r"|notified|informed|alerted|contacted|messaged|dear|the\s+patient,)\s+"
    rf"{_ROLES}",
    re.IGNORECASE,
)
_DEGREE = re.compile(
    r"(?P<comma>,)?\s{1,4}(?:M\.D\.|MD\b|D\.O\.|MBBS\b|MBChB\b|FRCR\b|FRCPC?\b|FACR\b|MRCP\b|Ph\.?D\b|PA-C\b"
    r"|(?<=, )(?:DO|RN|NP|PA|DDS|DMD|CRNP|DNP|RT)\b)"
)
_BEFORE_DEGREE = 60
_CARETS = re.compile(rf"{_LETTER}(?:{_LETTER}|['’ -]){{1,40}}\^{_LETTER}{{2}}(?:{_LETTER}|['’^. -]){{0,80}}(?!\w)")


class _Name(NamedTuple):
    """A name as far as it was followed: its place, and how many words it has beside initials."""

    start: int
    end: int
    words: int
    capitals: bool


def names_in(text: str) -> Iterator[Identifier]:
    """Yield the names of persons in a text; passages may overlap."""
    for name in (*_titled(text), *_in_fields(text), *_behind_verbs(text), *_before_degrees(text)):
        yield Identifier(name.start, name.end, IdentifierKind.NAME)
    if "^" in text:
        for match in _CARETS.finditer(text):
            if all(may_be_name(word) for word in re.split(r"[\^ ]+", match[0].strip("^. "))):
                yield Identifier(match.start(), match.end(), IdentifierKind.NAME)


def _titled(text: str) -> Iterator[_Name]:
    for match in _TITLE.finditer(text):
        before = text[match.start() - 1 : match.start()]
        title = match[0].rstrip()
        if before.isalnum() or before == "_":
            continue
        if title.rstrip(".") in _AMBIGUOUS_TITLES:
            if not _ADDRESSED.search(text, max(0, match.start() - 12), match.start()):
                continue
            if title in ("MR", "MS", "MRS"):
                continue
        if name := _name(text, match.end(), any_case=title[0].islower()):
            yield name
            if title.startswith(("Drs", "DRS")):
                yield from _others(text, name.end)


def _others(text: str, position: int) -> Iterator[_Name]:
    """Yield the further names of "Drs. Smith, Jones and Brown"."""
    while match := re.compile(r"\s*(?:,\s*(?:and|&)?|and|&)\s*", re.IGNORECASE).match(text, position):
        name = _name(text, match.end())
        if name is None:
            return
        yield name
        position = name.end


def _in_fields(text: str) -> Iterator[_Name]:
    if ":" in text:
        for match in _FIELD.finditer(text):
            if name := _name(text, match.end(), any_case=match["name"] is not None, comma=True):
                yield name


def _behind_verbs(text: str) -> Iterator[_Name]:
    for match in _BY.finditer(text):
        deed = _WHAT_WAS_DONE.search(text, max(0, match.start() - _LONGEST_DEED), match.start())
        name = _name(text, match.end(), comma=match["colon"] is not None) if deed else None
        if deed and name and (deed["strong"] or match["colon"] or (name.words > 1 and not name.capitals)):
            yield name
    lowered = text.lower()
    for match in _TOLD.finditer(text) if any(word in lowered for word in _TELLING) else ():
        name = _name(text, match.end())
        if name and ((name.words > 1 and not name.capitals) or match[0].rstrip().lower() == "dear"):
            yield name


def _before_degrees(text: str) -> Iterator[_Name]:
    for match in _DEGREE.finditer(text):
        start = max(0, match.start() - _BEFORE_DEGREE)
        words = [word for word in _WORD.finditer(text, start, match.start())]
        first = len(words)
        position = match.start()
        while first and words[first - 1].end() >= position and _is_name_word(words[first - 1][1]):
            first -= 1
            position = words[first].start(1)
            position = len(text[:position].rstrip(" \t,"))
        name = _name(text, words[first].start(1), comma=True) if first < len(words) else None
        if name and (match["comma"] or (name.words > 1 and not name.capitals)):
            yield name


def _is_name_word(word: str) -> bool:
    return word[0].isupper() and (word.endswith(".") or may_be_name(word))


def _name(text: str, position: int, *, any_case: bool = False, comma: bool = False) -> _Name | None:
    """Follow the words of a name from ``position``; None where no name begins there.

    ``any_case``: also words in small letters; ``comma``: the family name may come first, with a comma behind.
    """
    first, end = None, position
    words: list[str] = []
    while len(words) < MOST_WORDS and (match := _WORD.match(text, position)):
        word = match[1]
        if word not in _PARTICLES and not (_is_name_word(word) or (any_case and may_be_name(word))):
            break
        first = match.start(1) if first is None else first
        position = match.end()
        if word not in _PARTICLES:
            words.append(word)
            end = position
            if comma and len(words) == 1 and text.startswith(",", position):
                position += 1
    full = [word for word in words if len(word.strip(".")) > 1 and not word.endswith(".")]
    if first is None or not full:
        return None
    return _Name(first, end, len(words), all(word.isupper() for word in full))
