"""Recognise the headings inside findings: lines that name organs, regions or an examination and assert nothing.

What stands below one is about its organs where it names none itself, up to the next heading or blank line.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from curation.language.parsed_statement import ParsedStatement, Term
from curation.language.tokens import stem
from curation.language.word_lists import NEUTRAL_STEMS, POSITION_STEMS
from curation.language.word_senses import LEVEL
from curation.verification.organs import subject_organs
from prompts.vocabulary import Vocabulary

# Stems of the words that may stand in a heading beside its organs: how much of them, and of which examination.
_FRAME_WORDS = (
    "whole entire complete both all remaining remainder rest other others additional miscellaneous misc general "
    "incidental visualized visible included including imaged limited portion portions part view views section sections "
    "study scan ct cta ctpa mri mr mra hrct cect ncct pet examination exam high resolution with without contrast post "
    "pre iv oral enhanced unenhanced plain protocol finding findings level axial tract organ organs viscera solid "
    "partially partly incompletely hollow evaluation assessment window windows bilateral lower upper mid"
)
FRAME_STEMS = frozenset(map(stem, _FRAME_WORDS.split())) | NEUTRAL_STEMS | POSITION_STEMS
# They make a heading where no organ stands in it: "Other findings".
NOUNS_OF_HEADINGS = frozenset(map(stem, ("findings", "finding", "miscellaneous", "misc", "general", "other", "others")))
_PLACING = frozenset("in within along into from".split())
FARTHEST_ANCHOR = 4
"""Statements after which a statement that names no organ no longer goes on about the last one that did."""
_ITEM = re.compile(r"[ \t]*(?:[-\u2013\u2014\u2022\u25e6\u25aa\u25cf\u00b7*]|\(?(?:\d{1,2}|[a-hA-H])[.):](?!\d))")
_BEFORE = re.compile(r"[ \t]*(?:[^\w\s]|\(?(?:\d{1,2}|[a-hA-H])[.):]|[ \t])*\Z")
_BEHIND = re.compile(r"[ \t]*[:*_#=|\u2013\u2014-]*[ \t]*(?=\n|\Z)")


def names_only(statement: ParsedStatement) -> bool:
    """Tell whether a statement only names organs, regions or an examination."""
    if any(segment.verb is not None for segment in statement.segments) or not statement.terms:
        return False
    if _places_a_value(statement):
        return False
    colon = statement.text.rstrip().endswith(":")
    if not all(_is_name(term, statement, colon) for term in statement.terms):
        return False
    return any(term.mention for term in statement.terms) or not NOUNS_OF_HEADINGS.isdisjoint(statement.stems)


def _places_a_value(statement: ParsedStatement) -> bool:
    """Tell whether words behind a label say where something is: "Middle ear: soft tissue in the attic"."""
    words = [token.word for token in statement.tokens]
    return ":" in words and not _PLACING.isdisjoint(words[words.index(":") + 1 :])


def names_nodes(statement: ParsedStatement) -> bool:
    """Tell whether a statement names lymph nodes, which as a sentence says that there are some."""
    return any(term.key.endswith("lymph nodes") for term in statement.terms)


def is_line_of_heading(text: str, start: int, end: int, section_end: int) -> bool:
    """Tell whether ``text[start:end]`` stands on a line of its own, with no full stop, and is no item of a list."""
    if text[end - 1 : end] in {".", "!", "?"}:
        return False
    line = text.rfind("\n", 0, start) + 1
    behind = _BEHIND.match(text, end, section_end)
    if behind is None or not text[behind.end() : section_end].strip():
        return False
    if text[start:end].rstrip().endswith(":") or ":" in behind[0]:
        return True
    item, following = _ITEM.match(text, line, start), text[behind.end() : section_end].lstrip("\r\n \t")
    if not _BEFORE.match(text[line:start]) and not _opens_section(text, line, start):
        return False
    return item is None or _ITEM.match(following) is None


def _opens_section(text: str, line: int, start: int) -> bool:
    """Tell whether the heading of the section stands before a statement on its line: "FINDINGS: Brain"."""
    return text[line:start].rstrip().endswith((":", "-", "."))


def _is_name(term: Term, statement: ParsedStatement, colon: bool) -> bool:
    mention = term.mention
    if mention is not None:
        return (colon or not mention.device) and not mention.finding and not term.polarity
    if term.kind in ("side", "negation"):
        return term.kind == "side" or "contrast" in statement.stems
    if term.kind not in ("finding", "modifier"):
        return term.kind == "measure" and colon
    return all(word in FRAME_STEMS or not word[0].isalnum() for word in statement.stems[term.start : term.end])


def label_of(statement: ParsedStatement) -> str | None:
    """Return the organ that the words before the colon of a statement name: "" for none or several, None for no colon.

    "C4-C5: Disc bulge" is about that level, and so is what follows.
    """
    if len(statement.segments) < 2 or statement.segments[1].joiner != ":":
        return None
    names = subject_organs(statement.segments[0].terms)
    return names[0] if len(names) == 1 else ""


def opens_a_field(statement: ParsedStatement) -> bool:
    """Tell whether a statement begins with a label that names neither an organ nor what an organ has: "Dominance: …".

    "Size: 12 cm" may go on about the organ of the line before.
    """
    return label_of(statement) == "" and not any(term.attribute for term in statement.segments[0].terms)


def has_unknown_label(statement: ParsedStatement) -> bool:
    """Tell whether the words before the colon of a statement name what neither vocabulary nor lexicon knows.

    What stands behind "Popliteal: …" is about that, and not about the organ of the statement before.
    """
    if label_of(statement) != "":
        return False
    names = [term for term in statement.segments[0].terms if term.kind == "finding" and not term.attribute]
    return any(term.entry is None and not _is_name(term, statement, colon=True) for term in names)


def is_level_of(vocabulary: Vocabulary, level: str, name: str) -> bool:
    """Tell whether an organ of the spine that has no level of its own may be meant at ``level``: "C4-C5 disc"."""
    return bool(LEVEL.match(level)) and LEVEL.match(name) is None and "spine" in vocabulary.ancestors(name)


@dataclass(slots=True)
class Topic:
    """What the statements of a section go on about: the organs named last, and those of the heading above them.

    ``anchor`` and ``heading_anchor`` are the numbers of the statements that name them, None where there are none.
    """

    vocabulary: Vocabulary
    organs: tuple[str, ...] = ()
    anchor: int | None = None
    heading_organs: tuple[str, ...] = ()
    heading_anchor: int | None = None
    below_heading: bool = False
    label: str | None = None
    label_anchor: int | None = None

    def context(
        self,
        number: int,
        organs: tuple[str, ...],
        *,
        heading: bool,
        paragraph: bool,
        line: bool = False,
        label: str | None = None,
    ) -> tuple[tuple[str, ...], int | None]:
        """Take in statement ``number``, which names ``organs``, and return those that it goes on about, and the anchor.

        One that names organs goes on about no others. ``heading``: it is a heading; ``paragraph``: a blank line stands
        before it; ``line``: it begins a line. ``label``: the organ of the words before its colon, "" where they name
        none; None without a colon.
        """
        if paragraph and not self.below_heading:
            self._end()
        self.below_heading = heading
        if heading or label is not None:
            self.label, self.label_anchor = label or None, number
        if heading:
            self.heading_organs, self.heading_anchor = organs, number if organs else None
        if organs or heading:
            self.organs, self.anchor = organs, number if organs else None
            narrowed = self._narrowing_heading(organs) if organs and not heading else ((), None)
            self.organs = self._narrowed(organs, narrowed[0])
            return narrowed
        if self._is_behind_label(line):
            assert self.label is not None
            return (self.label,), self.label_anchor
        if not line and self._is_in_other_line():
            return ((self.label,), self.label_anchor) if self.label is not None else ((), None)
        if self._is_under_heading() or (self.anchor is not None and number - self.anchor > FARTHEST_ANCHOR):
            self.organs, self.anchor = self.heading_organs, self.heading_anchor
        return self.organs, self.anchor

    def _narrowing_heading(self, organs: tuple[str, ...]) -> tuple[tuple[str, ...], int | None]:
        """Return the organ of the heading, with its anchor, where it tells which part of those named below is meant.

        "CERVICAL SPINE:" does so of "canal stenosis", and "RIGHT LEG:" of "the femoral artery".
        """
        heading, anchor = self.label, self.label_anchor
        if heading is None and len(self.heading_organs) == 1:
            heading, anchor = self.heading_organs[0], self.heading_anchor
        if heading is not None and any(self._narrows(heading, name) for name in organs):
            return (heading,), anchor
        return (), None

    def _narrows(self, heading: str, name: str) -> bool:
        """Tell whether a heading tells which part of an organ, or which level of the spine, is meant."""
        shared = self.vocabulary.shared_parts(name, heading)
        return name not in shared if shared else is_level_of(self.vocabulary, heading, name)

    def _narrowed(self, organs: tuple[str, ...], heading: tuple[str, ...]) -> tuple[str, ...]:
        """Return organs as their heading narrows them: of "kidneys" below "Right kidney: …" the right one."""
        names = dict.fromkeys(part for name in organs for part in self._parts_of(name, heading))
        return tuple(names)

    def _parts_of(self, name: str, heading: tuple[str, ...]) -> Iterable[str]:
        shared = sorted(part for organ in heading for part in self.vocabulary.shared_parts(name, organ))
        return shared if name not in shared and shared else (name,)

    def forget(self) -> None:
        """Let what follows go on about no statement before it, only about the heading."""
        self.organs, self.anchor = self.heading_organs, self.heading_anchor

    def _end(self) -> None:
        self.organs, self.anchor, self.heading_organs, self.heading_anchor = (), None, (), None
        self.label, self.label_anchor = None, None

    def _is_behind_label(self, line: bool) -> bool:
        """Tell whether a statement goes on about the label of its line, one of a pair, of which parts were named since.

        "LEFT KIDNEY: Duplex collecting system. A 3 cm mass." has the mass in the kidney, and not in the system.
        """
        if line or self.label is None or self.vocabulary.organs[self.label].side is None:
            return False
        return bool(self.organs) and all(self.label in (name, *self.vocabulary.ancestors(name)) for name in self.organs)

    def _is_in_other_line(self) -> bool:
        """Tell whether a statement goes on behind a label that is no part of what stands under the heading above.

        "Nodes" above "Pelvic: none" and, further down, "Bones: L5 pars defects. No metastases."
        """
        if self.label_anchor is None or self.heading_anchor is None or self.label_anchor <= self.heading_anchor:
            return False
        if not self._is_under_heading():
            return False
        label = self.label
        return label is None or not any(self.vocabulary.related(label, organ) for organ in self.heading_organs)

    def _is_under_heading(self) -> bool:
        """Tell whether the heading's organs are meant: unless it is a region, or the organs named last are its parts.

        "Liver: Normal size. The portal vein is patent. No mass." denies a mass of the liver.
        """
        organs = self.vocabulary.organs
        if not self.heading_organs or any(organs[name].region for name in self.heading_organs):
            return False
        return not all(
            any(self.vocabulary.related(name, organ) for organ in self.heading_organs) for name in self.organs
        )
