"""Values that say more of the finding in their label: where it is, how large, how severe, how certain."""

from __future__ import annotations

import re
from typing import NamedTuple

from curation.language.numbers.measure import Measure
from curation.language.parsed_statement import ParsedStatement, Term
from curation.language.parser import StatementParser

from .answers import bare
from .findings import ends_like_adjective, is_adjective
from .labels import Label
from .wording import capital, lowered

_PARTS = re.compile(r"\s*(?:[,;]|\s-\s|[()\[\]])\s*(?:(?:and|or)\s+)?")
_BOTH = re.compile(r"\s*(?:[,;]|\band\b)\s*(?:and\s+)?", re.IGNORECASE)
_PREPOSITION = re.compile(
    r"(?:in|at|on|of|within|throughout|involving|along|near|around|from|adjacent|extending|to|with|without|measuring)\b",
    re.IGNORECASE,
)
_INNER_PREPOSITION = re.compile(r"\s+(?=(?:in|at|on|of|within|throughout|along|near|around)\b)", re.IGNORECASE)
_STAYS_BEHIND = re.compile(
    r"(?:largest|up to|max|measur|approx|about|total|less|more|at least|greater)|.*\b(?:to|on|in|of|at) (?:the|both)\b",
    re.IGNORECASE,
)
# Grades of a scheme, and findings that are there no longer.
_NOT_READ = re.compile(r"-RADS\b|\b(?:resected|removed|excised)\b", re.IGNORECASE)
_COMPARED = re.compile(r"(?:left|right)\s*[<>]")
_LOWER_CASE = re.compile(r"\b(?:[A-Z]{5,}|LEFT|RIGHT|BOTH|IN|THE|OF|AND|MILD)\b")
_AND = re.compile(r"^(?:and|or)\s+", re.IGNORECASE)
_LETTERS = {"L": "left", "R": "right", "B": "bilateral", "B/L": "bilateral", "BL": "bilateral", "bilat": "bilateral"}
_LETTER = re.compile(r"(?:(?<=^)|(?<=[\s,;]))(?:B/L|BL|L|R|B|bilat)\.?(?=$|[\s,;])")
_BOTH_SIDES = re.compile(r"(?:left\s*(?:,|and|/|&|\+)\s*right|right\s*(?:,|and|/|&|\+)\s*left|both(?: sides)?)$", re.I)
# What these flags say is no finding of today.
_NOT_OF_TODAY = frozenset(("absent_organ", "recommendation", "limitation", "exception"))
_QUALITIES = frozenset(("side", "modifier", "measure"))
_LONGEST_QUALITY = 6


def _measures(measure: Measure) -> bool:
    """Tell whether a number says how much or how severe: "5 mm", "grade 2"."""
    return measure.has_unit or measure.kind == "grade number"


class _Part(NamedTuple):
    """A piece of a value between commas."""

    text: str
    statement: ParsedStatement

    @property
    def is_understood(self) -> bool:
        terms = [term for term in self.statement.terms if term.measure is None or _measures(term.measure)]
        return not self.is_of_earlier and (
            any(term.kind in _QUALITIES or term.mention for term in terms) or (bool(terms) and self.is_quality)
        )

    @property
    def is_of_earlier(self) -> bool:
        """Whether it is about an earlier examination: "previously 6 mm"."""
        terms = self.statement.terms
        return any(
            (term.measure and term.measure.role == "earlier")
            or term.key == "time:previous"
            or (term.entry and "history" in term.entry.flags)
            for term in terms
        )

    @property
    def is_former_measure(self) -> bool:
        """Whether it is a size of an earlier examination, which says that the finding is still there."""
        return any(
            term.measure and term.measure.has_unit and term.measure.role == "earlier" for term in self.statement.terms
        )

    @property
    def is_quality(self) -> bool:
        """Whether it may stand before the finding: "mild left", "5 mm", "displaced"."""
        terms = self.statement.terms
        if (
            not terms
            or self.is_of_earlier
            or _PREPOSITION.match(self.text)
            or len(self.text.split()) > _LONGEST_QUALITY
        ):
            return False
        if self.text.split()[-1].endswith("ly") or _STAYS_BEHIND.match(self.text):  # "mainly", "largest 3 cm"
            return False
        return all(
            term.kind in _QUALITIES or (not term.mention and is_adjective(self.statement, term)) for term in terms
        )

    @property
    def has_length(self) -> bool:
        return any(term.measure and term.measure.kind == "length" for term in self.statement.terms)

    @property
    def is_adjective_of_organ(self) -> bool:
        """Whether it is the adjective of an organ, which stands right before the finding: "axillary"."""
        terms = self.statement.terms
        return len(self.text.split()) == 1 and any(term.mention and term.mention.adjective for term in terms)

    @property
    def opens_with_place(self) -> bool:
        """Whether it begins with an organ, with its side or without: "left lower lobe"."""
        terms = self.statement.terms
        last = terms[-1].mention
        is_adjective = last.adjective if last else ends_like_adjective(self.statement.tokens[-1].word)
        return terms[0].start == 0 and terms[0].kind in ("organ", "side") and not is_adjective

    @property
    def names_place(self) -> bool:
        return any(term.mention or term.kind == "side" for term in self.statement.terms)


def qualified(parser: StatementParser, label: Label, value: str) -> tuple[str, ...]:
    """Return the finding of ``label`` with what ``value`` says of it; nothing where that is not understood."""
    value = _LETTER.sub(lambda match: _LETTERS[match[0].rstrip(".")], bare(value))
    value = _BOTH_SIDES.sub("bilateral", value)
    if value.isupper():
        value = _LOWER_CASE.sub(lambda match: match[0].lower(), value)
    if ";" in value:
        findings = [qualified(parser, label, piece) for piece in value.split(";")]
        return tuple(sentence for sentences in findings for sentence in sentences) if all(findings) else ()
    statement = parser.parse(value)
    if (
        len(label.parts) > 1
        or not statement.terms
        or "?" in value
        or _COMPARED.search(value)
        or _NOT_READ.search(value)
    ):
        return ()
    if any(map(_says_no_finding, statement.terms)):
        return ()
    if any(term.kind in ("negation", "hedge") for term in statement.terms):
        sentences = _with_cue(label, value, statement)
    elif statement.segments and statement.segments[0].verb == 0:
        sentences = (f"{label.parts[0]} {value}",)
    else:
        sentences = _with_qualities(parser, label, value)
    if _contradicts_side(label, statement):
        return ()
    prefix = f"{label.organ}: " if label.organ else ""
    return tuple(capital(f"{prefix}{sentence}") for sentence in sentences)


def _says_no_finding(term: Term) -> bool:
    return term.entry is not None and not _NOT_OF_TODAY.isdisjoint(term.entry.flags)


def _contradicts_side(label: Label, statement: ParsedStatement) -> bool:
    """Tell whether label and value are about opposite sides."""
    first, second = _sides(label.terms), _sides(statement.terms)
    return bool(first and second and first.isdisjoint(second) and "both" not in first | second)


def _sides(terms: tuple[Term, ...] | list[Term]) -> set[str]:
    sides = {term.key.removeprefix("side:") for term in terms if term.kind == "side"}
    names = {name.split()[0] for term in terms if term.mention for name in term.mention.names}
    return sides | (names & {"left", "right"})


def _with_cue(label: Label, value: str, statement: ParsedStatement) -> tuple[str, ...]:
    """Return a finding with a cue that stands alone: "possible", "cannot be excluded", "no significant"."""
    cue = next(term for term in statement.terms if term.kind in ("negation", "hedge"))
    if any(term is not cue and term.kind not in ("modifier", "side") for term in statement.terms):
        return ()
    behind = cue.entry is not None and "after" in (cue.entry.negation, cue.entry.hedge)
    name = lowered(label.parts[0])
    return (f"{label.parts[0]} {value}",) if behind else (f"{value} {name}",)


def _with_qualities(parser: StatementParser, label: Label, value: str) -> tuple[str, ...]:
    """Return the finding with its qualities before it and its places behind it; one sentence for each of a list."""
    pieces = [text for piece in _PARTS.split(value) if (text := _AND.sub("", piece))]
    parts = [part for text in pieces for part in _quality_and_place(parser, text)]
    parts = [part for part in parts if part.is_understood or part.is_of_earlier]
    if all(part.is_of_earlier for part in parts) or any(
        part.is_of_earlier and not part.is_former_measure for part in parts
    ):
        return ()
    listed = [_Part(text, parser.parse(text)) for text in _BOTH.split(value) if text]
    if len(listed) > 1 and all(part.names_place for part in listed) and _are_apart(listed):
        return tuple(sentence for part in listed for sentence in (_composed(label, [part]),))
    if sum(part.names_place for part in parts) > 1 and sum(part.has_length for part in parts) > 1:
        return ()  # which size is that of which place is not told
    return (_composed(label, parts),) if parts else ()


def _quality_and_place(parser: StatementParser, text: str) -> list[_Part]:
    """Return a piece of a value in two where a place stands behind a quality: "8 mm" and "in the right upper lobe"."""
    whole = _Part(text, parser.parse(text))
    for preposition in _INNER_PREPOSITION.finditer(text):
        first, second = text[: preposition.start()], text[preposition.end() :]
        quality, place = _Part(first, parser.parse(first)), _Part(second, parser.parse(second))
        if quality.is_quality and place.names_place:
            return [quality, place]
    organ = next((term for term in whole.statement.terms if term.mention), None)
    at = whole.statement.tokens[organ.start].start if organ else 0
    quality = _Part(text[:at].rstrip(), parser.parse(text[:at].rstrip()))
    if quality.is_quality and quality.has_length:
        return [quality, _Part(text[at:], parser.parse(text[at:]))]
    return [whole]


def _are_apart(parts: list[_Part]) -> bool:
    """Tell whether each part of a list has its own place and is complete: "small left, large right"."""
    qualities = [any(term.kind in ("modifier", "measure") for term in part.statement.terms) for part in parts]
    if all(qualities):
        return True
    organs = [{name for term in part.statement.terms if term.mention for name in term.mention.names} for part in parts]
    within = [set().union(*(term.mention.within for term in part.statement.terms if term.mention)) for part in parts]
    if any(qualities) or not all(organs):
        return False
    return not any(organs[a] & (within[b] | organs[b]) for a in range(len(parts)) for b in range(len(parts)) if a != b)


def _composed(label: Label, parts: list[_Part]) -> str:
    name = label.parts[0]
    qualities = [part.text for part in parts if part.is_quality]
    organs = " and ".join(part.text for part in parts if part.is_adjective_of_organ)
    before = " ".join([*qualities, organs] if organs else qualities)
    places = [part.text for part in parts if not part.is_quality and not part.is_adjective_of_organ]
    text = f"{before} {lowered(name)}" if before else name
    if any(term.mention for term in label.terms) and any(
        part.opens_with_place and not part.is_quality for part in parts[:2]
    ):
        places = [f"in {place}" if number == 0 else place for number, place in enumerate(places)]
    for place in places:
        text = f"{text} {place}" if _PREPOSITION.match(place) and text[-1] != "," else f"{text}, {place}"
    return text
