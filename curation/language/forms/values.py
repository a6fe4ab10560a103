"""What a label with its value says, as plain sentences: "No ascites" for "Ascites: no", "Spleen: normal" for "NAD"."""

from __future__ import annotations

import re
from itertools import pairwise

from curation.language.parsed_statement import ParsedStatement
from curation.language.parser import StatementParser

from .answers import FieldAnswer, Reply, bare, read_reply
from .findings import is_adjective, is_listed_finding, is_noun_finding
from .graded_places import answers_places, of_places
from .joint_labels import of_each_organ
from .labels import Label, LabelKind, label_on_side
from .qualifiers import qualified
from .wording import capital, lowered

Sentences = tuple[str, ...]
NOTHING: Sentences = ()
"""What a field says that is empty, or filled in with what is not understood."""
_OPERATIONS = frozenset(("operation", "partial_operation", "absent_organ", "history"))
_NORMAL_LETTER = re.compile(r"N")
_NOT_SEEN = re.compile(r"not (?:seen|visuali[sz]ed|identified|visible|demonstrated)", re.IGNORECASE)
_EXCEPTIONS = re.compile(r"(?:but|except|other than|apart from|besides|aside from|although|however)\b", re.IGNORECASE)
_PIECES = re.compile(r"\s*(?:[,;]|\b(?:and|but)\b)\s*", re.IGNORECASE)
_MINUS_AT_SIDE = re.compile(r"[-–−]\s*(?=(?:left|right|lt|rt|both|bilateral)\b)", re.IGNORECASE)
_DENIALS = (FieldAnswer.NO, FieldAnswer.NEGATIVE, FieldAnswer.ABSENT)
_UNKNOWN_SHORT = re.compile(r"(?:[A-Za-z][./]?){1,4}|[\d\W]+")
_SLASH = re.compile(r"(?<=[a-z]{4})\s*[/&]\s*(?=[A-Za-z]{4})")
_SIDE_LETTER = re.compile(r"(?<![\w/.-])[LR](?![\w/.-])")
_SIDES = {"L": "left", "R": "right", "LT": "left", "RT": "right"}
_SIDE_FIRST = re.compile(r"(?P<side>left|right|lt|rt|[LR])\b(?P<mark>\s*[:=]|\s+-\s)?\s*(?P<value>\S.*)", re.IGNORECASE)
_BEFORE_SIDE = re.compile(r"\s*[,;/.]\s*(?=(?:left|right|lt|rt|[LR])\b)", re.IGNORECASE)
_OPENING_MARKS = tuple("[<{\"“'")
_OPTIONS = re.compile(r"\s*(?:/|\||\bor\b)\s*", re.IGNORECASE)


def sentences_of(parser: StatementParser, label: Label, value: str, *, minus_denies: bool) -> Sentences | None:
    """Return what a field says; None where label and value are a heading and its text, read like any other."""
    reply = read_reply(value)
    if reply is not None and reply.answer is FieldAnswer.MINUS:
        reply = Reply(FieldAnswer.NO, reply.rest) if minus_denies else Reply(FieldAnswer.EMPTY, "")
    if label.kind is LabelKind.FINDING:
        return _of_finding(parser, label, value, reply)
    if label.kind is LabelKind.ORGAN:
        return _of_organ(parser, label, value, reply)
    if reply is None and answers_places(parser, value):
        return NOTHING  # "Lobar: RUL no / RLL yes"
    if reply is None or reply.answer is FieldAnswer.NORMAL:
        return None
    if label.kind is LabelKind.STATE and reply.answer is FieldAnswer.YES and not reply.rest:
        return (capital(label.text),)
    return NOTHING


def _of_finding(parser: StatementParser, label: Label, value: str, reply: Reply | None) -> Sentences | None:
    answer = reply.answer if reply else None
    if (pieces := _of_pieces(parser, label, value)) is not None:
        return pieces
    if (places := of_places(parser, label, value)) is not None:
        return places
    if reply is None and any(term.is_normality for term in parser.parse(value).terms):
        return None  # "Renal enhancement: symmetric"
    if reply is None:
        sentences = _as_heading(parser, label, value)
        return qualified(parser, label, value) if sentences is None else (sentences or None)
    if answer is FieldAnswer.YES:
        return _affirmed(parser, label, reply.rest)
    if answer in _DENIALS:
        return _denied(parser, label, reply.rest)
    if answer is FieldAnswer.NORMAL and any(term.mention and term.mention.device for term in label.terms):
        return (f"{label.text}: normal",)
    return NOTHING


def sentences_of_sides(parser: StatementParser, label: Label, value: str) -> Sentences | None:
    """Return what is answered of each side: "left - no, right - 5 mm"; None where a value does not go by sides."""
    pieces = [_SIDE_FIRST.fullmatch(piece.strip()) for piece in _BEFORE_SIDE.split(bare(value))]
    sides = [_SIDES.get(piece["side"].upper(), piece["side"].lower()) for piece in pieces if piece]
    answered = any(piece and (read_reply(piece["value"]) or piece["mark"]) for piece in pieces)
    if len(label.parts) > 1 or len(sides) < len(pieces):
        return None
    if not answered and not _is_of_both_sides(parser, label, sides, [piece["value"] for piece in pieces if piece]):
        return None
    sentences: list[str] = []
    for side, piece in zip(sides, pieces, strict=True):
        part = label_on_side(parser, label, side)
        if part is None or piece is None:
            return NOTHING
        of_side = sentences_of(parser, part, piece["value"], minus_denies=False)
        sentences.extend((f"{part.text}: {piece['value']}",) if of_side is None else of_side)
    return tuple(sentences)


def _is_of_both_sides(parser: StatementParser, label: Label, sides: list[str], values: list[str]) -> bool:
    """Tell whether each side has a value of its own, in which neither a side nor the label is named again."""
    if sorted(sides) != ["left", "right"]:
        return False
    statements = [parser.parse(value) for value in values]
    if any(all(term.kind == "negation" for term in statement.terms) for statement in statements):
        return False  # "left dilated, right not"
    names = {name for term in label.terms if term.mention for name in (*term.mention.names, *(term.mention.pair or ()))}
    terms = [term for statement in statements for term in statement.terms]
    if label.kind is LabelKind.FINDING and any(term.mention for term in terms):
        return False  # "Infarcts: left cerebellar, right thalamic"
    return not any(term.kind == "side" or (term.mention and names.intersection(term.mention.names)) for term in terms)


def _of_pieces(parser: StatementParser, label: Label, value: str) -> Sentences | None:
    """Return what a value says piece by piece that denies a finding at one place and has it at another.

    "moderate on the right, none on the left", "++ right, - left". Nothing where a piece is not understood.
    """
    pieces = [piece for piece in _PIECES.split(bare(value)) if piece]
    has_plus = any(piece.startswith("+") for piece in pieces)
    pieces = [_MINUS_AT_SIDE.sub("no, ", piece) if has_plus else piece for piece in pieces]
    replies = [read_reply(piece) for piece in pieces]
    denied = [reply is not None and reply.answer in _DENIALS and bool(reply.rest) for reply in replies]
    if not any(denied) or all(denied):
        return None
    if any(reply is not None and reply.answer in _DENIALS and not reply.rest for reply in replies):
        return None
    sentences = [_of_finding(parser, label, piece, reply) for piece, reply in zip(pieces, replies, strict=True)]
    return tuple(sentence for one in sentences if one for sentence in one) if all(sentences) else NOTHING


def _affirmed(parser: StatementParser, label: Label, rest: str) -> Sentences:
    """Return a finding that is there. Of several behind one "yes", which of them it is for is not told."""
    if len(label.parts) > 1:
        return NOTHING
    if rest and any(term.kind in ("negation", "hedge") for term in parser.parse(rest).terms):
        return NOTHING
    sentences = qualified(parser, label, rest) if rest else None
    return sentences or (_under_organ(label, label.parts[0]),)


def _denied(parser: StatementParser, label: Label, rest: str) -> Sentences:
    denial = _under_organ(label, _denial(parser, label))
    if not rest or read_reply(rest) == (FieldAnswer.NO, ""):
        return (denial,)
    statement = parser.parse(rest)
    if _EXCEPTIONS.match(rest):
        return NOTHING
    if any(map(is_listed_finding, statement.terms)):  # "none, degenerative changes of the spine"
        return (denial, capital(rest)) if any(term.mention for term in statement.terms) else NOTHING
    if statement.terms and all(term.kind in ("organ", "side") for term in statement.terms):
        return (f"{denial} {_located(rest)}",)
    return NOTHING


def _denial(parser: StatementParser, label: Label) -> str:
    """Return the denial of a label: "no ascites or effusion"; "spleen not enlarged" of "Spleen enlarged"."""
    statement = parser.parse(label.text)
    first, last = statement.terms[0], statement.terms[-1]
    if len(label.parts) == 1 and first.mention and not first.mention.adjective and is_adjective(statement, last):
        at = statement.tokens[last.end - 1].start
        return f"{label.text[:at].rstrip()} not {lowered(label.text[at:])}"
    return f"no {' or '.join(_SLASH.sub(' or ', lowered(part)) for part in label.parts)}"


def _located(rest: str) -> str:
    if re.fullmatch(r"left|right", rest, re.IGNORECASE):
        return f"on the {rest}"
    return (
        rest
        if re.match(r"(?:in|at|on|of|within|throughout|along|around|near)\b", rest, re.IGNORECASE)
        else f"in {rest}"
    )


def _as_heading(parser: StatementParser, label: Label, value: str) -> Sentences | None:
    """Return the value alone where it is a sentence of its own, under a finding that is then only its heading.

    Empty where such a sentence needs its heading, None where the value only says more of the finding.
    """
    statement = parser.parse(value)
    subject = next((term for term in statement.terms if term.mention), None)
    verb = next((segment.verb for segment in statement.segments if segment.verb is not None), None)
    is_sentence = verb is not None and verb > 0 and (subject is None or subject.start < verb)
    if not is_sentence and not any(is_noun_finding(statement, term) for term in statement.terms):
        return None
    if not is_sentence and (parts := _with_more_behind(parser, label, value)):
        return parts
    if not all(is_listed_finding(term) or (term.mention and term.mention.finding) for term in label.terms):
        return NOTHING  # "Nodule in the right lung: slightly larger, cancer cannot be excluded"
    names_organ = subject is not None or any(term.entry and term.entry.organ for term in statement.terms)
    return (capital(value.strip()),) if names_organ else NOTHING


def _with_more_behind(parser: StatementParser, label: Label, value: str) -> Sentences:
    """Return the finding of a label as the first words of a value qualify it, before another that is added to it.

    "Haemorrhage: 2 cm right basal ganglia, mild oedema" is no heading of an oedema.
    """
    first, _, rest = value.partition(",")
    statement = parser.parse(first)
    if not rest or any(is_noun_finding(statement, term) for term in statement.terms):
        return NOTHING
    if not any(term.measure or term.mention for term in statement.terms):
        return NOTHING
    added = parser.parse(rest).terms
    is_apart = any(term.mention for term in added) and any(map(is_listed_finding, added))
    sentences = qualified(parser, label, first)
    return (*sentences, capital(rest.strip())) if sentences and is_apart else sentences


def _of_organ(parser: StatementParser, label: Label, value: str, reply: Reply | None) -> Sentences | None:
    if reply is None:
        return _of_organ_in_words(parser, label, value)
    if reply.answer in (FieldAnswer.NORMAL, FieldAnswer.NEGATIVE):
        rest = f", {reply.rest}" if reply.rest else ""
        return tuple(f"{capital(part)}: normal{rest}" for part in label.parts)
    if reply.answer is FieldAnswer.ABSENT:
        if len(label.parts) > 1 or not _tells_why_absent(parser, reply.rest):
            return None if not reply.rest else NOTHING
        return (f"Absent {lowered(label.text)}",)
    if len(label.parts) == 1 and _NORMAL_LETTER.fullmatch(bare(value)):
        return (f"{capital(label.text)}: normal",)
    if len(label.parts) == 1 and _NOT_SEEN.fullmatch(bare(value)):
        return (f"{capital(label.text)} {lowered(bare(value))}",)
    nodes = any(term.key.endswith("lymph nodes") for term in label.terms)
    return None if nodes and reply.answer is FieldAnswer.NO else NOTHING


def _tells_why_absent(parser: StatementParser, rest: str) -> bool:
    """Tell whether words behind "absent" name nothing but an operation: "absent (previous splenectomy)"."""
    terms = parser.parse(rest).terms if rest else []
    findings = [term for term in terms if term.kind in ("finding", "organ")]
    return all(term.entry is not None and not _OPERATIONS.isdisjoint(term.entry.flags) for term in findings)


def _with_sides(label: Label, value: str) -> str:
    """Return a value of a paired organ with its sides in full: "R normal, L 5 mm stone"."""
    has_sides = any(term.mention and term.mention.pair for term in label.terms)
    return _SIDE_LETTER.sub(lambda match: _SIDES[match[0]], value) if has_sides else value


def _of_organ_in_words(parser: StatementParser, label: Label, value: str) -> Sentences | None:
    given, value = value, _with_sides(label, value)
    words = bare(value)
    if _is_unchosen(parser, value) or (_UNKNOWN_SHORT.fullmatch(words) and not _is_known(parser.parse(words))):
        return NOTHING
    if len(label.parts) == 1:
        return (f"{capital(label.text)}: {words}",) if value != given or value[:1] in _OPENING_MARKS else None
    return of_each_organ(parser, label, value)


def _is_known(statement: ParsedStatement) -> bool:
    return any(term.kind != "finding" or term.entry is not None for term in statement.terms if term.kind != "measure")


def _is_unchosen(parser: StatementParser, value: str) -> bool:
    """Tell whether a value lists what could have been chosen, and nobody did: "normal / enlarged"."""
    options = _OPTIONS.split(bare(value))
    if not 1 < len(options) < 6:
        return False
    normal = [any(term.is_normality for term in parser.parse(option).terms) for option in options]
    return all(len(option.split()) < 4 for option in options) and any(
        one is not other for one, other in pairwise(normal)
    )


def _under_organ(label: Label, text: str) -> str:
    return f"{capital(label.organ)}: {lowered(text)}" if label.organ else capital(text)
