"""Form lines as plain sentences: what a statement says that is written as a field, a row of a table or ticked boxes.

``FormReader.read`` looks at one statement and returns plain sentences that say the same, with their places in it: none
where the field says nothing, and None where the statement is no form line and is read as it stands.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from curation.language.parser import StatementParser

from .answers import FieldAnswer, is_answer, read_reply
from .answers_first import answer_first, is_behind_dash
from .choices import calls_normal, consistent
from .fields import Field, fields_of, pair_of, trailing_answer
from .findings import is_adjective, is_listed_finding
from .labels import Label, LabelKind, label_on_side, read_label
from .lines import is_side
from .marks import Mark, MarkedItem, read_marks
from .scored_labels import score_of
from .values import NOTHING, sentences_of, sentences_of_sides
from .wording import capital, lowered

_ABNORMAL = "abnorm"
"""The lexicon's key of "abnormal", which names no finding that could be asked for."""
# What a form line has at least one of, from what is quick to look for to what is not.
_SIGNS = frozenset(":=|\t?☐☑☒✓✔✗✘□❏❑⊠🗹🗸]}\n→")
_DASHES = ("-", "–", "—", "+")
_DASHED = re.compile(r"->|[+–-]ve\b|\s[-–—+]+\W*$|\s[-–—]\s")
_SIGN_IN_BRACKETS = re.compile(
    r"[(]\s*(?:[xX+\-–—−✓✔×±_]|\)|(?:pos|neg|yes|no|y|n|none|present|absent)\b)", re.IGNORECASE
)
_ANSWER_AT_END = re.compile(
    r"\b(?:yes|no|none|nil|ve|absent|present|positive|negative|neg|pos|nad|n\.a\.d|np|ok|Y|N)\W*$", re.IGNORECASE
)
_LONGEST_ANSWER = 16
_PHASE = re.compile(
    r"(?:un|non-?|pre-?)?(?:enhanced|contrast|arterial|venous|portal(?: venous)?|delayed|equilibrium)(?: phase)?", re.I
)
_WHEREABOUTS = re.compile(r"(?:location|site|side|laterality|distribution|position)s?", re.IGNORECASE)


class PlainSentence(NamedTuple):
    """What ``statement[start:end]`` says."""

    text: str
    start: int
    end: int


def may_be_form(text: str) -> bool:
    """Tell whether a statement has anything that form lines are made of; most have not, and this is quick."""
    if text[:1] == "+" or not _SIGNS.isdisjoint(text):
        return True
    if any(dash in text for dash in _DASHES) and _DASHED.search(text):
        return True
    if "(" in text and _SIGN_IN_BRACKETS.search(text):
        return True
    return _ANSWER_AT_END.search(text, max(0, len(text) - _LONGEST_ANSWER)) is not None


class FormReader:
    """Reads form lines with one parser, whose vocabulary and lexicon tell organs from findings."""

    def __init__(self, parser: StatementParser) -> None:
        self._parser = parser

    def read(self, text: str, minus_is_no: bool = False) -> tuple[PlainSentence, ...] | None:
        """Return what a form line says, as plain sentences; None for a statement that is none.

        ``minus_is_no``: a lone dash denies, rather than leaving the field empty.
        """
        if text[:1] == "+" and self.asks_for_finding(text[1:].strip()):
            return (PlainSentence(capital(lowered(text[1:].strip())), 0, len(text)),)
        if not may_be_form(text):
            return None
        marked = self._marked(text, minus_is_no)
        if marked is not None:
            return marked
        fields = fields_of(self._parser, text)
        if len(fields) > 1:
            return self._several(text, fields, minus_is_no)
        sentences = self._field(text, minus_is_no)
        return None if sentences is None else tuple(PlainSentence(sentence, 0, len(text)) for sentence in sentences)

    def asks_for_finding(self, text: str) -> bool:
        """Tell whether a statement only names a finding, so that a sign before it could affirm or deny it."""
        label = read_label(self._parser, text)
        return label is not None and label.kind is LabelKind.FINDING

    def _several(self, text: str, fields: list[Field], minus_is_no: bool) -> tuple[PlainSentence, ...] | None:
        """Return what the fields of one line say; None where none of them is more than a heading with its text."""
        answers = [self._field(text[field.start : field.end], minus_is_no) for field in fields]
        if all(answer is None for answer in answers):
            return None
        return tuple(
            PlainSentence(sentence, field.start, field.end)
            for field, answer in zip(fields, answers, strict=True)
            for sentence in ((text[field.start : field.end],) if answer is None else answer)
        )

    def _field(self, text: str, minus_is_no: bool) -> tuple[str, ...] | None:
        """Return what a single field says; None where it is no field."""
        pair = pair_of(text) or trailing_answer(text)
        if pair is None:
            return None
        if not pair.is_row and (score := score_of(self._parser, pair.label, pair.values[0])) is not None:
            return score
        label = read_label(self._parser, pair.label)
        if label is None or (pair.is_row and label.kind is LabelKind.OTHER):
            return self._cells((pair.label, *pair.values)) if pair.is_row else None
        if pair.is_row:
            return self._row(label, pair.values, minus_is_no)
        value = pair.values[0]
        if pair.strict and is_behind_dash(self._parser, label, text, value):
            return self._field(f"{label.text}: {value}", minus_is_no) or (f"{label.text}: {value}",)
        if pair.strict and (label.kind is LabelKind.OTHER or not (read_reply(value) or is_side(value))):
            return None
        says_nothing = (FieldAnswer.EMPTY, *((FieldAnswer.MINUS,) if label.kind is LabelKind.ORGAN else ()))
        if pair.strict and (reply := read_reply(value)) is not None and reply.answer in says_nothing:
            return None  # "ascites - ?" is a sentence in doubt, "Spleen -" the heading of what stands below it
        if label.kind in (LabelKind.ORGAN, LabelKind.FINDING):
            sided = sentences_of_sides(self._parser, label, value)
            if sided is not None:
                return sided
        if not pair.strict and (nested := self._nested(label, value, minus_is_no)) is not None:
            return nested
        if label.kind is LabelKind.ORGAN and (below := self._answers_below(label, value, minus_is_no)) is not None:
            return below
        if _PHASE.fullmatch(label.text) and value.rstrip(" .").endswith("HU"):
            return NOTHING  # of a finding in a line above
        if label.kind is LabelKind.OTHER and _WHEREABOUTS.fullmatch(label.text):
            return NOTHING  # of a finding in a line above
        if label.kind is LabelKind.OTHER and (listed := answer_first(self._parser, label, value)) is not None:
            return listed
        sentences = sentences_of(self._parser, label, value, minus_denies=minus_is_no)
        if sentences is None and label.kind is LabelKind.ORGAN and label.text.lower() not in pair.label.lower():
            return (f"{label.text}: {value}",)  # "Kidney, left: 4 mm stone"
        return sentences

    def _nested(self, label: Label, value: str, minus_is_no: bool) -> tuple[str, ...] | None:
        """Return what a field says that stands under a heading of its line: "Liver: Cysts: none"."""
        pair = pair_of(value)
        if pair is None or pair.strict or pair.is_row:
            return None
        inner = read_label(self._parser, pair.label)
        if inner is not None and (sided := self._sided(label, inner)) is not None:
            return self._of_values(sided, pair.values, minus_is_no)
        sentences = self._field(value, minus_is_no)
        if sentences is None or inner is None or label.kind is not LabelKind.ORGAN:
            return sentences
        return tuple(self._under(label, sentence) for sentence in sentences)

    def _under(self, label: Label, sentence: str) -> str:
        """Return a sentence under the organ of its heading, unless it names one itself."""
        names_organ = any(term.mention for term in self._parser.parse(sentence).terms)
        return sentence if names_organ else f"{label.text}: {lowered(sentence)}"

    def _sided(self, label: Label, side: Label) -> Label | None:
        """Return the label of an organ on the side that a label below it states; None where it states none."""
        if label.kind is not LabelKind.ORGAN or not side.terms or any(term.kind != "side" for term in side.terms):
            return None
        sides = [term.key.removeprefix("side:") for term in side.terms]
        return label_on_side(self._parser, label, sides[0] if len(sides) == 1 else side.text)

    def _answers_below(self, label: Label, value: str, minus_is_no: bool) -> tuple[str, ...] | None:
        """Return what a list of findings with their answers says of the organ before it: "stones no, cysts yes"."""
        pieces = [piece for piece in re.split(r"\s*[,;]\s*", value) if piece]
        answers = []
        for piece in pieces:
            pair = pair_of(piece) or trailing_answer(piece)
            inner = read_label(self._parser, pair.label) if pair and pair.strict else None
            is_finding = inner is not None and inner.kind is LabelKind.FINDING
            answers.append(self._field(piece, minus_is_no) if is_finding else None)
        if all(answer is None for answer in answers):
            return None
        return tuple(
            self._under(label, sentence)
            for piece, answer in zip(pieces, answers, strict=True)
            for sentence in ((piece,) if answer is None else answer)
        )

    def _row(self, label: Label, cells: tuple[str, ...], minus_is_no: bool) -> tuple[str, ...]:
        """Return what a row of a table says: its first cell is the label, the others say something of it."""
        if len(cells) > 1 and label.kind is LabelKind.ORGAN:
            inner = read_label(self._parser, cells[0])
            if inner is not None and (sided := self._sided(label, inner)) is not None:
                return self._row(sided, cells[1:], minus_is_no)
            if inner is not None and (inner.kind is LabelKind.ORGAN or self._is_question(inner)):
                return tuple(self._under(label, sentence) for sentence in self._row(inner, cells[1:], minus_is_no))
        if label.kind is LabelKind.ORGAN and all(map(self._is_organ, cells)):
            return NOTHING  # the row of headings
        if len(cells) == 1 and (of_sides := sentences_of_sides(self._parser, label, cells[0])) is not None:
            return of_sides
        return self._of_values(label, cells, minus_is_no)

    def _is_question(self, label: Label) -> bool:
        """Tell whether a cell behind an organ is a finding that the next cells are about, and not one by itself."""
        statement = self._parser.parse(label.text)
        is_general = any(term.key == _ABNORMAL for term in label.terms)
        return label.kind is LabelKind.FINDING and not is_general and not is_adjective(statement, statement.terms[-1])

    def _is_organ(self, text: str) -> bool:
        label = read_label(self._parser, text)
        return label is not None and label.kind is LabelKind.ORGAN

    def _of_values(self, label: Label, values: tuple[str, ...], minus_is_no: bool) -> tuple[str, ...]:
        values = consistent(self._parser, values, is_organ=label.kind is LabelKind.ORGAN)
        if not values:
            return NOTHING
        value = ", ".join(values)
        sentences = sentences_of(self._parser, label, value, minus_denies=minus_is_no)
        return (f"{label.text}: {value}",) if sentences is None else sentences

    def _cells(self, cells: tuple[str, ...]) -> tuple[str, ...]:
        """Return the cells of a row without a label that are sentences of their own."""
        return tuple(cell for cell in cells if self._is_sentence(cell))

    def _is_sentence(self, text: str) -> bool:
        statement = self._parser.parse(text)
        return any(segment.verb is not None for segment in statement.segments) and len(statement.tokens) > 3

    def _marked(self, text: str, minus_is_no: bool) -> tuple[PlainSentence, ...] | None:
        """Return what the ticked items and signs of a line say; None for a line without them."""
        line = read_marks(text)
        if line is None:
            return None
        heading, _, name = line.label.rpartition(":")  # "Pleura: Effusion: [x] none"
        label = read_label(self._parser, name) if name else None
        above = read_label(self._parser, heading) if heading else None
        if (name and label is None) or (heading and above is None):
            return None
        signs = all(item.mark in (Mark.PLUS, Mark.MINUS, None) and item.text for item in line.items)
        if label is not None and label.kind is LabelKind.ORGAN and signs:
            return tuple(
                PlainSentence(self._under(label, sentence), 0, len(text))
                for item in self._with_remarks(line.items)
                for sentence in self._item(item, minus_is_no)
            )
        if label is not None and label.kind is not LabelKind.OTHER:
            chosen = tuple(item.value for item in line.items if item.value)
            sentences = self._chosen(label, chosen, minus_is_no)
            if above is not None and above.kind is LabelKind.ORGAN:
                sentences = tuple(self._under(above, sentence) for sentence in sentences)
            return tuple(PlainSentence(sentence, 0, len(text)) for sentence in sentences)
        if not any(self._is_marked(item) for item in line.items):
            return None
        return tuple(
            PlainSentence(sentence, item.start, item.end)
            for item in self._with_remarks(line.items)
            for sentence in self._item(item, minus_is_no)
        )

    def _with_remarks(self, items: tuple[MarkedItem, ...]) -> list[MarkedItem]:
        """Return the items with what is said behind them: "emphysema (+), mainly in the upper lobes"."""
        whole: list[MarkedItem] = []
        for item in items:
            terms = self._parser.parse(item.text).terms if item.mark is None else []
            is_remark = bool(terms) and not any(is_listed_finding(term) or term.kind == "negation" for term in terms)
            if is_remark and whole and whole[-1].mark in (Mark.PLUS, Mark.TICKED) and not self._is_sentence(item.text):
                whole[-1] = whole[-1]._replace(remark=f"{whole[-1].remark}, {item.text}".lstrip(", "), end=item.end)
            else:
                whole.append(item)
        return whole

    def _chosen(self, label: Label, chosen: tuple[str, ...], minus_is_no: bool) -> tuple[str, ...]:
        if (
            label.kind is LabelKind.ORGAN
            and any(calls_normal(self._parser, value) for value in chosen)
            and len(chosen) > 1
        ):
            return NOTHING
        return self._of_values(label, chosen, minus_is_no)

    def _is_marked(self, item: MarkedItem) -> bool:
        """Tell whether an item's mark is one of a form, and not a remark in brackets: "(no)" behind a sentence."""
        if item.mark in (Mark.TICKED, Mark.UNTICKED):
            return True
        label = read_label(self._parser, item.text)
        return item.mark is not None and label is not None and label.kind is LabelKind.FINDING

    def _item(self, item: MarkedItem, minus_is_no: bool) -> tuple[str, ...]:
        if item.mark is None:
            return (item.text,) if self._is_sentence(item.text) else NOTHING
        if item.mark in (Mark.UNTICKED, Mark.UNCLEAR) or not item.text or is_answer(item.text):
            return NOTHING
        label = read_label(self._parser, item.text)
        if label is not None and label.kind is LabelKind.FINDING:
            value = "no" if item.mark is Mark.MINUS else f"yes, {item.remark}" if item.remark else "yes"
            return sentences_of(self._parser, label, value, minus_denies=minus_is_no) or NOTHING
        if item.mark is not Mark.TICKED or (label is not None and label.kind is LabelKind.ORGAN):
            return NOTHING
        inner = self.read(item.text, minus_is_no=minus_is_no)
        return (item.text,) if inner is None else tuple(sentence.text for sentence in inner)
