"""Remember the heading or label that says the side of what stands below it: "RIGHT LEG", "Left ear: …".

A statement in its reach that names a pair without a side is read with the heading before it: below "RIGHT LEG" the
line "Popliteal artery: patent" is read as "Right leg: Popliteal artery: patent".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from curation.language.parsed_statement import ParsedStatement
from curation.language.structure.side_frames import side_frame
from prompts.vocabulary import Vocabulary

from .sub_headings import names_only

_MARKS = " \t:.-–—*_#"


@dataclass(slots=True)
class SideHeadings:
    """The heading of a section that says a side, in whose reach the next statement may stand.

    ``text`` are its words, "" where there is none, ``regions`` what it names, ``anchor`` is the number of the statement
    that it stands in, and ``is_line`` tells whether it has a line to itself.
    """

    vocabulary: Vocabulary
    text: str = ""
    regions: tuple[str, ...] = ()
    anchor: int = -1
    is_line: bool = False

    def take_in(self, number: int, statement: ParsedStatement, *, alone: bool, line: bool, paragraph: bool) -> bool:
        """Take in statement ``number``, and tell whether it stands in the reach of a heading before it.

        ``alone``: it has a line to itself; ``line``: it begins one; ``paragraph``: below a blank line. A heading
        reaches down to the next one or to a blank line, a label to the end of its line.
        """
        if self.text and ((line and not self.is_line) or (paragraph and self.anchor != number - 1)):
            self.text = ""
        segments = statement.segments
        is_label = len(segments) > 1 and segments[1].joiner == ":"
        if segments and (is_label or (alone and len(segments) == 1)):
            if frame := side_frame(segments[0], self.vocabulary, label=True):
                self.regions = tuple(name for mention in frame.regions for name in mention.names)
                self.text = statement.text_between(segments[0].start, segments[0].end).strip(_MARKS)
                self.anchor, self.is_line = number, not is_label
                return False
            if any(term.kind == "side" for term in segments[0].terms) or (alone and names_only(statement)):
                self.text = ""  # "Both sides: …", "ABDOMEN"
        return bool(self.text)

    def narrows(self, organs: Sequence[str]) -> bool:
        """Tell whether the heading tells which part of organs without sides is meant: of "vessels" those of a leg."""
        shared = {
            (name, region): self.vocabulary.shared_parts(name, region) for name in organs for region in self.regions
        }
        return any(parts and name not in parts for (name, _), parts in shared.items())

    def before(self, text: str) -> str:
        """Return a statement with the heading before it."""
        return f"{self.text[:1].upper()}{self.text[1:].lower()}: {text}"
