"""Remember the heading or label that says which side or level is meant below it: "RIGHT LEG", "L4-L5: …".

A statement in its reach that names a pair without a side, or a part of the spine without a level, is read with the
heading before it: below "RIGHT LEG" the line "Popliteal artery: patent" is read as "Right leg: Popliteal artery: …".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from curation.language.parsed_statement import ParsedStatement, Segment
from curation.language.structure.side_frames import side_frame
from curation.language.word_senses import LEVEL
from prompts.vocabulary import Vocabulary

from .sub_headings import is_level_of, names_only

_MARKS = " \t:.-–—*_#"


@dataclass(slots=True)
class NarrowingHeading:
    """The heading of a section that says a side or a level, in whose reach the next statement may stand.

    ``text`` are its words, "" where there is none, ``names`` the regions or levels in it, ``anchor`` is the number of
    the statement that it stands in, and ``is_line`` tells whether it has a line to itself.
    """

    vocabulary: Vocabulary
    text: str = ""
    names: tuple[str, ...] = ()
    anchor: int = -1
    is_line: bool = False
    title: tuple[str, tuple[str, ...]] = ("", ())  # the one-sided region of the report's title, with its names

    def take_in(self, number: int, statement: ParsedStatement, *, alone: bool, line: bool, paragraph: bool) -> bool:
        """Take in statement ``number``, and tell whether it stands in the reach of a heading before it.

        ``alone``: it has a line to itself; ``line``: it begins one; ``paragraph``: below a blank line. A heading
        reaches down to the next one or to a blank line, a label to the end of its line.
        """
        if self.text and ((line and not self.is_line) or (paragraph and self.anchor not in (number - 1, -1))):
            self.text = ""
        if self.text and self._names_another_level(statement):
            self.text = ""  # "L3-4: bulge. At L4-5 the canal is narrow."
        if not self.text and self.title[0]:
            (self.text, self.names), self.anchor, self.is_line = self.title, -1, True
        segments = statement.segments
        is_label = len(segments) > 1 and segments[1].joiner == ":"
        if segments and (is_label or (alone and len(segments) == 1)):
            names = self._names(segments[0])
            if names is not None:
                self.text = statement.text_between(segments[0].start, segments[0].end).strip(_MARKS)
                self.names, self.anchor, self.is_line = names, number, not is_label
                return False
            if is_label and (self._is_of_elsewhere(segments[0]) or self._is_label_behind_side(segments[0])):
                self.text = ""  # "L5-S1: protrusion. Sacroiliac joints: …"
            if self._is_ended_by(segments[0], is_label=is_label) or (alone and names_only(statement)):
                self.text = ""  # "Both sides: …", "Ureters: …" behind "Left: …", "ABDOMEN"
        return bool(self.text)

    def _names_another_level(self, statement: ParsedStatement) -> bool:
        """Tell whether a statement below the label of a level names another level itself."""
        if not any(map(LEVEL.match, self.names)):
            return False
        named = [name for t in statement.terms if t.mention for name in t.mention.names if LEVEL.match(name)]
        levels = {level for name in self.names for level in LEVEL.findall(name)}
        return not levels.issuperset(level for name in named for level in LEVEL.findall(name))

    def _is_ended_by(self, segment: Segment, *, is_label: bool) -> bool:
        """Tell whether a label begins something else: another side, or an organ that is in none of its regions."""
        if any(term.kind == "side" for term in segment.terms):
            return True
        names = [name for term in segment.terms if term.mention for name in term.mention.names]
        if self.is_line or not is_label or not names:
            return False
        return not any(self._lies_in(name, region) for name in names for region in self.names)

    def _lies_in(self, name: str, region: str) -> bool:
        if is_level_of(self.vocabulary, region, name):
            return True
        return any(
            self.vocabulary.shared_parts(organ, region) for organ in (name, *self.vocabulary.organs[name].parents)
        )

    def narrows(self, organs: Sequence[str], narrowed: Sequence[str]) -> bool:
        """Tell whether the heading says which side, part or level is meant of the ``organs`` of a statement.

        ``narrowed`` are its organs when it is read with the heading: other ones, or the same where "vessels" are those
        of a leg, and foramina those of a level.
        """
        if not organs:
            return not {*narrowed} <= {*self.names}
        if {*organs} != {*narrowed} - {*self.names}:
            return True
        shared = [(organ, self.vocabulary.shared_parts(organ, name)) for organ in organs for name in self.names]
        if any(parts and organ not in parts for organ, parts in shared):
            return True
        return any(is_level_of(self.vocabulary, name, organ) for organ in organs for name in self.names)

    def before(self, text: str) -> str:
        """Return a statement with the heading before it."""
        has_level = any(map(str.isdigit, self.text))
        is_name = text[1:2].isupper() or text[1:2].isdigit()
        return (
            f"{self.text if has_level else self.text.capitalize()}: {text if is_name else text[:1].lower() + text[1:]}"
        )

    def _is_label_behind_side(self, segment: Segment) -> bool:
        """Tell whether a label names an organ behind a bare side that was the label before: "Left: normal. TMJs: …"."""
        return not self.is_line and not self.names and any(term.mention for term in segment.terms)

    def _is_of_elsewhere(self, segment: Segment) -> bool:
        """Tell whether a label names an organ that is at no level, behind the label of a level."""
        organs = [name for term in segment.terms if term.mention for name in term.mention.names]
        levels = [name for name in self.names if LEVEL.match(name)]
        if not organs or not levels:
            return False
        return not any(is_level_of(self.vocabulary, level, organ) for level in levels for organ in organs)

    def _names(self, segment: Segment) -> tuple[str, ...] | None:
        """Return the regions or levels of a segment that is a heading of one side or level; None for any other."""
        if frame := side_frame(segment, self.vocabulary, label=True):
            return tuple(name for mention in frame.regions for name in mention.names)
        names = tuple(name for term in segment.terms if term.mention for name in term.mention.names)
        is_level = len(names) == len(segment.terms) == 1 and LEVEL.match(names[0])
        return names if is_level else None
