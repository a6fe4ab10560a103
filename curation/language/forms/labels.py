"""The labels of forms: which of them name an organ, and which a finding that is asked for."""

from __future__ import annotations

import re
from enum import Enum, auto
from typing import NamedTuple

from curation.language.assertion import Polarity
from curation.language.parsed_statement import ParsedStatement, Term
from curation.language.parser import StatementParser
from curation.language.word_lists import ACCOMPANIMENTS, VERBS

from .findings import is_listed_finding, is_noun_finding
from .wording import capital, lowered

LONGEST_LABEL = 80
"""Characters that a label may have; what is longer is a sentence."""
_MOST_WORDS = 9
_LEAD = re.compile(
    r"(?:[\s*_#>|•\"“”]+|\d{1,2}[.)]\s+|"
    r"(?:(?:is|are) (?:there|the)|any|presence of|(?:any )?evidence of|(?:any )?signs? of)\s+(?:(?:any|an?|the)\s+)?)+",
    re.IGNORECASE,
)
_TRAIL = re.compile(
    r"[\s*_.:?|-]+$|\s*[(\[]\s*(?:y|yes|\+)\s*/\s*(?:n|no|-)\s*[)\]]$|\s+y/n$|"
    r"\s+(?:(?:is|are)\s+)?(?:present|seen|detected|identified|noted|visible)$",
    re.IGNORECASE,
)
_SIDE_LAST = re.compile(r"(?P<name>.*\w)[\s,(-]+(?P<side>left|right|bilateral|[LR])\)?", re.IGNORECASE)
# Nouns for what a tumour may have to do with an organ, which a staging form asks for.
_RELATIONS = frozenset("contact contacts abutment tethering distortion deformity adherence narrowing cutoff".split())
_SIDES = {"l": "left", "r": "right"}
_LIST = re.compile(r"\s*(?:/|,|&|\+|\band\b|\bor\b)\s*|\s+[-–—>]\s+", re.IGNORECASE)


class LabelKind(Enum):
    """What a label names. ``STATE``: an organ that is called normal ("Kidneys normal?"). ``OTHER``: none of these."""

    ORGAN = auto()
    FINDING = auto()
    STATE = auto()
    OTHER = auto()


class Label(NamedTuple):
    """A label without marks around it; ``parts`` are the names that it lists ("Liver / spleen").

    ``organ`` is the organ before the findings that it asks for: "Liver" of "Liver - cysts".
    """

    text: str
    kind: LabelKind
    parts: tuple[str, ...]
    terms: tuple[Term, ...]
    organ: str = ""


def read_label(parser: StatementParser, text: str) -> Label | None:
    """Return a text as a label; None where it is a sentence, or no words at all."""
    text = _stripped(text)
    if not text or len(text) > LONGEST_LABEL or not text[0].isalnum() or any(mark in text for mark in ":?"):
        return None
    statement = parser.parse(text)
    if len(statement.tokens) > _MOST_WORDS or any(token.word in VERBS for token in statement.tokens):
        return None
    if any(term.measure and term.measure.kind == "date" for term in statement.terms):
        return None  # "Nodule, 3/4/2019: 9 mm" is a size of that day
    kind = _kind(statement)
    parts = tuple(part for part in _LIST.split(text) if part)
    if kind in (LabelKind.ORGAN, LabelKind.FINDING) and len(parts) > 1:
        kinds = [_kind(parser.parse(part)) for part in parts]
        if kinds[0] is LabelKind.ORGAN and all(other is LabelKind.FINDING for other in kinds[1:]):
            if not any(term.mention for part in parts[1:] for term in parser.parse(part).terms):
                return Label(text, kind, parts[1:], tuple(statement.terms), organ=parts[0])
        if any(other is not kind for other in kinds):
            parts = (text,)
    else:
        parts = (text,)
    return Label(text, kind, parts, tuple(statement.terms))


def label_on_side(parser: StatementParser, label: Label, side: str) -> Label | None:
    """Return the label of one side: "Left kidney" of "Kidneys", and "Left CFA" of "CFA"."""
    mention = label.terms[0].mention if label.kind is LabelKind.ORGAN else None
    on_side = read_label(parser, f"{capital(side)} {lowered(label.text)}")
    if mention is None or not mention.pair or side not in ("left", "right"):
        return on_side
    name = mention.pair[side == "right"]
    if on_side is not None and label.text[:4].lower() != name.removeprefix(f"{side} ")[:4]:
        if any(term.mention and term.mention.names == (name,) for term in on_side.terms):
            return on_side  # of the ossicles, not of the whole middle ear
    return read_label(parser, capital(name))


def _stripped(text: str) -> str:
    lead = _LEAD.match(text)
    text = " ".join(text[lead.end() if lead else 0 :].split())
    while match := _TRAIL.search(text):
        text = text[: match.start()]
    if (match := _SIDE_LAST.fullmatch(text)) and "," not in match["name"]:  # "Kidney stones (left)"
        side = match["side"].lower()
        return f"{capital(_SIDES.get(side, side))} {lowered(match['name'])}"
    return text


def _kind(statement: ParsedStatement) -> LabelKind:
    terms = statement.terms
    if any(
        term.kind in ("negation", "hedge") or term.polarity in (Polarity.NEGATED, Polarity.UNCERTAIN) for term in terms
    ):
        return LabelKind.OTHER
    if any(term.entry and "history" in term.entry.flags for term in terms) or any(
        token.word in ACCOMPANIMENTS for token in statement.tokens
    ):
        return LabelKind.OTHER
    names_organ = any(term.mention for term in terms)
    if any(is_noun_finding(statement, term) or (term.mention and term.mention.device) for term in terms):
        return LabelKind.FINDING
    if names_organ and any(map(is_listed_finding, terms)):  # "Spleen enlarged"
        return LabelKind.FINDING
    if names_organ and statement.tokens[-1].word in _RELATIONS:  # "SMV contact"
        return LabelKind.FINDING
    if names_organ:
        return LabelKind.STATE if any(term.is_normality for term in terms) else LabelKind.ORGAN
    return LabelKind.OTHER
